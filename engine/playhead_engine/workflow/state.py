"""What workflow code may know and change of its own run: time, randomness, memo, patches, handlers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar, overload

from playhead_engine.activation import payload_list
from playhead_engine.common import SearchAttributes, SearchAttributeUpdate
from playhead_engine.converter import PayloadConverter
from playhead_engine.native import patches, properties, timers
from playhead_engine.native.activities import UNSET
from playhead_engine.native.context import current_run, current_run_or_none, current_update
from playhead_engine.native.info import Info, UpdateInfo

_T = TypeVar("_T")
_D = TypeVar("_D")


def info() -> Info:
    """What is known about this run."""
    return current_run().info


def instance() -> Any:
    """The object of the workflow class."""
    return current_run().workflow_object


def in_workflow() -> bool:
    """Whether this is called from workflow code."""
    return current_run_or_none() is not None


def cancellation_reason() -> str | None:
    """Why the run is to be cancelled, which may be an empty text; None if nobody asked for it."""
    return current_run().cancel_reason


def is_failure_exception(err: BaseException) -> bool:
    """Whether an error fails the workflow rather than its task."""
    return current_run().is_failure(err)


def payload_converter() -> PayloadConverter:
    """What converts the values of this run, for code that takes or gives a `RawValue`."""
    return current_run().converter.payload_converter


def current_update_info() -> UpdateInfo | None:
    """The update that is being handled by this task or by the one that started it."""
    return current_update.get()


# Time.


def now() -> datetime:
    """The workflow's time, in UTC. It stands still while a workflow task runs."""
    return datetime.fromtimestamp(time(), UTC)


def time() -> float:
    """The workflow's time, in seconds since the epoch."""
    return time_ns() / 1e9


def time_ns() -> int:
    """The workflow's time, in nanoseconds since the epoch."""
    return current_run().time_ns


async def sleep(duration: float | timedelta, *, summary: str | None = None) -> None:
    """Wait.

    Args:
        duration: How long, in seconds or as a timedelta. Zero is a timer too.
        summary: What for, for people.
    """
    await timers.sleep(current_run(), duration, summary)


async def wait_condition(
    fn: Callable[[], bool],
    *,
    timeout: timedelta | float | None = None,  # noqa: ASYNC109 - Temporal's own signature
    timeout_summary: str | None = None,
) -> None:
    """Wait until a condition holds. It is evaluated whenever the code has run until everything waits.

    Args:
        fn: The condition. It must change nothing.
        timeout: How long at most, in seconds or as a timedelta. None starts no timer, so changing from or to None
            breaks runs under way.
        timeout_summary: What the timer is for, for people.

    Raises:
        asyncio.TimeoutError: It did not hold in time.
    """
    del timeout_summary
    await timers.wait_condition(current_run(), fn, timeout)


# Randomness.


def random() -> Random:
    """The run's random numbers, the same in every replay. Not for secrets."""
    return current_run().random


def random_seed() -> int:
    """Where the run's random numbers come from. A reset changes it."""
    return current_run().seed


def register_random_seed_callback(callback: Callable[[int], None]) -> None:
    """Be told of the new seed when a reset changes it."""
    current_run().on_reseed(callback)


def new_random(name: str | None = None) -> Random:
    """Random numbers of one's own, which do not take any from `random()`.

    Args:
        name: Those of different names differ; without a name they are those `random()` begins with.
    """

    def seed_of(seed: int) -> int | str:
        return seed if name is None else f"{seed}:{name}"

    numbers = Random(seed_of(random_seed()))
    register_random_seed_callback(lambda seed: numbers.seed(seed_of(seed)))
    return numbers


def uuid4() -> uuid.UUID:
    """A random UUID, the same in every replay."""
    return uuid.UUID(bytes=random().getrandbits(128).to_bytes(16, "big"), version=4)


def uuid7() -> uuid.UUID:
    """A UUID that sorts by the workflow's time, the same in every replay."""
    milliseconds = time_ns() // 1_000_000 & (1 << 48) - 1
    numbers = random()
    high, low = numbers.getrandbits(12), numbers.getrandbits(62)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


# Patches.


def patched(id: str) -> bool:
    """Whether to take the new path of a change: in runs that began it on the new path, and in those that reach it now.

    Args:
        id: Names the change.
    """
    return patches.patched(current_run(), id, deprecated=False)


def deprecate_patch(id: str) -> None:
    """Say that the old path of a change is gone from the code.

    Args:
        id: Names the change.
    """
    patches.patched(current_run(), id, deprecated=True)


# What can be read from outside.


def memo() -> Mapping[str, Any]:
    """The memo, converted without annotations."""
    return properties.memo(current_run())


@overload
def memo_value(key: str, default: Any = ...) -> Any: ...


@overload
def memo_value(key: str, *, type_hint: type[_T]) -> _T: ...


@overload
def memo_value(key: str, default: _D, *, type_hint: type[_T]) -> _D | _T: ...


def memo_value(key: str, default: Any = UNSET, *, type_hint: type | None = None) -> Any:
    """One value of the memo.

    Args:
        key: Its key.
        default: What to return if there is none.
        type_hint: What to convert it to.

    Raises:
        KeyError: There is none, and no default.
    """
    return properties.memo_value(current_run(), key, default, type_hint)


def upsert_memo(updates: Mapping[str, Any]) -> None:
    """Set values of the memo; None removes one."""
    properties.upsert_memo(current_run(), updates)


def upsert_search_attributes(attributes: SearchAttributes | Sequence[SearchAttributeUpdate[Any]]) -> None:
    """Set search attributes.

    Args:
        attributes: What `value_set` and `value_unset` of their keys give. A mapping of names to lists of values is the
            old form.
    """
    properties.upsert_search_attributes(current_run(), attributes)


def get_current_details() -> str:
    """The text that was last given to `set_current_details`."""
    return current_run().current_details


def set_current_details(description: str) -> None:
    """Tell people what the run is doing."""
    run = current_run()
    run.check_may("set the current details")
    run.current_details = description


# The run before.


def has_last_completion_result() -> bool:
    """Whether an earlier run of the same schedule completed."""
    return bool(payload_list(current_run().start.attributes.get("lastCompletionResult")))


@overload
def get_last_completion_result() -> Any | None: ...


@overload
def get_last_completion_result(type_hint: type[_T]) -> _T | None: ...


def get_last_completion_result(type_hint: type | None = None) -> Any | None:
    """The result of the last run of the same schedule that completed.

    Args:
        type_hint: What to convert it to.
    """
    run = current_run()
    payloads = payload_list(run.start.attributes.get("lastCompletionResult"))
    return run.converter.decode_value(payloads[0], type_hint) if len(payloads) == 1 else None


def get_last_failure() -> BaseException | None:
    """The error in which the run before ended."""
    run = current_run()
    failure = run.start.attributes.get("continuedFailure")
    return run.converter.decode_failure(failure) if failure is not None else None
