"""Whether a changed file does what a fix promises: the recorded run agrees with it, and a new run takes the new path.

The changed source is run as a module of its own, under the name of the one it changes, which is put back at once. The
recorded history is replayed against it. Then both the code of today and the changed code are begun anew, as a worker
would, and answered with what was recorded or with the same guesses: the one must ask for what the other asks for, and
mark its patches.
"""

from __future__ import annotations

import linecache
import sys
import types
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from typing import TYPE_CHECKING, Any, Final

from playhead.diagnosis.attempt import Attempt
from playhead.diagnosis.outcomes import Outcomes
from playhead.diagnosis.recorded import RecordedSteps
from playhead.diagnosis.source import workflow_class
from playhead.diagnosis.steps import StepKind
from playhead.verdict import Agrees, CodeRaised, Diverges, Verdict
from playhead_engine.history import History, HistoryEvent, event_from_json

if TYPE_CHECKING:
    from playhead.replayer import Replayer

_MOST_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of trying a fix.

    Attributes:
        replay_agrees: Whether the recorded run agrees with the changed code.
        takes_new_path: Whether a new run of the changed code does what one of today's code does; None where a new run
            does not come to the change.
        problem: What went wrong; empty if nothing did.
    """

    replay_agrees: bool
    takes_new_path: bool | None
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether the fix is proved."""
        return self.replay_agrees and self.takes_new_path is True


def prove(history: History, text: str, workflow: type[Any], replayer: Replayer, patch_id: str) -> Proof:
    """Try a changed file.

    Args:
        history: What was recorded.
        text: The changed source.
        workflow: The workflow class of today.
        replayer: What it was replayed with.
        patch_id: The patch that new runs must mark; empty if there is none, and new runs and old ones do the same.
    """
    try:
        with changed_module(text, workflow) as module:
            changed = workflow_class(
                tuple(v for v in vars(module).values() if isinstance(v, type)), history.workflow_type
            )
            if changed is None:
                return Proof(False, None, "the changed file holds no such workflow")
            trial = replayer.with_workflows([changed])
            verdict = trial.replay(history)
            if not isinstance(verdict, Agrees):
                return Proof(False, None, f"the recorded run {_in_words(verdict)}")
            new, marked = _begun_anew(history, trial)
            today, _ = _begun_anew(history, replayer)
    except Exception as error:  # noqa: BLE001 - whatever running the user's changed code raises, the fix is not proved
        return Proof(False, None, f"{type(error).__name__}: {error}")
    if not patch_id:
        return Proof(True, True)
    if patch_id not in marked:
        return Proof(True, None, "a new run, answered by guesses, does not come to the change")
    if new != today:
        return Proof(True, False, "a new run of the changed code does not do what one of today's code does")
    return Proof(True, True)


@contextmanager
def changed_module(text: str, workflow: type[Any]) -> Generator[types.ModuleType]:
    """The changed source as a module under the name of the one that it changes.

    Whoever imports that name meanwhile, as the sandbox of Temporal's SDK does for every run, gets the changed source.
    """
    name = workflow.__module__
    before = sys.modules.get(name)
    file = getattr(before, "__file__", None) or name
    code = compile(text, file, "exec", dont_inherit=True)
    finder = _Finder(name, file, code)
    module = types.ModuleType(name)
    for attribute in ("__file__", "__package__", "__path__", "__spec__"):
        if before is not None and hasattr(before, attribute):
            setattr(module, attribute, getattr(before, attribute))
    lines = linecache.getlines(file)
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    sys.modules[name] = module
    sys.meta_path.insert(0, finder)
    try:
        exec(code, vars(module))
        yield module
    finally:
        sys.meta_path.remove(finder)
        linecache.cache[file] = (len("".join(lines)), None, lines, file)
        if before is not None:
            sys.modules[name] = before
        else:
            del sys.modules[name]


class _Finder(MetaPathFinder, Loader):
    """Finds one module, and makes it of code that is at hand."""

    def __init__(self, name: str, file: str, code: types.CodeType) -> None:
        self._name, self._file, self._code = name, file, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = spec_from_loader(fullname, self, origin=self._file)
        if spec is not None:
            spec.has_location = True
        return spec

    def exec_module(self, module: types.ModuleType) -> None:
        exec(self._code, vars(module))


def _in_words(verdict: Verdict) -> str:
    match verdict:
        case Diverges(divergence=divergence):
            return f"diverges at event {divergence.event_id}"
        case CodeRaised(error_type=name, message=message, event_id=event_id):
            return f"raises {name} after event {event_id}: {message}"
        case _:
            return "cannot be replayed"


def _begun_anew(history: History, replayer: Replayer) -> tuple[list[tuple[StepKind, str]], set[str]]:
    """What a new run asks for, without its patches, and the patches that it marks."""
    code = replayer.code_for(history)
    assert code is not None
    outcomes = Outcomes(history.events, code.cls, code.wire)
    recorded = RecordedSteps(_beginning(history))
    with code.instance(history.run_id) as instance:
        attempt = Attempt(recorded, history.id or "w", instance, code.profile, outcomes)
        attempt.run()
        attempt.go_on(_MOST_STEPS)
    steps = [asked.step for asked in attempt.asked]
    marked = {step.name for step in steps if step.kind is StepKind.PATCH}
    return [step.key for step in steps if not step.belongs_to_patch], marked


def _beginning(history: History) -> list[HistoryEvent]:
    """The history of a run that is about to begin, with the signals that were sent to this one there already."""
    first = history.events[0].canonical
    signals = [e.canonical for e in history.events if e.KIND == "WORKFLOW_EXECUTION_SIGNALED"]
    time = first.get("eventTime")
    scheduled = {
        "eventType": "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
        "eventTime": time,
        "workflowTaskScheduledEventAttributes": {"attempt": 1},
    }
    task = str(len(signals) + 2)
    started = {
        "eventType": "EVENT_TYPE_WORKFLOW_TASK_STARTED",
        "eventTime": time,
        "workflowTaskStartedEventAttributes": {"scheduledEventId": task},
    }
    raw = [first, *signals, scheduled, started]
    return [event_from_json({**event, "eventId": str(number)}) for number, event in enumerate(raw, start=1)]
