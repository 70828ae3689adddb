"""`--runtime temporal-core`: the verdict of Temporal's own Replayer, in our words, and never a hang."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("temporalio")

from playhead import Agrees, CodeRaised, CodeUnfinished, Diverges, NotReplayable, Verdict, read_history
from playhead.__main__ import main
from playhead.divergence import DivergenceKind
from playhead.loading import CodeNames, CodeNotLoaded
from playhead.rendering import report
from playhead.temporal_core import TemporalCore
from playhead.temporal_core.answers import agree, verdict_of
from playhead_engine.history import History
from tests.replay.project import FIXTURES, ORDER, ROOT, Project, project

__all__ = ["project"]

BAD_ORDERS = """
    from temporalio import workflow


    @workflow.defn(name="OrderFulfilment")
    class Raises:
        @workflow.run
        async def run(self, order: dict) -> None:
            print("to nowhere in particular")
            try:
                self.inner()
            except LookupError as error:
                raise ZeroDivisionError('a "quoted" \\\\ text\\nin two lines') from error

        def inner(self) -> None:
            raise LookupError("the cause")


    @workflow.defn(name="OrderFulfilment")
    class Waits:
        @workflow.run
        async def run(self, order: dict) -> None:
            await workflow.wait_condition(lambda: False)


    @workflow.defn(name="OrderFulfilment")
    class Spins:
        @workflow.run
        async def run(self, order: dict) -> None:
            while True:
                pass


    @workflow.defn(name="OrderFulfilment")
    class Exits:
        @workflow.run
        async def run(self, order: dict) -> None:
            import os
            with workflow.unsafe.sandbox_unrestricted():
                os._exit(3)
"""


@pytest.fixture(scope="module")
def orders() -> Iterator[TemporalCore]:
    """Temporal's Replayer beside the workflows of the order fixtures, sandboxed as everything is by default."""
    with TemporalCore(CodeNames(workflows=("examples.temporal.orders",), python_path=(str(ROOT),))) as core:
        yield core


def replay(name: str, path: Path = ORDER) -> Verdict:
    """One verdict of a process of its own."""
    with TemporalCore(CodeNames(workflows=(name,))) as core:
        return core.replay(read_history(path))


def with_event(event_id: int, kind: str, **attributes: object) -> History:
    """The order history with another event in the place of one of its own."""
    events = json.loads(ORDER.read_text())["events"]
    kept = {name: value for name, value in events[event_id - 1].items() if name in ("eventId", "eventTime", "taskId")}
    events[event_id - 1] = {**kept, "eventType": kind, **attributes}
    return History.from_events(events, "order-A-1")


def test_code_that_agrees_agrees(orders: TemporalCore) -> None:
    """Many histories go through one process, each with its number of events."""
    assert orders.replay(read_history(ORDER)) == Agrees(23)
    assert orders.replay(read_history(ORDER), workflow_id="another") == Agrees(23)
    assert orders.runtime_of("OrderFulfilment").startswith("temporal-core (temporalio 1.")


def test_what_temporal_overlooks_is_overlooked(orders: TemporalCore) -> None:
    """Code that raises at the end of an open run is fine by Temporal; this is its verdict, not ours."""
    assert orders.replay(read_history(FIXTURES / "orders_stuck.json")) == Agrees(19)


def test_a_type_without_code_is_told_with_the_types_there_are(orders: TemporalCore) -> None:
    """As everywhere else."""
    verdict = orders.replay(read_history(FIXTURES / "pizza_open.json"))
    assert isinstance(verdict, NotReplayable)
    assert "The workflow types there are: OrderFulfilment" in verdict.reason


