"""An expense that a human being has to approve.

Shows the three ways of talking to a run: a signal that decides, a query that tells where things stand, and an update
that amends the amount, with a validator that refuses nonsense before it leaves any trace in the history.
"""

from dataclasses import dataclass
from datetime import timedelta

from playhead_engine import activity, workflow

PATIENCE = timedelta(seconds=10)


@dataclass
class Expense:
    """What somebody would like to have paid; the amount is in cents."""

    employee: str
    purpose: str
    amount: int


@dataclass
class Decision:
    """What the manager said."""

    manager: str
    approved: bool
    note: str = ""


@activity.defn
async def notify_manager(expense: Expense) -> str:
    """Ask for a decision."""
    return f"{expense.employee} asks for {expense.amount}: {expense.purpose}"


@activity.defn
async def pay(expense: Expense) -> str:
    """Transfer the money."""
    return f"paid {expense.amount} to {expense.employee}"


@workflow.defn
class ExpenseApproval:
    """One expense, decided within a week or refused."""

    @workflow.init
    def __init__(self, expense: Expense) -> None:
        """Keep the expense where the handlers can see it."""
        self.expense = expense
        self.decision: Decision | None = None

    @workflow.run
    async def run(self, expense: Expense) -> str:
        """Notify, wait for the decision, act on it."""
        await workflow.execute_activity(notify_manager, expense, start_to_close_timeout=PATIENCE)
        try:
            await workflow.wait_condition(lambda: self.decision is not None, timeout=timedelta(days=7))
        except TimeoutError:
            self.decision = Decision("nobody", approved=False, note="no answer within a week")

        await workflow.wait_condition(workflow.all_handlers_finished)
        if self.decision and self.decision.approved:
            return await workflow.execute_activity(pay, self.expense, start_to_close_timeout=PATIENCE)
        return self.status()

    @workflow.signal
    def decide(self, decision: Decision) -> None:
        """Take the first decision; later ones do not count."""
        self.decision = self.decision or decision

    @workflow.query
    def status(self) -> str:
        """Tell where the expense stands."""
        if self.decision is None:
            return f"waiting for a decision on {self.expense.amount}"
        verdict = "approved" if self.decision.approved else "refused"
        return f"{verdict} by {self.decision.manager}: {self.decision.note or 'no comment'}"

    @workflow.update
    async def amend(self, amount: int) -> int:
        """Change the amount, tell the manager, and return the amount before."""
        before, self.expense.amount = self.expense.amount, amount
        await workflow.execute_activity(notify_manager, self.expense, start_to_close_timeout=PATIENCE)
        return before

    @amend.validator
    def check_amount(self, amount: int) -> None:
        """Refuse an amount that is no amount, and any change after the decision."""
        if amount <= 0:
            raise ValueError("an expense is more than nothing")
        if self.decision is not None:
            raise ValueError("it has been decided")
