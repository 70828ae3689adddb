"""A check in Markdown, for a comment on a pull request and for the summary of a job.

A comment of GitHub holds 65,536 characters and is refused if it is longer, so that what does not fit is counted and not
shown. The most telling parts come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from playhead.checking.location import location_of
from playhead.checking.outcome import Check, Outcome, Place, Standing, places
from playhead.checking.text import reason, remarks, totals

MARKER: Final = "<!-- playhead check -->"
"""The first line, by which the comment of an earlier check is found again."""

MOST_CHARACTERS: Final = 65_000
_MOST_LISTED: Final = 50


def check_markdown(check: Check, root: str) -> str:
    """The check as a Markdown document.

    Args:
        check: What to show.
        root: The root of the repository.
    """
    head = [MARKER, f"## {_title(check)}", "", totals(check) + "."]
    rest = list(remarks(check))
    tail = ["\n".join(["", *(f"- {_escaped(sentence)}" for sentence in rest)])] if rest else []
    tail += _folded("Broke before", check.of(Standing.OLD))
    tail += _folded("Allowed", check.of(Standing.ALLOWED))
    room = MOST_CHARACTERS - sum(len(part) + 1 for part in [*head, *tail])
    body, left_out = [], 0
    for place in places([*check.of(Standing.BREAKS), *check.of(Standing.UNCHECKED)]):
        section = "\n".join(_section(place, check, root))
        if left_out or len(section) + 200 > room:
            left_out += 1
            continue
        body.append(section)
        room -= len(section) + 1
    if left_out:
        body.append(f"\n*{left_out} more {'place' if left_out == 1 else 'places'}: the log of the job has them all.*")
    return "\n".join([*head, *body, *tail]) + "\n"


def _title(check: Check) -> str:
    breaks, unchecked = len(check.of(Standing.BREAKS)), len(check.of(Standing.UNCHECKED))
    if breaks:
        return f"Playhead: {breaks} {'history breaks' if breaks == 1 else 'histories break'}"
    if unchecked:
        return f"Playhead: {unchecked} {'history' if unchecked == 1 else 'histories'} could not be checked"
    if not check.passes:
        return "Playhead: nothing breaks, but there is something to see to"
    return "Playhead: nothing new breaks" if check.base is not None else "Playhead: nothing breaks"


def _section(place: Place, check: Check, root: str) -> Iterator[str]:
    first = place.first
    location = location_of(first, check, root)
    yield ""
    yield f"### {_code(f'{location.path}:{location.line}')}: {_escaped(first.judgement.headline)}"
    yield ""
    yield f"{_code(first.history)}" + (f", {_escaped(why)}" if (why := reason(first)) else "")
    explanation = first.judgement.explanation
    if explanation is not None and explanation.markdown:
        yield ""
        yield explanation.markdown
    elif first.judgement.lines:
        yield ""
        yield from _fenced(first.judgement.lines)
    rest = place.outcomes[1:]
    yield from _folded(f"{len(rest)} more at this line", rest)


def _folded(title: str, outcomes: Iterable[Outcome]) -> list[str]:
    listed = list(outcomes)
    if not listed:
        return []
    lines = ["", f"<details><summary>{title}</summary>", ""]
    for outcome in listed[:_MOST_LISTED]:
        parts = [part for part in (outcome.judgement.headline, reason(outcome)) if part]
        lines.append(f"- {_code(outcome.history)}: {_escaped(', '.join(parts))}")
    if len(listed) > _MOST_LISTED:
        lines.append(f"- and {len(listed) - _MOST_LISTED} more")
    return [*lines, "", "</details>"]


def _fenced(lines: Iterable[str]) -> list[str]:
    text = list(lines)
    fence = "```"
    while any(fence in line for line in text):
        fence += "`"
    return [f"{fence}text", *text, fence]


def _code(text: str) -> str:
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
