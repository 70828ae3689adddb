"""A diagnosis for a terminal: both sides beside each other, then why, then what else to know.

As wide as the terminal is. Where there is room, recorded and now stand side by side; otherwise on two lines, one above
the other. Steps that are equal are left out, except for those around a difference.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from playhead.diagnosis.alignment import Alignment, Change, Row
from playhead.diagnosis.cause import Cause, Confidence
from playhead.diagnosis.diagnosis import Diagnosis
from playhead.diagnosis.fix import Fix
from playhead.diagnosis.steps import Step, StepKind
from playhead.places import place
from playhead.terminal import PLAIN, Style
from playhead.values import short

SIDE_BY_SIDE_FROM = 100
"""Columns from which both sides stand beside each other."""

_AROUND = 1
_LEAST_CELL = 14
_MOST_ROWS = 60
_MARKS = {
    Change.ADDED: "+",
    Change.GOES_ON_LONGER: "+",
    Change.REMOVED: "-",
    Change.ENDS_EARLIER: "-",
    Change.PATCH_REMOVED: "-",
    Change.PATCH_MISSING: "-",
    Change.REORDERED: "~",
}


def diagnosis_text(diagnosis: Diagnosis, *, style: Style = PLAIN, width: int = 120) -> str:
    """The diagnosis, without a closing line break; empty where there is nothing to say.

    Args:
        diagnosis: What to show.
        style: Colours, or none.
        width: Columns to write to.
    """
    lines: list[str] = []
    if diagnosis.alignment.differences():
        lines += _table(diagnosis.alignment, style, width)
    for cause in diagnosis.causes:
        lines += ["", *_cause(cause, diagnosis.alignment, style, width)]
    if diagnosis.cautions:
        lines.append("")
        for caution in diagnosis.cautions:
            where = f" ({place(caution.site)})" if caution.site is not None else ""
            text = f"event {caution.event_id}: {caution.text}{where}"
            lines += _wrapped(f"  {style('warning', 'yellow')}  ", "  warning  ", text, width)
    notes = reach(diagnosis.alignment)
    if notes:
        lines += ["", *(line for note in notes for line in _wrapped("  ", "  ", note, width))]
    return "\n".join(lines)


def fix_text(fix: Fix, *, style: Style = PLAIN, width: int = 120) -> str:
    """The fix as a diff to apply, and what became of trying it."""
    if fix.reason:
        return "\n".join(_wrapped("  ", "  ", f"No patch: {fix.reason}.", width))
    lines = [_coloured(line, style) for line in fix.diff.rstrip("\n").split("\n")]
    lines.append("")
    for sentence in (proof_sentence(fix), *fix.notes):
        lines += _wrapped("  ", "  ", sentence[:1].upper() + sentence[1:], width)
    return "\n".join(lines)


def proof_sentence(fix: Fix) -> str:
    """What became of trying a fix, in a sentence."""
    proof = fix.proof
    if proof is None:
        return fix.reason
    if proof.holds:
        return "Proved: with it the recorded run agrees, and a new run does what the code of today does."
    if proof.replay_agrees:
        return f"Not proved in full: the recorded run agrees with it; {proof.problem}."
    return f"Not proved: {proof.problem}."


def _coloured(line: str, style: Style) -> str:
    if line.startswith(("+++", "---")):
        return style(line, "bold")
    colours = {"+": "green", "-": "red", "@": "blue"}
    return style(line, colours[line[0]]) if line[:1] in colours else line


def reach(alignment: Alignment) -> list[str]:
    """How far the comparison got and what it rests on, a sentence each; nothing where there is nothing to add."""
    notes: list[str] = []
    guessed = [row.now.described() for row in alignment.rows if row.is_guessed and row.now is not None]
    if guessed:
        names = ", ".join(dict.fromkeys(guessed))
        notes.append(f"What came of {names} was never recorded: beyond it this rests on guessed results.")
    if alignment.stopped:
        notes.append(f"Compared up to event {alignment.reached}: {alignment.stopped}.")
    if not alignment.is_cheapest:
        notes.append("There may be a simpler explanation; the time for looking was up.")
    return notes


def shown_rows(alignment: Alignment) -> Iterator[int | tuple[int, int]]:
    """Numbers of the rows to show; a pair is the first and the last of equal rows that are left out."""
    differing = alignment.differences()
    wanted = sorted(
        {n for d in differing[:_MOST_ROWS] for n in range(d - _AROUND, d + _AROUND + 1) if 0 <= n < len(alignment.rows)}
    )
    following = 0
    for number in wanted:
        if number > following:
            yield following, number - 1
        yield number
        following = number + 1
    if following < len(alignment.rows):
        yield following, len(alignment.rows) - 1


def cell(step: Step | None, row: Row) -> str:
    """A step in a few words, with what tells it from the other side."""
    if step is None:
        return ""
    text = step.described()
    has_own_id = step.kind is StepKind.ACTIVITY and not step.id.isdigit()
    is_about_ids = row.change is Change.OTHER_ID or (row.change is not None and step.kind is StepKind.CHILD)
    return f"{text}  id={step.id}" if has_own_id or is_about_ids else text


def _table(alignment: Alignment, style: Style, width: int) -> list[str]:
    """Both sides beside each other if there is room for all of it, else one above the other."""
    digits = len(str(alignment.reached))
    shown = [alignment.rows[item] for item in shown_rows(alignment) if isinstance(item, int)]
    left = max([len("recorded"), *(len(cell(row.recorded, row)) for row in shown)])
    right = max([len("now"), *(len(cell(row.now, row)) for row in shown)])
    behind = max([0, *(len(f"  {_place(row)}  {row.change or ''}") for row in shown)])
    room = width - digits - behind - 9
    if width < SIDE_BY_SIDE_FROM or room < 2 * _LEAST_CELL:
        return [line for item in shown_rows(alignment) for line in _stacked(alignment, item, digits, style, width)]
    if left + right > room:
        left, right = max(room // 2, room - right), max(room // 2, room - left)
        left = min(left, room - right)
    head = " " * digits + "  " + "recorded".ljust(left) + "     " + "now"
    lines = [f"  {style(head, 'dim')}"]
    for item in shown_rows(alignment):
        if isinstance(item, tuple):
            lines.append(f"  {'':>{digits}}  {style(_equal(item), 'dim')}")
            continue
        row = alignment.rows[item]
        mark, colour = _mark(row), _colour(row)
        recorded = style(f"{short(cell(row.recorded, row), left):<{left}}", *colour)
        now = style(f"{short(cell(row.now, row), right):<{right}}", *colour)
        change = style(row.change.value, *colour) if row.change is not None else ""
        text = f"{row.event_id or '':>{digits}}  {recorded}  {style(mark, *colour)}  {now}"
        lines.append(f"  {text}  {style(_place(row), 'blue')}  {change}".rstrip())
    return lines


def _stacked(alignment: Alignment, item: int | tuple[int, int], digits: int, style: Style, width: int) -> Iterator[str]:
    """One row on two lines: what was recorded, and below it what the code does now; its place where there is room."""
    head = " " * (digits + 4)
    if isinstance(item, tuple):
        yield f"{head}  {style(_equal(item), 'dim')}"
        return
    row = alignment.rows[item]
    room = max(20, width - digits - 6)
    number = f"  {row.event_id or '':>{digits}}  "
    change = f"  {style(row.change.value, *_colour(row))}" if row.change is not None else ""
    place_length = len(_place(row)) + 2
    where = f"  {style(_place(row), 'blue')}"
    if row.change is None:
        text = short(cell(row.now, row), room)
        yield f"{number}  {text}" + (where if len(text) + place_length <= room else "")
        return
    changed = len(row.change.value) + 2
    if row.recorded is not None:
        yield f"{number}{style('-', 'green')} {short(cell(row.recorded, row), room - changed)}{change}"
        number, change, changed = head, "", 0
    if row.now is not None:
        text = short(cell(row.now, row), room - changed)
        yield f"{number}{style('+', 'red')} {text}{change}"
        if row.site is not None:
            yield f"{head}  {style(_cut(_place(row), room), 'blue')}"


def _place(row: Row) -> str:
    return place(row.site) if row.site is not None else ""


def _cut(text: str, width: int) -> str:
    """The end of a path is what tells."""
    return text if len(text) <= width else "…" + text[len(text) - width + 1 :]


def _equal(item: tuple[int, int]) -> str:
    count = item[1] - item[0] + 1
    return f"… {count} equal step{'s' if count > 1 else ''}"


def _mark(row: Row) -> str:
    return " " if row.change is None else _MARKS.get(row.change, "!")


def _colour(row: Row) -> tuple[str, ...]:
    match _mark(row):
        case " ":
            return ()
        case "-":
            return ("green",)
        case "~":
            return ("yellow",)
        case _:
            return ("red",)


def _cause(cause: Cause, alignment: Alignment, style: Style, width: int) -> list[str]:
    changes = dict.fromkeys(str(row.change) for row in (alignment.rows[n] for n in cause.rows))
    head = f"  {style(', '.join(changes), 'bold')}: "
    hedge = "" if cause.confidence is Confidence.CERTAIN else f" ({cause.confidence.value})"
    lines = _wrapped(head, f"  {', '.join(changes)}: ", cause.text + hedge, width, hanging=4)
    for sentence in cause.evidence:
        lines += _wrapped("    - ", "    - ", sentence, width)
    return lines


def _wrapped(head: str, plain_head: str, text: str, width: int, hanging: int | None = None) -> list[str]:
    """A text behind a head that may hold colours, broken to the width."""
    indent = " " * (len(plain_head) if hanging is None else hanging)
    lines = textwrap.wrap(plain_head + text, max(40, width), subsequent_indent=indent, break_on_hyphens=False)
    lines[0] = head + lines[0][len(plain_head) :]
    return lines
