"""The cheapest of several insurance quotes that arrive in time.

Shows activities that race: all insurers are asked at once, those that take too long are cancelled, and the workflow
goes on with what it has.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from playhead_engine import activity, workflow
from playhead_engine.exceptions import ApplicationError


@dataclass
class Question:
    """What is to be insured, and how long each insurer takes to think about it."""

    object: str
    thinking_seconds: dict[str, float]
    deadline_seconds: float = 1.5


@dataclass
class Quote:
    """A yearly premium."""

    insurer: str
    premium: int


@activity.defn
async def ask_insurer(insurer: str, thinking_seconds: float) -> Quote:
    """Wait for an insurer to think, and listen, at every heartbeat, whether anybody still wants to know."""
    for _ in range(round(thinking_seconds * 10)):
        await asyncio.sleep(0.1)
        activity.heartbeat()
    return Quote(insurer, premium=100 + len(insurer))


@workflow.defn
class CheapestQuote:
    """One object, several insurers."""

    @workflow.run
    async def run(self, question: Question) -> Quote:
        """Ask everybody, stop waiting at the deadline, and take the lowest premium."""
        asked = [
            workflow.start_activity(
                ask_insurer,
                args=[insurer, seconds],
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=timedelta(seconds=1),
            )
            for insurer, seconds in question.thinking_seconds.items()
        ]
        answered, late = await workflow.wait(asked, timeout=question.deadline_seconds)
        for insurer in late:
            insurer.cancel()
        if not answered:
            raise ApplicationError(f"nobody insures {question.object}", type="NoQuote")
        return min((quote.result() for quote in answered), key=lambda quote: quote.premium)
