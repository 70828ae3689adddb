"""Hotfix previews: what the code of today would do next on a recorded run, asked from Python."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import temporalio.converter

from playhead import Answers, Diverges, Future, Hotfix, Replayer, preview, read_history
from playhead.hotfix.answers import AsRecorded, BadAnswer, Fails, Gives, InTurn, from_json, named_answer
from playhead.hotfix.edits import Cancel, CannotEdit, EndActivity, Signal
from playhead.hotfix.future import AwaitsAnswer, Ended, LooksInside, Refused, Stopped, Stuck, Waits
from playhead.hotfix.marks import BadMark
from playhead.hotfix.text import future_text
from playhead.loading import CodeNames, load_code
from playhead.values import plain
from playhead.verdict import Agrees, NeedsValue, NotReplayable
from playhead_engine import Engine, activity, workflow
from playhead_engine.converter import DataConverter, PayloadCodec
from playhead_engine.engine.wire import Wire
from playhead_engine.exceptions import ApplicationError
from playhead_engine.history import History
from playhead_engine.payload import Payload
from tests.replay.encryption import OTHER_KEY, NativeAes, TemporalAes, encrypted

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"

BOTH_KINDS = pytest.mark.parametrize("package", ["examples", "examples.temporal"])


def workflows(package: str, module: str) -> list[type[Any]]:
    """The workflow classes of an example."""
    return list(load_code(CodeNames(workflows=(f"{package}.{module}",))).workflows)


def recorded(name: str) -> History:
    """A history that a Temporal server recorded."""
    return read_history(FIXTURES / f"{name}.json")


def result_of(future: Future) -> Any:
    """What the run returns in that future."""
    assert isinstance(future.ending, Ended), future.ending
    assert future.ending.event.type_name == "WorkflowExecutionCompleted", future.ending
    return plain(future.ending.event.attributes["result"])[0]


def types(future: Future) -> list[str]:
    """The types of the events that would follow, but those of workflow tasks."""
    return [event.type_name for event in future.events if not event.type_name.startswith("WorkflowTask")]


# A stuck run


@BOTH_KINDS
def test_a_stuck_run_goes_on_with_the_hotfix(package: str) -> None:
    """The order whose discount divided by zero ships and completes, from exactly where it was."""
    stuck = recorded("orders_stuck")
    future = preview(stuck, workflows(package, "orders_hotfix"), answers=Answers(table={"ship": "parcel-7"}))
    assert future.kept == 19
    assert [event.canonical for event in future.history.events[:19]] == [event.canonical for event in stuck.events]
    assert types(future) == [
        "ActivityTaskScheduled",
        "ActivityTaskStarted",
        "ActivityTaskCompleted",
        "WorkflowExecutionCompleted",
    ]
    assert result_of(future) == {"order_id": "A-4", "paid": 0, "discount_percent": 0, "tracking": "parcel-7"}


@BOTH_KINDS
def test_every_step_of_the_future_knows_its_line(package: str) -> None:
    """The line that asks for the parcel is told with the event."""
    future = preview(recorded("orders_stuck"), workflows(package, "orders_hotfix"), answers=Answers(anything=True))
    scheduled = next(event for event in future.events if event.type_name == "ActivityTaskScheduled")
    site = future.sites[scheduled.event_id]
    assert site.file.endswith("orders_hotfix.py")
    assert "tracking = await workflow.execute_activity(" in Path(site.file).read_text().splitlines()[site.line - 1]


@BOTH_KINDS
def test_code_that_is_still_wrong_is_stuck_again(package: str) -> None:
    """Without the fix the preview ends where the run did, with the error and its line."""
    future = preview(recorded("orders_stuck"), workflows(package, "orders"))
    assert isinstance(future.ending, Stuck)
    assert "ZeroDivisionError" in future.ending.problem
    assert future.ending.place is not None
    assert "orders.py:86" in future.ending.place


@BOTH_KINDS
def test_code_that_does_not_do_what_was_recorded_has_no_future(package: str) -> None:
    """A divergence before the mark is a verdict, as of a replay, and nothing is previewed."""
    future = preview(recorded("orders_stuck"), workflows(package, "orders_broken"), answers=Answers(anything=True))
    assert isinstance(future.ending, Refused)
    assert isinstance(future.ending.verdict, Diverges)
    assert future.ending.verdict.divergence.event_id == 11
    assert future.events == ()


def test_a_run_that_nobody_has_code_for_has_no_future() -> None:
    """The verdict says which types there are."""
    future = preview(recorded("pizza_open"), workflows("examples", "orders"))
    assert isinstance(future.ending, Refused)
    assert isinstance(future.ending.verdict, NotReplayable)
    assert "OrderFulfilment" in future.ending.verdict.reason


# The real record as oracle


@pytest.mark.parametrize(
    "name",
    [
        "orders_completed",
        "orders_failed",
        "orders_hotfixed",
        "pizza_queried",
        "pizza_timed_out",
        "saga_booked",
        "saga_compensated",
        "raffle_drawn",
        "transcode_silent",
        "exchange_timeout",
        "exchange_slow_card",
        "auction_bidder",
        "newsletter_v2",
        "batch_parent",
    ],
)
def test_from_every_mark_the_same_code_does_what_it_did(name: str) -> None:
    """Whatever event the recording is left at, the run goes on as the server recorded it, and ends the same way."""
    history = recorded(name)
    index = {entry["file"]: entry for entry in json.loads((FIXTURES / "INDEX.json").read_text())}
    code = workflows("examples", index[f"{name}.json"]["module"].removeprefix("examples."))
    hotfix = Hotfix(code, answers=Answers(children={"FileImport": AsRecorded()}))
    did = [event.KIND for event in history if not event.KIND.startswith("WORKFLOW_TASK")]
    for at in range(2, len(history) + 1):
        future = hotfix.preview(history, at=at)
        would = [event.KIND for event in future.history if not event.KIND.startswith("WORKFLOW_TASK")]
        assert would == did, f"from event {at}: {future.ending}"


@pytest.mark.parametrize("name", ["orders_stuck", "onboarding_upgraded", "approval_updated", "agent_first_run"])
@pytest.mark.parametrize("at", [None, 7, 12])
def test_temporals_own_replayer_accepts_the_future(name: str, at: int | None) -> None:
    """`WorkflowHistory.from_json` reads the exported future, and Temporal's Replayer agrees with the code."""
    from temporalio.client import WorkflowHistory
    from temporalio.worker import Replayer as TemporalReplayer

    module = {"orders": "orders_hotfix"}.get(name.partition("_")[0], name.partition("_")[0])
    code = workflows("examples.temporal", module)
    future = preview(recorded(name), code, answers=Answers(anything=True), at=at)
    assert not isinstance(future.ending, Refused | Stuck)
    document = future.history.canonical_json().decode()

    async def judge() -> None:
        history = WorkflowHistory.from_json(future.history.id, document)
        await TemporalReplayer(workflows=code).replay_workflow(history)

    asyncio.run(judge())
    assert isinstance(Replayer(code).replay(future.history), Agrees)


