"""Workflows of `temporalio` that do what no workflow should, in and out of the sandbox."""

from __future__ import annotations

import asyncio
import sys
import time

from temporalio import workflow

LONG = 1000


def deep(level: int) -> int:
    """Call itself for ever."""
    return deep(level + 1)


@workflow.defn(name="Wrong")
class Fine:
    """Does nothing wrong."""

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        await asyncio.sleep(LONG)


@workflow.defn(name="Wrong")
class Spins:
    """Never hands control back."""

    @workflow.run
    async def run(self) -> None:
        """Spin."""
        while True:
            pass


@workflow.defn(name="Wrong", sandboxed=False)
class Sleeps:
    """Waits in a call that nobody can interrupt."""

    @workflow.run
    async def run(self) -> None:
        """Block."""
        time.sleep(1.5)  # noqa: ASYNC251 - on purpose


@workflow.defn(name="Wrong")
class Deep:
    """Calls itself until the stack is full."""

    @workflow.run
    async def run(self) -> None:
        """Fall."""
        deep(0)


@workflow.defn(name="Wrong")
class Raises:
    """Raises an error below a `gather`."""

    @workflow.run
    async def run(self) -> None:
        """Raise."""
        await asyncio.gather(self.inner())

    async def inner(self) -> None:
        """Raise."""
        raise ValueError("no luck")


@workflow.defn(name="Wrong", sandboxed=False)
class TwoArguments:
    """Needs more than its history gives."""

    @workflow.run
    async def run(self, name: str, count: int) -> None:
        """Wait."""
        await asyncio.sleep(LONG)


@workflow.defn(name="Wrong")
class Huge:
    """Returns a great deal, once it was waved at."""

    def __init__(self) -> None:
        self._waved = False

    @workflow.signal
    def wave(self) -> None:
        """It is time."""
        self._waved = True

    @workflow.run
    async def run(self) -> str:
        """Return it."""
        await asyncio.sleep(LONG)
        return "x" * 20_000_000


@workflow.defn(name="Wrong")
class Ends:
    """Calls `exit`."""

    @workflow.run
    async def run(self) -> None:
        """End the process."""
        sys.exit(3)


@workflow.defn(name="Wrong")
class EndsAtOnce:
    """Calls `exit` before anything has begun."""

    def __init__(self) -> None:
        sys.exit(3)

    @workflow.run
    async def run(self) -> None:
        """Never comes here."""


@workflow.defn(name="Wrong", sandboxed=False)
class Interrupts:
    """Raises what Ctrl-C raises."""

    @workflow.run
    async def run(self) -> None:
        """Raise it."""
        raise KeyboardInterrupt


@workflow.defn(name="Wrong", sandboxed=False)
class Swallows:
    """Catches whatever is to end it, and spins."""

    @workflow.run
    async def run(self) -> None:
        """Never end."""
        while True:
            try:  # noqa: SIM105 - on purpose
                await asyncio.sleep(LONG)
            except BaseException:  # noqa: BLE001 - on purpose
                pass
