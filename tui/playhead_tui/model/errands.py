"""One thread that runs one thing after the other, and ends with the process.

All that runs the user's code is run here: it may take long, and what it leaves parked must not be touched by two
threads at once. The pools of the standard library wait for their threads when the process ends; here nobody waits for a
replay that nobody wants to see any more.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

_T = TypeVar("_T")
_P = ParamSpec("_P")


class Errands:
    """See the module."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="playhead errands", daemon=True)
        self._is_begun = False

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function there, and wait for what it returns or raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()

        def settle(setter: Callable[[Any], None], outcome: Any) -> None:
            if not future.done():
                setter(outcome)

        def errand() -> None:
            if future.cancelled():
                return
            try:
                result = function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
                outcome: tuple[Callable[[Any], None], Any] = (future.set_exception, error)
            else:
                outcome = (future.set_result, result)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, *outcome)

        if not self._is_begun:
            self._is_begun = True
            self._thread.start()
        self._queue.put(errand)
        return await future

    def _work(self) -> None:
        while True:
            self._queue.get()()
