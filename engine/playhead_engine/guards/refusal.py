"""What a guard says no to, and how.

A rule names a call, says why it has no place in workflow code and what to write in its stead. Which calls have rules is
said in `calls` (functions), `audit` (what reaches outside of the process) and `set_order` (iteration).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playhead_engine.guards.origin import culprit, position
from playhead_engine.guards.presence import here, in_workflow
from playhead_engine.record import record

if TYPE_CHECKING:
    from types import CodeType, FrameType


class NondeterministicCall(RuntimeError):
    """Workflow code did something that would not happen in the same way on replay.

    It fails the workflow task, not the workflow: once the code is mended the run goes on.

    Attributes:
        call: What was called, as one would write it: `datetime.now()`.
        file: File of the code that did it, as the interpreter knows it.
        line: Line in that file, counted from 1.
        why: What would go wrong, as the rest of a sentence.
        instead: What to do, as an imperative: `use workflow.now()`.
        workflow: The workflow that did it, as named to `enter`; empty if the code was refused before it ran.
    """

    def __init__(self, call: str, file: str, line: int, why: str, instead: str, workflow: str = "") -> None:
        super().__init__(call, file, line, why, instead, workflow)
        self.call = call
        self.file = file
        self.line = line
        self.why = why
        self.instead = instead
        self.workflow = workflow

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.call} in workflow code {self.why}; {self.instead}"


ANOTHER_ANSWER = "would give another answer on replay"
HAPPENS_AGAIN = "reaches outside of the workflow, and would again on every replay"
STOPS_THE_WORKER = "stops every workflow of this worker, and would again on every replay"

_IN_AN_ACTIVITY = "make it in an activity"
_THROUGH_MODULE = {"uuid": "use workflow.uuid4()", "secrets": _IN_AN_ACTIVITY, "random": _IN_AN_ACTIVITY}


@record
class Rule:
    """One thing workflow code must not do.

    Attributes:
        call: As in `NondeterministicCall`.
        why: As in `NondeterministicCall`.
        instead: As in `NondeterministicCall`.
        through_libraries: Whether it is as bad if a library does it for the workflow.
        is_source: Whether other functions of the standard library draw on it (`uuid4` on `os.urandom`), so that the one
            that user code called is to be named.
    """

    call: str
    why: str
    instead: str
    through_libraries: bool = False
    is_source: bool = False

    def enforce(self, caller: FrameType | None) -> None:
        """Refuse the call if workflow code has to answer for it.

        Args:
            caller: The frame that made the call.

        Raises:
            NondeterministicCall: It has.
        """
        if not in_workflow():
            return
        found = culprit(caller, through_libraries=self.through_libraries)
        if found is None:
            return
        frame, conduits = found
        call, instead = self._as_written(conduits)
        file, line = position(frame)
        raise NondeterministicCall(call, file, line, self.why, instead, here.workflow or "")

    def _as_written(self, conduits: list[CodeType]) -> tuple[str, str]:
        for code in reversed(conduits if self.is_source else ()):
            module = Path(code.co_filename).stem
            if module in _THROUGH_MODULE:
                prefix = "random.SystemRandom()" if module == "random" else module
                return f"{prefix}.{code.co_name}()", _THROUGH_MODULE[module]
        return self.call, self.instead


STARTING_A_THREAD = Rule(
    "starting a thread", HAPPENS_AGAIN, "use asyncio.create_task(), or an activity", through_libraries=True
)
"""On its own, because not every version of the interpreter announces it to audit hooks."""