def test_a_divergence_has_its_event_where_the_text_names_one(project: Project) -> None:
    """Temporal's sentence is all there is: no line, no recorded side, no other side."""
    project.write("bad.py", BAD_ORDERS)
    verdict = replay("bad:Waits")
    assert isinstance(verdict, Diverges)
    divergence = verdict.divergence
    assert (divergence.event_id, divergence.kind, verdict.temporal) == (5, DivergenceKind.MISSING, "nondeterminism")
    assert divergence.event is not None
    assert (divergence.recorded, divergence.now, divergence.site) == (None, None, None)
    assert report("order.json", None, verdict).splitlines() == [
        "order.json: diverges at event 5",
        "  [TMPRL1100] Nondeterminism error: No command scheduled for event HistoryEvent(id: 5, ActivityTaskScheduled)",
    ]


def test_a_text_without_an_event_leaves_it_open() -> None:
    """Nothing is guessed: a mismatch of names says which names, and not where."""
    verdict = replay("examples.temporal.orders_broken")
    assert isinstance(verdict, Diverges)
    assert (verdict.divergence.event_id, verdict.divergence.kind) == (0, DivergenceKind.DIFFERENT_FIELDS)
    first, second = report("order.json", None, verdict).splitlines()
    assert first == "order.json: diverges"
    assert second.endswith("'charge' does not match activity type of activity command 'check_fraud'")


def test_code_that_raises_is_told_with_its_error_and_line(project: Project) -> None:
    """The outermost error, not its cause, with its text as it was; and the user's line, which the SDK reports."""
    project.write("bad.py", BAD_ORDERS)
    verdict = replay("bad:Raises")
    assert isinstance(verdict, CodeRaised)
    assert (verdict.error_type, verdict.temporal) == ("ZeroDivisionError", "error")
    assert verdict.message == 'a "quoted" \\ text\nin two lines'
    assert verdict.site is not None
    assert (Path(verdict.site.file).name, verdict.site.line, verdict.site.function) == ("bad.py", 13, "run")
    assert "site-packages" not in verdict.traceback


def test_code_that_does_not_yield_is_unfinished(project: Project) -> None:
    """The deadlock that Temporal detects, and the line it was detected on."""
    project.write("bad.py", BAD_ORDERS)
    verdict = replay("bad:Spins")
    assert isinstance(verdict, CodeUnfinished)
    assert "didn't yield within 2 second" in verdict.message
    assert verdict.site is not None
    assert verdict.site.line in (30, 31)


def test_a_fatal_error_is_a_divergence_that_makes_no_sense(orders: TemporalCore) -> None:
    """Temporal has another exception for it, and so has the verdict."""
    options = with_event(7, "EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED", workflowExecutionTerminatedEventAttributes={})
    verdict = orders.replay(options)
    assert isinstance(verdict, Diverges)
    assert (verdict.divergence.kind, verdict.temporal) == (DivergenceKind.IMPOSSIBLE, "error")
    assert verdict.divergence.event_id == 0
    assert verdict.divergence.message.startswith("Fatal error in workflow machines: ")


@pytest.mark.parametrize(
    ("text", "event_id"),
    [
        ("Timer machine does not handle this event: HistoryEvent(id: 12, ActivityTaskScheduled)", 12),
        ("no command for it: HistoryEvent { event_id: 9, event_time: Some(Timestamp { seconds: 3 })", 9),
        ("the transition is invalid during event EventInfo { event_id: 7, event_type: TimerFired }", 7),
        ("History is out of order. Last processed event: 3, event id: 8", 8),
        ("Missing associated machine for Timer(5)", 0),
    ],
)
def test_events_are_found_in_the_texts_of_the_core(text: str, event_id: int) -> None:
    """It spells them in four ways, or leaves them out."""
    verdict = verdict_of(read_history(ORDER), {"outcome": "nondeterminism", "message": text})
    assert isinstance(verdict, Diverges)
    assert verdict.divergence.event_id == event_id


def test_a_hang_ends_in_a_verdict_and_the_next_history_in_its_own(orders: TemporalCore) -> None:
    """The process is killed, and another one takes its place."""
    first = History.from_events(json.loads(ORDER.read_text())["events"][:1], "order-A-1")
    with TemporalCore(CodeNames(workflows=("examples.temporal.orders",)), timeout=6.0) as core:
        verdict = core.replay(first)
        assert isinstance(verdict, NotReplayable)
        assert verdict.temporal == "hangs"
        assert "did not come back within 6 seconds" in verdict.reason
        assert core.replay(read_history(ORDER)) == Agrees(23)


