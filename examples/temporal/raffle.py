"""A raffle whose winner, prize and ticket number are drawn at random, yet the same in every replay.

Shows `workflow.random` and `workflow.uuid4`: both follow from a seed in the history. The drawn prize decides which
activity is called, so a replay that drew differently would diverge at once. A reset deals a new seed, and the rest of
the raffle a new hand.
"""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

PATIENCE = timedelta(seconds=10)


@dataclass
class Raffle:
    """Who takes part, and how many prizes there are."""

    players: list[str]
    prizes: int = 5


@activity.defn
async def send_mug(winner: str) -> str:
    """Wrap a mug well."""
    return f"a mug for {winner}"


@activity.defn
async def send_shirt(winner: str) -> str:
    """Hope that it fits."""
    return f"a shirt for {winner}"


@activity.defn
async def send_sticker(winner: str) -> str:
    """Lick the envelope."""
    return f"a sticker for {winner}"


@workflow.defn
class RaffleDraw:
    """One evening."""

    @workflow.run
    async def run(self, raffle: Raffle) -> list[str]:
        """Draw a winner and a prize, as often as there are prizes."""
        sent: list[str] = []
        dice = workflow.random()
        for _ in range(raffle.prizes):
            prize = dice.choice([send_mug, send_shirt, send_sticker])
            winner = dice.choice(raffle.players)
            ticket = str(workflow.uuid4())
            sent.append(
                await workflow.execute_activity(prize, winner, activity_id=ticket, start_to_close_timeout=PATIENCE)
            )
        return sent
