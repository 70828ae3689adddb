"""Our recordings of a real server, encrypted: without the key, with it, and with it at the disposal of Temporal."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter as TemporalConverter
from temporalio.worker import Replayer as TemporalReplayer
from temporalio.workflow import NondeterminismError

from playhead import Agrees, NeedsValue, Replayer, read_history
from playhead.__main__ import main
from playhead.rendering import label
from playhead_engine.converter import DataConverter
from tests.replay.encryption import KEY, NativeAes, TemporalAes, encrypted
from tests.replay.project import FIXTURES, ROOT

RECORDINGS: list[dict[str, Any]] = json.loads((FIXTURES / "INDEX.json").read_text())
PAIRS = [(recording, code) for recording in RECORDINGS for code in [recording, *recording.get("variants", [])]]
IDS = [f"{recording['file'].removesuffix('.json')}-{code['module'].rpartition('.')[2]}" for recording, code in PAIRS]
DERIVED = ROOT.parent / "shared" / "histories" / "temporal" / "derived"


def class_of(code: dict[str, Any], kind: str) -> Any:
    """The workflow class, in one of the two forms; that for `temporalio` runs in its sandbox."""
    module = code["module"] if kind == "native" else code["module"].replace("examples.", "examples.temporal.")
    return getattr(import_module(module), code["class"])


@pytest.mark.parametrize(("recording", "code"), PAIRS, ids=IDS)
def test_without_the_key_both_kinds_of_code_come_equally_far(recording: dict[str, Any], code: dict[str, Any]) -> None:
    """They agree without a look, or look at the same line into the same value, or diverge where they did before."""
    history = read_history(encrypted((FIXTURES / recording["file"]).read_bytes()))
    native, temporal = (
        Replayer([class_of(code, kind)]).replay(history, workflow_id=recording["workflow_id"])
        for kind in ("native", "temporal")
    )
    assert label(native) == label(temporal)
    assert native.temporal == temporal.temporal
    if isinstance(native, NeedsValue):
        assert isinstance(temporal, NeedsValue)
        assert native.site is not None
        assert temporal.site is not None
        assert (native.value, native.path, native.use, native.event_id, native.site.line) == (
            *(temporal.value, temporal.path, temporal.use, temporal.event_id, temporal.site.line),
        )
    else:
        assert label(native) == code["verdict"]


@pytest.mark.parametrize("kind", ["native", "temporal"])
@pytest.mark.parametrize(("recording", "code"), PAIRS, ids=IDS)
def test_with_the_key_the_verdict_is_as_if_nothing_were_encrypted(
    recording: dict[str, Any], code: dict[str, Any], kind: str
) -> None:
    """The codec is all that it takes."""
    history = read_history(encrypted((FIXTURES / recording["file"]).read_bytes()))
    converter: Any = DataConverter(payload_codec=NativeAes())
    if kind == "temporal":
        converter = TemporalConverter(payload_codec=TemporalAes())
    replayer = Replayer([class_of(code, kind)], data_converter=converter)
    verdict = replayer.replay(history, workflow_id=recording["workflow_id"])
    assert label(verdict) == code["verdict"]
    assert verdict.temporal == code["temporal_replayer"]


def test_temporals_replayer_says_the_same_with_the_key_and_fails_without() -> None:
    """What our verdicts predict of it, on every recording and every variant of its code."""
    core = asyncio.run(_temporal_verdicts())
    for (recording, code), (with_key, without_key) in zip(PAIRS, core, strict=True):
        assert with_key == code["temporal_replayer"], recording["file"]
        history = read_history(encrypted((FIXTURES / recording["file"]).read_bytes()))
        verdict = Replayer([class_of(code, "temporal")]).replay(history, workflow_id=recording["workflow_id"])
        assert without_key == verdict.temporal, (recording["file"], code["module"], verdict)


async def _temporal_verdicts() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for recording, code in PAIRS:
        document = encrypted((FIXTURES / recording["file"]).read_bytes()).decode()
        history = WorkflowHistory.from_json(recording["workflow_id"], document)
        workflow = class_of(code, "temporal")
        verdicts: list[str] = []
        for converter in (TemporalConverter(payload_codec=TemporalAes()), TemporalConverter.default):
            replayer = TemporalReplayer(workflows=[workflow], data_converter=converter)
            result = await asyncio.wait_for(replayer.replay_workflow(history, raise_on_replay_failure=False), 30)
            failure = result.replay_failure
            is_nondeterminism = isinstance(failure, NondeterminismError)
            verdicts.append("ok" if failure is None else "nondeterminism" if is_nondeterminism else "error")
        found.append((verdicts[0], verdicts[1]))
    return found


def test_the_command_line_tells_it_with_an_exit_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gate may let such histories pass, and still stop at divergences."""
    monkeypatch.chdir(ROOT)
    for name in ("newsletter_v1", "orders_completed"):
        (tmp_path / f"{name}.json").write_bytes(encrypted((FIXTURES / f"{name}.json").read_bytes()))
    code = ["-w", "examples.temporal.orders", "-w", "examples.temporal.newsletter_v1"]
    assert main(["replay", str(tmp_path), *code]) == 9
    assert capsys.readouterr().out.splitlines()[-1] == "2 histories: 1 agrees, 1 needs a value"
    assert main(["replay", str(tmp_path / "newsletter_v1.json"), *code]) == 0
    assert main(["replay", str(tmp_path / "newsletter_v1.json"), *code, "--strict"]) == 1
    assert main(["replay", str(tmp_path / "orders_completed.json"), "-w", "examples.temporal.orders_broken"]) == 1


@pytest.mark.skipif(not DERIVED.is_dir(), reason="there are no histories of others beside the repository")
@pytest.mark.parametrize("name", ["loan", "user_onboarding"])
def test_encrypted_histories_of_others_are_decoded_by_their_key(name: str) -> None:
    """What the codec gives for each value is what the history had before it was encrypted."""

    def input_of(path: Path) -> list[Any]:
        started = read_history(path).started
        assert started is not None
        payloads = started.attributes["input"]["payloads"]
        wire = DataConverter(payload_codec=NativeAes(KEY))
        return asyncio.run(_values(wire, payloads))

    [value] = input_of(DERIVED / f"{name}.encrypted.json")
    assert value


async def _values(converter: DataConverter, payloads: list[Any]) -> list[Any]:
    return converter.decode_values(await converter.wire_decode(payloads))


def test_warnings_name_at_most_a_few_values() -> None:
    """A run of a thousand encrypted values does not print a thousand names."""
    recording = next(one for one in RECORDINGS if one["file"] == "newsletter_v2.json")
    history = read_history(encrypted((FIXTURES / recording["file"]).read_bytes()))
    verdict = Replayer([class_of(recording, "native")]).replay(history)
    assert isinstance(verdict, Agrees)
    assert "'proofread' (event 15) and 1 more" in verdict.warnings[0].text
