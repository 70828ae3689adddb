"""The benchmarks' loop for `temporalio`, in a module of its own, since nothing else here needs that package."""

from datetime import timedelta

from temporalio import workflow


@workflow.defn(name="Loop", sandboxed=False)
class Loop:
    """As many activities as it is told, one after the other."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Run them."""
        for number in range(count):
            await workflow.execute_activity("echo", number, start_to_close_timeout=timedelta(seconds=60))
        return count