# Answers


def test_an_activity_that_nobody_knows_the_answer_of_stops_the_preview() -> None:
    """It says which activity, with which input; no activity was run, although its code is there."""
    future = preview(recorded("orders_stuck"), workflows("examples", "orders_hotfix"))
    assert isinstance(future.ending, AwaitsAnswer)
    (question,) = future.ending.questions
    assert (question.kind, question.name, question.activity_id) == ("activity", "ship", "3")
    assert question.args[0]["item"] == "tea sample"
    assert types(future) == ["ActivityTaskScheduled"]


def test_time_stands_still_while_an_answer_is_missing() -> None:
    """A timeout of the activity does not pass in the meantime."""
    future = preview(recorded("orders_stuck"), workflows("examples", "orders_hotfix"))
    assert {event.time_ns for event in future.events} == {future.began_ns}


def test_other_histories_answer() -> None:
    """An answer of the same activity is taken from another run, and its source is told."""
    other = recorded("orders_retries")
    answers = Answers(histories=[("orders_retries.json", other)])
    future = preview(recorded("orders_stuck"), workflows("examples", "orders_hotfix"), answers=answers)
    assert result_of(future)["tracking"] == "parcel-A-2"
    (given,) = future.given
    assert given.source == "orders_retries.json, event 19, of another input"


