"""The scalars of canonical protobuf JSON: durations, times and enums, to Python and back.

A history writes a duration as `"1.500s"`, a time as RFC 3339 and an enum as its full name, and all three sit on the hot
path of a replay. This module knows these three notations, precise to the nanosecond. It must not know any message:
whoever owns a message converts it, from these pieces.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cache, lru_cache
from typing import Any, TypeVar

NS_PER_SECOND = 1_000_000_000

_E = TypeVar("_E", bound=IntEnum)

_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)

_DURATION = re.compile(r"(-?)([0-9]+)(?:\.([0-9]{1,9}))?s")
_TIME = re.compile(r"(.{19})(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))")
_WHOLE_SECONDS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# What one unit of a fraction is worth in nanoseconds, by the number of digits the fraction has.
_FRACTION_UNIT = (0, 10**8, 10**7, 10**6, 10**5, 10**4, 10**3, 10**2, 10, 1)


# Durations. A history repeats a handful of them thousands of times, hence the caches.


@lru_cache(maxsize=1024)
def duration_json(value: timedelta | float | None) -> str:
    """A duration as JSON.

    Args:
        value: A timedelta, or a number of seconds, which is rounded to the microsecond as a timedelta is. None is zero.

    Returns:
        Seconds with none, three or six decimals, such as `"10s"` or `"1.500s"`.
    """
    if value is None:
        return "0s"
    if not isinstance(value, timedelta):
        value = timedelta(seconds=value)
    return duration_json_ns(timedelta_ns(value))


def duration_json_ns(ns: int) -> str:
    """A number of nanoseconds as JSON: seconds with none, three, six or nine decimals, whichever says it all."""
    sign = "-" if ns < 0 else ""
    seconds, fraction = divmod(abs(ns), NS_PER_SECOND)
    return f"{sign}{seconds}{_fraction(fraction)}s"


@lru_cache(maxsize=1024)
def duration_ns(text: str | None) -> int:
    """The nanoseconds in a duration's JSON; 0 for None or an empty string, which is how an absent duration is written.

    Raises:
        ValueError: It is no duration.
    """
    if not text:
        return 0
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f'expected a duration such as "10s" or "1.500s", got {text!r}')
    sign, seconds, fraction = found.groups()
    ns = int(seconds) * NS_PER_SECOND
    if fraction:
        ns += int(fraction) * _FRACTION_UNIT[len(fraction)]
    return -ns if sign else ns


def timedelta_of(text: str | None) -> timedelta:
    """A duration's JSON as a timedelta, cut off (not rounded) at the microsecond as protobuf does.

    Raises:
        ValueError: It is no duration.
    """
    return ns_timedelta(duration_ns(text))


def timedelta_ns(value: timedelta) -> int:
    """The nanoseconds in a timedelta, exactly."""
    return (value.days * 86_400 + value.seconds) * NS_PER_SECOND + value.microseconds * 1_000


def ns_timedelta(ns: int) -> timedelta:
    """Nanoseconds as a timedelta, cut off toward zero at the microsecond."""
    return timedelta(microseconds=ns // 1_000) if ns >= 0 else -timedelta(microseconds=-ns // 1_000)


# Times.


def time_json(ns: int) -> str:
    """A time as JSON.

    Args:
        ns: Nanoseconds since the epoch.

    Returns:
        RFC 3339 in UTC, with none, three, six or nine decimals, whichever says it all.

    Raises:
        ValueError: It lies outside the years 1 to 9999.
    """
    seconds, fraction = divmod(ns, NS_PER_SECOND)
    return f"{_second_text(seconds)}{_fraction(fraction)}Z"


def time_ns(text: str) -> int:
    """The nanoseconds since the epoch of a time's JSON.

    Args:
        text: RFC 3339, in any offset, with at most nine decimals.

    Raises:
        ValueError: It is no such time.
    """
    try:
        # Nearly every time in a history is in UTC; most have decimals, those of a virtual clock have none.
        if text[19:] == "Z":
            return _second(text[:19]) * NS_PER_SECOND
        fraction = text[20:-1]
        if text[-1:] == "Z" and text[19] == "." and len(fraction) < 10 and fraction.isdecimal() and fraction.isascii():
            return _second(text[:19]) * NS_PER_SECOND + int(fraction) * _FRACTION_UNIT[len(fraction)]
        return _any_time_ns(text)
    except (ValueError, IndexError):
        raise ValueError(
            f'expected a time such as "2024-05-01T12:00:00Z" or "2024-05-01T12:00:00.25+02:00", got {text!r}'
        ) from None


def ns_datetime(ns: int) -> datetime:
    """Nanoseconds since the epoch as a datetime in UTC, cut off at the microsecond."""
    return (_EPOCH + timedelta(microseconds=ns // 1_000)).replace(tzinfo=UTC)


def datetime_ns(value: datetime) -> int:
    """The nanoseconds since the epoch of a datetime; one without a time zone is taken to be in UTC."""
    offset = value.utcoffset() or timedelta(0)
    return timedelta_ns(value.replace(tzinfo=None) - _EPOCH - offset)


def _any_time_ns(text: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    whole, fraction, sign, hours, minutes = found.groups()
    ns = _second(whole) * NS_PER_SECOND
    if fraction:
        ns += int(fraction) * _FRACTION_UNIT[len(fraction)]
    if sign:
        offset = (int(hours) * 60 + int(minutes)) * 60 * NS_PER_SECOND
        ns += offset if sign == "-" else -offset
    return ns


@lru_cache(maxsize=4096)
def _second(text: str) -> int:
    if _WHOLE_SECONDS.fullmatch(text) is None:
        raise ValueError(text)
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // _SECOND


@lru_cache(maxsize=4096)
def _second_text(seconds: int) -> str:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        raise ValueError(f"a time {seconds} seconds from 1970 lies outside the years 1 to 9999") from None


def _fraction(ns: int) -> str:
    if not ns:
        return ""
    if ns % 1_000_000 == 0:
        return f".{ns // 1_000_000:03}"
    if ns % 1_000 == 0:
        return f".{ns // 1_000:06}"
    return f".{ns:09}"


# Enums. Ours are Temporal's Python enums, whose members are the end of the full name: RetryState.TIMEOUT is
# RETRY_STATE_TIMEOUT. Histories written by older tools say "Timeout", raw ones the number.


def enum_json(member: IntEnum) -> str:
    """The full name of an enum value, as canonical JSON has it."""
    return _prefix(type(member)) + member.name


def enum_member(kind: type[_E], value: str | int | None) -> _E | None:
    """The member that JSON means, whether by full name, by CamelCase name or by number.

    Returns:
        None where the value is absent, unspecified and no member of its own, or not known to this version.
    """
    found: _E | None = _members(kind).get(value.replace("_", "").upper() if isinstance(value, str) else value)
    return found


@cache
def _prefix(kind: type[IntEnum]) -> str:
    name = kind.__name__.removeprefix("SearchAttribute")
    return _WORD_START.sub("_", name).upper() + "_"


@cache
def _members(kind: type[IntEnum]) -> dict[str | int | None, Any]:
    prefix = _prefix(kind).replace("_", "")
    found: dict[str | int | None, Any] = {}
    for member in kind:
        short = member.name.replace("_", "")
        found[short] = found[prefix + short] = found[member.value] = member
    return found
