"""A future in words: what was recorded and what would be, beside each other, and how it ends.

Renderings only; what is said here stands in the `Future` already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Final, assert_never

from playhead.grouping import Group, grouped
from playhead.hotfix.future import AwaitsAnswer, Ended, Ending, Future, LooksInside, Refused, Stopped, Stuck, Waits
from playhead.hotfix.respondent import Question
from playhead.places import place, shown_path
from playhead.rendering import about_value
from playhead.terminal import PLAIN, Style
from playhead.values import plain, short
from playhead_engine.convert import NS_PER_SECOND
from playhead_engine.history import History

MOST_ROWS: Final = 60
"""So many steps are shown; of more only the first and the last ones."""

_WIDEST_SIDE: Final = 46


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run from the mark on, on one side or on both.

    Attributes:
        recorded: What was recorded.
        future: What would be.
    """

    recorded: Group | None
    future: Group | None


def steps_of(future: Future) -> list[Step]:
    """The steps from the mark on, what was recorded beside what would be."""
    recorded, would_be = (list(_steps(one, future.kept)) for one in (future.recorded, future.history))
    would_be = [one for one in would_be if one.kind != "workflow task" or one.events[0].event_id > future.kept]
    matcher = SequenceMatcher(None, [_key(one) for one in recorded], [_key(one) for one in would_be], autojunk=False)
    found: list[Step] = []
    for what, first, last, start, end in matcher.get_opcodes():
        if what == "equal":
            found += [Step(one, other) for one, other in zip(recorded[first:last], would_be[start:end], strict=True)]
        else:
            found += [Step(one, None) for one in recorded[first:last]]
            found += [Step(None, one) for one in would_be[start:end]]
    return found


def headline(ending: Ending) -> str:
    """How a future ends, in a few words."""
    match ending:
        case Ended(event):
            return (
                event.type_name.removeprefix("WorkflowExecution").replace("ContinuedAsNew", "continued as new").lower()
            )
        case AwaitsAnswer():
            return "waits for an answer"
        case Waits():
            return "waits"
        case Stuck():
            return "stuck"
        case Stopped():
            return "stopped"
        case LooksInside():
            return "needs a value"
        case Refused():
            return "no future"
        case _:
            assert_never(ending)


def future_text(name: str, future: Future, *, style: Style = PLAIN, width: int = 120) -> str:
    """A future as a table and a few sentences, without a closing line break.

    Args:
        name: How to call the history.
        future: What the code would do; not one that was refused, which is told as a verdict.
        style: Colours, or none.
        width: Columns to write to.
    """
    good = isinstance(future.ending, Waits) or (isinstance(future.ending, Ended) and future.ending.is_good)
    said = style(headline(future.ending), "green" if good else "red", "bold")
    lines = [f"{name}: goes on from event {future.kept + 1}: {said}"]
    lines += [f"  note: {note}" for note in future.notes]
    stayed = sum(1 for group in grouped(future.recorded) if _is_step(group) and _ends_before(group, future.kept))
    before = f"… {stayed} step{'s' if stayed > 1 else ''} before, as recorded" if stayed else ""
    return "\n".join([*lines, "", *_table(future, before, style), "", *_ending(future, style, width)])


def question_text(question: Question, room: int = 100) -> str:
    """What waits for an answer: `activity ship of order-A-4, given {"id": "A-4"}`."""
    whose = f" {question.workflow_id}" if not question.activity_id else f" of {question.workflow_id}"
    given = ", ".join(short(value, room) for value in question.args) or "nothing"
    return f"{question.kind} {question.name}{whose}, given {given}"


def _steps(history: History, kept: int) -> Iterator[Group]:
    """What was asked for after the mark, or was under way there; and attempts at the task before it that failed."""
    last_done = max((one.event_id for one in history.events[:kept] if one.KIND == "WORKFLOW_TASK_COMPLETED"), default=0)
    for group in grouped(history):
        if group.kind == "workflow task":
            if group.outcome in ("failed", "timed out") and group.events[0].event_id > last_done:
                yield group
        elif _is_step(group) and not _ends_before(group, kept):
            yield group


def _is_step(group: Group) -> bool:
    return group.kind not in ("workflow", "workflow task")


def _ends_before(group: Group, kept: int) -> bool:
    """Whether all there was to a step was recorded before the mark; one that is open may still end."""
    return group.events[-1].event_id <= kept and group.outcome != "open"


def _key(group: Group) -> tuple[str, str]:
    return group.kind, group.title


def _shortened(steps: Sequence[Step]) -> Iterator[Step | int]:
    """The steps to show; a number stands for so many that are left out."""
    if len(steps) <= MOST_ROWS:
        yield from steps
        return
    half = MOST_ROWS // 2
    yield from steps[:half]
    yield len(steps) - 2 * half
    yield from steps[-half:]


