"""What differs between history and code, and why: as lines that know where they belong.

Recorded and now stand side by side where there is room. The findings are those of `playhead replay`; here they are only
laid out.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from playhead.diagnosis.alignment import Change, Row
from playhead.diagnosis.cause import Confidence
from playhead.diagnosis.diagnosis import Diagnosis
from playhead.diagnosis.fix import Fix
from playhead.diagnosis.text import cell, proof_sentence, reach, shown_rows
from playhead.divergence import command_side
from playhead.places import place
from playhead.rendering import headline, report, telling
from playhead.values import short
from playhead.verdict import Agrees, CodeRaised, Diverges
from playhead_engine.record import record
from playhead_tui.model.ink import Ink, Line, Span
from playhead_tui.model.run import Run

_SIDE_BY_SIDE_FROM = 56
_ONLY_RECORDED = frozenset({Change.REMOVED, Change.ENDS_EARLIER, Change.PATCH_REMOVED, Change.PATCH_MISSING})


@record
class Why:
    """What a diagnosis found.

    Attributes:
        diagnosis: Both sides, and why they differ.
        fix: What would let the run go on; None while nobody has tried.
    """

    diagnosis: Diagnosis
    fix: Fix | None = None


@record
class Reason:
    """A line of the explanation.

    Attributes:
        line: What it says.
        event: The event that it is about; 0 if it is about none.
        file: The file that it is about; empty if it is about none.
        number: The line in the file.
    """

    line: Line
    event: int = 0
    file: str = ""
    number: int = 0


def reasons(run: Run, why: Why | None, width: int) -> list[Reason]:
    """The whole explanation, in lines.

    Args:
        run: The run.
        why: What a diagnosis found; None if there is none, or none yet.
        width: Columns to write to.
    """
    verdict = run.verdict
    if verdict is None:
        return _wrapped(run.problem or "There is no code to compare the history with.", width, "plain")
    match verdict:
        case Agrees():
            found = [Reason([(headline(run.history, verdict), "good")])]
            for command in verdict.next_commands:
                side, site = command_side(command), getattr(command, "site", None)
                where = f"  {place(site)}" if site is not None else ""
                text: Line = [("next  ", "dim"), (f"{side.kind}  {telling(side, 60)}", "plain"), (where, "dim")]
                found.append(Reason(text, 0, site.file if site else "", site.line if site else 0))
            for warning in verdict.warnings:
                found += _wrapped(warning.text, width, "caution", warning.event_id)
        case Diverges() if why is not None and why.diagnosis.alignment.differences():
            found = [Reason([(headline(run.history, verdict), "bad")]), *_explained(why, width)]
        case _:
            said = report("", run.history, verdict, width=width).splitlines()[1:]
            found = [Reason([(headline(run.history, verdict), "bad")])]
            site = getattr(verdict, "site", None)
            for sentence in map(str.strip, said):
                if sentence.startswith("at ") and site is not None:
                    found.append(Reason([(f"at {place(site)}", "name")], 0, site.file, site.line))
                else:
                    found += _wrapped(sentence, width, "plain")
            if isinstance(verdict, CodeRaised):
                found += [Reason([]), *_traceback(verdict.traceback)]
    if run.problem:
        found = [*_wrapped(run.problem, width, "bad"), Reason([]), *found]
    return found


def _explained(why: Why, width: int) -> Iterator[Reason]:
    diagnosis, alignment = why.diagnosis, why.diagnosis.alignment
    for cause in diagnosis.causes:
        changes = ", ".join(dict.fromkeys(str(alignment.rows[number].change) for number in cause.rows))
        hedge = "" if cause.confidence is Confidence.CERTAIN else f" ({cause.confidence.value})"
        event = next((e for e in (alignment.rows[number].event_id for number in cause.rows) if e), 0)
        text = f"{changes}: {cause.text}{hedge}"
        for line in textwrap.wrap(text, max(24, width), break_on_hyphens=False):
            yield Reason([(line, "title")], event, cause.file, cause.line)
        for evidence in cause.evidence:
            yield from _wrapped(f"- {evidence}", width, "plain", event)
    yield Reason([])
    yield from _table(diagnosis, width)
    for caution in diagnosis.cautions:
        yield from _wrapped(f"event {caution.event_id}: {caution.text}", width, "caution", caution.event_id)
    for note in reach(alignment):
        yield from _wrapped(note, width, "dim")
    yield Reason([])
    yield from _fix(why.fix, width)


def _table(diagnosis: Diagnosis, width: int) -> Iterator[Reason]:
    rows = diagnosis.alignment.rows
    digits = len(str(diagnosis.alignment.reached))
    is_wide = width >= _SIDE_BY_SIDE_FROM
    half = (width - digits - 7) // 2 if is_wide else width - digits - 4
    if is_wide:
        yield Reason([(f"{'':{digits}}  {'recorded':<{half}}    now", "dim")])
    for item in shown_rows(diagnosis.alignment):
        if isinstance(item, tuple):
            count = item[1] - item[0] + 1
            yield Reason([(f"{'':{digits}}  … {count} equal step{'s' if count > 1 else ''}", "dim")])
            continue
        row = rows[item]
        recorded, now = short(cell(row.recorded, row), half), short(cell(row.now, row), half)
        number: Span = (f"{row.event_id or '':>{digits}}  ", "dim")
        if is_wide:
            yield _reason([number, (f"{recorded:<{half}}", _left(row)), (_mark(row), "bad"), (now, _right(row))], row)
            if row.change is not None:
                where = place(row.site) if row.site is not None else ""
                yield _reason([(f"{'':{digits + half + 6}}{row.change.value}  {where}", "dim")], row)
        elif row.change is None:
            yield _reason([number, ("  ", "plain"), (now, "plain")], row)
        else:
            if recorded:
                yield _reason([number, ("- ", "recorded"), (recorded, "recorded")], row)
            if now:
                yield _reason([(" " * (digits + 2), "plain"), ("+ ", "now"), (now, "now")], row)


def _reason(line: Line, row: Row) -> Reason:
    site = row.site
    return Reason(line, row.event_id or 0, site.file if site else "", site.line if site else 0)


def _left(row: Row) -> Ink:
    return "plain" if row.change is None else "recorded"


def _right(row: Row) -> Ink:
    return "plain" if row.change is None else "now"


def _mark(row: Row) -> str:
    if row.change is None:
        return "    "
    if row.recorded is None:
        return " +  "
    return " -  " if row.change in _ONLY_RECORDED else " ≠  "


def _fix(fix: Fix | None, width: int) -> Iterator[Reason]:
    if fix is None:
        yield Reason([("Trying a fix …", "dim")])
        return
    if fix.reason:
        yield from _wrapped(f"No patch: {fix.reason}.", width, "plain")
        return
    yield Reason([(f"The fix, for {Path(fix.file).name}", "title")])
    inks: dict[str, Ink] = {"+": "good", "-": "bad", "@": "dim"}
    for line in fix.diff.splitlines():
        yield Reason(
            [(line, "dim" if line.startswith(("+++", "---")) else inks.get(line[:1], "plain"))], 0, fix.file, 1
        )
    for sentence in (proof_sentence(fix), *fix.notes):
        yield from _wrapped(sentence, width, "good" if fix.is_proved else "caution")


def _traceback(text: str) -> Iterator[Reason]:
    """A traceback as Python prints it, whose lines know the line that they speak of."""
    file, number = "", 0
    for line in text.rstrip().splitlines():
        words = line.strip().split('"')
        if line.strip().startswith("File ") and len(words) == 3:
            file = words[1]
            digits = words[2].partition("line ")[2].partition(",")[0]
            number = int(digits) if digits.isdecimal() else 0
        yield Reason([(line, "plain" if line.startswith(" ") else "bad")], 0, file, number)


def _wrapped(text: str, width: int, ink: Ink, event: int = 0) -> list[Reason]:
    lines = textwrap.wrap(text, max(24, width), subsequent_indent="  ", break_on_hyphens=False)
    return [Reason([(line, ink)], event) for line in lines]
