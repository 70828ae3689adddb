"""A free-tier user, reminded once a month for a year.

Shows a run that lives long: twelve times thirty days, each a timer that an upgrade cuts short. On the virtual clock of
the built-in engine the year takes milliseconds.
"""

from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

PATIENCE = timedelta(seconds=10)


@dataclass
class User:
    """Somebody who has not paid yet."""

    name: str
    months: int = 12
    days_per_month: float = 30


@activity.defn
async def welcome(name: str) -> None:
    """Say hello on the first day."""
    activity.logger.info("welcome, %s", name)


@activity.defn
async def remind(name: str, month: int) -> str:
    """Mention, kindly, that there is a paid plan."""
    return f"reminder {month} to {name}"


@activity.defn
async def thank(name: str, plan: str) -> str:
    """Be glad about the upgrade."""
    return f"{name} is now on {plan}"


@workflow.defn
class Onboarding:
    """A year with one user, or less if they upgrade."""

    def __init__(self) -> None:
        """Everybody starts on the free tier."""
        self.plan = ""
        self.reminders = 0

    @workflow.run
    async def run(self, user: User) -> str:
        """Remind every month until the user upgrades or the year is over."""
        await workflow.execute_activity(welcome, user.name, start_to_close_timeout=PATIENCE)

        for month in range(1, user.months + 1):
            try:
                await workflow.wait_condition(lambda: bool(self.plan), timeout=timedelta(days=user.days_per_month))
            except TimeoutError:
                await workflow.execute_activity(remind, args=[user.name, month], start_to_close_timeout=PATIENCE)
                self.reminders += 1
            else:
                return await workflow.execute_activity(
                    thank, args=[user.name, self.plan], start_to_close_timeout=PATIENCE
                )
        return f"{user.name} stays on the free tier"

    @workflow.signal
    def upgrade(self, plan: str) -> None:
        """Note which plan the user chose."""
        self.plan = plan

    @workflow.query
    def reminders_sent(self) -> int:
        """Tell how often the user was reminded."""
        return self.reminders
