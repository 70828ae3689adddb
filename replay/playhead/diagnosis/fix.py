"""`Fix`: the change to the user's file that lets old runs and new ones go on, and whether it was proved to.

Where something decides that is another thing on every replay, it is replaced first, and what still differs is patched.
A fix is only ever proposed: nothing here writes to a file. Where none can be made, it says why.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playhead.diagnosis.cause import Cause, Confidence
from playhead.diagnosis.oldbranch import CannotPatch
from playhead.diagnosis.patching import PatchedSource, patched_source, workflow_module
from playhead.diagnosis.proof import Proof, changed_module, prove
from playhead.diagnosis.source import Source, workflow_class
from playhead.places import shown_path
from playhead.verdict import Agrees

if TYPE_CHECKING:
    from playhead.diagnosis.diagnosis import Diagnosis
    from playhead.diagnosis.suspects import Suspect
    from playhead.replayer import Replayer
    from playhead_engine.history import History


@dataclass(frozen=True, slots=True)
class Fix:
    """What to change.

    Attributes:
        file: The file to change; empty where no change can be made.
        patch_id: The patch that tells old runs from new ones; empty where none is needed.
        diff: The change, as a unified diff against the file.
        notes: What to look at before applying it, a sentence each.
        proof: What became of replaying with it; None where there is no change.
        reason: Why no change can be made; empty if one can.
    """

    file: str = ""
    patch_id: str = ""
    diff: str = ""
    notes: tuple[str, ...] = ()
    proof: Proof | None = None
    reason: str = ""

    @property
    def is_proved(self) -> bool:
        """Whether the recorded run agrees with the changed code, and a new run does what the code of today does."""
        return self.proof is not None and self.proof.holds


def propose(diagnosis: Diagnosis, history: History, replayer: Replayer) -> Fix:
    """Write a fix out and try it.

    Args:
        diagnosis: What differs.
        history: What was recorded.
        replayer: What the code was replayed with; the changed code is replayed in the same way.
    """
    code = replayer.code_for(history)
    source, workflow = (code.source, code.cls) if code is not None else (None, None)
    if not diagnosis.alignment.differences():
        return Fix(reason="there is nothing to patch: the steps of the code are the recorded ones")
    if source is None or workflow is None:
        return Fix(reason="the source of the workflow cannot be read")
    suspects = [cause.suspect for cause in diagnosis.causes if cause.suspect is not None and _is_blamed(cause)]
    try:
        changes = _changes(suspects, diagnosis, history, source, replayer, workflow)
    except CannotPatch as error:
        return Fix(reason=str(error))
    fixes: list[Fix] = []
    for change in changes:
        proof = prove(history, "".join(change.lines), workflow, replayer, change.patch_id)
        fixes.append(Fix(source.file, change.patch_id, _diff(source, change.lines), change.notes, proof))
        if proof.holds:
            return fixes[-1]
    return fixes[0]


def _changes(
    suspects: list[Suspect],
    diagnosis: Diagnosis,
    history: History,
    source: Source,
    replayer: Replayer,
    workflow: type[Any],
) -> list[PatchedSource]:
    """What could be changed, the best first.

    Raises:
        CannotPatch: Nothing.
    """
    if suspects:
        return [_replaced(suspects, history, source, replayer, workflow)]
    if diagnosis.alignment.stopped and not diagnosis.waits:
        raise CannotPatch(f"the code could not be followed to the end of the history: {diagnosis.alignment.stopped}")
    found: list[PatchedSource] = []
    reason = ""
    for leaves_early in (True, False):
        try:
            change = patched_source(diagnosis, history, source, leaves_early=leaves_early)
        except CannotPatch as error:
            reason = str(error)
        else:
            if all(change.lines != other.lines for other in found):
                found.append(change)
    if not found:
        raise CannotPatch(reason)
    return found


def _replaced(
    suspects: list[Suspect], history: History, source: Source, replayer: Replayer, workflow: type[Any]
) -> PatchedSource:
    """The file with the workflow's own means in the place of suspects, and with a patch for what still differs.

    Raises:
        CannotPatch: Nothing can stand in the place of one, or what still differs cannot be patched.
    """
    module = workflow_module(source)
    for suspect in suspects:
        statement = source.statement(suspect.line)
        if not suspect.replacement or suspect.node is None or statement is None:
            raise CannotPatch(
                f"`{suspect.text}` at line {suspect.line} would decide otherwise the next time, whatever the branch. "
                f"Take it out of the condition; use {suspect.instead}"
            )
    lines = list(source.lines)
    for suspect in suspects:
        assert suspect.node is not None
        lines[suspect.line - 1] = _with_replacement(source, suspect, module)
    text = Source(source.file, lines)
    notes = tuple(f"line {suspect.line} uses {suspect.instead} now" for suspect in suspects)
    with changed_module("".join(lines), workflow) as changed:
        classes = tuple(value for value in vars(changed).values() if isinstance(value, type))
        cls = workflow_class(classes, history.workflow_type)
        if cls is None:
            raise CannotPatch("the changed file holds no such workflow")
        diagnosis = replayer.with_workflows([cls]).diagnose(history)
        if isinstance(diagnosis.verdict, Agrees):
            return PatchedSource(lines, "", notes)
        try:
            change = patched_source(diagnosis, history, text)
        except CannotPatch as error:
            reason = f"with the workflow's own means in its place, the recorded run still differs: {error}"
            raise CannotPatch(reason) from error
    return PatchedSource(change.lines, change.patch_id, (*notes, *change.notes))


def _with_replacement(source: Source, suspect: Suspect, module: str) -> str:
    node = suspect.node
    assert node is not None
    if node.end_lineno != node.lineno:
        raise CannotPatch(f"what stands at line {suspect.line} is spread over several lines; use {suspect.instead}")
    line = source.lines[node.lineno - 1].encode()
    text = suspect.replacement.replace("{workflow}", module).encode()
    return (line[: node.col_offset] + text + line[node.end_col_offset :]).decode()


def _is_blamed(cause: Cause) -> bool:
    return cause.suspect is not None and cause.confidence is not Confidence.POSSIBLE


def _diff(source: Source, lines: list[str]) -> str:
    shown = shown_path(source.file).lstrip("/")
    return "".join(difflib.unified_diff(source.lines, lines, f"a/{shown}", f"b/{shown}"))
