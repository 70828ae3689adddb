"""`playhead hotfix`, as a user types it: what it prints, what it writes, and what it exits with."""

from __future__ import annotations

import asyncio
import json
import textwrap
from pathlib import Path

import pytest

from playhead import Agrees, Replayer, read_history
from playhead.__main__ import main
from tests.replay.json_schema import problems

ROOT = Path(__file__).parents[2]
STUCK = "fixtures/temporal/orders_stuck.json"
HOTFIX = ["-w", "examples.orders_hotfix"]
SCHEMA = json.loads((ROOT / "replay" / "playhead" / "hotfix" / "hotfix.schema.json").read_text())


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are given at the root of the repository, to a plain terminal."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_the_stuck_order_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    """What was recorded stands on the left, what would be on the right, with its line and its answer; exit code 0."""
    assert main(["hotfix", STUCK, *HOTFIX, "--answer", 'ship="parcel-7"']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{STUCK}: goes on from event 20: completed"
    (row,) = [line for line in lines if "activity ship" in line]
    assert row.split() == [
        "23-25",
        "activity",
        "ship",
        "completed",
        "+0.000s",
        "examples/orders_hotfix.py:88",
        "[given]",
    ]
    assert any("14-16  workflow task  failed" in line for line in lines)
    assert lines[-1].startswith("  would be  completed +0.000s  ")
    assert '"tracking":"parcel-7"' in lines[-1]


def test_an_answer_that_is_missing_has_an_exit_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """The activity, its input, and how to answer are told; exit code 6."""
    assert main(["hotfix", STUCK, *HOTFIX]) == 6
    out = capsys.readouterr().out
    assert "goes on from event 20: waits for an answer" in out
    assert 'waits     activity ship of order-A-4, given {"card":"valid"' in out
    assert "--answer ship=JSON" in out


def test_a_divergence_is_told_as_by_replay(capsys: pytest.CaptureFixture[str]) -> None:
    """Code that does not do what was recorded exits with 1, in the words of `playhead replay`."""
    assert main(["hotfix", "fixtures/temporal/orders_completed.json", "-w", "examples.orders_broken"]) == 1
    out = capsys.readouterr().out
    assert "diverges at event 11" in out
    assert "now       ActivityTaskScheduled  activityType=check_fraud" in out


def test_code_that_is_still_wrong_exits_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    """The error and its line, as found from the current directory."""
    assert main(["hotfix", STUCK, "-w", "examples.orders"]) == 3
    out = capsys.readouterr().out
    assert "stuck     its workflow task fails with ZeroDivisionError" in out
    assert "  at        examples/orders.py:86" in out


def test_a_run_without_code_exits_with_5(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to preview with."""
    assert main(["hotfix", "fixtures/temporal/pizza_open.json", *HOTFIX]) == 5
    assert "not replayable" in capsys.readouterr().out