def test_the_same_input_is_answered_before_any_other() -> None:
    """Of several recorded ends, that of an equal input is taken, whichever comes first."""
    histories = [(name, recorded(name)) for name in ("orders_completed", "orders_hotfixed")]
    future = preview(
        recorded("orders_completed"),
        workflows("examples", "orders"),
        answers=Answers(histories=[histories[1], histories[0]]),
        at=3,
    )
    assert result_of(future)["tracking"] == "parcel-A-1"


def test_answers_in_turn_and_errors() -> None:
    """A first attempt fails, the retry policy tries again on the virtual clock, and the second one is answered."""
    answers = Answers(table={"ship": InTurn((ApplicationError("no van", type="NoVan"), "parcel-9"))})
    future = preview(recorded("orders_stuck"), workflows("examples", "orders_hotfix"), answers=answers)
    assert result_of(future)["tracking"] == "parcel-9"
    started = next(event for event in future.events if event.type_name == "ActivityTaskStarted")
    assert started.attributes["attempt"] == 2
    assert started.attributes["lastFailure"]["message"] == "no van"
    assert future.history.events[-1].time_ns - future.began_ns == 200_000_000


def test_a_function_answers() -> None:
    """It is given the name and the plain arguments; NotImplemented leaves the answer to others."""

    def answer(activity: str, order: Any) -> Any:
        return f"{activity}-{order['id']}" if activity == "ship" else NotImplemented

    answers = Answers(function=answer)
    future = preview(recorded("orders_stuck"), workflows("examples", "orders_hotfix"), answers=answers)
    assert result_of(future)["tracking"] == "ship-A-4"


@BOTH_KINDS
def test_an_activity_is_run_only_where_it_is_allowed(package: str) -> None:
    """The activity that is named as real runs, and gives what it gives."""
    code = importlib.import_module(f"{package}.orders_hotfix")
    future = preview(recorded("orders_stuck"), [code.OrderFulfilment], answers=Answers(real=[code.ship]))
    assert result_of(future)["tracking"] == "parcel-A-4"
    assert future.given == ()


def test_children_run_for_real_under_the_same_answers() -> None:
    """A child whose code is there runs, and its activities are answered like the others."""
    answers = Answers(table={"count_rows": 5})
    future = preview(recorded("batch_parent"), workflows("examples", "batch"), answers=answers, at=3)
    assert result_of(future) == 15
    assert {given.name for given in future.given} == {"count_rows"}


def test_children_can_be_answered() -> None:
    """A child that the user answers does not run, whatever code there is."""
    answers = Answers(children={"FileImport": InTurn((1, 2, 4))})
    future = preview(recorded("batch_parent"), workflows("examples", "batch"), answers=answers, at=3)
    assert result_of(future) == 7


def test_a_child_without_code_or_answer_is_asked_for() -> None:
    """The preview stops and names the child and its input."""
    code = [one for one in workflows("examples", "batch") if one.__name__ != "FileImport"]
    future = preview(recorded("batch_parent"), code, at=3)
    assert isinstance(future.ending, Ended)  # its recorded children answer
    bare = History(recorded("batch_parent").events[:3], "monday")
    future = preview(bare, code)
    assert isinstance(future.ending, AwaitsAnswer)
    assert {question.kind for question in future.ending.questions} == {"child workflow"}


# Open and closed runs


def test_an_open_run_meets_its_timer() -> None:
    """The reminders of a whole year, from an open run in its first month."""
    future = preview(
        recorded("onboarding_open"), workflows("examples", "onboarding"), answers=Answers(table={"remind": "sent"})
    )
    assert result_of(future) == "Mika stays on the free tier"
    assert types(future).count("TimerFired") == 12
    assert future.history.events[-1].time_ns - future.began_ns > timedelta(days=359).total_seconds() * 1e9


def test_a_run_that_waits_for_people_says_so() -> None:
    """Nothing is due: the preview ends and names the condition that the code waits for."""
    future = preview(recorded("agent_last_run"), workflows("examples", "agent"), answers=Answers(anything=True), at=6)
    assert isinstance(future.ending, Waits)
    assert "a signal or an update" in future.ending.waits_for[0]


