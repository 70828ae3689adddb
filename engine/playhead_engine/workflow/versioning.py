"""Which version of its worker something new is to run on."""

from __future__ import annotations

from enum import Enum, IntEnum


class VersioningIntent(Enum):
    """Deprecated in Temporal, in favour of worker deployments."""

    COMPATIBLE = 1
    DEFAULT = 2


class ContinueAsNewVersioningBehavior(IntEnum):
    """On which version of its worker the next run begins."""

    UNSPECIFIED = 0  # as the run before
    AUTO_UPGRADE = 1  # the version current by then
    USE_RAMPING_VERSION = 2  # the version that is being introduced
