"""A workflow whose values need a converter: models of pydantic, failures with details, memos."""

from __future__ import annotations

from datetime import timedelta

import pydantic
from temporalio import activity, workflow
from temporalio.exceptions import ActivityError, ApplicationError

SOON = timedelta(seconds=9)


class Item(pydantic.BaseModel):
    """Something that only pydantic converts."""

    name: str
    count: int = 1


@activity.defn
async def one_more(item: Item) -> Item:
    """Count."""
    return Item(name=item.name + "!", count=item.count + 1)


@activity.defn
async def fails(number: int) -> int:
    """Fail, with something to convert."""
    raise ApplicationError("no", {"number": number}, type="No", non_retryable=True)


ACTIVITIES = [one_more, fails]


async def more(item: Item) -> Item:
    """Count locally."""
    return await workflow.execute_local_activity(one_more, item, start_to_close_timeout=SOON)


@workflow.defn(sandboxed=False)
class Counts:
    """Counts, as a child."""

    @workflow.run
    async def run(self, number: int) -> int:
        """Count."""
        return number + 1


@workflow.defn(sandboxed=False)
class Collects:
    """Does one of everything that has a value, and lets the values decide what it asks for next."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, item: Item) -> Item:
        """Collect."""
        workflow.upsert_memo({"a": 1})
        item = await workflow.execute_activity(one_more, item, start_to_close_timeout=SOON, summary="one more")
        try:
            await workflow.execute_activity(fails, 1, start_to_close_timeout=SOON)
        except ActivityError as error:
            assert isinstance(error.cause, ApplicationError)
            item.count += len(error.cause.details) + len(str(error.cause))
        item = await more(item)
        item.count += await workflow.execute_child_workflow(Counts.run, item.count)
        await workflow.wait_condition(lambda: len(self.words) > 0)
        for turn in range(item.count % 3):
            activity_id = f"{item.name}{item.count}{turn}"
            await workflow.execute_activity(one_more, item, activity_id=activity_id, start_to_close_timeout=SOON)
        if self.words[0] == "fail":
            raise ApplicationError("collected", item.count, type="Enough")
        return item

    @workflow.signal
    def tell(self, word: str) -> None:
        """Hear."""
        self.words.append(word)

    @workflow.update
    async def copy(self, item: Item) -> Item:
        """Hand it back."""
        return item