def test_a_failed_run_previews_its_last_task_by_default() -> None:
    """With code that does not fail, a failed run has another end from its last workflow task on."""
    failed = recorded("orders_failed")
    future = preview(failed, workflows("examples", "orders"))
    assert isinstance(future.ending, Ended)
    assert not future.ending.is_good
    assert future.events[0].type_name == "WorkflowTaskStarted"
    assert future.events[0].time_ns == failed.event(future.kept + 1).time_ns


def test_a_terminated_run_previews_what_would_have_been() -> None:
    """What ended it from outside is left out."""
    answers = Answers(table={"send_courier": "on its way", "give_voucher": "sorry"})
    future = preview(recorded("pizza_terminated"), workflows("examples", "pizza"), answers=answers)
    assert result_of(future) == "sorry"


# What if


@BOTH_KINDS
def test_what_if_this_activity_had_failed(package: str) -> None:
    """The recorded success is replaced by a failure for good, and the saga compensates."""
    edit = EndActivity("book_flight", Fails(ApplicationError("none left", type="NoSeats")))
    future = preview(
        recorded("saga_booked"), workflows(package, "saga"), answers=Answers(anything=True), at=13, edits=[edit]
    )
    assert isinstance(future.ending, Ended)
    assert future.ending.event.type_name == "WorkflowExecutionFailed"
    names = [e.attributes["activityType"]["name"] for e in future.events if e.type_name == "ActivityTaskScheduled"]
    assert names == ["cancel_flight", "cancel_hotel"]
    assert future.events[0].type_name == "ActivityTaskFailed"
    assert future.events[0].attributes["startedEventId"] == "12"


def test_what_if_it_had_returned_something_else() -> None:
    """Another result at the mark, and the rest follows from it."""
    edit = EndActivity("charge", Gives(1))
    future = preview(recorded("orders_completed"), workflows("examples", "orders"), at=13, edits=[edit])
    assert result_of(future)["paid"] == 1


@BOTH_KINDS
def test_what_if_a_signal_had_come_here(package: str) -> None:
    """The manager decides, the timer is cancelled, the money is paid."""
    edit = Signal("decide", ({"manager": "Ada", "approved": True},))
    answers = Answers(table={"pay": "paid"})
    future = preview(recorded("approval_open"), workflows(package, "approval"), answers=answers, edits=[edit])
    assert result_of(future) == "paid"
    assert "TimerCanceled" in types(future)


def test_what_if_a_signal_had_not_come() -> None:
    """Left at the signal, the run goes on without it; the week passes."""
    future = preview(recorded("approval_approved"), workflows("examples", "approval"), at=12)
    assert result_of(future) == "refused by nobody: no answer within a week"


def test_what_came_from_outside_later_comes_again() -> None:
    """A signal that was recorded after the mark comes at its recorded time."""
    approved = recorded("approval_approved")
    future = preview(approved, workflows("examples", "approval"), at=5)
    signal = next(event for event in future.events if event.type_name == "WorkflowExecutionSignaled")
    assert abs(signal.time_ns - approved.event(12).time_ns) < 1_000
    assert result_of(future) == plain(approved.events[-1].attributes["result"])[0]


@BOTH_KINDS
def test_what_if_it_had_been_cancelled(package: str) -> None:
    """A request to cancel at the mark, and the run ends as its code lets it."""
    future = preview(recorded("approval_open"), workflows(package, "approval"), edits=[Cancel()])
    assert isinstance(future.ending, Ended)
    assert future.ending.event.type_name == "WorkflowExecutionCanceled"


# Bounds, and the same twice


def test_a_preview_ends_after_so_many_events_or_so_much_time() -> None:
    """Whatever is due later is left out, and the ending says why it stopped."""
    hotfix = Hotfix(workflows("examples", "onboarding"), answers=Answers(anything=True))
    by_time = hotfix.preview(recorded("onboarding_open"), max_time=timedelta(days=70))
    assert isinstance(by_time.ending, Stopped)
    assert types(by_time).count("TimerFired") == 2
    by_events = hotfix.preview(recorded("onboarding_open"), max_events=40)
    assert isinstance(by_events.ending, Stopped)
    assert len(by_events.events) <= 40


