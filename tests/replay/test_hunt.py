"""The hunt for hidden causes: the same replay under other circumstances, and what differs is named."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import pytest

import playhead.hunt
from playhead.__main__ import main
from playhead.cli.hunt import text
from playhead.hunt import VARIATIONS, Finding, HuntFailed, hunt
from playhead.loading import CodeNames
from playhead.terminal import PLAIN
from playhead_engine import Engine, activity
from tests.replay.hidden_causes import Fine
from tests.replay.hidden_causes_temporal import HashOrder
from tests.replay.timeline_workflows import line_of

ROOT = Path(__file__).parents[2]
ONCE_MORE, *SEEDS = range(5)
ADDRESSES, WARM, UNCACHED, QUERIED, SHUFFLED, TIME_ZONE = range(5, len(VARIATIONS))


@activity.defn(name="alpha")
async def alpha() -> None:
    """Do nothing."""


@activity.defn(name="beta")
async def beta() -> None:
    """Do nothing."""


@activity.defn(name="gamma")
async def gamma() -> None:
    """Do nothing."""


@cache
def history() -> bytes:
    """What the workflow that depends on nothing left behind."""
    with Engine(workflows=[Fine], activities=[alpha, beta, gamma], seed=7) as engine:
        handle = engine.start_workflow(Fine.run, id="hidden", task_queue="t").wait()
        handle.result().wait()
        return handle.fetch_history().wait().to_json()


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file of that history; commands are given at the root of the repository."""
    monkeypatch.chdir(ROOT)
    path = tmp_path / "hidden.json"
    text = history()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def found(recorded: str, cls: str, *numbers: int, module: str = "hidden_causes") -> list[Finding]:
    """What differs for a class under some of the variations, by their place in the table, or under all."""
    variations = [VARIATIONS[number] for number in numbers] or VARIATIONS
    findings = hunt(CodeNames((f"tests.replay.{module}:{cls}",)), recorded, variations=variations)
    assert [finding.variation for finding in findings] == list(variations)
    return [finding for finding in findings if finding.differs]


def test_code_that_depends_on_nothing_is_the_same_under_all_variations(recorded: str) -> None:
    """No variation is a false alarm."""
    assert found(recorded, "Fine") == []


def test_the_order_of_a_set_is_found_by_other_hash_seeds(recorded: str) -> None:
    """With the first command that differs, its line, and what to do."""
    differing = found(recorded, "HashOrder", *SEEDS, QUERIED)
    assert {finding.variation for finding in differing} <= {VARIATIONS[number] for number in SEEDS}
    assert differing[0].differing_fields() == ["activityType"]
    assert differing[0].found is not None
    assert differing[0].found["file"].endswith("hidden_causes.py")
    assert "sorted(...)" in differing[0].variation.cause


def test_what_outlives_a_run_is_found_in_a_warm_process(recorded: str) -> None:
    """The second replay of a process, and replays from the start, ask for something else."""
    differing = found(recorded, "Module", SEEDS[0], WARM, UNCACHED)
    assert [finding.variation for finding in differing] == [VARIATIONS[WARM], VARIATIONS[UNCACHED]]
    assert "Keep it in the workflow object" in differing[0].variation.cause


def test_a_query_that_changes_the_run_is_found(recorded: str) -> None:
    """Only by asking it."""
    (finding,) = found(recorded, "Spoiled", WARM, QUERIED)
    assert finding.variation is VARIATIONS[QUERIED]
    assert finding.task == 2
    assert finding.verdicts == ("agrees", "diverges at event 11")


def test_the_sets_of_asyncio_wait_are_found(recorded: str) -> None:
    """Only by giving them in another order."""
    (finding,) = found(recorded, "Wait", ADDRESSES, SHUFFLED)
    assert finding.variation is VARIATIONS[SHUFFLED]


def test_local_time_is_found(recorded: str) -> None:
    """Only in another time zone; a changed input is no divergence for Temporal, and named all the same."""
    (finding,) = found(recorded, "Local", WARM, TIME_ZONE)
    assert finding.variation is VARIATIONS[TIME_ZONE]
    assert finding.differing_fields() == ["input"]
    assert finding.verdicts is None


