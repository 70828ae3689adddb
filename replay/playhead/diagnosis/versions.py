"""Patches: which ones a run passed, which ones the code knows, and what follows where the two do not go together."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from playhead.diagnosis.alignment import Alignment, Change
from playhead.diagnosis.cause import Case, Cause, Confidence
from playhead.diagnosis.facts import place_between
from playhead.diagnosis.source import Source
from playhead.diagnosis.steps import StepKind
from playhead_engine.history import History
from playhead_engine.machines.markers import patch_marker


@dataclass(frozen=True, slots=True)
class PatchCall:
    """A call of `patched` or `deprecate_patch` in the source.

    Attributes:
        patch_id: Its argument; empty where that is no literal.
        is_deprecation: Whether it is `deprecate_patch`.
        line: Where it stands.
    """

    patch_id: str
    is_deprecation: bool
    line: int


def patch_calls(source: Source | None) -> list[PatchCall]:
    """The calls in a file, in the order of their lines."""
    if source is None:
        return []
    found: list[PatchCall] = []
    constants = {
        target.id: node.value.value
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for name, call in source.calls(source.tree):
        last = name.rsplit(".", 1)[-1]
        if last in ("patched", "deprecate_patch") and call.args:
            argument = call.args[0]
            patch_id = argument.value if isinstance(argument, ast.Constant) else ""
            if isinstance(argument, ast.Name):
                patch_id = constants.get(argument.id, "")
            found.append(PatchCall(str(patch_id), last == "deprecate_patch", call.lineno))
    return sorted(found, key=lambda call: call.line)


def passed_patches(history: History) -> set[str]:
    """The patches a run has markers of."""
    markers = (patch_marker(event) for event in history.events if event.KIND == "MARKER_RECORDED")
    return {marker.patch_id for marker in markers if marker is not None}


def with_patch_changes(alignment: Alignment, history: History, source: Source | None) -> Alignment:
    """The alignment with the classes of patches in it, which only the source can tell."""
    calls = patch_calls(source)
    known = {call.patch_id for call in calls}
    passed = passed_patches(history)
    too_early = [call for call in calls if call.is_deprecation and call.patch_id not in passed]
    guarded = {call.patch_id for call in calls if not call.is_deprecation}
    too_early = [call for call in too_early if call.patch_id not in guarded]
    rows = list(alignment.rows)
    for number in alignment.differences():
        row = rows[number]
        if row.change is Change.PATCH_REMOVED and row.recorded is not None and row.recorded.name in known:
            rows[number] = replace(row, change=Change.PATCH_MISSING)
        elif (
            row.change is not Change.REORDERED and row.site is not None and _is_below(row.site.line, too_early, source)
        ):
            rows[number] = replace(row, change=Change.DEPRECATED_TOO_EARLY)
    return replace(alignment, rows=tuple(rows))


def _is_below(line: int, calls: list[PatchCall], source: Source | None) -> PatchCall | None:
    """The nearest of some calls that stands above a line, in the same function."""
    if source is None:
        return None
    function = source.function(line)
    above = [call for call in calls if call.line <= line and source.function(call.line) is function]
    return above[-1] if above else None


def patch_causes(case: Case) -> Iterator[Cause]:
    """A cause for each row whose class speaks of a patch, and for what follows from it."""
    calls = patch_calls(case.source)
    rows = case.alignment.rows
    for number in case.alignment.differences():
        row = rows[number]
        if row.recorded is None or row.recorded.kind is not StepKind.PATCH:
            continue
        if row.change in (Change.PATCH_REMOVED, Change.PATCH_MISSING):
            yield _not_passed(case, number, [call for call in calls if call.patch_id == row.recorded.name])
        elif row.change is Change.REORDERED:
            text = f"The call of `patched({row.recorded.name!r})` has moved: its marker was recorded elsewhere."
            file, line = (row.site.file, row.site.line) if row.site is not None else ("", 0)
            yield Cause(text, Confidence.CERTAIN, (), (number,), file, line)
    too_early = [n for n in case.alignment.differences() if rows[n].change is Change.DEPRECATED_TOO_EARLY]
    if too_early:
        yield _deprecated_too_early(case, too_early, calls)


def _not_passed(case: Case, number: int, calls: list[PatchCall]) -> Cause:
    """A patch that the run passed, and the code does not."""
    recorded = case.alignment.rows[number].recorded
    assert recorded is not None
    following = _following(case.alignment, number)
    if calls:
        where = ", ".join(f"line {call.line}" for call in calls)
        text = f"This run passed the patch {recorded.name!r}, and the code does not come to its call ({where}) here."
        evidence = ["a marker of it is recorded, and a run asks for its patches at the same place every time"]
    else:
        text = f"This run passed the patch {recorded.name!r}, and the code does not know it."
        evidence = [
            "no call of `patched` or `deprecate_patch` with this id is in the file: it was removed while runs that had "
            "passed it may still be replayed, or the code is older than the run"
        ]
        if not following:
            place = place_between(case.alignment, number)
            evidence.append(f"`workflow.deprecate_patch({recorded.name!r})` {place} would accept it")
    file = case.source.file if case.source is not None else ""
    line = calls[0].line if calls else 0
    return Cause(text, Confidence.CERTAIN, tuple(evidence), (number, *following), file, line)


def _deprecated_too_early(case: Case, rows: list[int], calls: list[PatchCall]) -> Cause:
    """A run that is older than a patch whose old branch is gone."""
    passed = passed_patches(case.history)
    site = case.alignment.rows[rows[0]].site
    deprecations = [call for call in calls if call.is_deprecation and call.patch_id not in passed]
    call = _is_below(site.line if site is not None else 0, deprecations, case.source) or deprecations[0]
    text = f"This run is older than the patch {call.patch_id!r}, whose old branch is gone (line {call.line})."
    evidence = (
        "the history has no marker of it, so the run took the branch that `deprecate_patch` says nobody needs",
        "a patch may be deprecated when no run without its marker is left, closed ones within retention included",
    )
    following = [n for n in case.alignment.differences() if n not in rows and case.alignment.rows[n].now is None]
    file = case.source.file if case.source is not None else ""
    return Cause(text, Confidence.CERTAIN, evidence, (*rows, *following), file, call.line)


def _following(alignment: Alignment, number: int) -> list[int]:
    """Differing rows right behind a patch: what stood in its branch."""
    found: list[int] = []
    for other in range(number + 1, len(alignment.rows)):
        if alignment.rows[other].change is None:
            break
        found.append(other)
    return found
