"""How long a history may become, as Temporal has it."""

from __future__ import annotations

from playhead_engine.record import frozen_record


@frozen_record
class Limits:
    """Limits of one run's history.

    Attributes:
        warn_events: From how many events on to warn.
        max_events: At how many events to terminate the run.
        max_bytes: At how many bytes of JSON to terminate the run.
    """

    warn_events: int = 10_240
    max_events: int = 51_200
    max_bytes: int = 50 * 1024 * 1024
