"""A check as a code quality report of GitLab, which a merge request shows at its lines: one finding for each line."""

from __future__ import annotations

from typing import Any

from playhead.checking.location import failing, fingerprint, location_of
from playhead.checking.outcome import Check, places
from playhead.checking.text import others


def code_quality(check: Check, root: str) -> list[dict[str, Any]]:
    """The report.

    Args:
        check: What to show.
        root: The root of the repository.
    """
    found: list[dict[str, Any]] = []
    for place in places(failing(check)):
        first, also = place.first, others(place)
        location = location_of(first, check, root)
        found.append(
            {
                "description": f"{first.history}: {first.judgement.headline}. {first.judgement.summary}"
                + (f" {also}." if also else ""),
                "check_name": f"playhead/{first.judgement.kind.value.replace(' ', '-')}",
                "fingerprint": fingerprint(place),
                "severity": "blocker" if first.judgement.kind.is_verdict else "major",
                "location": {"path": location.path, "lines": {"begin": location.line}},
            }
        )
    return found
