"""What a client asks of an engine: to be awaited, or to be waited for.

Every method of an engine and of its handles returns an `Operation`. `await` it in async code, or call `.wait()` in sync
code; it is the same code either way, and nothing happens before one of the two.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Driver(Protocol):
    """Runs coroutines on the loop of an engine."""

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run it to its end, from sync code."""
        ...

    def drive(self, coroutine: Coroutine[Any, Any, _T]) -> Awaitable[_T]:
        """Run it to its end, from async code, whatever loop runs there."""
        ...


class Operation(Generic[_T_co]):
    """Something an engine was asked to do.

    Args:
        driver: Where to do it.
        work: Makes the coroutine that does it.
    """

    __slots__ = ("_driver", "_work")

    def __init__(self, driver: Driver, work: Callable[[], Coroutine[Any, Any, _T_co]]) -> None:
        self._driver = driver
        self._work = work

    def __await__(self) -> Generator[Any, None, _T_co]:
        return self._driver.drive(self._work()).__await__()

    def wait(self) -> _T_co:
        """Do it, and return when it is done.

        Raises:
            RuntimeError: This thread runs an event loop: await it there.
        """
        return self._driver.run(self._work())