def test_a_bound_exits_with_7(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that would go on is stopped with a sentence."""
    arguments = ["hotfix", "fixtures/temporal/onboarding_open.json", "-w", "examples.onboarding", "--answer-any"]
    assert main([*arguments, "--until", "70d"]) == 7
    assert "stopped   after 70 days, 0:00:00 of virtual time; it would have gone on" in capsys.readouterr().out
    assert main([*arguments, "--until", "12"]) == 7
    assert "stopped   after 12 new events" in capsys.readouterr().out


def test_what_if_a_charge_had_failed(capsys: pytest.CaptureFixture[str]) -> None:
    """The run would fail: exit code 8; both ends are told."""
    arguments = ["hotfix", "fixtures/temporal/orders_completed.json", "-w", "examples.orders", "--at", "13"]
    assert main([*arguments, "--fail", "charge=CardDeclined: no money"]) == 8
    out = capsys.readouterr().out
    assert "recorded  completed" in out
    assert "would be  failed +0.000s  activity: Activity task failed <- CardDeclined: no money" in out


def test_what_if_a_signal_had_come(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal at the end of an open run, for code of either kind."""
    for code in ("examples.approval", "examples.temporal.approval"):
        arguments = ["hotfix", "fixtures/temporal/approval_open.json", "-w", code, "--answer", 'pay="paid"']
        assert main([*arguments, "--signal", 'decide={"manager": "Ada", "approved": true}']) == 0
        out = capsys.readouterr().out
        assert "signal decide" in out
        assert out.rstrip().endswith("completed +0.000s  paid")


def test_the_future_is_exported(tmp_path: Path) -> None:
    """What is exported is a history that Temporal's own Replayer accepts with the new code."""
    from examples.temporal.orders_hotfix import OrderFulfilment
    from temporalio.client import WorkflowHistory
    from temporalio.worker import Replayer as TemporalReplayer

    file = tmp_path / "future.json"
    arguments = ["hotfix", STUCK, "-w", "examples.temporal.orders_hotfix", "--answers", "fixtures/temporal"]
    assert main([*arguments, "--export", str(file)]) == 0
    assert isinstance(Replayer([OrderFulfilment]).replay(file), Agrees)
    assert read_history(file).is_complete

    async def judge() -> None:
        history = WorkflowHistory.from_json("order-A-4", file.read_text())
        await TemporalReplayer(workflows=[OrderFulfilment]).replay_workflow(history)

    asyncio.run(judge())


def test_json_tells_events_answers_and_the_ending(capsys: pytest.CaptureFixture[str]) -> None:
    """One object, with plain values, lines, and where answers came from."""
    assert main(["hotfix", STUCK, *HOTFIX, "--answer", 'ship="parcel-7"', "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["workflow_id"], found["from_event"]) == ("order-A-4", 20)
    assert found["ending"]["status"] == "Completed"
    assert found["ending"]["result"]["tracking"] == "parcel-7"
    assert found["answers"] == [{"name": "ship", "workflow_id": "order-A-4", "activity_id": "3", "from": "given"}]
    scheduled = next(event for event in found["events"] if event["type"] == "ActivityTaskScheduled")
    assert scheduled["file"].endswith("orders_hotfix.py")
    assert (scheduled["line"], scheduled["answered_from"]) == (88, "given")


ORDERED = "fixtures/temporal/orders_completed.json"
ENCRYPTED = "fixtures/encrypted/orders_completed.json"
ENDINGS: dict[str, tuple[list[str], int, str]] = {
    "completed": ([STUCK, *HOTFIX, "--answer-any"], 0, "ended"),
    "failed": ([ORDERED, "-w", "examples.orders", "--at", "13", "--fail", "charge=CardDeclined: no"], 8, "ended"),
    "unanswered": ([STUCK, *HOTFIX], 6, "awaits answer"),
    "waiting": (["fixtures/temporal/agent_last_run.json", "-w", "examples.agent", "--at", "6"], 0, "waits"),
    "stuck": ([STUCK, "-w", "examples.orders"], 3, "stuck"),
    "stopped": (
        ["fixtures/temporal/onboarding_open.json", "-w", "examples.onboarding", "--answer-any", "--until", "12"],
        7,
        "stopped",
    ),
    "diverging": ([ORDERED, "-w", "examples.orders_broken"], 1, "refused"),
    "without code": (["fixtures/temporal/pizza_open.json", *HOTFIX], 5, "refused"),
    "children": (
        ["fixtures/temporal/batch_parent.json", "-w", "examples.batch", "--at", "6", "--answer", "count_rows=3"],
        0,
        "ended",
    ),
    "encrypted": ([ENCRYPTED, "-w", "examples.orders", "--at", "16"], 9, "refused"),
}


@pytest.mark.parametrize(("arguments", "code", "kind"), ENDINGS.values(), ids=ENDINGS)
def test_json_is_as_its_schema_says(
    arguments: list[str], code: int, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """However a preview ends."""
    assert main(["hotfix", *arguments, "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert problems(found, SCHEMA) == []
    assert found["ending"]["kind"] == kind


def test_the_schema_finds_what_is_wrong() -> None:
    """Each of its endings allows nothing else."""
    assert problems({"kind": "stopped", "reason": 5}, SCHEMA["$defs"]["stopped"]) == ["$.reason: 5 is no ['string']"]
    assert problems({"kind": "stopped", "reason": "", "more": 1}, SCHEMA["$defs"]["stopped"]) == [
        "$.more is not described"
    ]


def test_answers_from_a_file_and_a_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table in a file comes before a function, which comes before null."""
    (tmp_path / "answers.json").write_text('{"ship": {"$error": "NoVan: none", "$non_retryable": true}}')
    (tmp_path / "made_answers.py").write_text(
        textwrap.dedent("""
            def answer(activity, order):
                return f"{activity} of {order['id']}"
        """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["hotfix", STUCK, *HOTFIX, "--answer-with", "made_answers:answer"]) == 0
    assert "ship of A-4" in capsys.readouterr().out
    both = ["--answer-with", "made_answers:answer", "--answer-file", str(tmp_path / "answers.json")]
    assert main(["hotfix", STUCK, *HOTFIX, *both]) == 8
    assert "NoVan: none" in capsys.readouterr().out


def test_no_activity_is_run_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--real ship` the example's own activity answers; without, nobody does."""
    assert main(["hotfix", STUCK, *HOTFIX, "--real", "ship"]) == 0
    assert "parcel-A-4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--at", "99"], "there is no event 99 to leave the recording at: give one of 2 to 19"),
        (["--answer", "ship"], "an answer is NAME=JSON"),
        (["--answer", "ship=parcel"], "Text needs quotes"),
        (["--answer-with", "nothing"], "--answer-with takes MODULE:FUNCTION"),
        (["--answer-with", "json:nothing"], "there is no function 'nothing' in json"),
        (["--answer-file", "no.json"], "no.json"),
        (["--answers", "no-such-dir"], "no-such-dir"),
        (
            ["--real", "shipp"],
            "there is no activity 'shipp' beside the workflow code; there are: charge, reserve, ship",
        ),
        (["--fail", "charge"], "--fail takes NAME=ERROR"),
        (["--fail", "charge=X: y"], "no activity 'charge' is under way before event"),
        (["--until", "soon"], "--until takes a number of events"),
        (["--until", "0"], "--until takes a number of events"),
        (["--export", "no/such/dir/x.json"], "there is no directory"),
        (["--runtime", "temporal-core"], "only replays"),
        (["--profile", "temporalio-9"], "temporalio-9"),
    ],
)
def test_mistakes_are_told_in_a_sentence(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, one line on standard error, and nothing on standard output."""
    assert main(["hotfix", STUCK, *HOTFIX, *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1


def test_a_file_that_is_no_history_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """As by the other commands."""
    assert main(["hotfix", "README.md", *HOTFIX]) == 2
    assert "README.md" in capsys.readouterr().err
