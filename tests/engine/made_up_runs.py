"""Makes up runs: a history as a server could have written it, and the commands by which code would have got it.

A run is told task by task. In each the code asks for a few things (see `made_up_requests`), and between tasks the world
moves on: timers fire, activities end, signals come. Everything is drawn from one generator of random numbers, so its
seed names the run. What is made up here is legal, and history and code agree; `mutations` sees to the rest.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from playhead_engine.commands import CancelWorkflowExecution, Command, CompleteWorkflow, ContinueAsNew, FailWorkflow
from playhead_engine.messages import Json
from tests.engine.history_builder import HistoryBuilder
from tests.engine.json_values import application_failure, payload, payloads
from tests.engine.scripted_run import Answer, Script

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MadeUpRun:
    """A history and the commands that go with it.

    Attributes:
        events: In canonical JSON.
        answers: By the id of the event that completed a task, what the code answered to each activation of that task.
            It knows tasks beyond a cut in the events, too: what the code does live.
        fails_at: Index of the activation that the code fails on, if it does.
    """

    events: list[Json]
    answers: dict[int, list[list[Command]]]
    fails_at: int | None = None

    def script(self) -> Script:
        """The code."""
        tasks = sorted(self.answers)

        def task_after(length: int) -> int:
            return next((task for task in tasks if task > length), 0)

        def script(lengths: Sequence[int]) -> Answer:
            if self.fails_at == len(lengths) - 1:
                return None
            task = task_after(lengths[-1])
            answers = self.answers.get(task, [])
            earlier = sum(task_after(length) == task for length in lengths[:-1])
            return answers[earlier] if earlier < len(answers) else ()

        return script


class Ongoing:
    """Something that was asked for and has not ended.

    Attributes:
        task: How many tasks had been completed when it was asked for.
        story: Each step writes the next events about it.
        cancel: Asks for it to be cancelled and writes what is recorded of that; None where that cannot be asked for.
        is_cancelled: Whether it was asked for.
    """

    def __init__(self, task: int, story: Story, cancel: Callable[[], None] | None) -> None:
        self.task = task
        self.story = story(self)
        self.cancel = cancel
        self.is_cancelled = False


Story: TypeAlias = Callable[[Ongoing], Generator[None, None, None]]
"""What becomes of a thing, told in as many steps as the generator has."""


class Author:
    """Tells one run.

    Attributes:
        history: What was told so far.
        known_flags: Flags of core that the history records.
        patches: Patches that the code has passed.
        admitted: Updates that were admitted and are not accepted.
        accepted: Updates that were accepted and are not completed, with the ids of the accepting events.
        task_starts: Ids of the events that started the tasks that count.
        ongoing: What was asked for and has not ended.
    """

    def __init__(self, chance: random.Random, requests: Sequence[Request]) -> None:
        self._chance = chance
        self._requests = requests
        flags: list[int] | None = self.one_of([[1, 2, 3, 4], [1, 2, 3], [1, 3], [1], [2], [1, 2, 3, 4, 9], [], None])
        self.known_flags = set(flags or ())
        self.history = HistoryBuilder(
            run_id=self.one_of(["run", "8a2d5cbd-3b4c-4d4f-9a7b-0f2f6e3f9d11", "läuft"]),
            core_flags=flags,
            **self._started_attributes(),
        )
        self.patches: list[str] = []
        self.admitted: list[str] = []
        self.accepted: list[tuple[str, int]] = []
        self.task_starts: list[int] = []
        self.ongoing: list[Ongoing] = []
        self._numbers: dict[str, int] = {}
        self._answers: dict[int, list[list[Command]]] = {}
        self._answer: list[list[Command]] = []

    def tell(self) -> MadeUpRun:
        """The whole run."""
        count = self._chance.randint(1, 7)
        for number in range(1, count + 1):
            is_heartbeat = number > 1 and self.maybe(0.15)
            if number > 1 and not is_heartbeat:
                self._world_moves_on()
            while self.maybe(0.12):
                self._attempt_in_vain()
            self._begin_task()
            if number == count and self.maybe(0.05):
                break
            self._complete_task()
            if not is_heartbeat and self.maybe(0.9):
                for _ in range(self._chance.randint(0, 4)):
                    self.one_of(self._requests)(self)
                if (number == count or self.maybe(0.05)) and self._end():
                    break
        else:
            if self.maybe(0.7):
                self._world_moves_on()
            if self.maybe(0.2):
                self.one_of([self.history.terminated, self.history.timed_out])()
        return MadeUpRun(self.history.events, self._answers)

    # For requests

    def maybe(self, probability: float) -> bool:
        """Toss a coin."""
        return self._chance.random() < probability

    def one_of(self, choices: Sequence[T]) -> T:
        """Choose."""
        return self._chance.choice(choices)

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """In another order."""
        return self._chance.sample(values, len(values))

    def between(self, low: int, high: int) -> int:
        """A number, both ends included."""
        return self._chance.randint(low, high)

    def number(self, kind: str) -> int:
        """The next number of a kind of thing."""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return self._numbers[kind]

    def ask(self, command: Command) -> None:
        """The code gives a command."""
        self._answer[-1].append(command)

    def maybe_next_activation(self, probability: float = 0.3) -> None:
        """What was asked last has consequences at once: what comes next may be in answer to those."""
        if self.maybe(probability):
            self._answer.append([])

    @property
    def tasks(self) -> int:
        """How many tasks were completed."""
        return len(self._answers)

    @property
    def activations_of_task(self) -> int:
        """How many activations the current task has had."""
        return len(self._answer)

    def goes_on(self, story: Story, cancel: Callable[[], None] | None = None) -> None:
        """Something was asked for, and this will become of it."""
        self.ongoing.append(Ongoing(self.tasks, story, cancel))

    # Between the tasks

    def _world_moves_on(self) -> None:
        if self.maybe(0.85):  # most tasks need a reason
            header = {"header": {"fields": {"trace": payload("abc")}}} if self.maybe(0.2) else {}
            self.history.signaled(self.one_of(["wave", "nod"]), self.number("signal"), **header)
        if self.maybe(0.04):
            self.history.cancel_requested()
        if self.maybe(0.05):
            kind = self.one_of(["OPTIONS_UPDATED", "PAUSED", "UNPAUSED", "TIME_SKIPPING_TRANSITIONED"])
            self.history.add(f"WORKFLOW_EXECUTION_{kind}", {}, workerMayIgnore=True)
        if self.maybe(0.06):
            self.admitted.append(f"update-{self.number('update')}")
            self.history.update_admitted(self.admitted[-1], "rename", 1)
        for ongoing in self.shuffled(self.ongoing):
            if self.maybe(0.55):
                try:
                    next(ongoing.story)
                except StopIteration:
                    self.ongoing.remove(ongoing)

    def _attempt_in_vain(self) -> None:
        self.history.task_scheduled()
        match self._chance.randrange(6):
            case 0:
                self.history.task_timed_out("SCHEDULE_TO_START")
            case 1:
                self.history.task_failed("WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED")
            case 2:
                self.history.task_started()
                self.history.task_timed_out()
            case 3:
                self.history.task_started()
                self.history.task_failed("RESET_WORKFLOW", newRunId=f"reset-{self.number('reset')}")
            case _:
                self.history.task_started()
                self.history.task_failed()
        if self.maybe(0.3):
            self.history.signaled("hello")

    # The tasks

    def _begin_task(self) -> None:
        extra: Json = {"historySizeBytes": str(self._chance.randrange(1_000_000))}
        if self.maybe(0.3):
            reason = self.one_of(["HISTORY_SIZE_TOO_LARGE", "TOO_MANY_HISTORY_EVENTS", "TOO_MANY_UPDATES"])
            extra["suggestContinueAsNew"] = True
            extra["suggestContinueAsNewReasons"] = [f"SUGGEST_CONTINUE_AS_NEW_REASON_{reason}"]
        if self.maybe(0.1):
            extra["targetWorkerDeploymentVersionChanged"] = True
        self.task_starts.append(self.history.task_open(**extra))

    def _complete_task(self) -> None:
        extra: Json = {}
        if self.maybe(0.3):
            extra["workerVersion"] = self.one_of([{"buildId": "b1"}, {"buildId": "b2"}, {}])
        if self.maybe(0.15):
            blue = {"deploymentName": "blue", "buildId": "b3"}
            extra["deploymentVersion"] = self.one_of([blue, blue, {"buildId": "b4"}, {}])
        if self.maybe(0.1):
            extra["workerDeploymentVersion"] = self.one_of(["green.b5", "green.b5.1", "without-a-dot"])
        if self.maybe(0.1):
            extra["workerDeploymentName"] = "red"
        metadata: Json = {}
        if not self._answers and self.known_flags:
            metadata["coreUsedFlags"] = sorted(self.known_flags)
        if self.maybe(0.05):
            flag = self._chance.randint(1, 4)
            metadata["coreUsedFlags"] = [*metadata.get("coreUsedFlags", ()), flag]
            self.known_flags.add(flag)
        if self.maybe(0.2):
            metadata["langUsedFlags"] = [self._chance.randint(1, 5)]
        if self.maybe(0.2):
            metadata["sdkVersion"] = self.one_of(["1.20", "1.35", ""])
        if metadata:
            extra["sdkMetadata"] = metadata
        self._answer = self._answers[self.history.task_completed(**extra)] = [[]]

    def _end(self) -> bool:
        match self._chance.randrange(10):
            case 0:
                self.ask(FailWorkflow({"failure": application_failure("no luck")}))
                self.history.failed()
            case 1:
                self.ask(ContinueAsNew({}))
                self.history.continued_as_new()
            case 2:
                self.ask(CancelWorkflowExecution())
                self.history.canceled()
            case 3 | 4 | 5 | 6:
                self.ask(CompleteWorkflow({}))
                self.history.completed(1)
            case _:
                return False
        return True

    def _started_attributes(self) -> dict[str, Any]:
        fields: Json = {
            "input": payloads(1, "two"),
            "header": {"fields": {"trace": payload("abc")}},
            "identity": "client",
            "parentWorkflowNamespace": "default",
            "parentWorkflowExecution": {"workflowId": "parent", "runId": "parent-run"},
            "rootWorkflowExecution": {"workflowId": "root", "runId": "root-run"},
            "workflowExecutionTimeout": "3600s",
            "workflowRunTimeout": "60.500s",
            "continuedExecutionRunId": "before",
            "initiator": "CONTINUE_AS_NEW_INITIATOR_RETRY",
            "continuedFailure": application_failure("the run before"),
            "lastCompletionResult": payloads(7),
            "retryPolicy": {"initialInterval": "1s", "backoffCoefficient": 2.0, "maximumAttempts": 3},
            "attempt": 2,
            "workflowExecutionExpirationTime": "2026-02-01T00:00:00Z",
            "cronSchedule": "@daily",
            "firstWorkflowTaskBackoff": "5s",
            "memo": {"fields": {"note": payload("m")}},
            "searchAttributes": {"indexedFields": {"Colour": payload("red")}},
            "priority": {"priorityKey": 3},
        }
        return {key: value for key, value in fields.items() if self.maybe(0.15)}


Request: TypeAlias = Callable[[Author], None]
"""Something that the code asks for."""
