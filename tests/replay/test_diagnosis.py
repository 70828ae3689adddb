"""A diagnosis beyond the table: long histories, bounded search, encrypted payloads, and what a proof leaves behind."""

from __future__ import annotations

import linecache
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks.histories import sequential_activities

from playhead import Agrees, Diverges, NotReplayable, Replayer, read_history
from playhead.diagnosis.alignment import Change
from playhead.diagnosis.draws import Generator
from playhead.diagnosis.source import Source, source_of
from playhead.diagnosis.suspects import suspects
from playhead_engine import Engine, workflow
from playhead_engine.converter import DataConverter, PayloadCodec
from playhead_engine.history import History
from playhead_engine.payload import Payload
from tests.replay.diagnosis_case import CASES, load, read_case, recorded, workflows_of

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"
SOON = timedelta(seconds=10)


@workflow.defn(name="Loop")
class OneMore:
    """As many activities as it is told, and a new one before the last but ten."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Run them."""
        for number in range(count):
            if number == count - 10:
                await workflow.execute_activity("audit", number, start_to_close_timeout=SOON)
            await workflow.execute_activity("echo", number, start_to_close_timeout=SOON)
        return count


@workflow.defn(name="Loop")
class Different:
    """Has nothing in common with what was recorded, and never ends."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Go on for ever."""
        number = 0
        while True:
            await workflow.execute_activity(f"other-{number}", number, start_to_close_timeout=SOON)
            await workflow.sleep(1)
            number += 1


@workflow.defn(name="OrderFulfilment")
class Order:
    """Does what was recorded."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Fulfil the order."""
        for name in ("reserve", "charge", "ship"):
            await workflow.execute_activity(name, given, start_to_close_timeout=SOON)


@workflow.defn(name="Secret")
class Secret:
    """Takes a word, and passes another one on."""

    @workflow.run
    async def run(self, word: str) -> str:
        """Pass it on."""
        await workflow.execute_child_workflow("Echo", word + SUFFIX, id="echo")
        return "done"


@workflow.defn(name="Echo")
class Echo:
    """Gives back what it is given."""

    @workflow.run
    async def run(self, word: str) -> str:
        """Give it back."""
        return word


SUFFIX = ""


class Salted(PayloadCodec):
    """Encrypts, in a manner: the same value never looks the same twice."""

    def __init__(self) -> None:
        """Begin to count."""
        self.count = 0

    async def encode(self, payloads: Any) -> list[Payload]:
        """Put a number before the bytes."""
        encoded = []
        for payload in payloads:
            self.count += 1
            data = self.count.to_bytes(4, "big") + payload.SerializeToString()
            encoded.append(Payload(metadata={"encoding": b"binary/salted"}, data=data))
        return encoded

    async def decode(self, payloads: Any) -> list[Payload]:
        """Take it away again."""
        return [Payload.FromString(p.data[4:]) if p.metadata["encoding"] == b"binary/salted" else p for p in payloads]


def test_one_new_step_in_a_long_history_is_one_difference() -> None:
    """Deep in a history of thousands of events, a step that is put in shows as exactly that, the rest as equal."""
    history = read_history(sequential_activities(400))
    diagnosis = Replayer([OneMore]).diagnose(history, workflow_id="wid")
    alignment = diagnosis.alignment
    assert [alignment.rows[number].change for number in alignment.differences()] == [Change.ADDED]
    assert len(alignment.rows) == 402
    assert alignment.reached == len(history)


def test_the_search_is_bounded() -> None:
    """Code that has nothing in common with the recording, and never ends, is given up on in time."""
    history = read_history(sequential_activities(300))
    begun = time.monotonic()
    diagnosis = Replayer([Different]).diagnose(history, workflow_id="wid", seconds=0.5)
    assert time.monotonic() - begun < 20
    assert diagnosis.alignment.differences()
    assert diagnosis.alignment.stopped or not diagnosis.alignment.is_cheapest


@pytest.mark.parametrize(
    "name", [path.name for path in sorted(FIXTURES.glob("*.json")) if path.name.startswith("orders")]
)
def test_unchanged_code_has_nothing_to_be_said_of(name: str) -> None:
    """Recordings of a real server beside their own code: no difference, no cause, no warning."""
    from examples.orders import OrderFulfilment

    diagnosis = Replayer([OrderFulfilment]).diagnose(FIXTURES / name)
    assert diagnosis.alignment.differences() == []
    assert (diagnosis.causes, diagnosis.cautions) == ((), ())


def test_a_history_without_code_has_no_rows() -> None:
    """What cannot be replayed cannot be compared; the verdict says why."""
    diagnosis = Replayer([Order]).diagnose(FIXTURES / "pizza_open.json")
    assert isinstance(diagnosis.verdict, NotReplayable)
    assert diagnosis.alignment.rows == ()


def test_encrypted_values_are_compared_as_what_they_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """A codec that encrypts the same value differently each time gives no false warning, and hides no true one."""
    converter = DataConverter(payload_codec=Salted())
    with Engine(workflows=[Secret, Echo], data_converter=converter, seed=1) as engine:
        handle = engine.start_workflow("Secret", "hush", id="s", task_queue="t").wait()
        handle.result().wait()
        history = handle.fetch_history().wait()
    replayer = Replayer([Secret], data_converter=converter)
    assert replayer.diagnose(history).cautions == ()
    monkeypatch.setitem(globals(), "SUFFIX", "!")
    (caution,) = replayer.diagnose(history).cautions
    assert caution.text == 'child workflow Echo: the arguments were ["hush"], now ["hush!"].'


