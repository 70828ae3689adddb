"""Whether and when something that failed is tried again: the arithmetic of retry policies.

The rules are the server's (`service/history/workflow/retry.go` and `common/retrypolicy` of Temporal's server), asked in
its order: does the failure forbid it, are there attempts left, how long to wait, is there time left for that. Pure
functions of their arguments: this module must not know clocks, events or runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playhead_engine.common import RetryPolicy
from playhead_engine.convert import duration_json_ns, duration_ns, enum_member
from playhead_engine.exceptions import RetryState, TimeoutType

if TYPE_CHECKING:
    from collections.abc import Collection

    from playhead_engine import messages

TIMEOUT_TYPE_PREFIX = "TemporalTimeout:"
"""Before the name of a timeout in the list of error types that are not retryable."""

_DEFAULT_INITIAL_INTERVAL_NS = 1_000_000_000
_DEFAULT_BACKOFF_COEFFICIENT = 2.0
_DEFAULT_MAXIMUM_INTERVAL_COEFFICIENT = 100
_INT64_MAX = 2**63 - 1

# The timeouts of one attempt, after which another attempt makes sense, as the list of error types names them.
_RETRYABLE_TIMEOUTS = {TimeoutType.START_TO_CLOSE: "StartToClose", TimeoutType.HEARTBEAT: "Heartbeat"}


def with_defaults(policy: messages.RetryPolicy) -> messages.RetryPolicy:
    """A policy in which what is unset is what the server sets: 1 s, a coefficient of 2, at most 100 times the first."""
    initial_ns = duration_ns(policy.get("initialInterval")) or _DEFAULT_INITIAL_INTERVAL_NS
    maximum_ns = duration_ns(policy.get("maximumInterval")) or initial_ns * _DEFAULT_MAXIMUM_INTERVAL_COEFFICIENT
    filled = policy.copy()
    filled["initialInterval"] = duration_json_ns(initial_ns)
    filled["backoffCoefficient"] = policy.get("backoffCoefficient") or _DEFAULT_BACKOFF_COEFFICIENT
    filled["maximumInterval"] = duration_json_ns(maximum_ns)
    return filled


def next_delay_ns(
    policy: messages.RetryPolicy | RetryPolicy | None,
    attempt: int,
    failure: messages.Failure | None = None,
    elapsed_ns: int = 0,
    expiration_ns: int | None = None,
) -> int | RetryState:
    """How long to wait before the next attempt, or why there is none.

    Args:
        policy: The retry policy; None is no retry.
        attempt: Number of the attempt that failed, from 1.
        failure: How it failed; None is a failure that forbids nothing.
        elapsed_ns: Time since the first attempt was scheduled, in nanoseconds.
        expiration_ns: How much time all attempts have together, in nanoseconds; None or 0 is as much as it takes.

    Returns:
        Nanoseconds to wait, or the state that a history records. The state is an `IntEnum`: ask for it first.
    """
    if policy is None:
        return RetryState.RETRY_POLICY_NOT_SET
    filled = with_defaults(policy.to_json() if isinstance(policy, RetryPolicy) else policy)
    if failure is not None and not is_retryable(failure, filled.get("nonRetryableErrorTypes", ())):
        return RetryState.NON_RETRYABLE_FAILURE
    maximum_attempts = filled.get("maximumAttempts", 0)
    attempt = max(attempt, 1)
    if 0 < maximum_attempts <= attempt:
        return RetryState.MAXIMUM_ATTEMPTS_REACHED
    delay_ns = _asked_delay_ns(failure)
    if delay_ns is None:
        delay_ns = _exponential_ns(
            duration_ns(filled.get("initialInterval")), filled.get("backoffCoefficient", 1), attempt
        )
    maximum_ns = duration_ns(filled.get("maximumInterval"))
    if not 0 < delay_ns <= maximum_ns:
        delay_ns = maximum_ns
    if expiration_ns and elapsed_ns + delay_ns > expiration_ns:
        return RetryState.TIMEOUT
    return delay_ns


def is_retryable(failure: messages.Failure, non_retryable_error_types: Collection[str]) -> bool:
    """Whether a failure lets another attempt be made.

    Args:
        failure: The failure itself, not the activity or child failure around it.
        non_retryable_error_types: Types that a retry policy excludes.
    """
    if "terminatedFailureInfo" in failure or "canceledFailureInfo" in failure:
        return False
    if "timeoutFailureInfo" in failure:
        timeout_type = enum_member(TimeoutType, failure["timeoutFailureInfo"].get("timeoutType"))
        name = None if timeout_type is None else _RETRYABLE_TIMEOUTS.get(timeout_type)
        return name is not None and TIMEOUT_TYPE_PREFIX + name not in non_retryable_error_types
    if "serverFailureInfo" in failure:
        return not failure["serverFailureInfo"].get("nonRetryable", False)
    if "applicationFailureInfo" in failure:
        application = failure["applicationFailureInfo"]
        return not application.get("nonRetryable", False) and (
            application.get("type", "") not in non_retryable_error_types
        )
    return True


def _asked_delay_ns(failure: messages.Failure | None) -> int | None:
    """What the failure itself asks to wait."""
    delay = failure.get("applicationFailureInfo", {}).get("nextRetryDelay") if failure else None
    return None if delay is None else duration_ns(delay)


def _exponential_ns(initial_ns: int, coefficient: float, attempt: int) -> int:
    # A wait that does not fit the server's 64 bits comes out as 0 there, which stands for the maximum.
    try:
        delay_ns = int(initial_ns * coefficient ** (attempt - 1))
    except OverflowError:
        return 0
    return delay_ns if delay_ns <= _INT64_MAX else 0
