"""Spans of time in words: short, and never wrong by much."""

from __future__ import annotations

import pytest

from playhead_tui.model.spans import clock_text, duration_text, span_text

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "400 µs"),
        (0.04, "40 ms"),
        (0.9996, "1 s"),
        (1.25, "1.25 s"),
        (12.4, "12 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3_665, "1 h 1 min"),
        (DAY, "1 day"),
        (DAY + 3_600, "1 day 1 h"),
        (29 * DAY, "29 days"),
        (335 * DAY, "11 months"),
        (700 * DAY, "23 months"),
        (730 * DAY, "2 years"),
        (-5, "-5 s"),
    ],
)
def test_a_span_is_said_as_one_would(seconds: float, text: str) -> None:
    """In one unit, or in two where the second still matters."""
    assert span_text(round(seconds * 1e9)) == text


def test_what_a_history_writes_is_said_so() -> None:
    """A duration of its JSON, and whatever else stands in its place; a time to the millisecond."""
    assert duration_text("604800s") == "7 days"
    assert duration_text("1.500s") == "1.5 s"
    assert duration_text("soon") == "soon"
    assert clock_text(1_767_225_600_123_456_789) == "2026-01-01 00:00:00.123"
    assert clock_text(1_767_225_600_000_000_000) == "2026-01-01 00:00:00"
    assert clock_text(0) == ""
