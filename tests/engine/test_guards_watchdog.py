"""A workflow that does not hand control back is stopped and named; nothing else ever is."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import pickle
import re
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from playhead_engine.guards import Watchdog, WorkflowDeadlock, watchdog

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_SECONDS = 0.1


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "tick_seconds", 0.01)


def spin(seconds: float = 20.0) -> None:
    """Do not come back for long enough that a test which is not stopped fails."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def spin_through_except() -> None:
    """Catch what can be caught without naming it."""
    while True:
        try:
            spin()
        except Exception:  # noqa: BLE001 - what users write
            spin()


def spin_in_a_library() -> None:
    """Spend nearly all the time below the standard library."""
    while True:
        json.dumps([{"a": n} for n in range(1000)], indent=1)


def stopped(step: Callable[[], object]) -> WorkflowDeadlock:
    """The error that ends a step."""
    started = time.monotonic()
    with pytest.raises(WorkflowDeadlock) as caught:
        Watchdog(LIMIT_SECONDS).run("Orders (order-17)", step)
    assert time.monotonic() - started < 10
    return caught.value


@pytest.mark.parametrize("step", [spin, spin_through_except, spin_in_a_library])
def test_a_workflow_that_does_not_yield_is_stopped_and_named(step: Callable[[], None]) -> None:
    """The error names the workflow, and the file and line where it was."""
    error = stopped(step)
    assert error.workflow == "Orders (order-17)"
    assert error.file == __file__
    assert step.__code__.co_firstlineno <= error.line or step is spin_through_except
    assert str(error).startswith(f"{__file__}:{error.line}: workflow Orders (order-17) ran for 0.1 s without")


def test_catching_everything_once_does_not_help() -> None:
    """The exception comes again while the code goes on, and the step fails whatever it returns in the end."""
    caught = []

    def step() -> str:
        for _ in range(3):
            try:
                spin()
            except BaseException as error:  # noqa: BLE001 - the point of the test
                caught.append(error)
        return "done"

    stopped(step)
    assert len(caught) == 3


def test_a_task_that_spins_stops_the_loop_at_once() -> None:
    """The other tasks of the workflow do not go on running on a stopped workflow."""
    went_on = []

    async def spins() -> None:
        spin()

    async def goes_on() -> None:
        await asyncio.sleep(0)
        went_on.append(True)

    async def both() -> None:
        await asyncio.gather(spins(), goes_on(), return_exceptions=True)

    loop = asyncio.new_event_loop()
    try:
        stopped(lambda: loop.run_until_complete(both()))
        assert went_on == []
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()


def test_the_error_survives_pickling() -> None:
    """Fields and text are the same after it went through another process."""
    error = WorkflowDeadlock("Orders (order-17)", "orders.py", 42, 2.0)
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, WorkflowDeadlock)
    assert str(again) == str(error)
    assert "orders.py:42: workflow Orders (order-17) ran for 2 s without handing control back" in str(error)


def test_what_a_step_returns_or_raises_comes_through() -> None:
    """Within the limit the watchdog is not noticed."""
    guard = Watchdog(LIMIT_SECONDS)
    assert guard.run("Orders", lambda: 42) == 42
    with pytest.raises(KeyError):
        guard.run("Orders", lambda: os.environ["THERE_IS_NO_SUCH_VARIABLE"])


def test_each_activation_has_the_whole_limit() -> None:
    """Many short activations are not one long one."""
    guard = Watchdog(5 * LIMIT_SECONDS)
    for _ in range(120):
        guard.run("Orders", lambda: spin(0.005))


def test_without_a_limit_nothing_is_stopped() -> None:
    """For debugging, for example."""
    Watchdog(None).run("Orders", lambda: spin(5 * LIMIT_SECONDS))


def test_a_traced_thread_is_not_stopped() -> None:
    """Somebody who steps through a workflow takes their time."""

    def step() -> str:
        spin(5 * LIMIT_SECONDS)
        return "done"

    def tracer(*_: object) -> object:
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)  # type: ignore[arg-type]
    try:
        assert Watchdog(LIMIT_SECONDS).run("Orders", step) == "done"
    finally:
        sys.settrace(before)


