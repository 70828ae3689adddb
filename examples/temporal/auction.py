"""An auction, and the bidders: workflows that talk to each other.

Shows signals from one workflow to another, one that finds nobody (the auction is over, or never was), and a workflow
that cancels another.
"""

from dataclasses import dataclass

from temporalio import workflow


@dataclass
class Lot:
    """What is sold, and for how long bids are taken."""

    title: str
    seconds: float = 3600


@dataclass
class Bid:
    """How much somebody would pay."""

    auction_id: str
    bidder: str
    amount: int


@workflow.defn
class Auction:
    """One lot."""

    def __init__(self) -> None:
        """Start without bids."""
        self.bids: list[Bid] = []

    @workflow.run
    async def run(self, lot: Lot) -> str:
        """Take bids until the time is over; the highest wins, of equal ones the first."""
        await workflow.sleep(lot.seconds)
        if not self.bids:
            return f"{lot.title} was not sold"
        best = max(self.bids, key=lambda bid: bid.amount)
        return f"{lot.title} goes to {best.bidder} for {best.amount}"

    @workflow.signal
    def place(self, bid: Bid) -> None:
        """Bid."""
        self.bids.append(bid)

    @workflow.query
    def highest(self) -> int:
        """Tell what has to be topped."""
        return max((bid.amount for bid in self.bids), default=0)


@workflow.defn
class Bidder:
    """One bid, placed by a workflow."""

    @workflow.run
    async def run(self, bid: Bid) -> None:
        """Signal the auction; fail if there is none."""
        auction = workflow.get_external_workflow_handle_for(Auction.run, bid.auction_id)
        await auction.signal(Auction.place, bid)


@workflow.defn
class CallOff:
    """The owner has changed their mind."""

    @workflow.run
    async def run(self, auction_id: str) -> None:
        """Cancel the auction."""
        await workflow.get_external_workflow_handle(auction_id).cancel()
