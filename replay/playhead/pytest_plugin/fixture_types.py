"""The types of fixtures, for tests that are type-checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from playhead.doubles import Doubles
    from playhead.hotfix.answers import Answers
    from playhead.pytest_plugin.baselines import Run
    from playhead.sources import Source
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


class MakeDoubles(Protocol):
    """The fixture `doubles`."""

    def __call__(
        self,
        *histories: Source,
        answers: Answers | None = None,
        any_input: bool = False,
        data_converter: Any = None,
    ) -> Doubles:
        """Doubles, as `Doubles` makes them; the test fails if they were asked for what is recorded nowhere.

        Args:
            histories: A path may be relative to the test or the project, a glob, or what a history is called.
            answers: As of `Doubles`.
            any_input: As of `Doubles`.
            data_converter: As of `Doubles`.
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
