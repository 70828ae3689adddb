"""How long the shop waits for its activities, and how often it tries."""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig

QUICK = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=15),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=5),
)
"""For what is answered at once."""

STUBBORN = ActivityConfig(start_to_close_timeout=timedelta(seconds=15))
"""For what has to be done in the end, however long it takes: it is tried for ever."""
