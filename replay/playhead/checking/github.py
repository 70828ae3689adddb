"""A check for GitHub Actions: workflow commands that annotate lines, as the runner reads them from the output.

The runner shows ten errors and ten warnings of a step and drops the rest, so that lines are annotated and not
histories, and the tenth annotation says how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from playhead.checking.location import Location, failing, location_of, location_of_site, titled
from playhead.checking.outcome import Check, places
from playhead.checking.text import others, reason

_MOST: Final = 10


def workflow_commands(check: Check, root: str) -> list[str]:
    """Workflow commands, one on each line.

    Args:
        check: What to show.
        root: The root of the repository.
    """
    errors = []
    for place in places(failing(check)):
        first = place.first
        lines = [first.judgement.summary, f"{first.history}: {first.judgement.headline}"]
        lines += [sentence for sentence in (reason(first), others(place)) if sentence]
        errors.append(_command("error", location_of(first, check, root), f"Playhead: {titled(place)}", lines))
    warnings = []
    for one in check.uncovered:
        location = location_of_site(one.site, check, root)
        warnings.append(_command("warning", location, "Playhead: no history", [f"No history covers {one.name}."]))
    warnings += [
        _command("warning", None, "Playhead: allowance", [f"It allows nothing any more, and can go: {allowance}."])
        for allowance in check.idle
    ]
    return [*_bounded("error", errors), *_bounded("warning", warnings)]


def refusal(reason: object) -> str:
    """A workflow command that says why nothing was checked: an exit code alone is hard to find in a log."""
    return _command("error", None, "Playhead: nothing was checked", [str(reason)])


def _bounded(kind: str, commands: list[str]) -> list[str]:
    if len(commands) <= _MOST:
        return commands
    rest = len(commands) - _MOST + 1
    return [*commands[: _MOST - 1], _command(kind, None, "Playhead", [f"And {rest} more: see the summary of the job."])]


def _command(kind: str, location: Location | None, title: str, lines: Iterable[str]) -> str:
    properties = {"title": title}
    if location is not None:
        properties = {"file": location.path, "line": str(location.line), "title": title}
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {said}::{_data(chr(10).join(lines))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
