"""How fast the debugger is on the longest history that Temporal allows: 51,200 events.

Run it from the repository root: `python -m benchmarks.debugger`. The terminal is a headless one of 120 columns and 40
lines. What is measured, in processor time, the best of its rounds:

- first paint: from the start of the application until events are on the screen, once the history is loaded; beside the
  same with a history of 11 events, and beside the smallest Textual application;
- loading: reading the history, and recording a replay of it;
- keys: from the stroke to the screen that answers it, for every kind of key at random places, on the thread that
  paints; beside a key that does nothing, which is what Textual and this measurement cost. What is worked out in the
  background meanwhile is not counted: it says that it is being worked out;
- memory: the most that the process had in all.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import resource
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Static

from benchmarks.histories import sequential_activities
from playhead.configuration import Configuration
from playhead.loading import CodeNames
from playhead.readers import read_history
from playhead_tui.app import Debugger
from playhead_tui.model import opening
from playhead_tui.model.code import Code
from playhead_tui.model.opening import Target
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run
from playhead_tui.model.shelf import Item
from playhead_tui.screens.debugger import DebuggerScreen
from playhead_tui.widgets.status import Status

ACTIVITIES = 8_533
EVENTS = 6 * ACTIVITIES + 5
ROUNDS = 4
STROKES = 8
KEYS = (
    *("e", "E", "t", "T", "m", "M", ">", "<", "f", "a", "u", "v", "z", "]", "c", "C"),
    *("1", "2", "3", "4", "5", "6", "7", "8"),
    *("down", "up", "pagedown", "pageup", "home", "end", "backspace"),
)
SIZE = (120, 40)


class Smallest(App[None]):
    """An application with nothing in it."""

    def compose(self) -> ComposeResult:
        """A word."""
        yield Static("WorkflowExecutionStarted")


def target(history: bytes, workflows: tuple[str, ...] = ()) -> Target:
    """What is debugged."""
    code = Code(Configuration(code=CodeNames(workflows=workflows)))
    return Target(Item("history.json", lambda: read_history(history)), code)


async def first_paint(app: App[None]) -> float:
    """Processor seconds until events are on the screen."""
    begun = time.process_time()
    looking = 0.0
    async with app.run_test(size=SIZE):
        while True:
            await asyncio.sleep(0.002)
            before = time.process_time()
            is_there = any("WorkflowExecutionStarted" in s.text for s in app.screen._compositor.render_strips())
            looking += time.process_time() - before
            if is_there:
                return before - begun - looking


def loaded(run: Run) -> Callable[[Target], Run]:
    """What stands in for reading a history that is loaded already."""
    return lambda _: Run(run.name, run.groups).with_course(run.course)


def paints(long: bytes, short: bytes) -> None:
    """Measure first paints."""
    read = opening.read
    best: dict[str, float] = {}
    runs = {"events": read(target(long)), "few": read(target(short))}
    try:
        for _ in range(ROUNDS):
            for name in ("smallest", "few", "events"):
                gc.collect()
                app: App[None] = Smallest()
                if name != "smallest":
                    opening.read = loaded(runs[name])
                    app = Debugger([target(long)])
                best[name] = min(best.get(name, 9.9), asyncio.run(first_paint(app)))
    finally:
        opening.read = read
    print(f"first paint of the smallest application   {best['smallest'] * 1e3:7.0f} ms")
    print(f"            of the debugger, 11 events    {best['few'] * 1e3:7.0f} ms")
    print(f"            of the debugger, {EVENTS:,}   {best['events'] * 1e3:7.0f} ms", end="")
    print(f"   x {best['events'] / best['few']:.2f} of 11 events; promised: x 1.5 at most")


async def answered(app: Debugger, pilot: Pilot[None]) -> None:
    """Wait until what a key leads to at once is on the screen."""
    for _ in range(3):  # a key is a message that leads to a message that leads to a task
        await pilot._wait_for_screen()
    app.screen._on_timer_update()


async def settled(app: Debugger, pilot: Pilot[None]) -> None:
    """Wait until nothing is being worked out any more, either."""
    await answered(app, pilot)
    while app.screen.query_one(Status).is_busy:  # noqa: ASYNC110 - as a user does
        await asyncio.sleep(0.01)
    await answered(app, pilot)


async def keys(history: bytes) -> None:
    """Measure loading, and then keys."""
    app = Debugger([target(history, ("benchmarks.frames:Ledger",))])
    begun = time.process_time()
    async with app.run_test(size=SIZE) as pilot:
        await settled(app, pilot)
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        assert "agrees" in str(screen.query_one(Status).render())
        print(f"loading, with the replay                  {time.process_time() - begun:7.1f} s")
        chance = random.Random(7)
        spent: dict[str, list[float]] = {}
        for _ in range(STROKES):
            screen.deck.go(Place(chance.randint(1, EVENTS)))
            await settled(app, pilot)
            for key in ("f12", *KEYS):
                before = time.thread_time()
                strike(app, key)
                await answered(app, pilot)
                spent.setdefault(key, []).append(time.thread_time() - before)
                await settled(app, pilot)
        report(spent)
        begun = time.process_time()
        strike(app, "s")
        await settled(app, pilot)
        print(f"recording every line, once                {time.process_time() - begun:7.1f} s")


def strike(app: App[Any], key: str) -> None:
    """Press a key."""
    name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
    event = events.Key(name, key if len(key) == 1 else None)
    event.set_sender(app)
    app.post_message(event)


def report(spent: dict[str, list[float]]) -> None:
    """Print what keys cost."""
    idle = min(spent.pop("f12"))
    typical = {key: sorted(times)[len(times) // 2] for key, times in spent.items()}
    slowest = max(typical, key=lambda key: typical[key])
    print(f"a key that does nothing                   {idle * 1e3:7.0f} ms")
    print(f"the slowest key, {slowest:<9} its median      {typical[slowest] * 1e3:7.0f} ms   promised: below 50 ms")
    print(f"all keys, the median of their medians     {sorted(typical.values())[len(typical) // 2] * 1e3:7.0f} ms")
    strokes = [time for times in spent.values() for time in times]
    print(f"the slowest stroke of {len(strokes):<4}                {max(strokes) * 1e3:7.0f} ms")


def main() -> None:
    """Measure and print."""
    long, short = sequential_activities(ACTIVITIES), sequential_activities(1)
    with TemporaryDirectory() as folder:  # where nobody keeps breakpoints of their own
        os.environ["XDG_STATE_HOME"] = folder
        paints(long, short)
        asyncio.run(keys(long))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory, at most                           {peak:7.0f} MB  promised: below 400 MB")


if __name__ == "__main__":
    main()
