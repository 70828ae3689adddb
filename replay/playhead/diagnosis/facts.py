"""What the rows themselves say, in words: a new step before line 42, a timer that became an activity.

These are facts and not guesses. They are said where nothing better is known, and only of rows that no other cause
explains.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import groupby

from playhead.diagnosis.alignment import Alignment, Change, Row
from playhead.diagnosis.cause import Case, Cause, Confidence
from playhead.diagnosis.source import source_at
from playhead.diagnosis.steps import ENDS, Step, StepKind
from playhead_engine.call_site import CallSite

_GATHERS = frozenset({"asyncio.gather", "gather", "asyncio.wait", "workflow.wait", "asyncio.as_completed"})

_ENDINGS = {
    StepKind.COMPLETED: "completes",
    StepKind.FAILED: "fails",
    StepKind.CANCELLED: "is cancelled",
    StepKind.CONTINUED: "continues as new",
}


def plain_facts(case: Case, unexplained: list[int]) -> Iterator[Cause]:
    """One cause for each run of rows that differ in the same way."""
    rows = case.alignment.rows
    for _, group in groupby(enumerate(unexplained), key=lambda item: (item[1] - item[0], rows[item[1]].change)):
        numbers = [number for _, number in group]
        yield _fact(case, numbers)


def _fact(case: Case, numbers: list[int]) -> Cause:
    row = case.alignment.rows[numbers[0]]
    evidence: tuple[str, ...] = ()
    match row.change:
        case Change.ADDED | Change.GOES_ON_LONGER:
            text, evidence = _added(case.alignment, numbers)
        case Change.REMOVED | Change.ENDS_EARLIER:
            text, evidence = _removed(case, numbers)
        case Change.REORDERED:
            text, evidence = _reordered(case.alignment, numbers)
        case Change.RENAMED:
            text, evidence = _renamed(row)
        case Change.OTHER_KIND:
            text, evidence = _other_kind(row)
        case _:
            text, evidence = _other_id(row)
    site = row.site
    return Cause(
        text, Confidence.CERTAIN, evidence, tuple(numbers), site.file if site else "", site.line if site else 0
    )


def _listed(steps: list[Step], most: int = 3) -> str:
    names = [step.described() for step in steps[:most]]
    more = len(steps) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def line_of(site: CallSite | None) -> str:
    """`line 42`, in words that stand alone."""
    return f"line {site.line}" if site is not None else "an unknown line"


def place_between(alignment: Alignment, number: int) -> str:
    """Where in the code of today a row that it has no line for would be."""
    before, after = alignment.between(number)
    if after is not None and after.recorded is not None and after.recorded.kind in ENDS:
        after = None  # the end of a workflow has the line of its run method
    if before is not None and after is not None:
        return f"between {line_of(before.site)} and {line_of(after.site)}"
    if before is not None:
        return f"after {line_of(before.site)}"
    return f"before {line_of(after.site)}" if after is not None else "somewhere"


def _added(alignment: Alignment, numbers: list[int]) -> tuple[str, tuple[str, ...]]:
    rows = [alignment.rows[number] for number in numbers]
    row = rows[0]
    steps = [row.now for row in rows if row.now is not None]
    before, after = alignment.between(numbers[0])
    site = row.site
    if site is not None and any(r.site == site and r.recorded is not None for r in alignment.rows):
        return f"{_times(site, len(steps))} more than was recorded: {_listed(steps)}.", _loop_evidence(site)
    many = f"{len(steps)} new steps" if len(steps) > 1 else "A new step"
    if row.change is Change.GOES_ON_LONGER:
        return f"{many} at {line_of(site)}, where the recorded run had come to its end: {_listed(steps)}.", ()
    where = ""
    if after is not None and after.recorded is not None:
        where = f", before the {after.recorded.described()}"
        if after.recorded.kind not in ENDS:
            where += f" of {line_of(after.site)}"
    elif before is not None and before.recorded is not None:
        where = f", after the {before.recorded.described()} of {line_of(before.site)}"
    return f"{many} at {line_of(site)}{where}: {_listed(steps)}.", ()


def _times(site: CallSite, count: int) -> str:
    return f"{line_of(site).capitalize()} asks {count} time{'s' if count > 1 else ''}"


def _loop_evidence(site: CallSite) -> tuple[str, ...]:
    source = source_at(site)
    if source is None:
        return ()
    loops = [c for c in source.conditions(site.line) if isinstance(c.node, ast.For | ast.While | ast.comprehension)]
    return tuple(f"it stands in the loop of line {c.line}: {source.line(c.line)}" for c in loops[:1])


def _removed(case: Case, numbers: list[int]) -> tuple[str, tuple[str, ...]]:
    alignment = case.alignment
    rows = [alignment.rows[number] for number in numbers]
    steps = [row.recorded for row in rows if row.recorded is not None]
    evidence: list[str] = []
    where = place_between(alignment, numbers[0])
    waits = [(words, site) for words, site in case.waits if words.startswith("condition")]
    alike = [r for r in alignment.rows if r.now is not None and r.recorded is not None and r.now.key == steps[0].key]
    if any(row.change is Change.ENDS_EARLIER for row in rows):
        text = f"The code comes to its end {where}, before what was recorded there: {_listed(steps)}."
        evidence += _exits(alignment, numbers[0])
    elif alike and alike[0].site is not None and _loop_evidence(alike[0].site):
        text = f"{_times(alike[0].site, len(steps))} less than was recorded: {_listed(steps)}."
        evidence += _loop_evidence(alike[0].site)
    elif waits and not any(row.now is not None for row in alignment.rows[numbers[0] + 1 :]):
        _, site = waits[0]
        text = f"The code waits for a condition ({line_of(site)}) where {_listed(steps)} was asked for."
    else:
        text = f"What was recorded {where} is not asked for any more: {_listed(steps)}."
    return text, tuple(evidence)


def _exits(alignment: Alignment, number: int) -> list[str]:
    """Ways out of the function that lie behind the last step both sides have."""
    before, _ = alignment.between(number)
    source = source_at(before.site) if before is not None else None
    if source is None or before is None or before.site is None:
        return []
    function = source.function(before.site.line)
    if function is None:
        return []
    exits = [n for n in ast.walk(function) if isinstance(n, ast.Return | ast.Raise) and n.lineno >= before.site.line]
    exits.sort(key=lambda node: node.lineno)
    return [f"line {node.lineno} leaves the function: {source.line(node.lineno)}" for node in exits[:1]]


def _reordered(alignment: Alignment, numbers: list[int]) -> tuple[str, tuple[str, ...]]:
    row = alignment.rows[numbers[0]]
    assert row.now is not None
    partners = [other for other in alignment.rows if _changed_places(row, other)]
    if not partners:
        return f"{row.now.described().capitalize()} is asked for at another place.", ()
    partner = partners[0]
    first, second = (row, partner) if (row.place or 0) < (partner.place or 0) else (partner, row)
    text = f"{_with_line(first)} now comes before {_with_line(second)}; it was recorded after it."
    return text, _gathering(row, partner)


def _gathering(row: Row, partner: Row) -> tuple[str, ...]:
    """The `gather` that begins both, if one does."""
    source = source_at(row.site)
    if source is None or row.site is None or partner.site is None or partner.site.file != row.site.file:
        return ()
    for name, call in source.calls(source.tree):
        lines = range(call.lineno, (call.end_lineno or call.lineno) + 1)
        if name in _GATHERS and row.site.line in lines and partner.site.line in lines:
            return (f"`{name}` at line {call.lineno} begins them in the order of its arguments",)
    return ()


def _with_line(row: Row) -> str:
    assert row.now is not None
    place = "" if row.site is None or row.now.kind in ENDS else f" ({line_of(row.site)})"
    described = row.now.described()
    return f"{described[0].upper()}{described[1:]}{place}"


def _changed_places(row: Row, other: Row) -> bool:
    if row.place is None or other.place is None or row.event_id is None or other.event_id is None:
        return False
    return (row.place - other.place) * (row.event_id - other.event_id) < 0


def _renamed(row: Row) -> tuple[str, tuple[str, ...]]:
    assert row.recorded is not None
    assert row.now is not None
    only = len(row.fields) == 1
    evidence = ("only the name differs: arguments, timeouts and the rest are equal",) if only else ()
    return (
        f"The {row.now.kind.value} of {line_of(row.site)} is called `{row.now.name}` now; "
        f"it was `{row.recorded.name}`.",
        evidence,
    )


def _other_kind(row: Row) -> tuple[str, tuple[str, ...]]:
    assert row.recorded is not None
    assert row.now is not None
    if row.recorded.kind in ENDS:
        return f"The recorded run {_ENDINGS[row.recorded.kind]}; the code now {_ENDINGS[row.now.kind]}.", ()
    same = "; it has the same name" if row.recorded.name and row.recorded.name == row.now.name else ""
    return (
        f"{_article(row.recorded)} became {_article(row.now).lower()} at {line_of(row.site)}: "
        f"{row.now.described()} where {row.recorded.described()} was recorded{same}.",
        (),
    )


def _article(step: Step) -> str:
    word = step.kind.value
    return f"{'An' if word[0] in 'aeiou' else 'A'} {word}"


def _other_id(row: Row) -> tuple[str, tuple[str, ...]]:
    assert row.recorded is not None
    assert row.now is not None
    what = row.now.described()
    evidence: tuple[str, ...] = ()
    if row.now.has_default_id and row.recorded.id.isdigit():
        evidence = (
            "the numbers are given in the order of asking: something before it was asked for, and taken back before it "
            "was sent, or no longer is",
        )
    elif row.now.has_default_id:
        evidence = ("today's id is the default, a number: the code gives none",)
    elif row.recorded.id.isdigit() and row.recorded.kind in (StepKind.ACTIVITY, StepKind.LOCAL_ACTIVITY):
        evidence = ("the recorded id is the default, a number: the code gave none",)
    return f"The id of {what} at {line_of(row.site)} is `{row.now.id}` now; it was `{row.recorded.id}`.", evidence
