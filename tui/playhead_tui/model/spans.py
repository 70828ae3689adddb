"""Spans of time in words, as short as they can be said without being wrong by much: `40 ms`, `2 h 5 min`, `11 months`.

A history writes durations in seconds and times to the nanosecond; nobody reads 28,512,000 s as eleven months.
"""

from __future__ import annotations

from typing import Final

from playhead_engine.convert import NS_PER_SECOND, duration_ns, time_json

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_MONTH: Final = 30.44 * _DAY
_YEAR: Final = 365.25 * _DAY
_LARGE: Final = ((_YEAR, "year"), (_MONTH, "month"), (_DAY, "day"))


def span_text(ns: int) -> str:
    """A span in words.

    Args:
        ns: Nanoseconds.
    """
    if ns < 0:
        return f"-{span_text(-ns)}"
    seconds = ns / NS_PER_SECOND
    if seconds < 0.9995:
        return f"{ns / 1_000_000:.0f} ms" if ns >= 999_500 else f"{ns // 1_000} µs" if ns else "0 s"
    if seconds < 9.995:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    if whole < 3 * _DAY:
        days, rest = divmod(whole, _DAY)
        return _count(days, "day") + (f" {rest // _HOUR} h" if rest >= _HOUR else "")
    for unit, name in _LARGE:
        if whole >= 2 * unit * 0.975 or unit == _DAY:
            return _count(round(whole / unit), name)
    raise AssertionError("every span is some number of days")


def duration_text(text: str) -> str:
    """A duration of a history in words; the text itself where it is none."""
    try:
        return span_text(duration_ns(text))
    except ValueError:
        return text


def clock_text(ns: int) -> str:
    """A time of day, to the millisecond: `2026-05-01 12:00:00.123`; empty for 0, a time that is not known."""
    if not ns:
        return ""
    return time_json(ns // 1_000_000 * 1_000_000)[:23].replace("T", " ").rstrip("Z")


def _two(whole: int, large: int, name: str, small: int, small_name: str) -> str:
    count, rest = divmod(whole, large)
    rest //= small
    return f"{count} {name}" + (f" {rest} {small_name}" if rest else "")


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
