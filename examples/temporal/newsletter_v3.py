"""A newsletter, third life: no run without the patch is left, so every issue is proofread.

`deprecate_patch` lets this code replay runs that carry the marker of `newsletter_v2`. Runs of `newsletter_v1` diverge,
which is why nobody should deploy it before the last of those has ended.
"""

from datetime import timedelta

from temporalio import activity, workflow

PATIENCE = timedelta(seconds=10)


@activity.defn
async def write(topic: str) -> str:
    """Write an issue."""
    return f"all abuot {topic}"


@activity.defn
async def proofread(text: str) -> str:
    """Correct what the writer overlooked."""
    return text.replace("abuot", "about")


@activity.defn
async def send(text: str) -> str:
    """Send the issue to everybody."""
    return f"sent: {text}"


@workflow.defn
class Newsletter:
    """One issue."""

    @workflow.run
    async def run(self, topic: str) -> str:
        """Write, proofread, send."""
        text = await workflow.execute_activity(write, topic, start_to_close_timeout=PATIENCE)
        workflow.deprecate_patch("proofread")
        text = await workflow.execute_activity(proofread, text, start_to_close_timeout=PATIENCE)
        return await workflow.execute_activity(send, text, start_to_close_timeout=PATIENCE)
