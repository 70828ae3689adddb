"""Baselines: histories that a project's own tests record, and hold later runs against.

A run is held against its baseline by its outline. A mismatch fails, and nothing is written unless somebody asks for it.
It knows nothing of pytest; who asks, and who is told, is the business of `fixtures` and `summary`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, TypeAlias

from playhead.places import shown_path
from playhead.pytest_plugin.outline import changes, outline
from playhead.readers import UnreadableHistory, read_history
from playhead.sources import Source, history_of
from playhead_engine.history import History
from playhead_engine.record import record


class Fetches(Protocol):
    """The handle of a workflow in the built-in engine."""

    def fetch_history(self) -> Any:
        """An operation that comes to the history."""
        ...


Run: TypeAlias = Source | Fetches
"""A history in any form, or the handle of a workflow in the built-in engine."""


class BadBaseline(AssertionError):
    """A baseline is not there, is no longer right, or cannot be used; the text says which and what to do."""


@record
class Note:
    """What was done with a baseline.

    Attributes:
        path: Its file, as people find it.
        what: `used`, `written`, `changed`, or `kept` for one that a new one stands beside.
        lines: What changed, as a diff.
    """

    path: str
    what: str
    lines: tuple[str, ...] = ()


class Baselines:
    """The baselines of a project.

    Attributes:
        folder: Where they are; None if the project does not say.
    """

    def __init__(self, folder: Path | None, *, update: bool = False, keep: bool = False) -> None:
        """
        Args:
            folder: Where they are.
            update: Whether to write what is new or has changed.
            keep: Whether one that has changed stays, beside the new one.
        """
        self.folder = folder
        self._update = update
        self._keep = keep
        self._taken: dict[str, str] = {}

    def hold(self, name: str, run: Run, *, test: str, values: bool, tell: Callable[[Note], None]) -> History:
        """Hold a run against its baseline.

        Args:
            name: The baseline: `orders/happy`.
            run: The run.
            test: Which test asks.
            values: Whether arguments and results count.
            tell: Is told what was done.

        Returns:
            The run's history.

        Raises:
            BadBaseline: It is not as it was, or there is no baseline.
        """
        path = self._path(name, test)
        history = history_of_run(run)
        now = outline(history, values=values)
        shown = shown_path(str(path))
        if not path.is_file():
            if not self._update:
                raise BadBaseline(f"There is no baseline {shown} yet: `pytest --playhead-update` writes it.")
            self._write(path, history)
            tell(Note(shown, "written"))
            return history
        try:
            then = outline(read_history(path), values=values)
        except UnreadableHistory as error:
            raise BadBaseline(f"{error}. `pytest --playhead-update` writes it anew once it is gone.") from None
        lines = changes(then, now)
        if not lines:
            tell(Note(shown, "used"))
            return history
        if not self._update:
            diff = "\n".join(f"  {line}" for line in lines)
            raise BadBaseline(
                f"The run is not the one that {shown} holds:\n\n{diff}\n\n"
                "If that is meant, `pytest --playhead-update` takes it as the new baseline, and with --playhead-keep "
                "the old one stays beside it, so that the code must still replay it."
            )
        if self._keep:
            aside = _aside(path)
            path.rename(aside)
            tell(Note(shown_path(str(aside)), "kept"))
        self._write(path, history)
        tell(Note(shown, "changed", tuple(lines)))
        return history

    def _path(self, name: str, test: str) -> Path:
        if self.folder is None:
            raise BadBaseline(
                "Say where histories that tests record are to be kept: "
                '`baselines = "tests/baselines"` in [tool.playhead] of pyproject.toml.'
            )
        pure = PurePosixPath(name)
        if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\\" in name:
            raise BadBaseline(f"A baseline has a name such as orders/happy, not {name!r}.")
        other = self._taken.setdefault(name, test)
        if other != test:
            raise BadBaseline(f"Two tests record {name!r}: {other} and {test}. Give one of them another name.")
        return self.folder / f"{name}.json"

    def _write(self, path: Path, history: History) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(history.canonical_json(indent=True) + b"\n")


def stale(folder: Path, used: set[str]) -> list[str]:
    """The baselines that no test has asked for, as people find them.

    Args:
        folder: Where baselines are.
        used: Those that some test has asked for, as people find them.
    """
    found = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    shown = {shown_path(str(path)): path for path in found}
    return [name for name, path in shown.items() if name not in used and shown_path(str(_newer(path))) not in used]


def history_of_run(run: Run) -> History:
    """The history of a run.

    Raises:
        UnreadableHistory: It is none.
    """
    fetch: Callable[[], Any] | None = getattr(run, "fetch_history", None)
    if fetch is None:
        return history_of(run)  # type: ignore[arg-type] # what has no such method is a source
    fetched = fetch()
    wait: Callable[[], History] | None = getattr(fetched, "wait", None)
    if wait is None:
        if hasattr(fetched, "close"):
            fetched.close()
        raise BadBaseline(
            "A handle of temporalio is asked for its history first: recorded(name, await handle.fetch_history())."
        )
    return wait()


def _aside(path: Path) -> Path:
    """Where an old baseline goes: `happy.1.json`."""
    number = 1
    while path.with_name(f"{path.stem}.{number}.json").exists():
        number += 1
    return path.with_name(f"{path.stem}.{number}.json")


def _newer(path: Path) -> Path:
    """The baseline that one was put aside for; itself if it was not."""
    stem, _, number = path.stem.rpartition(".")
    return path.with_name(f"{stem}.json") if stem and number.isdigit() else path