def test_a_proof_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trying a fix changes no file, no module and no cached source."""
    monkeypatch.chdir(tmp_path)
    case = read_case(CASES / "renamed_activity.case")
    history = recorded(case, tmp_path)
    path = tmp_path / "renamed_activity.py"
    path.write_text(case.after)
    module = load(path)
    finders = list(sys.meta_path)
    replayer = Replayer(workflows_of(module))
    fix = replayer.fix(replayer.diagnose(history), history)
    assert fix.is_proved
    assert path.read_text() == case.after
    assert sys.modules["renamed_activity"] is module
    assert sys.meta_path == finders
    assert "".join(linecache.getlines(str(path))) == case.after


def test_a_fix_that_raises_is_not_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed file that cannot even be imported is no proof, and no crash."""
    from playhead.diagnosis.proof import prove

    monkeypatch.chdir(tmp_path)
    case = read_case(CASES / "renamed_activity.case")
    history = recorded(case, tmp_path)
    path = tmp_path / "renamed_again.py"
    path.write_text(case.after)
    (cls, *_) = workflows_of(load(path))
    replayer = Replayer([cls])
    proof = prove(history, case.after + "\nraise RuntimeError('no')\n", cls, replayer, "x")
    assert (proof.holds, proof.problem) == (False, "RuntimeError: no")
    assert isinstance(replayer.replay(history), Diverges)


def test_a_patch_that_new_runs_do_not_come_to_is_not_called_proved(tmp_path: Path) -> None:
    """A change behind a condition that no guess meets lets the recorded run go on, and is said to be no more than
    that."""
    path = tmp_path / "late_change.py"
    path.write_text((FIXTURES.parents[1] / "examples" / "orders.py").read_text())
    (cls,) = workflows_of(load(path))
    history = read_history(FIXTURES / "orders_completed.json")
    from playhead.diagnosis.proof import prove

    proof = prove(history, path.read_text(), cls, Replayer([cls]), "never-asked-for")
    assert (proof.replay_agrees, proof.takes_new_path, proof.holds) == (True, None, False)


def test_a_uuid_is_found_in_the_numbers_of_its_run() -> None:
    """Every UUID that a seed gives is found at its word, also inside a longer id; others are not."""
    import uuid
    from random import Random

    random = Random(17)
    random.random()
    drawn = uuid.UUID(bytes=random.getrandbits(128).to_bytes(16, "big"), version=4)
    generator = Generator(17)
    found = generator.place(f"order-{drawn}")
    assert found is not None
    assert found.word == 2
    assert generator.place(str(uuid.UUID(int=0x1234, version=4))) is None
    assert generator.place("order-17") is None


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("if datetime.now() > limit: pass", "datetime.now()"),
        ("if time.time() > limit: pass", "time.time()"),
        ("if random.choice([1, 2]) == 1: pass", "random.choice([1, 2])"),
        ("if str(uuid.uuid4()) > limit: pass", "uuid.uuid4()"),
        ("if os.environ['FLAG']: pass", "os.environ"),
        ("if hash(limit) % 2: pass", "hash(limit)"),
        ("for one in set(limit): pass", "set(limit)"),
        ("for one in {1, 2} | limit: pass", "{1, 2} | limit"),
        ("for one in limit.union(limit): pass", "limit.union(limit)"),
        ("now = datetime.now()\n    if now > limit: pass", "datetime.now()"),
        ("done, rest = await asyncio.wait(limit)\n    for one in done: pass", "done"),
        ("if helper() > limit: pass", "time.monotonic()"),
        ("if CACHE: pass", "CACHE"),
    ],
)
def test_what_is_another_thing_on_every_replay_is_suspected(code: str, line: str) -> None:
    """Clocks, chance, the environment, sets and shared values are seen, through names and functions of the file."""
    assert [one.text for one in found_in(code)] == [line]


@pytest.mark.parametrize(
    "code",
    [
        "if workflow.now() > limit: pass",
        "if workflow.random().random() > limit: pass",
        "if workflow.uuid4().int > limit: pass",
        "if workflow.time() > limit: pass",
        "for one in sorted(set(limit)): pass",
        "for one in [1, 2]: pass",
        "if limit in {1, 2}: pass",
        "if limit: pass",
    ],
)
def test_what_a_replay_repeats_is_not_suspected(code: str) -> None:
    """The workflow's own clock and chance, sorted sets and membership are above suspicion."""
    assert found_in(code) == []


def found_in(code: str) -> list[Any]:
    """What is suspected in the last condition of some code."""
    text = (
        "CACHE = []\n\n\ndef helper():\n    return time.monotonic()\n\n\ndef fill():\n    CACHE.append(1)\n\n\n"
        f"async def run(limit):\n    {code}\n"
    )
    source = Source("code.py", text.splitlines(keepends=True))
    last = len(source.lines)
    condition = source.conditions(last)[0]
    function = source.function(last)
    is_iterated = type(condition.node).__name__ == "For"
    return list(suspects(source, condition.expression, function, is_iterated=is_iterated))


def test_a_file_that_is_not_python_is_evidence_of_nothing(tmp_path: Path) -> None:
    """Source that cannot be read or parsed gives no causes, and no error."""
    path = tmp_path / "broken.py"
    path.write_text("def (:\n")
    assert source_of(str(path)) is None
    assert source_of(str(tmp_path / "missing.py")) is None


def test_an_agreeing_history_is_not_patched() -> None:
    """Where nothing differs, the fix says so."""
    history: History = read_history(FIXTURES / "orders_completed.json")
    replayer = Replayer([Order])
    diagnosis = replayer.diagnose(history)
    assert isinstance(diagnosis.verdict, Agrees)
    assert replayer.fix(diagnosis, history).reason.startswith("there is nothing to patch")
