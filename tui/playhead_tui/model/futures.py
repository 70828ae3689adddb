"""Futures: what would come of a question, beside what was recorded.

The answer is worked out by `playhead.hotfix`, in an engine of its own; that replays, so whoever must not wait has it
done by somebody else. What is shown of it stands in the `Future` already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias, assert_never

from playhead.grouping import Group
from playhead.hotfix.answers import BadAnswer
from playhead.hotfix.edits import CannotEdit
from playhead.hotfix.future import AwaitsAnswer, Ended, Future, LooksInside, Refused, Stopped, Stuck, Waits
from playhead.hotfix.marks import BadMark
from playhead.hotfix.preview import MAX_EVENTS
from playhead.hotfix.text import headline, question_text, span, steps_of
from playhead.places import place, shown_path
from playhead.rendering import headline as verdict_headline
from playhead.replayer import Replayer
from playhead.values import short
from playhead_engine.call_site import CallSite
from playhead_engine.history import History
from playhead_engine.record import record
from playhead_engine.server.adoption import CannotAdopt
from playhead_tui.model.groups import detail_text, ink_of_outcome, only, state_text, title_text
from playhead_tui.model.ink import Ink, Line
from playhead_tui.model.what_if import BadQuestion, WhatIf

Difference: TypeAlias = Literal[
    "same",  # on both sides, and it came to the same
    "other",  # on both sides, and something else came of it
    "gone",  # recorded only
    "new",  # in the future only
]

_MARKS: Final[dict[Difference, tuple[str, Ink]]] = {
    "same": (" ", "plain"),
    "other": ("~", "changed"),
    "gone": ("-", "recorded"),
    "new": ("+", "now"),
}
_DETAIL: Final = 200


def unfold(
    question: WhatIf, history: History, replayer: Replayer, workflow_id: str | None = None, *, events: int = MAX_EVENTS
) -> Future:
    """Let the run go on.

    Args:
        question: What is to be otherwise.
        history: The recording.
        replayer: Of the code that goes on.
        workflow_id: The workflow id, where the history does not hold it.
        events: Stop after so many new ones.

    Raises:
        BadQuestion: It cannot be; the text says why.
    """
    try:
        return replayer.hotfix(question.given()).preview(
            history, at=question.at, edits=question.edits(), max_events=events, workflow_id=workflow_id
        )
    except (BadAnswer, BadMark, CannotEdit, CannotAdopt) as error:
        raise BadQuestion(str(error)) from error


@record
class FutureRow:
    """One step of a run from the mark on, as it was and as it would be.

    Attributes:
        recorded: What was recorded; None where the future does something new.
        future: What would be; None where it does not come to that.
        difference: How they differ.
        site: The line that asks for it in the future.
        about: When it is asked for, and who says what came of it.
    """

    recorded: Group | None
    future: Group | None
    difference: Difference
    site: CallSite | None = None
    about: str = ""


def rows_of(future: Future) -> list[FutureRow]:
    """All steps from the mark on, aligned; none where there is no future."""
    if isinstance(future.ending, Refused):
        return []
    return [_row(step.recorded, step.future, future) for step in steps_of(future)]


def first_difference(rows: list[FutureRow]) -> int:
    """Number of the first row that differs, from 0; of the first one if none does."""
    return next((number for number, row in enumerate(rows) if row.difference != "same"), 0)


@record
class Columns:
    """How the rows are laid out.

    Attributes:
        side: How wide each side is.
        behind: How wide what is known besides is; 0 where there is no room for it.
    """

    side: int
    behind: int

    @classmethod
    def of(cls, rows: list[FutureRow], width: int) -> Columns:
        """For some rows, in so many columns."""
        behind = min(max((len(_behind(row)) for row in rows), default=0), width // 3) if width >= _WIDE else 0
        return cls(max((width - 3 - (behind + 2 if behind else 0)) // 2, 8), behind)


def row_line(row: FutureRow, columns: Columns) -> Line:
    """A row as it is shown: both sides beside each other, then what is known besides."""
    mark, ink = _MARKS[row.difference]
    line: Line = [*_cell(row.recorded, columns.side), (f" {mark} ", ink), *_cell(row.future, columns.side)]
    behind = _behind(row)
    if behind and columns.behind:
        line.append((f"  {behind if len(behind) <= columns.behind else f'{behind[: columns.behind - 1]}…'}", "dim"))
    return line


def _behind(row: FutureRow) -> str:
    where = place(row.site) if row.site is not None else ""
    return "  ".join(part for part in (row.about, where) if part)


def ending_lines(future: Future) -> list[Line]:
    """How the future ends, and how the recording did."""
    lines: list[Line] = []
    closing = future.recorded.closing_event
    if closing is not None:
        lines.append([("recorded  ", "recorded"), *_closed(Ended(closing))])
    ending = future.ending
    passed = span(future.history.events[-1].time_ns - future.began_ns) if future.events else ""
    when: Line = [(f"  {passed}", "dim")] if passed else []
    match ending:
        case Ended():
            lines.append([("would be  ", "now"), *_closed(ending), *when])
        case AwaitsAnswer(questions):
            lines += [_said("waits", question_text(one, 60), "caution") for one in questions]
        case Waits(waits_for):
            lines += [[*_said("waits", f"for {one}", "caution"), *when] for one in waits_for]
        case Stuck(problem, at):
            lines.append([*_said("stuck", problem, "bad"), *when])
            if at is not None:
                file, _, line_number = at.rpartition(":")
                lines.append(_said("", f"at {shown_path(file)}:{line_number}", "function"))
        case Stopped(reason):
            lines.append(_said("stopped", f"{reason}; it would have gone on", "caution"))
        case LooksInside(verdict):
            lines.append(_said("needs", str(verdict), "caution"))
            if verdict.site is not None:
                lines.append(_said("", f"at {place(verdict.site)}", "function"))
        case Refused(verdict):
            lines.append(_said("no future", f"before that, {verdict_headline(future.recorded, verdict)}", "bad"))
        case _:
            assert_never(ending)
    return [*lines, *(_said("note", note, "plain") for note in future.notes)]


def _said(label: str, text: str, ink: Ink) -> Line:
    return [(f"{label:<10}", "now" if label != "note" else "dim"), (text, ink)]


_WIDE: Final = 110
"""Columns from which on there is room for more than both sides."""


def _row(recorded: Group | None, future: Group | None, of: Future) -> FutureRow:
    if future is None:
        return FutureRow(recorded, None, "gone")
    first = future.events[0]
    about = [span(first.time_ns - of.began_ns)] if first.event_id > of.kept else []
    source = of.source_of(first)
    said = "  ".join([*about, *([f"[{source}]"] if source else [])])
    site = of.sites.get(first.event_id)
    if recorded is None:
        return FutureRow(None, future, "new", site, said)
    is_same = (recorded.outcome, recorded.detail) == (future.outcome, future.detail)
    return FutureRow(recorded, future, "same" if is_same else "other", site, said)


def _cell(group: Group | None, room: int) -> Line:
    """A group in so many columns."""
    if group is None:
        return [(" " * room, "plain")]
    spans: Line = []
    left = room
    for text, ink in _words(group):
        shown = text if len(text) <= left else f"{text[: max(left - 1, 0)]}…"[:left]
        if shown:
            spans.append((shown, ink))
            left -= len(shown)
    if left:
        spans.append((" " * left, "plain"))
    return spans


def _words(group: Group) -> Iterator[tuple[str, Ink]]:
    ids = str(group.first_id) if group.first_id == group.last_id else f"{group.first_id}-{group.last_id}"
    yield f"{ids} ", "dim"
    yield f"{group.kind} ", "dim"
    yield title_text(group), "name"
    ink = ink_of_outcome(group.outcome)
    if group.outcome:
        yield f"  {state_text(group.outcome)}", ink
    detail = detail_text(group, _DETAIL)
    if detail:
        yield f"  {detail}", "bad" if ink == "bad" else "value"


def _closed(ending: Ended) -> Line:
    attributes = ending.event.attributes
    value = only(attributes.get("failure") or attributes.get("result"))
    said: Line = [(headline(ending), "good" if ending.is_good else "bad")]
    return [*said, (f"  {short(value, _DETAIL)}", "value")] if value is not None else said