def test_the_same_preview_twice_is_the_same_to_the_byte() -> None:
    """Ids, times and the order of events do not change; children included."""
    hotfix = Hotfix(workflows("examples", "batch"), answers=Answers(table={"count_rows": 5}))
    first, second = (hotfix.preview(recorded("batch_parent"), at=3) for _ in range(2))
    assert first.history.canonical_json() == second.history.canonical_json()


def test_a_preview_can_be_asked_for_in_async_code() -> None:
    """An event loop that runs already is no obstacle."""

    async def ask() -> Future:
        return preview(recorded("orders_stuck"), workflows("examples", "orders_hotfix"), answers=Answers(anything=True))

    assert isinstance(asyncio.run(ask()).ending, Ended)


# Mistakes


@pytest.mark.parametrize("at", [-1, 0, 1, 24, 1_000])
def test_a_mark_that_is_not_there_is_refused(at: int) -> None:
    """The refusal says which events there are."""
    with pytest.raises(BadMark, match="one of 2 to 23"):
        preview(recorded("orders_completed"), workflows("examples", "orders"), at=at)


def test_an_activity_that_is_not_under_way_cannot_end() -> None:
    """The refusal names those that are."""
    edit = EndActivity("ship", Gives(None))
    with pytest.raises(CannotEdit, match="under way are: charge"):
        preview(recorded("orders_completed"), workflows("examples", "orders"), at=13, edits=[edit])


def test_a_mark_in_the_middle_of_a_task_moves_to_its_beginning() -> None:
    """What one workflow task asked for stays or goes together, and a note says so."""
    future = preview(recorded("orders_completed"), workflows("examples", "orders"), at=11)
    assert future.kept == 8
    assert "event 9" in future.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [("ship", "NAME=JSON"), ("=1", "NAME=JSON"), ("ship=x", "not JSON"), ('ship={"$eror": "x"}', "none that we know")],
)
def test_an_answer_that_is_none_is_refused(text: str, said: str) -> None:
    """The refusal shows what an answer looks like."""
    with pytest.raises(BadAnswer, match=said.replace("$", r"\$")):
        named_answer(text)


def test_answers_as_json() -> None:
    """Values are themselves; words with a dollar sign are errors and sequences."""
    assert from_json({"tracking": 1}, "ship") == {"tracking": 1}
    error = from_json({"$error": "NoVan: no van", "$non_retryable": True}, "ship")
    assert (error.type, error.message, error.non_retryable) == ("NoVan", "no van", True)
    assert from_json({"$sequence": [1, 2]}, "ship") == InTurn((1, 2))


# Other code than the examples


@workflow.defn
class Payday:
    """Pays two people at once, every month, for ever."""

    @workflow.run
    async def run(self, months: int) -> list[str]:
        """Pay."""
        paid: list[str] = []
        for _ in range(months) if months else itertools.count():
            pays = [
                workflow.execute_activity(pay_out, name, start_to_close_timeout=timedelta(minutes=1))
                for name in ("Ada", "Mika")
            ]
            paid += await asyncio.gather(*pays)
            await workflow.sleep(timedelta(days=30))
        return paid


RUNS: list[str] = []


@activity.defn
async def pay_out(name: str) -> str:
    """Pay one of them, which must not happen unasked."""
    RUNS.append(name)
    return f"paid {name}"


