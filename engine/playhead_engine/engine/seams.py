"""Seams: where faults can get in between an engine and its parts.

An engine asks here for each part that can fail. `Seams` itself hands out the plain parts, so an engine without faults
is made of exactly what it would be made of without this module, and pays nothing for it. `faults.injector` has the
other one. Nothing else in this package may know of faults.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING, Protocol

from playhead_engine.engine.attempt_runner import AttemptRunner
from playhead_engine.engine.scheduler import Parts
from playhead_engine.engine.workflow_tasks import Surroundings

if TYPE_CHECKING:
    import asyncio

    from playhead_engine.engine.clock import Clock
    from playhead_engine.engine.core import Core
    from playhead_engine.engine.desk import Desk
    from playhead_engine.engine.effects import Effects
    from playhead_engine.engine.wire import Wire
    from playhead_engine.stores import Store


class Work(Parts, Surroundings, Protocol):
    """What the rounds leave to others, and what workflow tasks do."""


class Seams:
    """All of them shut."""

    def clock(self, clock: Clock) -> Clock:
        """What says what time it is."""
        return clock

    def store(self, store: Store) -> Store:
        """What keeps histories."""
        return store

    def runner(self, wire: Wire, executor: Executor | None, *, is_real: bool) -> AttemptRunner:
        """What runs attempts at activities; see there for the arguments."""
        return AttemptRunner(wire, executor, is_real=is_real)

    def work(self, effects: Effects) -> Work:
        """What is done in rounds: workflow tasks, and what follows from events."""
        return effects

    def desk(self, desk: Desk) -> Desk:
        """What takes the requests of clients."""
        return desk

    def attached(self, core: Core, loop: asyncio.AbstractEventLoop) -> None:
        """The engine works on an event loop now. Called again whenever a new process takes over."""

    def closed(self) -> None:
        """The engine was closed."""
