"""A newsletter, second life: issues are proofread from now on, and those already under way stay as they were.

Shows a patch: a run that begins with this code records a marker and has its issue proofread; a run recorded by
`newsletter_v1` has no marker, and takes the old way. Both replay. `newsletter_v3` is the step after.
"""

from datetime import timedelta

from playhead_engine import activity, workflow

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
        """Write, proofread if this run is new enough, send."""
        text = await workflow.execute_activity(write, topic, start_to_close_timeout=PATIENCE)
        if workflow.patched("proofread"):
            text = await workflow.execute_activity(proofread, text, start_to_close_timeout=PATIENCE)
        return await workflow.execute_activity(send, text, start_to_close_timeout=PATIENCE)
