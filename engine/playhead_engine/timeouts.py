"""The timeouts of an activity, as a server records them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from playhead_engine.convert import duration_json, timedelta_of

_NO_TIME: Final = timedelta(0)


def activity_timeouts(
    schedule_to_close: timedelta | None,
    schedule_to_start: timedelta | None,
    start_to_close: timedelta | None,
    heartbeat: timedelta | None,
    run_timeout: str | None,
) -> Mapping[str, str]:
    """The four timeouts as the server records them: missing ones filled in, none longer than the run may take.

    Source: recorded histories, and the server's validation of ScheduleActivityTask commands.
    """
    if not schedule_to_close and not start_to_close:
        raise ValueError("an activity needs a start_to_close_timeout or a schedule_to_close_timeout")
    longest = timedelta_of(run_timeout)
    overall = schedule_to_close or longest
    until_start = schedule_to_start or overall
    attempt = start_to_close or overall

    def capped(timeout: timedelta, *limits: timedelta) -> str:
        return duration_json(min((timeout, *(limit for limit in limits if limit))) if timeout else _NO_TIME)

    given = schedule_to_close or _NO_TIME
    return {
        "scheduleToCloseTimeout": capped(overall, longest),
        "scheduleToStartTimeout": capped(until_start, given, longest),
        "startToCloseTimeout": capped(attempt, given, longest),
        "heartbeatTimeout": capped(heartbeat or _NO_TIME, attempt, longest),
    }
