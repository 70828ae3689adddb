"""What there is to debug: history files, or the runs in a store. One is opened at once, of several one is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from playhead.readers import read_history
from playhead.replayer import history_files
from playhead_engine.history import History
from playhead_engine.messages import Json, part
from playhead_engine.record import record


@record
class Item:
    """A run that can be debugged.

    Attributes:
        name: How it is called.
        read: Reads its history.
        about: What is known of it without reading.
    """

    name: str
    read: Callable[[], History]
    about: str = ""


def from_files(paths: Iterable[Path]) -> list[Item]:
    """Histories in files, and in all files of directories.

    Raises:
        ValueError: A directory holds none.
    """
    found: list[Item] = []
    for path in paths:
        files = history_files(path) if path.is_dir() else [path]
        if not files:
            raise ValueError(f"{path} holds no history files (*.json, *.json.gz, *.bin, *.pb)")
        found += [_of_file(file) for file in files]
    return found


def _of_file(file: Path) -> Item:
    return Item(str(file), lambda: read_history(file))


def from_store(directory: str) -> list[Item]:
    """The runs that the engine keeps in a directory, the youngest first; it may be running meanwhile.

    Raises:
        StoreError: There is no store, or it is damaged.
        ValueError: There is no run in it.
    """
    from playhead_engine.stores.disk import DiskStore

    store = DiskStore(directory, read_only=True)
    try:
        summaries = list(store.summaries())
    finally:
        store.close()
    if not summaries:
        raise ValueError(f"{directory}: there is no run in this store")
    return [_of_run(directory, summary) for summary in reversed(summaries)]


def _of_run(directory: str, summary: Json) -> Item:
    execution = part(summary, "execution")
    run_id, workflow_id = str(execution.get("runId", "")), str(execution.get("workflowId", ""))

    def read() -> History:
        from playhead_engine.stores.disk import DiskStore

        store = DiskStore(directory, read_only=True)  # a store belongs to one thread
        try:
            return History.from_events(store.events(run_id), workflow_id)
        finally:
            store.close()

    status = str(summary.get("status", "")).rpartition("_")[2].lower()
    return Item(f"{workflow_id}  {run_id}", read, f"{part(summary, 'type').get('name', '')}  {status}")
