"""The respondent: stands where activities, and children there is no code for, would run, and gives their answers.

To the engine it is a dynamic activity and a runtime. It notes what it answered and from where; where it knows no answer
it notes that too and never ends, and the preview stops there.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, assert_never

import orjson

from playhead.hotfix.answers import Answer, Answers, AsRecorded, Fails, Gives, answers_of
from playhead.hotfix.recorded import InputKey, RecordedEnd, key_of
from playhead.unreadable import Unreadable
from playhead.values import plain, short
from playhead.verdict import NeedsValue
from playhead_engine import activity
from playhead_engine.activation import Activation, CancelWorkflow, FireTimer, InitializeWorkflow, payload_list
from playhead_engine.commands import CancelWorkflowExecution, Command, CompleteWorkflow, FailWorkflow, StartTimer
from playhead_engine.common import RawValue
from playhead_engine.convert import NS_PER_SECOND, datetime_ns, duration_json_ns
from playhead_engine.engine.clock import Clock
from playhead_engine.engine.wire import Wire
from playhead_engine.exceptions import ApplicationError
from playhead_engine.messages import Failure, Json, part
from playhead_engine.opaque import StandIns
from playhead_engine.record import record
from playhead_engine.runtime import Completion, Runtime, TaskCompleted, WorkflowInstance

TABLE: Final = "given"
FUNCTION: Final = "function"
ANYTHING: Final = "made up"
REFUSED: Final = "refused"


@record
class Question:
    """Something that waits for an answer nobody knows.

    Attributes:
        kind: `activity` or `child workflow`.
        name: Its type.
        args: What it was given, as plain values.
        workflow_id: The workflow that asked, or the id of the child.
        activity_id: The id of the activity in its workflow; empty for a child.
    """

    kind: str
    name: str
    args: tuple[Any, ...]
    workflow_id: str
    activity_id: str = ""


@record
class Given:
    """An answer that was given.

    Attributes:
        name: The type of who was asked.
        workflow_id: The workflow that asked, or the id of the child.
        activity_id: The id of the activity in its workflow; empty for a child.
        source: Where the answer came from, in words.
    """

    name: str
    workflow_id: str
    activity_id: str
    source: str


@record
class Found:
    """An answer that was found.

    Attributes:
        value: What is returned; a `RawValue` where it was recorded.
        failure: What is raised instead.
        source: Where it comes from, in words.
        duration_ns: How long it takes.
        end_ns: When it came, where that is known; 0 elsewhere.
        is_silence: Nobody answered.
    """

    value: Any
    failure: Failure | None
    source: str
    duration_ns: int = 0
    end_ns: int = 0
    is_silence: bool = False

    def delay_ns(self, now_ns: int) -> int:
        """How long it is until the answer comes."""
        return max(self.end_ns - now_ns, 0) if self.end_ns else self.duration_ns


class Respondent:
    """Gives answers while a run goes on.

    Attributes:
        questions: What waits for an answer nobody knows.
        asked_ns: When the first of them was asked, in nanoseconds since the epoch; 0 if there are none.
        given: What was answered, in order.
        needed: The value that the code looked into and nobody here can read; None while it looked into none.
    """

    def __init__(
        self,
        answers: Answers,
        under_way: Mapping[tuple[str, int], RecordedEnd],
        recorded: Iterable[RecordedEnd],
        clock: Clock,
        wire: Wire,
        *,
        refuses: bool = False,
    ) -> None:
        """
        Args:
            answers: What the user says.
            under_way: What was recorded of activities that are under way at the mark, by run id and the id of the event
                that asked for them.
            recorded: What else was recorded, the best first.
            clock: What time it is.
            wire: Converts values.
            refuses: Whether what nobody knows fails, in words; otherwise it never ends.

        Raises:
            BadAnswer: A table holds something that is no answer.
        """
        self.questions: list[Question] = []
        self.asked_ns = 0
        self.given: list[Given] = []
        self.needed: NeedsValue | None = None
        self._answers = answers
        self._under_way = under_way
        self._recorded = _Recorded(recorded)
        self._clock = clock
        self._wire = wire
        self._refuses = refuses
        self._kept: dict[tuple[str, str, str], Found] = {}
        self._activities = {name: answers_of(value) for name, value in answers.table.items()}
        self._as_recorded = {name for name, value in answers.children.items() if isinstance(value, AsRecorded)}
        self._children = {
            name: answers_of(value) for name, value in answers.children.items() if name not in self._as_recorded
        }
        self._counts: dict[tuple[str, bool], int] = {}

    # Activities

    def as_activity(self) -> Callable[..., Any]:
        """What the engine is to run wherever there is no real activity."""

        @activity.defn(dynamic=True)
        async def respond(args: Sequence[RawValue]) -> Any:
            return await self._respond(args)

        return respond

    async def _respond(self, args: Sequence[RawValue]) -> Any:
        info = activity.info()
        asked = info.task_token.decode().rsplit("/", 2)[1]
        found = await self.activity(
            info.activity_type,
            args,
            info.workflow_id,
            info.workflow_run_id,
            info.activity_id,
            int(asked) if asked.isdigit() else 0,
        )
        if found is None or found.is_silence:
            await _silence()
        delay_ns = found.delay_ns(datetime_ns(info.started_time))
        if delay_ns:
            await asyncio.sleep(delay_ns / NS_PER_SECOND)
        if found.failure is not None:
            raise self._wire.decode_failure(found.failure)
        return found.value

    async def activity(
        self,
        name: str,
        args: Sequence[RawValue],
        workflow_id: str,
        run_id: str,
        activity_id: str,
        asked: int = 0,
    ) -> Found | None:
        """What an activity comes to; None where nobody knows.

        Args:
            name: Its type.
            args: What it is given.
            workflow_id: The workflow that asks.
            run_id: Its run.
            activity_id: The id of the activity in it.
            asked: Id of the event that asks; 0 if there is none.
        """
        values = tuple(plain(raw.payload.to_json()) for raw in args)
        found = await self._answer(name, values, args, (run_id, asked), (workflow_id, run_id, activity_id))
        if found is None:
            found = self._unanswered(Question("activity", name, values, workflow_id, activity_id))
        if found is not None and found.source is not REFUSED:
            self.given.append(Given(name, workflow_id, activity_id, found.source))
        return found

    async def _answer(
        self,
        name: str,
        values: Sequence[Any],
        args: Sequence[RawValue],
        asked: tuple[str, int],
        activity: tuple[str, str, str],
    ) -> Found | None:
        if name in self._activities:
            return self._said(self._activities[name], (name, False))
        if self._answers.function is not None:
            answer = self._answers.function(name, *values)
            if inspect.isawaitable(answer):
                answer = await answer
            if answer is not NotImplemented:
                return Found(answer, None, FUNCTION)
        end = self._under_way.get(asked)
        if end is not None:
            return self._of(end, f"{end.source}, event {end.event_id}", is_the_same=True)
        # What is recorded is the end after all attempts, so every attempt comes to the same.
        found = self._kept.get(activity) or self._of_record(name, False, key_of(args))
        if found is not None:
            self._kept[activity] = found
        return found

    # Children

    def child(
        self, name: str, workflow_id: str, args: Sequence[RawValue], asked: tuple[str, int] = ("", 0)
    ) -> Found | None:
        """How a child workflow ends; None where nobody knows.

        Args:
            name: Its type.
            workflow_id: Its id.
            args: What it is given.
            asked: Id of the parent's run, and of the event in it that asks.
        """
        end = self._under_way.get(asked)
        if name in self._children:
            found: Found | None = self._said(self._children[name], (name, True))
        elif end is not None:
            found = self._of(end, f"{end.source}, event {end.event_id}", is_the_same=True)
        else:
            found = self._of_record(name, True, key_of(args))
        if found is None:
            values = tuple(plain(raw.payload.to_json()) for raw in args)
            found = self._unanswered(Question("child workflow", name, values, workflow_id))
        if found is not None and found.source is not REFUSED:
            self.given.append(Given(name, workflow_id, "", found.source))
        return found

    def raw_values(self, payloads: Any) -> list[RawValue]:
        """Values as a history holds them, decoded and not converted."""
        return list(self._wire.raw_values(payload_list(payloads)))

    def end_of(self, found: Found) -> Command:
        """What a child asks for that ends so."""
        if found.failure is not None:
            return FailWorkflow({"failure": found.failure})
        return CompleteWorkflow({"result": {"payloads": [self._wire.encode_value(found.value)]}})

    def answers_child(self, name: str) -> bool:
        """Whether the user says how children of a type end, whatever code there is for them."""
        return name in self._children or name in self._as_recorded

    def answered_children(self) -> frozenset[str]:
        """The types for which that is so."""
        return frozenset((*self._children, *self._as_recorded))

    # Both

    def _unanswered(self, question: Question) -> Found | None:
        if question not in self.questions:  # the next attempt asks again
            self.questions.append(question)
        self.asked_ns = self.asked_ns or self._clock.now_ns()
        if not self._refuses:
            return None
        refusal = ApplicationError(self.sentence(question), type="NotRecorded", non_retryable=True)
        return Found(None, self._wire.encode_failure(refusal), REFUSED)

    def sentence(self, question: Question) -> str:
        """That nobody knows an answer, and what is known instead."""
        given = ", ".join(short(value, 120) for value in question.args) or "nothing"
        asked = f"{question.kind} {question.name}, given {given}: nothing is recorded that this could come to"
        known = self._recorded.of_type(question.name, question.kind != "activity")
        if not known:
            return f"{asked}. No {question.kind} of that name is in the histories."
        seen = dict.fromkeys(f"{_inputs(end)} ({end.source}, event {end.event_id})" for end in known)
        more = f" and {len(seen) - 3} more" if len(seen) > 3 else ""
        return f"{asked}. Recorded is what it comes to given {'; '.join(list(seen)[:3])}{more}."

    def _said(self, answers: Sequence[Answer], asked: tuple[str, bool]) -> Found:
        count = self._counts.get(asked, 0)
        self._counts[asked] = count + 1
        answer = answers[min(count, len(answers) - 1)]
        match answer:
            case Gives(value):
                return Found(value, None, TABLE)
            case Fails(error):
                return Found(None, self._wire.encode_failure(error), TABLE)
            case _:
                assert_never(answer)

    def _of_record(self, name: str, is_child: bool, key: InputKey) -> Found | None:
        end = self._recorded.same_input(name, is_child, key)
        if end is not None:
            return self._of(end, f"{end.source}, event {end.event_id}")
        if self._answers.exact:
            end = self._recorded.same_input(name, is_child, None)  # a local activity: what it was given is nowhere
        else:
            end = self._recorded.same_type(name, is_child)
        if end is not None:
            other = "" if end.input is None else ", of another input"
            return self._of(end, f"{end.source}, event {end.event_id}{other}")
        return Found(None, None, ANYTHING) if self._answers.anything else None

    def _of(self, end: RecordedEnd, source: str, *, is_the_same: bool = False) -> Found:
        value = None if end.result is None else self._wire.raw_values([end.result])[0]
        end_ns = end.end_ns if is_the_same else 0
        return Found(value, end.failure, source, end.duration_ns, end_ns, end.is_silence)


class _Recorded:
    """Recorded ends, handed out in the order in which they were recorded; the last one of a kind again and again."""

    def __init__(self, ends: Iterable[RecordedEnd]) -> None:
        self._by_input: dict[tuple[str, bool, InputKey | None], list[RecordedEnd]] = {}
        self._by_type: dict[tuple[str, bool], list[RecordedEnd]] = {}
        self._all = list(ends)
        for end in self._all:
            self._by_type.setdefault((end.type_name, end.is_child), []).append(end)
            self._by_input.setdefault((end.type_name, end.is_child, end.input), []).append(end)

    def of_type(self, name: str, is_child: bool) -> list[RecordedEnd]:
        """How all of a type ended."""
        return [end for end in self._all if (end.type_name, end.is_child) == (name, is_child)]

    def same_input(self, name: str, is_child: bool, key: InputKey | None) -> RecordedEnd | None:
        """How one ended that was given the same; None stands for an input that is not recorded."""
        return _next(self._by_input.get((name, is_child, key)))

    def same_type(self, name: str, is_child: bool) -> RecordedEnd | None:
        """How one ended, whatever it was given."""
        return _next(self._by_type.get((name, is_child)))


def _next(ends: list[RecordedEnd] | None) -> RecordedEnd | None:
    if not ends:
        return None
    return ends.pop(0) if len(ends) > 1 else ends[0]


def _inputs(end: RecordedEnd) -> str:
    """What an activity was given, in words."""
    if end.input is None:
        return "an input that is not recorded"
    return ", ".join(short(value, 120) for _, value in orjson.loads(end.input)) or "nothing"


async def _silence() -> NoReturn:
    """Never end, unless the workflow asks for it."""
    await activity.wait_for_cancelled()
    raise asyncio.CancelledError


class RespondingRuntime:
    """Stands before the code, and in for children that are answered; see `runtime.Runtime`."""

    name = "answers"

    def __init__(
        self,
        respondent: Respondent,
        runtimes: Sequence[Runtime],
        answered: Iterable[str],
        run_id: str,
        unreadable: Callable[[], Unreadable] | None,
    ) -> None:
        """
        Args:
            respondent: Knows the answers.
            runtimes: The code there is.
            answered: Run ids of children whose end is known, whatever code there is for them.
            run_id: The run that is previewed, which nobody answers for.
            unreadable: Makes what stands in for values that cannot be read; None if there are none.
        """
        self._respondent = respondent
        self._runtimes = runtimes
        self._answered = frozenset(answered)
        self._run_id = run_id
        self._unreadable = unreadable

    def workflow_types(self) -> frozenset[str]:
        """All that there is code for, so that it is asked first."""
        return frozenset(name for runtime in self._runtimes for name in runtime.workflow_types())

    def accepts(self, workflow_type: str) -> bool:
        """It takes every type."""
        return True

    def create(self, workflow_type: str, run_id: str, stand_ins: StandIns | None = None) -> WorkflowInstance:
        """A new instance."""
        runtime = next((one for one in self._runtimes if one.accepts(workflow_type)), None)
        is_answered = run_id in self._answered or self._respondent.answers_child(workflow_type)
        if runtime is None or (is_answered and run_id != self._run_id):
            return AnsweredChild(self._respondent, workflow_type)
        if self._unreadable is None:
            return runtime.create(workflow_type, run_id, stand_ins)
        unreadable = self._unreadable()
        return _Guessing(self._respondent, runtime.create(workflow_type, run_id, unreadable.stand_ins), unreadable)


class _Guessing:
    """A run with stand-ins for what cannot be read; once it looks into one, nobody knows how it goes on."""

    def __init__(self, respondent: Respondent, instance: WorkflowInstance, unreadable: Unreadable) -> None:
        self._respondent = respondent
        self._instance = instance
        self._unreadable = unreadable

    def activate(self, activation: Activation) -> Completion:
        """Tell the code what happened. What it asked for before it looked does not count."""
        completion = self._unreadable.activate(self._instance, activation)
        if isinstance(completion, NeedsValue):
            self._respondent.needed = completion
            return TaskCompleted(())
        return completion

    def close(self) -> None:
        """Throw the run out of memory."""
        self._instance.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)


class AnsweredChild:
    """A child that does nothing but end, when it is time; or waits for an answer nobody knows."""

    def __init__(self, respondent: Respondent, workflow_type: str) -> None:
        self._respondent = respondent
        self._type = workflow_type
        self._found: Found | None = None

    def activate(self, activation: Activation) -> Completion:
        """Take note of what it was given, of its end, or of being cancelled before."""
        for job in activation.jobs:
            match job:
                case InitializeWorkflow():
                    self._found = self._answer(job.workflow_id, job.attributes)
                    if self._found is not None and not self._found.is_silence:
                        return TaskCompleted((self._later(self._found.delay_ns(activation.timestamp_ns)),))
                case FireTimer() if self._found is not None:
                    return TaskCompleted((self._respondent.end_of(self._found),))
                case CancelWorkflow():
                    return TaskCompleted((CancelWorkflowExecution(),))
                case _:
                    pass
        return TaskCompleted(())

    def _answer(self, workflow_id: str, attributes: Json) -> Found | None:
        args = self._respondent.raw_values(attributes.get("input"))
        parent = part(attributes, "parentWorkflowExecution")
        asked = str(parent.get("runId", "")), int(attributes.get("parentInitiatedEventId") or 0)
        return self._respondent.child(self._type, workflow_id, args, asked)

    def _later(self, delay_ns: int) -> Command:
        if delay_ns <= 0 and self._found is not None:
            return self._respondent.end_of(self._found)
        return StartTimer(1, {"timerId": "1", "startToFireTimeout": duration_json_ns(delay_ns)})

    def close(self) -> None:
        """There is nothing to throw out."""