def test_a_call_that_cannot_be_interrupted_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """Waiting for a lock in C is stopped when it returns; until then the log says where it hangs."""
    lock = threading.Lock()
    lock.acquire()

    def step() -> None:
        lock.acquire(timeout=8 * LIMIT_SECONDS)

    with caplog.at_level(logging.ERROR):
        error = stopped(step)
    line = step.__code__.co_firstlineno + 1
    assert error.line == line
    assert re.search(rf"workflow Orders \(order-17\) has run for .* cannot be stopped: at .*:{line} ", caplog.text)
    assert len(caplog.records) == 1


def test_workflows_on_several_threads_are_told_apart() -> None:
    """The one that spins is stopped, on its thread; the others go on."""
    outcomes: dict[str, object] = {}

    def run(name: str, step: Callable[[], object]) -> None:
        try:
            outcomes[name] = Watchdog(5 * LIMIT_SECONDS).run(name, step)
        except WorkflowDeadlock as error:
            outcomes[name] = error.workflow

    steps: dict[str, Callable[[], object]] = {"stuck": spin, "quick": lambda: "quick", "slow": lambda: spin(0.02)}
    threads = [threading.Thread(target=run, args=item) for item in steps.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"stuck": "stuck", "quick": "quick", "slow": None}


def test_the_watchdog_rests_and_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose workflows all wait is left alone, and the next activation is guarded again."""
    monkeypatch.setattr(watchdog, "_RESTS_AFTER_TICKS", 2)
    stopped(spin)
    deadline = time.monotonic() + 10
    while not watchdog._patrol.resting and time.monotonic() < deadline:
        time.sleep(0.01)
    assert watchdog._patrol.resting
    stopped(spin)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("playhead-watchdog") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_is_guarded_too() -> None:
    """The watchdog's thread does not survive a fork; the child starts one of its own."""
    stopped(spin)
    child = os.fork()
    if child == 0:
        try:
            stopped(spin)
        except BaseException:  # noqa: BLE001 - a forked test must not go on as a second pytest
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_stop_never_hits_what_runs_after_the_activation() -> None:
    """Thousands of activations end in just the moment in which they are stopped; whatever runs next is not touched."""
    over = threading.Event()

    def stops_whatever_runs() -> None:
        while not over.is_set():
            for thread, turn in list(watchdog._turns.items()):
                watchdog._stop(thread, turn)
            time.sleep(0.00001)

    def works(rounds: int) -> int:
        return sum(n for n in range(rounds))

    def swallows(rounds: int) -> int:
        try:
            return works(rounds)
        except BaseException:  # noqa: BLE001 - the point of the test
            return works(rounds)

    def fails(rounds: int) -> int:
        raise LookupError(str(works(rounds)))

    guard = Watchdog(1000)
    # Starts the watchdog's own thread: until a new thread runs, CPython knows it by the id of the one that started it,
    # and only this test asks for stops before that.
    guard.run("Orders", lambda: None)
    stray: list[BaseException] = []
    counts = {"finished": 0, "stopped": 0}
    stopper = threading.Thread(target=stops_whatever_runs)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.000001)
    stopper.start()
    try:
        end = time.monotonic() + 4
        turn = 0
        while time.monotonic() < end:
            turn += 1
            try:
                step = (works, swallows, fails)[turn % 3]
                try:
                    guard.run("Orders", functools.partial(step, turn % 60))
                    counts["finished"] += 1
                except LookupError:
                    counts["finished"] += 1
                except WorkflowDeadlock:
                    counts["stopped"] += 1
                assert works(60) == 1770
            except BaseException as error:  # noqa: BLE001 - a stop that went astray is none of ours
                stray.append(error)
    finally:
        sys.setswitchinterval(interval)
        over.set()
        stopper.join()
    assert stray == []
    assert min(counts.values()) > 200, counts