def _table(future: Future, before: str, style: Style) -> list[str]:
    """Both sides beside each other, in columns as wide as they need."""
    rows: list[tuple[str, str, str, str, str]] = [("", "recorded", "", "would be", "")]
    if before:
        rows.append(("", before, "", "", ""))
    for step in _shortened(steps_of(future)):
        if isinstance(step, int):
            rows.append(("", f"… {step} more steps", "", "", ""))
        else:
            rows += _rows(step, future)
    left_ids, left, right_ids, right = (max(len(row[column]) for row in rows) for column in range(4))
    return [
        f"  {a:>{left_ids}}  {b:<{left}}  {c:>{right_ids}}  {d:<{right}}  {style(e, 'dim')}".rstrip()
        for a, b, c, d, e in rows
    ]


def _rows(step: Step, future: Future) -> Iterator[tuple[str, str, str, str, str]]:
    recorded, would_be = step.recorded, step.future
    cells = (_cells(recorded) if recorded is not None else [], _cells(would_be) if would_be is not None else [])
    for index, (one, other) in enumerate(zip_longest(*cells, fillvalue="")):
        if index:
            yield "", one, "", other, ""
        else:
            about = "  ".join(_about(would_be, future)) if would_be is not None else ""
            yield _ids(recorded), one, _ids(would_be), other, about


def _cells(group: Group) -> list[str]:
    """A step in one line or two: what it is and how it ended, and what it gave."""
    title, ended = f"{group.kind} {group.title}".strip(), f"  {group.outcome}" if group.outcome else ""
    cells = [_cut(title, _WIDEST_SIDE - len(ended)) + ended]
    detail = short(_only(plain(group.detail)), _WIDEST_SIDE - 2) if group.detail is not None else ""
    return [*cells, f"  {detail}"] if detail else cells


def _only(value: Any) -> Any:
    """What is in a list of one value."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _about(group: Group, future: Future) -> Iterator[str]:
    """When a step was asked for, from which line, and who said what came of it."""
    first = group.events[0]
    if first.event_id > future.kept:
        yield span(first.time_ns - future.began_ns)
    site = future.sites.get(first.event_id)
    if site is not None:
        yield place(site)
    source = future.source_of(first)
    if source:
        yield f"[{source}]"


def span(ns: int) -> str:
    """A stretch of time: `+0.250s`, `+2:30:00`, `+30 days, 0:00:00`."""
    if abs(ns) < 60 * NS_PER_SECOND:
        return f"+{ns / NS_PER_SECOND:.3f}s"
    return f"+{timedelta(seconds=round(ns / NS_PER_SECOND))}"


def _ids(group: Group | None) -> str:
    if group is None:
        return ""
    first, last = group.events[0].event_id, group.events[-1].event_id
    return str(first) if first == last else f"{first}-{last}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def _ending(future: Future, style: Style, width: int) -> list[str]:
    """How it ends, and how the recording did."""
    lines: list[str] = []
    closing = future.recorded.closing_event
    if closing is not None:
        lines.append(f"  recorded  {headline(Ended(closing))}{_result(closing.attributes, width)}")
    ending = future.ending
    when = style(span(future.history.events[-1].time_ns - future.began_ns), "dim")
    match ending:
        case Ended(event):
            lines.append(f"  would be  {headline(ending)} {when}{_result(event.attributes, width)}")
        case AwaitsAnswer(questions):
            lines += [f"  waits     {question_text(one, width - 40)}" for one in questions]
            option = "--answer" if questions[0].kind == "activity" else "--answer-child"
            lines.append(
                f"  Say what came of it with {option} {questions[0].name}=JSON, or take it from --answers DIR."
            )
        case Waits(waits_for):
            lines += [f"  waits     for {_shown(one)} {when}" for one in waits_for]
        case Stuck(problem, at):
            lines.append(f"  stuck     {problem} {when}")
            lines += [f"  at        {_shown_place(at)}"] if at is not None else []
        case Stopped(reason):
            lines.append(f"  stopped   {reason}; it would have gone on. Give it more room with --until.")
        case LooksInside(verdict):
            lines.append(f"  needs     {str(verdict)[:1].upper()}{str(verdict)[1:]} {when}")
            lines += [f"  at        {place(verdict.site)}"] if verdict.site is not None else []
            lines += about_value(verdict)
        case Refused():
            pass
        case _:
            assert_never(ending)
    return lines


def _result(attributes: Any, width: int) -> str:
    value = attributes.get("failure") or _only(plain(attributes.get("result")))
    return f"  {short(value, max(20, width - 30))}" if value is not None else ""


def _shown(sentence: str) -> str:
    """A sentence whose last word may be a place in a file."""
    words, at, where = sentence.rpartition(" at ")
    return f"{words} at {_shown_place(where)}" if at and where.rpartition(":")[2].isdigit() else sentence


def _shown_place(where: str) -> str:
    file, _, line = where.rpartition(":")
    return f"{shown_path(file)}:{line}"