def test_a_history_that_the_sdk_cannot_read_is_told(orders: TemporalCore) -> None:
    """Two sets of attributes in one event: nothing that a server writes, and no reason to end."""
    both: dict[str, object] = {"timerFiredEventAttributes": {}, "timerStartedEventAttributes": {}}
    verdict = orders.replay(with_event(7, "EVENT_TYPE_TIMER_FIRED", **both))
    assert isinstance(verdict, NotReplayable)
    assert "Temporal's SDK cannot read this history" in verdict.reason
    assert orders.replay(read_history(ORDER)) == Agrees(23)


def test_a_process_that_ends_is_no_verdict_on_the_code(project: Project) -> None:
    """Code that takes the process down with it is told, and does not count as agreement."""
    project.write("bad.py", BAD_ORDERS)
    verdict = replay("bad:Exits")
    assert isinstance(verdict, NotReplayable)
    assert "ended by itself" in verdict.reason


def test_the_command_can_exit_after_a_hang(project: Project) -> None:
    """Exit code 5 and one sentence, soon: nothing is left that keeps the program from ending."""
    document = {"events": json.loads(ORDER.read_text())["events"][:1]}
    path = project.write("one.json", json.dumps(document))
    begun = time.monotonic()
    names = ["-w", "examples.temporal.orders", "--runtime", "temporal-core", "--core-timeout", "1"]
    done = project.run("replay", str(path), *names)
    assert done.returncode == 5, done.stderr
    assert "did not come back" in done.stdout
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (CodeNames(workflows=("examples.orders",)), "OrderFulfilment is written for `playhead_engine`"),
        (CodeNames(workflows=("examples.nonsense",)), "There is no module 'examples.nonsense'"),
    ],
)
def test_code_it_cannot_replay_is_one_sentence(names: CodeNames, words: str) -> None:
    """What the other process says of the code is said by this one."""
    with pytest.raises(CodeNotLoaded) as raised:
        TemporalCore(names)
    assert words in str(raised.value)


def test_before_any_code_there_is_nothing_to_compare() -> None:
    """An error in the first sequence of events, which Temporal gives no reason for."""
    text = '0: Workflow activation completion failed: Failure { failure: Some(Failure { message: "[TMPRL1100] '
    text += 'Nondeterminism error: No command scheduled for event HistoryEvent(id: 2, TimerStarted)", source: ""'
    verdict = verdict_of(read_history(ORDER), {"outcome": "error", "message": text})
    assert isinstance(verdict, NotReplayable)
    assert (verdict.event_id, verdict.temporal) == (2, "error")


def test_verdicts_agree_where_ours_foresees_temporals(orders: TemporalCore) -> None:
    """What Temporal overlooks on purpose is no difference; another event is one."""
    raised = CodeRaised("E", "m", 19, None, "", temporal="ok")
    assert agree(raised, Agrees(19))
    assert not agree(Agrees(23), NotReplayable("", temporal="hangs"))
    history = read_history(ORDER)
    at_5, at_11, anywhere = (
        verdict_of(history, {"outcome": "nondeterminism", "message": f"No command scheduled for event {event}"})
        for event in ("HistoryEvent(id: 5, X)", "HistoryEvent { event_id: 11, event_time: None }", "?")
    )
    assert not agree(at_5, at_11)
    assert agree(at_5, anywhere)


def test_core_is_named_as_what_drove_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    """In text where it is asked for, in JSON always."""
    arguments = ["replay", str(ORDER), "-w", "examples.temporal.orders", "--runtime", "temporal-core"]
    assert main([*arguments, "--verbose"]) == 0
    assert "  runtime   temporal-core (temporalio 1." in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runtime"].startswith("temporal-core (temporalio 1.")