class Backwards(PayloadCodec):
    """A codec that anybody can see through, and that no converter can."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Wrap a payload."""
        return [
            Payload(metadata={"encoding": b"binary/backwards"}, data=orjson.dumps(one.to_json())[::-1])
            for one in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Unwrap it."""
        return [Payload.from_json(orjson.loads(one.data[::-1])) for one in payloads]


def payday(months: int, **options: Any) -> History:
    """The history of a run on the built-in engine."""
    with Engine(workflows=[Payday], activities=[pay_out], seed=1, **options) as engine:
        handle = engine.start_workflow(Payday.run, months, id="payday").wait()
        if months:
            handle.result().wait()
        history = handle.fetch_history().wait()
    RUNS.clear()
    return history


def test_no_activity_runs_unasked() -> None:
    """Code of an activity that lies beside the workflow is not touched by a preview."""
    history = payday(1)
    future = preview(history, [Payday], answers=Answers(anything=True), at=3)
    assert result_of(future) == ["paid Ada", "paid Mika"]
    assert RUNS == []
    future = preview(History(history.events[:3], "payday"), [Payday], answers=Answers(real=[pay_out]))
    assert result_of(future) == ["paid Ada", "paid Mika"]
    assert RUNS == ["Ada", "Mika"]


def test_a_run_that_would_never_end_is_stopped() -> None:
    """Without being told, a preview ends after ten years or five thousand events, whichever comes first."""
    history = History(payday(1).events[:3], "payday")
    endless = json.loads(history.to_json())
    started = endless["events"][0]["workflowExecutionStartedEventAttributes"]
    started["input"]["payloads"][0]["data"] = "MA=="  # 0: for ever
    future = preview(History.from_events(endless["events"], "payday"), [Payday], answers=Answers(anything=True))
    assert isinstance(future.ending, Stopped)
    assert future.ending.reason in ("after 3650 days, 0:00:00 of virtual time", "after 5,000 new events")


def test_all_that_waits_at_once_is_told() -> None:
    """Two activities that were asked for at once wait both."""
    future = preview(History(payday(1).events[:3], "payday"), [Payday])
    assert isinstance(future.ending, AwaitsAnswer)
    assert [question.args for question in future.ending.questions] == [("Ada",), ("Mika",)]


def test_a_function_that_raises_fails_the_activity() -> None:
    """An activity that is tried for ever, and fails for ever, does not hold the preview up."""

    def answer(activity: str, name: str) -> Any:
        raise ApplicationError(f"{name} has no account")

    future = preview(History(payday(1).events[:3], "payday"), [Payday], answers=Answers(function=answer))
    assert isinstance(future.ending, Stuck)
    assert "its activity pay_out was tried" in future.ending.problem
    assert "has no account" in future.ending.problem


def test_values_behind_a_codec() -> None:
    """Recorded answers and those of a table go through the codec that the histories were written with."""
    converter = DataConverter(payload_codec=Backwards())
    history = payday(1, data_converter=converter)
    assert b"Ada" not in history.to_json()
    assert b"paid" not in history.to_json()
    hotfix = Hotfix([Payday], data_converter=converter, answers=Answers(table={"pay_out": "cash"}))
    future = hotfix.preview(History(history.events[:3], "payday"))
    assert isinstance(future.ending, Ended)
    (result,) = future.ending.event.attributes["result"]["payloads"]
    wire = Wire(converter)
    assert wire.decode_value(result) == ["cash", "cash"]
    again = Hotfix([Payday], data_converter=converter).preview(history, at=3)
    assert isinstance(again.ending, Ended)
    assert again.ending.event.attributes["result"] == history.events[-1].attributes["result"]


@workflow.defn(name="Carrier")
class Carrier:
    """Hands on what it is given, and looks into it only if it is told to."""

    def __init__(self) -> None:
        """Look at nothing."""
        self.is_curious = False

    @workflow.run
    async def run(self, parcel: Any) -> Any:
        """Carry it twice."""
        for _ in range(2):
            parcel = await workflow.execute_activity("carry", parcel, start_to_close_timeout=timedelta(seconds=5))
        if self.is_curious and parcel["to"] == "Bob":
            parcel = None
        return parcel

    @workflow.signal
    def ask(self) -> None:
        """Want to know for whom it is."""
        self.is_curious = True


def carried(events: int = 7) -> bytes:
    """A run behind a codec that is under way; its first parcel was carried, or both."""

    @activity.defn
    async def carry(parcel: Any) -> Any:
        return parcel

    with Engine(workflows=[Carrier], activities=[carry], seed=7) as engine:
        handle = engine.start_workflow(Carrier.run, {"to": "Ada"}, id="carrier", task_queue="t").wait()
        handle.result().wait()
        recorded = handle.fetch_history().wait().events
    return encrypted(History(recorded[:events], "carrier").canonical_json())


def test_a_run_goes_on_past_values_that_nobody_can_read() -> None:
    """As far as it only hands them on, which is as the very payloads that they came in; and that is told."""
    history = read_history(carried())
    future = preview(history, [Carrier], answers=Answers(table={"carry": "a parcel"}))
    assert result_of(future) == "a parcel"
    (scheduled,) = [event for event in future.events if event.type_name == "ActivityTaskScheduled"]
    assert scheduled.attributes["input"] == history.events[6].attributes["result"]
    assert "2 values could not be read (binary/encrypted)" in future.notes[-1]
    assert "It is assumed that none of them was None" in future.notes[-1]


def test_a_run_that_looks_into_a_value_that_nobody_can_read_stops_there() -> None:
    """With the value, the line, and how to give the key; what it would do by any other value is not made up."""
    history = read_history(carried(13))
    future = preview(history, [Carrier], answers=Answers(anything=True), edits=[Signal("ask")])
    assert isinstance(future.ending, LooksInside)
    verdict = future.ending.verdict
    assert (verdict.value, verdict.path) == ("the result of activity 'carry'", "['to']")
    assert verdict.site is not None
    assert verdict.site.function == "Carrier.run"
    shown = future_text("carrier.json", future)
    assert "carrier.json: goes on from event" in shown
    assert "needs a value" in shown
    assert "--data-converter package.module:name, --worker" in shown
    assert "WorkflowExecutionCompleted" not in types(future)


@pytest.mark.parametrize("package", ["examples", "examples.temporal"])
def test_with_the_key_an_encrypted_run_goes_on_like_any_other(package: str) -> None:
    """For code of either kind; what it writes is encrypted again."""
    converter: Any = DataConverter(payload_codec=NativeAes())
    if package == "examples.temporal":
        converter = temporalio.converter.DataConverter(payload_codec=TemporalAes())
    stuck = encrypted((FIXTURES / "orders_stuck.json").read_bytes())
    hotfix = Hotfix(
        workflows(package, "orders_hotfix"), data_converter=converter, answers=Answers(table={"ship": "parcel-7"})
    )
    future = hotfix.preview(stuck)
    assert isinstance(future.ending, Ended)
    assert future.ending.is_good
    assert b"parcel-7" not in future.history.canonical_json()
    assert "binary/encrypted" in str(plain(future.ending.event.attributes["result"]))
    assert isinstance(hotfix.replayer.replay(future.history), Agrees)


def test_with_another_key_an_encrypted_run_says_what_the_codec_raised() -> None:
    """The code gets no stand-in that it could look into unnoticed."""
    hotfix = Hotfix(
        workflows("examples", "orders_hotfix"),
        data_converter=DataConverter(payload_codec=NativeAes(OTHER_KEY)),
        answers=Answers(anything=True),
    )
    future = hotfix.preview(encrypted((FIXTURES / "orders_stuck.json").read_bytes()))
    assert isinstance(future.ending, Refused)
    assert isinstance(future.ending.verdict, NeedsValue)
    assert "InvalidTag" in future.ending.verdict.reason


def test_a_history_without_ids() -> None:
    """Old and trimmed histories hold no run id and no workflow id; a preview does without."""
    document = json.loads(recorded("orders_stuck").canonical_json())
    started = document["events"][0]["workflowExecutionStartedEventAttributes"]
    for name in ("workflowId", "originalExecutionRunId", "firstExecutionRunId"):
        del started[name]
    history = History.from_events(document["events"])
    future = preview(history, workflows("examples", "orders_hotfix"), answers=Answers(table={"ship": "parcel-7"}))
    assert result_of(future)["tracking"] == "parcel-7"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_future_of_many_steps_is_shown_in_part(width: int) -> None:
    """Of a long future the first and the last steps are shown, and how many are left out."""
    history = History(payday(60).events[:3], "payday")
    future = preview(history, [Payday], answers=Answers(anything=True))
    lines = future_text("payday", future, width=width).splitlines()
    assert len(lines) < 140
    assert any("120 more steps" in line for line in lines)


def test_a_run_that_has_only_been_started() -> None:
    """A recording of one event goes on with its first workflow task."""
    future = preview(History(payday(1).events[:1], "payday"), [Payday], answers=Answers(anything=True))
    assert future.kept == 1
    assert result_of(future) == [None, None]
