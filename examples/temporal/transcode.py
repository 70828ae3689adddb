"""A film, transcoded frame by frame, by a worker that may be told to stop.

Shows heartbeats and cancellation. The heartbeat carries the last frame, so that the next attempt goes on from there; it
also brings the news that the run was cancelled. Whatever happens, the scratch files are deleted, and `shield` keeps a
second cancellation from stopping that.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

PATIENCE = timedelta(seconds=10)


@dataclass
class Film:
    """What to transcode; the disk is full once, in the middle, if `crashes` says so."""

    title: str
    frames: int
    seconds_per_frame: float = 0.1
    crashes: bool = False


@activity.defn
async def transcode(film: Film) -> int:
    """Work through the frames, and return the frame from which this attempt started."""
    info = activity.info()
    first = info.heartbeat_details[0] + 1 if info.heartbeat_details else 0
    for frame in range(first, film.frames):
        await asyncio.sleep(film.seconds_per_frame)
        activity.heartbeat(frame)
        if film.crashes and info.attempt == 1 and frame == film.frames // 2:
            raise ApplicationError("no space left on the disk", frame, type="DiskFull")
    return first


@activity.defn
async def delete_scratch(film: Film) -> str:
    """Leave nothing behind."""
    return f"no trace of {film.title}"


@workflow.defn
class Transcoding:
    """One film."""

    @workflow.run
    async def run(self, film: Film) -> int:
        """Transcode, and clean up whether it worked, failed or was cancelled."""
        try:
            return await workflow.execute_activity(
                transcode,
                film,
                start_to_close_timeout=timedelta(hours=2),
                heartbeat_timeout=timedelta(seconds=1),
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        finally:
            await asyncio.shield(
                workflow.execute_activity(delete_scratch, film, start_to_close_timeout=PATIENCE),
            )
