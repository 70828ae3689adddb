"""A newsletter, first life: write an issue, send it.

The code before the patch. Runs that it recorded are what `newsletter_v2` must still be able to replay.
"""

from datetime import timedelta

from temporalio import activity, workflow

PATIENCE = timedelta(seconds=10)


@activity.defn
async def write(topic: str) -> str:
    """Write an issue."""
    return f"all abuot {topic}"


@activity.defn
async def send(text: str) -> str:
    """Send the issue to everybody."""
    return f"sent: {text}"


@workflow.defn
class Newsletter:
    """One issue."""

    @workflow.run
    async def run(self, topic: str) -> str:
        """Write, send."""
        text = await workflow.execute_activity(write, topic, start_to_close_timeout=PATIENCE)
        return await workflow.execute_activity(send, text, start_to_close_timeout=PATIENCE)
