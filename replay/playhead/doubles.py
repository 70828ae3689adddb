"""Doubles: stand in for activities and child workflows in a test, and answer as recorded histories did.

The answers are those of `hotfix`: by name and input, from histories or from a table. Where a preview waits for an
answer that nobody knows, a double fails, and says what was asked for and what is recorded. Doubles stand in the
built-in engine (`Doubles.engine`) and beside Temporal's own worker (`activities` and `workflows` of `Doubles`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playhead.hotfix.answers import Answers
from playhead.hotfix.recorded import RecordedEnd, recorded_ends
from playhead.hotfix.respondent import AnsweredChild, Given, Question, Respondent
from playhead.runtimes import wire_with
from playhead.sources import Source, history_of, name_of
from playhead_engine.engine.clock import Clock, VirtualClock, clock_of
from playhead_engine.engine.engine import Engine
from playhead_engine.engine.wire import Wire
from playhead_engine.opaque import StandIns
from playhead_engine.runtime import WorkflowInstance

if TYPE_CHECKING:
    from playhead.temporal.doubles import TemporalDoubles


class NotRecorded(AssertionError):
    """A test asked for something that no history records.

    Attributes:
        questions: What it asked for.
    """

    def __init__(self, text: str, questions: tuple[Question, ...] = ()) -> None:
        super().__init__(text, questions)
        self.text = text
        self.questions = questions

    def __str__(self) -> str:
        return self.text


class Doubles:
    """Activities and child workflows that end as they were recorded.

        doubles = Doubles("histories/order.json")
        with doubles.engine([OrderFulfilment]) as engine:
            receipt = engine.execute_workflow(OrderFulfilment.run, order, id="order-1", task_queue="q").wait()
        doubles.check()

    What was asked for more than once with the same input ends as it did the first time, then the second, and so on; the
    last end goes on for ever. Under a virtual clock it takes as long as it took, elsewhere no time.
    """

    def __init__(
        self,
        *histories: Source,
        answers: Answers | None = None,
        any_input: bool = False,
        data_converter: Any = None,
    ) -> None:
        """
        Args:
            histories: The recordings to take answers from, in this order.
            answers: What else is known: tables, a function, activities that are really run. They come first.
            any_input: Whether an end that was recorded of another input will do, where there is none of the same.
            data_converter: Converts values: that of the run, and of the recordings.

        Raises:
            UnreadableHistory: One is no history.
            BadAnswer: A table holds something that is no answer.
        """
        known = answers or Answers()
        read = [(source, history_of(source)) for source in histories]
        named = [(Path(name_of(source, history)).name, history) for source, history in read]
        self.answers = replace(known, histories=(*named, *known.histories), exact=not any_input)
        self._data_converter = data_converter
        self._respondents: list[Respondent] = []
        self._temporal: TemporalDoubles | None = None

    # What came of it

    @property
    def given(self) -> tuple[Given, ...]:
        """What was answered, in order, and from where."""
        return tuple(given for one in self._respondents for given in one.given)

    @property
    def missing(self) -> tuple[Question, ...]:
        """What was asked for and is recorded nowhere."""
        return tuple(question for one in self._respondents for question in one.questions)

    def check(self) -> None:
        """Fail if anything was asked for that is recorded nowhere, whatever the workflow made of it.

        Raises:
            NotRecorded: Something was.
        """
        sentences = [one.sentence(question) for one in self._respondents for question in one.questions]
        if sentences:
            raise NotRecorded("\n".join(f"{sentence[0].upper()}{sentence[1:]}" for sentence in sentences), self.missing)

    # In the built-in engine

    def engine(
        self, workflows: Sequence[type[Any]], activities: Sequence[Callable[..., Any]] = (), **options: Any
    ) -> Engine:
        """An engine in which they answer. Close it, as any other.

        Args:
            workflows: The workflow classes that really run; children of other types are answered.
            activities: Activities that really run; all others are answered.
            options: Of `Engine`. Signals to workflows that are not there count as delivered unless they say otherwise.
        """
        options = {"assume_delivery": True, "data_converter": self._data_converter, **options}
        on_disk = options.get("path") is not None
        clock = options["clock"] = clock_of(options.get("clock"), on_disk=on_disk)
        respondent = self._respondent(clock, wire_with(options["data_converter"]))
        return Engine(
            workflows=workflows,
            activities=[respondent.as_activity(), *self.answers.real, *activities],
            runtimes=[AnsweringRuntime(respondent), *options.pop("runtimes", ())],
            **options,
        )

    # Beside Temporal's own worker

    def activities(self) -> list[Callable[..., Any]]:
        """The activities for a `temporalio.worker.Worker`: one that takes every type, and those that really run.

        Raises:
            ModuleNotFoundError: `temporalio` is not installed.
        """
        return [self._beside_temporal().activity, *self.answers.real]

    def workflows(self) -> list[type[Any]]:
        """The workflows for a `temporalio.worker.Worker`, beside those that really run: one that takes every type.

        Raises:
            ModuleNotFoundError: `temporalio` is not installed.
        """
        return [self._beside_temporal().workflow]

    def _beside_temporal(self) -> TemporalDoubles:
        from playhead.temporal.doubles import TemporalDoubles

        if self._temporal is None:
            clock = clock_of("real", on_disk=False)
            self._temporal = TemporalDoubles(
                self._respondent(clock, wire_with(self._data_converter)), self._data_converter
            )
        return self._temporal

    def _respondent(self, clock: Clock, wire: Wire) -> Respondent:
        ends = [end for name, history in self.answers.histories for end in recorded_ends(history, name, wire)]
        if not isinstance(clock, VirtualClock):
            ends = [replace(end, duration_ns=0) for end in ends]
        respondent = Respondent(self.answers, {}, _in_order(ends), clock, wire, refuses=True)
        self._respondents.append(respondent)
        return respondent


def _in_order(ends: Iterable[RecordedEnd]) -> list[RecordedEnd]:
    """What a run asked for first is answered first, whichever ended first."""
    by_source: dict[str, list[RecordedEnd]] = {}
    for end in ends:
        by_source.setdefault(end.source, []).append(end)
    return [end for found in by_source.values() for end in sorted(found, key=lambda one: one.asked_id)]


class AnsweringRuntime:
    """Stands in for child workflows that there is no code for, or that the user answers; see `runtime.Runtime`."""

    name = "answers"

    def __init__(self, respondent: Respondent) -> None:
        self._respondent = respondent

    def workflow_types(self) -> frozenset[str]:
        """Types that are answered whatever code there is for them."""
        return self._respondent.answered_children()

    def accepts(self, workflow_type: str) -> bool:
        """It takes every type that nobody else takes."""
        return True

    def create(self, workflow_type: str, run_id: str, stand_ins: StandIns | None = None) -> WorkflowInstance:
        """A child that does nothing but end."""
        return AnsweredChild(self._respondent, workflow_type)
