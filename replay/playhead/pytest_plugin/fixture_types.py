"""The types of fixtures, for tests that are type-checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from playhead.doubles import Doubles
    from playhead.pytest_plugin.baselines import Run
    from playhead_engine import Engine, History


class MakeEngine(Protocol):
    """The fixture `workflow_engine`."""

    def __call__(
        self,
        workflows: Sequence[type[Any]] | None = None,
        activities: Sequence[Callable[..., Any]] | None = None,
        *,
        doubles: Doubles | None = None,
        **options: Any,
    ) -> Engine:
        """An engine in memory, on a virtual clock and with a fixed seed: the same test makes the same history.

        Args:
            workflows: The workflow classes, native or of `temporalio`; those of [tool.playhead] if None.
            activities: The activities; with `workflows` None, those of [tool.playhead].
            doubles: Answer in place of activities and children that are not given.
            options: Of `Engine`.
        """
        ...


class Recorded(Protocol):
    """The fixture `recorded`."""

    def __call__(self, name: str, run: Run, *, values: bool = True) -> History:
        """Hold a run against the baseline of a name, or write it with --playhead-update.

        Args:
            name: The baseline: `orders/happy`.
            run: A history, or the handle of a workflow in the built-in engine.
            values: Whether arguments and results count; otherwise only what the run did.

        Returns:
            The history of the run.
        """
        ...
