"""`Operation`: something asked of an engine, to be awaited or waited for.

Every method of the engine and its handles that takes time returns one, so there is one API and not an async and a sync
one:

    handle = await engine.start_workflow(Greeting.run, "you", id="greeting")
    handle = engine.start_workflow(Greeting.run, "you", id="greeting").wait()

Nothing happens before one of the two; an operation that is dropped before is a mistake, and warned about.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from playhead_engine.engine.driving import Driver

T = TypeVar("T")


class Operation(Generic[T]):
    """Something asked of an engine that was not begun yet."""

    __slots__ = ("_begin", "_driver", "_is_begun")

    def __init__(self, driver: Driver, begin: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._driver = driver
        self._begin = begin
        self._is_begun = False

    def __await__(self) -> Generator[Any, None, T]:
        """Do it, from async code."""
        self._is_begun = True
        return self._driver.run(self._begin).__await__()

    def wait(self) -> T:
        """Do it, from code that is not async, and wait for the outcome.

        Raises:
            RuntimeError: Called from async code, which has to await instead.
        """
        self._is_begun = True
        return self._driver.run_sync(self._begin)

    def __del__(self) -> None:
        if not self._is_begun:
            function = getattr(self._begin, "func", self._begin)
            name = getattr(function, "__qualname__", repr(function)).replace(".<locals>.do", "")
            warnings.warn(
                f"an operation of the engine ({name}) was neither awaited nor waited for, so it was not done",
                RuntimeWarning,
                source=self,
                stacklevel=2,
            )
