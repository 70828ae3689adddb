"""A batch of files, one child workflow each, all at the same time.

Shows child workflows gathered by their parent, and a batch that can be found from outside: its memo says how much there
is to do, its search attribute how far it got. A file that cannot be read fails its child, and the child the batch.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ApplicationError

PATIENCE = timedelta(seconds=10)
BATCH_STATUS = SearchAttributeKey.for_keyword("BatchStatus")


@dataclass
class Batch:
    """The files to import."""

    name: str
    files: list[str]


@activity.defn
async def count_rows(file: str) -> int:
    """Stand in for reading a file: `rows-12.csv` has twelve rows."""
    digits = file.removeprefix("rows-").removesuffix(".csv")
    try:
        return int(digits)
    except ValueError as error:
        raise ApplicationError(f"cannot read {file}", type="Unreadable", non_retryable=True) from error


@workflow.defn
class FileImport:
    """One file. A workflow of its own, so that it has its own history and its own fate."""

    @workflow.run
    async def run(self, file: str) -> int:
        """Import the file, and return the number of its rows."""
        return await workflow.execute_activity(
            count_rows, file, start_to_close_timeout=PATIENCE, retry_policy=RetryPolicy(maximum_attempts=3)
        )


@workflow.defn
class BatchImport:
    """All files of a batch."""

    @workflow.run
    async def run(self, batch: Batch) -> int:
        """Import every file at the same time, and return the number of all rows."""
        workflow.upsert_memo({"files": len(batch.files)})
        workflow.upsert_search_attributes([BATCH_STATUS.value_set("running")])
        rows = await asyncio.gather(
            *(workflow.execute_child_workflow(FileImport.run, file, id=f"{batch.name}-{file}") for file in batch.files)
        )
        workflow.upsert_search_attributes([BATCH_STATUS.value_set("done")])
        return sum(rows)
