"""Hidden causes: something in the conditions or loops around a difference that is another thing on every replay."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from playhead.diagnosis.alignment import Alignment, Change
from playhead.diagnosis.cause import Case, Cause, Confidence
from playhead.diagnosis.source import Condition, Function, Source, callers, source_at
from playhead.diagnosis.suspects import Suspect, suspects

_DECIDED: dict[Change, str] = {
    Change.REORDERED: "decides in which order these are asked for",
    Change.RENAMED: "decides which one is asked for",
    Change.OTHER_KIND: "decides what is asked for",
}


def hidden_causes(case: Case) -> Iterator[Cause]:
    """One cause for each suspect in the conditions around differing rows."""
    found: dict[tuple[str, int], list[_Sighting]] = {}
    for number in case.alignment.differences():
        for sighting in _sightings(case.alignment, number):
            found.setdefault((sighting.suspect.text, sighting.suspect.line), []).append(sighting)
    for sightings in found.values():
        yield _cause(case.alignment, sightings)


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A suspect in a condition near a row.

    Attributes:
        row: The row's number.
        source: The file.
        condition: The condition.
        suspect: What is in it.
        is_around: Whether the condition decides about the row itself, or merely stands near it.
    """

    row: int
    source: Source
    condition: Condition
    suspect: Suspect
    is_around: bool


def _sightings(alignment: Alignment, number: int) -> Iterator[_Sighting]:
    seen: set[int] = set()
    for source, condition, is_around in _conditions(alignment, number):
        if id(condition.expression) in seen:
            continue
        seen.add(id(condition.expression))
        function = next((node for node in source.chain(condition.node) if isinstance(node, Function)), None)
        for suspect in suspects(source, condition.expression, function, is_iterated=_is_loop(condition)):
            yield _Sighting(number, source, condition, suspect, is_around)


def _conditions(alignment: Alignment, number: int) -> Iterator[tuple[Source, Condition, bool]]:
    """The conditions that decide about a row, then those between its neighbours, which may lead elsewhere."""
    row = alignment.rows[number]
    before, after = alignment.between(number)
    neighbours = [other.site for other in (after, before) if other is not None and other.site is not None]
    for site in [row.site] if row.site is not None else neighbours:
        for caller in callers(site):
            source = source_at(caller)
            if source is not None:
                yield from ((source, condition, True) for condition in source.conditions(caller.line))
    if row.site is not None and row.change not in (Change.ADDED, Change.GOES_ON_LONGER):
        return
    source = source_at(neighbours[-1]) if neighbours else None
    function = source.function(neighbours[-1].line) if source is not None else None
    if source is None or function is None:
        return
    end = function.end_lineno or function.lineno
    first = before.site.line if before is not None and before.site is not None else function.lineno
    last = after.site.line if after is not None and after.site is not None else end
    if not first < last <= end:
        last = end  # the end of a workflow has the line of its run method
    for condition in source.conditions_between(first, last):
        yield source, condition, row.site is None


def _is_loop(condition: Condition) -> bool:
    return isinstance(condition.node, ast.For | ast.AsyncFor | ast.comprehension)


def _cause(alignment: Alignment, sightings: list[_Sighting]) -> Cause:
    first = max(sightings, key=lambda sighting: sighting.is_around)
    source, condition, suspect = first.source, first.condition, first.suspect
    what = "loop" if _is_loop(condition) else "condition"
    if suspect.line == condition.line:
        text = f"`{suspect.text}` in the {what} at line {condition.line} {suspect.why}."
    else:
        text = (
            f"`{suspect.text}` at line {suspect.line} {suspect.why}; the {what} at line {condition.line} rests on it."
        )
    decided = _DECIDED.get(alignment.rows[first.row].change or Change.ADDED, "decides whether this is asked for")
    evidence = [f"line {condition.line} {decided}: {_shortened(source.line(condition.line))}"]
    if suspect.through:
        evidence.append(f"its value comes there through {', '.join(f'`{name}`' for name in suspect.through)}")
    evidence.append(f"use {suspect.instead} instead")
    rows = tuple(dict.fromkeys(sighting.row for sighting in sightings))
    confidence = Confidence.LIKELY if first.is_around else Confidence.POSSIBLE
    return Cause(text, confidence, tuple(evidence), rows, source.file, suspect.line, suspect)


def _shortened(text: str, width: int = 80) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
