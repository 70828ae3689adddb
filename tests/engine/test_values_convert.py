"""Durations, times and enums of a history, to Python and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from playhead_engine import convert
from playhead_engine.common import (
    ParentClosePolicy,
    QueryRejectCondition,
    SearchAttributeIndexedValueType,
    VersioningBehavior,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from playhead_engine.exceptions import ApplicationErrorCategory, RetryState, TimeoutType

FIRST_NS = Timestamp(seconds=-62_135_596_800).ToNanoseconds()
LAST_NS = Timestamp(seconds=253_402_300_799, nanos=999_999_999).ToNanoseconds()
TEN_THOUSAND_YEARS_NS = 315_576_000_000 * 10**9


@given(st.integers(FIRST_NS, LAST_NS))
def test_a_time_is_written_as_protobuf_writes_it_and_read_back_to_the_nanosecond(ns: int) -> None:
    """A time is written as protobuf writes it, and comes back to the nanosecond."""
    theirs = Timestamp()
    theirs.FromNanoseconds(ns)
    text = convert.time_json(ns)
    assert text == theirs.ToJsonString()
    assert convert.time_ns(text) == ns


@given(st.integers(-TEN_THOUSAND_YEARS_NS, TEN_THOUSAND_YEARS_NS))
def test_a_duration_is_written_as_protobuf_writes_it_and_read_back_to_the_nanosecond(ns: int) -> None:
    """A duration is written as protobuf writes it, and comes back to the nanosecond."""
    theirs = Duration()
    theirs.FromNanoseconds(ns)
    text = convert.duration_json_ns(ns)
    assert text == theirs.ToJsonString()
    assert convert.duration_ns(text) == ns
    assert convert.timedelta_of(text) == theirs.ToTimedelta()


@given(st.timedeltas(timedelta(days=-3_000_000), timedelta(days=3_000_000)))
def test_a_timedelta_survives(value: timedelta) -> None:
    """A timedelta written as a duration is the same timedelta when read."""
    theirs = Duration()
    theirs.FromTimedelta(value)
    assert convert.duration_json(value) == theirs.ToJsonString()
    assert convert.timedelta_of(convert.duration_json(value)) == value


@given(
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=9))])
    )
)
def test_a_datetime_in_any_zone_is_its_nanoseconds(value: datetime) -> None:
    """A datetime in any zone becomes nanoseconds, and its own text is read to the same ones."""
    ns = convert.datetime_ns(value)
    assert convert.time_ns(value.isoformat()) == ns
    assert convert.datetime_ns(value.replace(tzinfo=None)) == convert.datetime_ns(value.replace(tzinfo=UTC))
    if FIRST_NS <= ns <= LAST_NS:
        assert convert.ns_datetime(ns) == value


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01t00:00:01.5z", 1_500_000_000),
        ("1970-01-01 00:00:01+00:00", 1_000_000_000),
        ("1970-01-01T02:00:00.25+02:00", 250_000_000),
        ("1969-12-31T23:59:59.999999999Z", -1),
    ],
)
def test_a_time_is_understood_in_every_form_that_rfc_3339_has(text: str, ns: int) -> None:
    """A time is understood with and without decimals, in lower case, and in any offset."""
    assert convert.time_ns(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "now",
        "2024-05-01",
        "2024-05-01T12:00:00",
        "2024-13-01T12:00:00Z",
        "2024-05-01T25:00:00Z",
        "2024-05-01T12:00:00.Z",
        "2024-05-01T12:00:00.1234567890Z",
        "2024-05-01T12:00:00.\u0663Z",
        "20240501T120000Z",
        "2024-W01-1T1:00Z",
    ],
)
def test_what_is_no_time_is_refused_with_the_text_and_an_example(text: str) -> None:
    """What is no time is refused with the text that came and an example of what was expected."""
    with pytest.raises(ValueError, match="expected a time such as") as caught:
        convert.time_ns(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["10", "s", "1.5", "1h", "10 s", "1.1234567890s", "--1s", "1.s", "\u0661s"])
def test_what_is_no_duration_is_refused_with_the_text_and_an_example(text: str) -> None:
    """What is no duration is refused with the text that came and an example of what was expected."""
    with pytest.raises(ValueError, match=r"expected a duration such as \"10s\"") as caught:
        convert.duration_ns(text)
    assert repr(text) in str(caught.value)


def test_an_absent_duration_is_zero() -> None:
    """A duration that is absent is zero, both ways."""
    assert convert.duration_ns(None) == convert.duration_ns("") == 0
    assert convert.duration_json(None) == "0s"


def test_seconds_as_a_number_are_rounded_like_a_timedelta() -> None:
    """A number of seconds becomes the duration that a timedelta of as many seconds is."""
    assert convert.duration_json(90) == "90s"
    assert convert.duration_json(0.1) == "0.100s"
    assert convert.duration_json(0.000_000_4) == "0s"


def test_a_time_outside_the_calendar_is_refused() -> None:
    """A time in the year 10000 cannot be written, and the error says why."""
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        convert.time_json(LAST_NS + 1)


@pytest.mark.parametrize(
    ("kind", "theirs"),
    [
        (RetryState, "RetryState"),
        (TimeoutType, "TimeoutType"),
        (ApplicationErrorCategory, "ApplicationErrorCategory"),
        (WorkflowIDReusePolicy, "WorkflowIdReusePolicy"),
        (WorkflowIDConflictPolicy, "WorkflowIdConflictPolicy"),
        (ParentClosePolicy, "ParentClosePolicy"),
        (QueryRejectCondition, "QueryRejectCondition"),
        (VersioningBehavior, "VersioningBehavior"),
        (SearchAttributeIndexedValueType, "IndexedValueType"),
    ],
)
def test_every_enum_value_has_the_name_and_number_that_temporal_gives_it(kind: type, theirs: str) -> None:
    """Every enum value has Temporal's number, is written by its full name, and is read in every form in use."""
    import temporalio.api.enums.v1 as enums

    known = dict(getattr(enums, theirs).items())
    for member in kind:  # type: ignore[attr-defined]
        name = convert.enum_json(member)
        assert known.pop(name) == member.value
        camel = "".join(word.capitalize() for word in member.name.split("_"))
        for form in (name, camel, member.value):
            assert convert.enum_member(kind, form) is member
    assert all(number == 0 or "AUTO" in name or "LEGACY" in name for name, number in known.items()), known


def test_an_unknown_enum_value_is_nothing() -> None:
    """An enum value that this version does not know, or that is absent, is None rather than an error."""
    assert convert.enum_member(RetryState, "RETRY_STATE_OF_THE_FUTURE") is None
    assert convert.enum_member(RetryState, 4711) is None
    assert convert.enum_member(RetryState, "RETRY_STATE_UNSPECIFIED") is None
    assert convert.enum_member(RetryState, None) is None
