"""A check for a terminal: what breaks, with all that is known of it, then the rest in a line each."""

from __future__ import annotations

from collections.abc import Iterator

from playhead.allowances import Allowance
from playhead.checking.outcome import Check, Outcome, Place, Standing, places
from playhead.terminal import PLAIN, Style

_MOST_NAMED = 5


def check_text(check: Check, *, style: Style = PLAIN, is_quiet: bool = False, is_verbose: bool = False) -> str:
    """A check, without a closing line break; empty if there is nothing to say.

    Args:
        check: What to show.
        style: Colours, or none.
        is_quiet: Whether to leave out all but what breaks.
        is_verbose: Whether to show the histories that agree as well.
    """
    blocks = [_place(place, style) for place in places(check.of(Standing.BREAKS))]
    blocks += [[_line(outcome, style, "red")] for outcome in check.of(Standing.UNCHECKED)]
    if not is_quiet:
        blocks.append([_line(outcome, style, "yellow") for outcome in check.of(Standing.OLD)])
        blocks.append([_line(outcome, style, "yellow") for outcome in check.of(Standing.ALLOWED)])
        if is_verbose:
            blocks.append([_line(outcome, style, "green") for outcome in check.of(Standing.AGREES)])
        blocks.append(list(remarks(check)))
        blocks.append([totals(check)])
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def remarks(check: Check) -> Iterator[str]:
    """What there is to say besides the histories, a sentence each."""
    for one in check.uncovered:
        where = f" ({one.site.file}:{one.site.line})" if one.site is not None else ""
        yield f"No history covers {one.name}{where}."
    for allowance in check.idle:
        yield f"An allowance allows nothing any more, and can go: {allowance}."
    if check.base is not None and check.base.problem:
        yield f"{check.base.name} could not be compared with, so that every break counts: {check.base.problem}"
    if check.skipped:
        yield f"Stopped at the first break: {check.skipped} histories were not looked at."
    yield from check.notes


def totals(check: Check) -> str:
    """How many histories came to what: `12 histories in 0.8 s: 11 agree, 1 breaks (3 known from before)`."""
    words = {
        Standing.AGREES: ("agrees", "agree"),
        Standing.BREAKS: ("breaks", "break"),
        Standing.OLD: ("broke before", "broke before"),
        Standing.ALLOWED: ("is allowed to break", "are allowed to break"),
        Standing.UNCHECKED: ("could not be checked", "could not be checked"),
    }
    parts = [f"{number} {words[standing][number > 1]}" for standing, number in check.counted().items()]
    known = sum(outcome.is_known for outcome in check.outcomes)
    count = len(check.outcomes)
    return f"{count} {'history' if count == 1 else 'histories'} in {check.seconds:.1f} s: {', '.join(parts)}" + (
        f" ({known} known from before)" if known else ""
    )


def reason(outcome: Outcome) -> str:
    """Why a history that breaks does or does not fail the check; empty if there is nothing to say of it."""
    if outcome.allowance is not None:
        return about_allowance(outcome.allowance, holds=outcome.standing is Standing.ALLOWED)
    if outcome.standing is Standing.OLD and outcome.before is not None:
        return f"it broke before ({outcome.before.headline})"
    return ""


def about_allowance(allowance: Allowance, *, holds: bool) -> str:
    """Until when a break is allowed, and why."""
    return f"{'allowed' if holds else 'was allowed'} until {allowance.until.isoformat()}: {allowance.reason}"


def others(place: Place, most: int = _MOST_NAMED) -> str:
    """Which other histories break in the same way; empty if none does."""
    rest = [outcome.history for outcome in place.outcomes[1:]]
    if not rest:
        return ""
    names = ", ".join(rest[:most]) + (f" and {len(rest) - most} more" if len(rest) > most else "")
    where = "in the same way" if place.site is None else "at this line"
    return f"{len(rest)} more {'breaks' if len(rest) == 1 else 'break'} {where}: {names}"


def _place(place: Place, style: Style) -> list[str]:
    first = place.first
    lines = [_line(first, style, "red"), *first.judgement.lines]
    if first.judgement.explanation is not None:
        lines += ["", *first.judgement.explanation.text.split("\n")]
    also = others(place)
    return lines if not also else [*lines, "", f"  {also}"]


def _line(outcome: Outcome, style: Style, colour: str) -> str:
    why = reason(outcome)
    detail = (
        f"  {outcome.judgement.lines[0].strip()}"
        if outcome.standing is Standing.UNCHECKED and outcome.judgement.lines
        else ""
    )
    return f"{outcome.history}: {style(outcome.judgement.headline, colour)}{f', {why}' if why else ''}{detail}"
