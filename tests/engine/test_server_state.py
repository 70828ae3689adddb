"""The server is a pure function of what it is told, and its state follows from the events it wrote."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import playhead_engine.server
from playhead_engine.commands import (
    AcceptUpdate,
    CancelTimer,
    CompleteUpdate,
    CompleteWorkflow,
    ContinueAsNew,
    FailWorkflow,
    ModifyProperties,
    RecordMarker,
    RequestCancelActivity,
    RequestCancelExternal,
    ScheduleActivity,
    SignalExternal,
    StartChildWorkflow,
    StartTimer,
    UpsertSearchAttributes,
)
from playhead_engine.history import HistoryEvent, event_from_json
from playhead_engine.history import events as kinds
from playhead_engine.machines.markers import json_payload
from playhead_engine.messages import Failure, Json
from playhead_engine.server import activities, chains, closing, links, requests, tasks
from playhead_engine.server.commands import Task
from playhead_engine.server.moment import Moment
from playhead_engine.server.state import RunState
from playhead_engine.server.summaries import summary

IMPURE = {"asyncio", "datetime", "io", "os", "random", "secrets", "socket", "threading", "time", "uuid"}

REQUEST: Json = {
    "workflowType": {"name": "W"},
    "taskQueue": {"name": "q", "kind": "TASK_QUEUE_KIND_NORMAL"},
    "workflowRunTimeout": "100s",
    "retryPolicy": {"maximumAttempts": 3},
    "memo": {"fields": {"kept": json_payload(1)}},
    "identity": "tests",
}
OTHER = {"workflowId": "other"}
FAILURE: Failure = {"message": "no", "applicationFailureInfo": {"type": "No"}}


def test_the_server_has_no_clock_and_does_nothing() -> None:
    """None of its modules imports anything that could tell it the time, draw a number, or reach outside."""
    package = Path(playhead_engine.server.__file__).parent
    for path in package.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                names = [node.module]
            for name in names:
                assert name.split(".")[0] not in IMPURE, f"{path.name} imports {name}"
                assert not name.startswith("playhead_engine.engine"), f"{path.name} imports {name}"


def observable(state: RunState) -> dict[str, Any]:
    """Everything a state says, besides what is yet to be handed out."""
    hidden = {"fresh", "untold", "pending_changed", "summary_changed", "latest_ns", "size_bytes", "task_failure"}
    told: dict[str, Any] = {}
    for name in RunState.__slots__:
        if name not in hidden:
            value = getattr(state, name)
            if name == "activities":
                value = {key: _said(one) for key, one in value.items()}
            told[name] = value
    return told


def _said(activity: Any) -> dict[str, Any]:
    # Whether an attempt is under way is no part of what is kept: after a crash none is.
    return {name: getattr(activity, name) for name in type(activity).__slots__ if name not in ("started_ns", "due_ns")}


class AnyRun(RuleBasedStateMachine):
    """Whatever happens to a run, the state that is rebuilt from its events is the state it had."""

    def __init__(self) -> None:
        super().__init__()
        self.ns = 1_000_000_000_000_000_000
        self.ids = 0
        self.seq = 0
        self.numbers: dict[int, str] = {}
        self.events: list[HistoryEvent] = []
        attributes = requests.first_of_chain("run", REQUEST, self.now)
        self.state = requests.start("w", "run", attributes, self.now)

    @property
    def now(self) -> Moment:
        """A moment later than any before."""
        self.ns += 1_500_000_001
        return Moment(self.ns)

    def new_id(self) -> str:
        """Another run id."""
        self.ids += 1
        return f"run-{self.ids}"

    def asks(self, make: Any, *more: Any) -> None:
        """A workflow task in which the code asks for something."""
        if not self.state.wants_task:
            requests.signal(self.state, "wake", None, self.now)
        tasks.start(self.state, "tests", self.now)
        self.seq += 1
        task = Task(self.state, self.now, "tests", self.new_id, self.numbers.__getitem__, {"u": UPDATE})
        task.complete([make(self.seq), *more], [])

    @invariant()
    def is_what_its_events_say(self) -> None:
        """Rebuilt from JSON, it is the same."""
        self.events += self.state.take_fresh().events
        rebuilt = RunState.restored(
            "w", "run", [event_from_json(event.raw) for event in self.events], self.state.pending_record
        )
        assert observable(rebuilt) == observable(self.state)
        assert summary(rebuilt)["status"] == self.state.status
        assert [event.event_id for event in self.events] == list(range(1, self.state.next_event_id))

    @rule()
    def time_passes(self) -> None:
        """Nothing happens."""
        self.ns += 1

    def is_open(self) -> bool:
        """Whether anything can happen to it."""
        return self.state.is_running

    @precondition(is_open)
    @rule(own_id=st.booleans())
    def schedule_activity(self, own_id: bool) -> None:
        """The code asks for an activity."""

        def command(seq: int) -> ScheduleActivity:
            self.numbers[seq] = f"mine-{seq}" if own_id else str(seq)
            return ScheduleActivity(
                seq,
                {
                    "activityId": self.numbers[seq],
                    "activityType": {"name": "a"},
                    "startToCloseTimeout": "10s",
                    "heartbeatTimeout": "5s",
                },
            )

        self.asks(command)

    @precondition(lambda self: self.is_open() and self.state.activities)
    @rule(data=st.data())
    def end_activity(self, data: st.DataObject) -> None:
        """An activity goes on or comes to an end, some way or other."""
        event_id = data.draw(st.sampled_from(sorted(self.state.activities)))
        activity = self.state.activities[event_id]
        activity.started_ns = self.ns
        how = data.draw(st.sampled_from(["complete", "fail", "time out", "cancel", "heartbeat"]))
        if how == "complete":
            activities.complete(self.state, event_id, {"payloads": [json_payload(1)]}, "tests", self.now)
        elif how == "fail":
            activities.fail(self.state, event_id, FAILURE, "tests", self.now)
        elif how == "time out":
            activities.time_out(self.state, event_id, activities.START_TO_CLOSE, "tests", self.now)
        elif how == "heartbeat":
            activities.heartbeat(self.state, event_id, {"payloads": [json_payload("alive")]})
        elif activity.cancel_requested_id:
            activities.cancel(self.state, event_id, None, "tests", self.now)

    @precondition(lambda self: self.is_open() and self.state.activities)
    @rule(data=st.data())
    def cancel_activity(self, data: st.DataObject) -> None:
        """The code no longer wants one."""
        open_numbers = [seq for seq, one in self.numbers.items() if one in self.state.activity_ids]
        seq = data.draw(st.sampled_from(open_numbers))
        event_id = self.state.activity_ids[self.numbers[seq]]
        if not self.state.activities[event_id].cancel_requested_id:
            self.asks(lambda _: RequestCancelActivity(seq))

    @precondition(is_open)
    @rule()
    def start_timer(self) -> None:
        """The code asks for a timer."""
        self.asks(lambda seq: StartTimer(seq, {"timerId": str(seq), "startToFireTimeout": "60s"}))

    @precondition(lambda self: self.is_open() and self.state.timers)
    @rule(data=st.data(), fires=st.booleans())
    def end_timer(self, data: st.DataObject, fires: bool) -> None:
        """A timer fires, or the code takes it back."""
        timer_id = data.draw(st.sampled_from(sorted(self.state.timers)))
        if fires:
            requests.fire_timer(self.state, timer_id, self.now)
        else:
            self.asks(lambda _: CancelTimer(int(timer_id)))

    @precondition(is_open)
    @rule()
    def ask_for_child(self) -> None:
        """The code asks for a child workflow."""
        self.asks(lambda seq: StartChildWorkflow(seq, {"workflowId": f"c{seq}", "workflowType": {"name": "C"}}))

    @precondition(lambda self: self.is_open() and self.state.children)
    @rule(data=st.data(), can_start=st.booleans())
    def child_goes_on(self, data: st.DataObject, can_start: bool) -> None:
        """A child starts, cannot start, or ends."""
        pending = self.state.children[data.draw(st.sampled_from(sorted(self.state.children)))]
        if pending.run_id:
            kind = data.draw(st.sampled_from([kinds.WorkflowExecutionCompleted, kinds.WorkflowExecutionTerminated]))
            event: Any = kind.new(9, self.ns, {"result": {"payloads": [json_payload(2)]}})
            links.child_closed(self.state, pending, pending.run_id, event, self.now)
        elif can_start:
            links.child_started(self.state, pending, self.new_id(), self.now)
        else:
            links.child_not_started(self.state, pending, self.now)

    @precondition(is_open)
    @rule(signals=st.booleans(), found=st.booleans())
    def talk_to_another(self, signals: bool, found: bool) -> None:
        """The code signals or cancels another workflow."""
        if signals:
            self.asks(lambda seq: SignalExternal(seq, {"workflowExecution": OTHER, "signalName": "s"}))
            links.signal_delivered(self.state, max(self.state.signals), found, self.now)
        else:
            self.asks(lambda seq: RequestCancelExternal(seq, {"workflowExecution": OTHER}))
            links.cancel_delivered(self.state, max(self.state.cancels), found, self.now)

    @precondition(is_open)
    @rule(value=st.integers(-9, 9) | st.none())
    def describe_itself(self, value: int | None) -> None:
        """The code changes its memo and its search attributes, and marks something."""
        payload = {"metadata": {"encoding": "YmluYXJ5L251bGw="}} if value is None else json_payload(value)
        self.asks(
            lambda _: ModifyProperties({"upsertedMemo": {"fields": {"kept": payload}}}),
            UpsertSearchAttributes({"searchAttributes": {"indexedFields": {"n": payload}}}),
            RecordMarker({"markerName": "m"}),
        )

    @precondition(lambda self: self.is_open() and not self.state.updates)
    @rule()
    def update(self) -> None:
        """An update is accepted, and completed in the next task."""
        self.asks(lambda _: AcceptUpdate("u"))
        self.asks(lambda _: CompleteUpdate("u", json_payload(3)))

    @precondition(is_open)
    @rule(cancels=st.booleans())
    def told_from_outside(self, cancels: bool) -> None:
        """Somebody signals it, or asks it to cancel."""
        if cancels:
            requests.request_cancel(self.state, self.now, reason="why", identity="tests")
        else:
            requests.signal(self.state, "s", {"payloads": [json_payload(4)]}, self.now, identity="tests")

    @precondition(is_open)
    @rule(times=st.integers(1, 3))
    def fail_task(self, times: int) -> None:
        """Its code raises, some times in a row; only the first is written."""
        if not self.state.wants_task:
            requests.signal(self.state, "wake", None, self.now)
        for _ in range(times):
            tasks.start(self.state, "tests", self.now)
            tasks.fail(self.state, "WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED", FAILURE, "tests", self.now)
        self.state.task_attempt = min(self.state.task_attempt, 2)  # how often it was tried is not kept

    @precondition(is_open)
    @rule(how=st.sampled_from(["complete", "fail", "continue", "terminate", "time out"]))
    def close(self, how: str) -> None:
        """It comes to an end."""
        if how == "complete":
            self.asks(lambda _: CompleteWorkflow({"result": {"payloads": [json_payload(5)]}}))
        elif how == "fail":
            self.asks(lambda _: FailWorkflow({"failure": FAILURE}))
        elif how == "continue":
            self.asks(lambda _: ContinueAsNew({"input": {"payloads": [json_payload(6)]}}))
        elif how == "terminate":
            closing.terminate(self.state, "enough", None, "tests", self.now)
        else:
            closing.time_out(self.state, self.new_id, self.now)


UPDATE: Json = {"meta": {"updateId": "u", "identity": "tests"}, "input": {"name": "up"}}

AnyRun.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAnyRun = AnyRun.TestCase


def started(**changes: Any) -> RunState:
    """A run that has just been started."""
    now = Moment(1_000_000_000_000_000_000)
    return requests.start("w", "run", requests.first_of_chain("run", REQUEST | changes, now), now)


def test_a_run_that_follows_inherits_what_it_does_not_say() -> None:
    """Continue-as-new keeps memo, search attributes, timeouts and retry policy; and the chain knows its first run."""
    state = started(searchAttributes={"indexedFields": {"n": json_payload(1)}})
    successor = closing.continue_as_new(state, {"workflowTaskCompletedEventId": "4"}, "next", Moment(state.start_ns))
    for name in ("memo", "searchAttributes", "workflowRunTimeout", "retryPolicy", "taskQueue", "workflowType"):
        assert successor.started[name] == state.started[name]
    assert successor.started["firstExecutionRunId"] == "run"
    assert successor.started["continuedExecutionRunId"] == "run"
    assert successor.started["originalExecutionRunId"] == "next"


def test_deadlines_of_run_and_chain() -> None:
    """A run ends when its own time is over, or that of its chain, whichever is first; a delay is not counted."""
    second = 1_000_000_000
    assert chains.deadline_ns(started()) == started().start_ns + 100 * second
    assert chains.deadline_ns(started(workflowRunTimeout=None)) == 0
    both = started(workflowExecutionTimeout="50s")
    assert chains.deadline_ns(both) == both.start_ns + 50 * second
    delayed = started(workflowStartDelay="7s")
    assert chains.deadline_ns(delayed) == delayed.start_ns + 107 * second


def test_the_wait_before_a_failed_task_is_tried_again_grows() -> None:
    """From a second to a minute."""
    seconds = [tasks.retry_delay_ns(attempt) / 1e9 for attempt in range(2, 12)]
    assert seconds == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