def test_what_differs_with_nothing_varied_is_not_blamed_on_what_was_varied(
    recorded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects lie elsewhere in every process, whatever its hash seed is."""
    answers = iter(["alpha", "beta", "gamma", "beta"])

    def replayed(*_: object) -> dict[str, object]:
        command = {"task": 1, "type": "ActivityTaskScheduled", "fields": {"activityType": next(answers)}, "stack": []}
        return {"verdict": "agrees", "commands": [command]}

    monkeypatch.setattr(playhead.hunt, "_replayed", replayed)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    findings = hunt(CodeNames(()), recorded, variations=[VARIATIONS[number] for number in (ONCE_MORE, *SEEDS[:2])])
    assert [(one.differs, one.is_told_apart) for one in findings] == [(True, True), (True, False), (True, False)]
    shown = text("x.json", findings, PLAIN)
    assert shown[3].startswith("  cause      It differs from process to process with nothing varied")
    assert shown[7] == "  cause      perhaps the same as above: it differs with nothing varied, too"


TEMPORAL = "hidden_causes_temporal"


def test_code_for_temporalio_that_depends_on_nothing_is_the_same(recorded: str) -> None:
    """In its sandbox as well; its queries are known to the hunt."""
    assert found(recorded, "Fine", ONCE_MORE, UNCACHED, QUERIED, SHUFFLED, module=TEMPORAL) == []


def test_the_order_of_a_set_in_code_for_temporalio_is_found_and_the_loop_named(recorded: str) -> None:
    """Temporal's sandbox has nothing against it. A helper asks for the command; the loop stands in its caller."""
    differing = found(recorded, "HashOrder", *SEEDS[:2], module=TEMPORAL)
    assert differing[0].variation in [VARIATIONS[number] for number in SEEDS[:2]]
    assert differing[0].differing_fields() == ["activityType"]
    (suspect,) = differing[0].suspects()
    line = line_of(HashOrder.run, "for name in {")
    assert suspect == (
        f"`{{'alpha', 'beta', 'gamma'}}` at tests/replay/hidden_causes_temporal.py:{line} iterates over a set, whose "
        "order differs from process to process; use `sorted(...)` instead"
    )


def test_what_outlives_a_run_of_code_for_temporalio_is_found_outside_of_its_sandbox(recorded: str) -> None:
    """The sandbox gives each run modules of its own, and nothing differs."""
    assert found(recorded, "SandboxedModule", WARM, module=TEMPORAL) == []
    (finding,) = found(recorded, "Module", WARM, module=TEMPORAL)
    assert "Keep it in the workflow object" in finding.variation.cause


@pytest.mark.parametrize(
    ("cls", "number", "fields"),
    [("Spoiled", QUERIED, ["activityType"]), ("Wait", SHUFFLED, ["activityType"]), ("Local", TIME_ZONE, ["input"])],
)
def test_other_hidden_causes_in_code_for_temporalio_are_found(
    recorded: str, cls: str, number: int, fields: list[str]
) -> None:
    """A query that changes the run, the sets of asyncio.wait, local time."""
    (finding,) = found(recorded, cls, number, module=TEMPORAL)
    assert finding.differing_fields() == fields
    assert finding.found is not None
    assert finding.found["file"].endswith("hidden_causes_temporal.py")


def test_the_command_line_names_what_differs(
    recorded: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In words, and as JSON; exit code 1 if anything does."""
    monkeypatch.setattr(playhead.hunt, "VARIATIONS", (VARIATIONS[WARM], VARIATIONS[QUERIED]))
    arguments = ["replay", recorded, "--hunt", "-w"]
    assert main([*arguments, "tests.replay.hidden_causes:Fine"]) == 0
    assert capsys.readouterr().out == f"{recorded}: the same under 2 variations\n"
    assert main([*arguments, "tests.replay.hidden_causes:Spoiled"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{recorded}: differs in workflow task 2 with queries asked after every workflow task"
    assert lines[1].startswith("  otherwise  ActivityTaskScheduled  activityType=beta")
    assert lines[2].startswith("  then       ActivityTaskScheduled  activityType=again")
    assert lines[3] == "  verdict    agrees, then diverges at event 11"
    assert lines[4].startswith("  cause      A query handler changes the run")
    assert main([*arguments, "tests.replay.hidden_causes:Spoiled", "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["differs"]) for one in shown["variations"]] == [
        ("a process that has replayed it before", False),
        ("queries asked after every workflow task", True),
    ]


def test_a_history_that_cannot_be_replayed_is_a_mistake(recorded: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The reason is told once, and nothing is called the same."""
    with pytest.raises(HuntFailed, match="there is no module 'nowhere'|There is no module 'nowhere'"):
        hunt(CodeNames(("nowhere",)), recorded)
    assert main(["replay", "nothing.json", "--hunt", "-w", "examples.orders"]) == 2
    assert "nothing.json" in capsys.readouterr().err
