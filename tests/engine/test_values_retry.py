"""Whether and when something that failed is tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from playhead_engine import messages
from playhead_engine.common import RetryPolicy
from playhead_engine.convert import duration_json, timedelta_ns
from playhead_engine.converter import DataConverter
from playhead_engine.exceptions import (
    ApplicationError,
    CancelledError,
    RetryState,
    ServerError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from playhead_engine.retry import is_retryable, next_delay_ns, with_defaults

SECOND = 10**9

sensible = st.builds(
    RetryPolicy,
    initial_interval=st.timedeltas(timedelta(microseconds=1), timedelta(days=1)),
    backoff_coefficient=st.floats(1, 10),
    maximum_interval=st.none() | st.timedeltas(timedelta(days=1), timedelta(days=1000)),
    maximum_attempts=st.just(0),
)


def failure(error: BaseException) -> messages.Failure:
    return DataConverter.default.encode_failure(error)


@given(sensible, st.integers(1, 10_000))
def test_the_wait_grows_by_the_coefficient_up_to_the_maximum(policy: RetryPolicy, attempt: int) -> None:
    """The first wait is the initial interval, each next one longer by the coefficient, none above the maximum."""
    maximum = timedelta_ns(policy.maximum_interval or policy.initial_interval * 100)
    wait = next_delay_ns(policy, attempt)
    following = next_delay_ns(policy, attempt + 1)
    assert not isinstance(wait, RetryState)
    assert not isinstance(following, RetryState)
    assert 0 < wait <= following <= maximum
    assert next_delay_ns(policy, 1) == timedelta_ns(policy.initial_interval)
    if following < maximum:
        assert following == pytest.approx(wait * policy.backoff_coefficient, rel=1e-6, abs=2)


@given(sensible, st.integers(1, 20))
def test_exactly_the_allowed_attempts_are_made(policy: RetryPolicy, allowed: int) -> None:
    """A policy of n attempts leads to n attempts, and then says why there are no more."""
    policy.maximum_attempts = allowed
    attempt = 1
    while not isinstance(state := next_delay_ns(policy, attempt), RetryState):
        attempt += 1
    assert (attempt, state) == (allowed, RetryState.MAXIMUM_ATTEMPTS_REACHED)


@given(sensible, st.integers(1, 200), st.integers(0, 10**18), st.integers(1, 10**18))
def test_no_attempt_begins_after_the_time_is_up(
    policy: RetryPolicy, attempt: int, elapsed: int, expiration: int
) -> None:
    """With a limit for all attempts together, the next attempt begins before it, or there is none."""
    unlimited = next_delay_ns(policy, attempt, elapsed_ns=elapsed)
    limited = next_delay_ns(policy, attempt, elapsed_ns=elapsed, expiration_ns=expiration)
    if elapsed + unlimited <= expiration:
        assert limited == unlimited
        assert not isinstance(limited, RetryState)
    else:
        assert limited is RetryState.TIMEOUT
    assert next_delay_ns(policy, attempt, elapsed_ns=elapsed, expiration_ns=0) == unlimited


@given(sensible, st.integers(1, 50), st.none() | st.just(failure(ApplicationError("x"))))
def test_a_recorded_policy_means_what_the_policy_means(
    policy: RetryPolicy, attempt: int, why: messages.Failure
) -> None:
    """The policy as a history records it leads to the same waits as the policy that the user wrote."""
    assert next_delay_ns(policy.to_json(), attempt, why) == next_delay_ns(policy, attempt, why)


def test_without_a_policy_there_is_no_retry() -> None:
    """What has no retry policy is not tried again, and the state says that this is why."""
    assert next_delay_ns(None, 1) is RetryState.RETRY_POLICY_NOT_SET


def test_what_a_policy_leaves_open_is_what_the_server_sets() -> None:
    """An empty policy waits 1 s, then twice as long each time, up to 100 s."""
    assert with_defaults({}) == {"initialInterval": "1s", "backoffCoefficient": 2.0, "maximumInterval": "100s"}
    assert with_defaults({"initialInterval": "0.500s"})["maximumInterval"] == "50s"
    waits = [next_delay_ns({}, attempt) for attempt in range(1, 10)]
    assert waits == [seconds * SECOND for seconds in (1, 2, 4, 8, 16, 32, 64, 100, 100)]
    given: messages.RetryPolicy = {"maximumAttempts": 3, "nonRetryableErrorTypes": ["A"], "maximumInterval": "5s"}
    assert {**with_defaults(given), **given} == with_defaults(given)


@pytest.mark.parametrize(
    ("error", "types", "retryable"),
    [
        (ApplicationError("x"), [], True),
        (ApplicationError("x", type="Bad"), [], True),
        (ApplicationError("x", type="Bad"), ["Bad"], False),
        (ApplicationError("x", type="Bad"), ["Worse"], True),
        (ApplicationError("x", non_retryable=True), [], False),
        (KeyError("x"), ["KeyError"], False),
        (CancelledError(), [], False),
        (TerminatedError("x"), [], False),
        (ServerError("x"), [], True),
        (ServerError("x", non_retryable=True), [], False),
        (TimeoutError("x", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[]), [], True),
        (TimeoutError("x", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[]), [], True),
        (
            TimeoutError("x", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[]),
            ["TemporalTimeout:Heartbeat"],
            False,
        ),
        (
            TimeoutError("x", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[]),
            ["TemporalTimeout:StartToClose"],
            True,
        ),
        (TimeoutError("x", type=TimeoutType.SCHEDULE_TO_START, last_heartbeat_details=[]), [], False),
        (TimeoutError("x", type=TimeoutType.SCHEDULE_TO_CLOSE, last_heartbeat_details=[]), [], False),
        (TimeoutError("x", type=None, last_heartbeat_details=[]), [], False),
    ],
)
def test_which_failures_are_tried_again(error: BaseException, types: list[str], retryable: bool) -> None:
    """Cancellation, termination, exhausted time and what the user excludes are final; all else is tried again."""
    assert is_retryable(failure(error), types) is retryable
    policy: messages.RetryPolicy = {"nonRetryableErrorTypes": types}
    assert (next_delay_ns(policy, 1, failure(error)) is RetryState.NON_RETRYABLE_FAILURE) is not retryable


def test_a_failure_of_no_known_kind_is_tried_again() -> None:
    """A failure that says nothing of itself forbids nothing."""
    assert is_retryable({"message": "x"}, ["x"])


@given(sensible, st.integers(1, 9), st.timedeltas(timedelta(microseconds=1), timedelta(days=900)))
def test_the_failure_may_ask_for_another_wait(policy: RetryPolicy, attempt: int, asked: timedelta) -> None:
    """A wait that the failure asks for is used, up to the maximum interval, whatever the attempt."""
    why = failure(ApplicationError("x", next_retry_delay=asked))
    maximum = timedelta_ns(policy.maximum_interval or policy.initial_interval * 100)
    assert next_delay_ns(policy, attempt, why) == min(timedelta_ns(asked), maximum)


@given(st.floats(1, 1e300), st.integers(2, 10**6))
def test_a_wait_too_long_for_any_clock_is_the_maximum(coefficient: float, attempt: int) -> None:
    """However large the coefficient and the attempt, the wait is at most the maximum interval."""
    assume(coefficient ** min(attempt - 1, 1000 // max(int(coefficient), 1)) >= 1)
    policy: messages.RetryPolicy = {
        "backoffCoefficient": coefficient,
        "maximumInterval": duration_json(timedelta(days=365)),
    }
    wait: Any = next_delay_ns(policy, attempt)
    assert 0 < wait <= timedelta_ns(timedelta(days=365))


def test_the_order_of_the_questions_is_the_servers() -> None:
    """A failure that forbids a retry counts before used-up attempts, and these before time that ran out."""
    policy: messages.RetryPolicy = {"maximumAttempts": 1}
    final = failure(ApplicationError("x", non_retryable=True))
    assert next_delay_ns(policy, 1, final, 10, 5) is RetryState.NON_RETRYABLE_FAILURE
    assert next_delay_ns(policy, 1, None, 10, 5) is RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert next_delay_ns({}, 0, None, 10, 5) is RetryState.TIMEOUT
    assert next_delay_ns({}, 0) == SECOND
