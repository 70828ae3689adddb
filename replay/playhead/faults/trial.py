"""A trial: what came of one run of a program under a fault plan, as data for properties to look at.

It judges nothing and runs nothing. Histories are read from the trial's own store when somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from playhead_engine.faults import Fault, FaultLog, FaultPlan, Passed
from playhead_engine.history import History
from playhead_engine.stores.memory import MemoryStore

if TYPE_CHECKING:
    from playhead.faults.programs import Program
    from playhead.replayer import Replayer

_R = TypeVar("_R")


class TrialStore(MemoryStore):
    """A store in memory that can still be read when the engine has closed it."""

    def close(self) -> None:
        """Keep everything."""

    def histories(self) -> tuple[History, ...]:
        """The history of every run, in the order in which they began."""
        executions = [summary["execution"] for summary in self.summaries()]
        return tuple([History.from_events(self.events(one["runId"]), one["workflowId"]) for one in executions])

    def has_open_runs(self) -> bool:
        """Whether some run has not ended."""
        return any(summary["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING" for summary in self.summaries())


class Trial(Generic[_R]):
    """What came of one run of a program.

    Attributes:
        program: The program.
        plan: What was to go wrong.
        seed: What chance was made from.
        arguments: What the program was given besides.
        log: The fault points that were passed, and what struck there.
        result: What the program returned; None if it did not get so far.
        error: How a client was told that something did not end well, such as WorkflowFailureError; None if it was not.
        raised: What else the program raised, an AssertionError for example; None if nothing.
    """

    def __init__(
        self,
        program: Program[_R],
        plan: FaultPlan,
        seed: int,
        arguments: Mapping[str, Any],
        store: TrialStore,
        log: FaultLog,
    ) -> None:
        self.program = program
        self.plan = plan
        self.seed = seed
        self.arguments = arguments
        self.log = log
        self.result: _R | None = None
        self.error: Exception | None = None
        self.raised: Exception | None = None
        self._store = store

    @property
    def struck(self) -> tuple[Fault, ...]:
        """The faults that struck, in the order in which they did."""
        return self.log.struck

    @property
    def passed(self) -> tuple[Passed, ...]:
        """The fault points that were passed, in order."""
        return self.log.passed

    @cached_property
    def histories(self) -> tuple[History, ...]:
        """The history of every run, in the order in which they began; as far as it went, if the trial goes on."""
        return self._store.histories()

    @property
    def replayer(self) -> Replayer:
        """What replays its runs: with the code that was deployed last, if faults deployed any."""
        return self.program.replayer(sum(fault.strike == "deploy" for fault in self.struck))

    @property
    def open_runs(self) -> tuple[History, ...]:
        """The runs that have not ended."""
        return tuple([history for history in self.histories if not history.is_complete])

    def runs_of(self, workflow_id: str) -> tuple[History, ...]:
        """The runs of one workflow, in the order in which they began."""
        return tuple([history for history in self.histories if history.id == workflow_id])

    def __repr__(self) -> str:
        outcome = f"error={self.error!r}" if self.error is not None else f"result={self.result!r}"
        return f"Trial({self.program.name}, plan={str(self.plan)!r}, seed={self.seed}, {outcome})"
