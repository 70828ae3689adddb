"""Learns from a worker module what its workers are made of, without a server.

People put the list of their workflows, their data converter and their interceptors where the worker is made: in a
function that connects a client, builds a `temporalio.worker.Worker` and runs it. That function is called here, with
connections that lead nowhere and workers that only write down what they were given. It is ended where the first worker
would begin to poll.

Nothing here may reach a Temporal server. What else the function does before it builds its worker is its own: it is the
user's code, and the user named it.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

from playhead.importing import EXTRA, CodeNotLoaded, import_named, user_place
from playhead.stand_ins import Enough, RecordedWorker, Recorder
from playhead_engine.call_site import is_library

DEFAULT_FUNCTION = "main"
LIMIT_SECONDS = 20.0
"""How long the function may take to build its worker."""
_OURS = str(Path(__file__).parent) + os.sep


class _TooLong(KeyboardInterrupt):
    """Ends the user's function as Ctrl-C does: it takes too long."""


def record_workers(name: str) -> list[RecordedWorker]:
    """Call a function that makes workers, and see what it makes them of.

    Args:
        name: `package.module`, `package.module:function` or a Python file, with or without `:function`. The function
            takes nothing, or a client; it may be async.

    Returns:
        Each worker, in the order in which they were made; at least one.

    Raises:
        CodeNotLoaded: It cannot be imported or called, or it makes no worker.
    """
    target, _, function_name = name.partition(":")
    try:
        importlib.import_module("temporalio.worker")
    except ModuleNotFoundError:
        raise CodeNotLoaded(f"--worker {name} needs `temporalio`, which is not installed. {EXTRA}.") from None
    recorder = Recorder()
    with recorder.in_place():
        try:
            module = import_named(target)
        except (Enough, asyncio.CancelledError):
            return recorder.workers  # it runs its worker whenever somebody imports it
        if recorder.workers and not function_name:
            return recorder.workers  # it makes its worker whenever somebody imports it
        function = _function(module, function_name or DEFAULT_FUNCTION, is_default=not function_name)
        shown = f"{target}:{function_name or DEFAULT_FUNCTION}"
        _run(shown, module, function, recorder)
    if not recorder.workers:
        raise CodeNotLoaded(
            f"{shown} ended without making a temporalio.worker.Worker. --worker takes a function that makes one."
        )
    return recorder.workers


def _function(module: ModuleType, name: str, *, is_default: bool) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if callable(function):
        return function  # type: ignore[no-any-return] # whatever it is, it can be called
    likely = [name for name, value in vars(module).items() if inspect.isfunction(value) and _makes_worker(value)]
    known = f"{module.__name__} holds {', '.join(likely)}, which may be it. " if likely else ""
    problem = "is not callable" if function is not None else "is not there"
    default = " (the default)" if is_default else ""
    raise CodeNotLoaded(
        f"--worker calls the function of {module.__name__} that makes its Worker, and {name!r}{default} {problem}. "
        f"{known}Name the function, as in package.module:function; code that stands below `if __name__ == '__main__':` "
        "itself is out of reach until it stands in one."
    )


def _makes_worker(function: Any) -> bool:
    def names(code: CodeType) -> Iterator[str]:
        yield from code.co_names
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from names(constant)

    return "Worker" in names(function.__code__)


def _arguments(shown: str, function: Callable[..., Any], recorder: Recorder) -> list[Any]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    required = [
        one
        for one in parameters
        if one.default is inspect.Parameter.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    if not required:
        return []
    if len(required) == 1 and required[0].kind is not inspect.Parameter.KEYWORD_ONLY and _is_client(required[0]):
        return [recorder.offline_client()]
    names = ", ".join(one.name for one in required)
    raise CodeNotLoaded(
        f"{shown} takes ({names}): --worker calls a function that takes nothing, or only a client. Write one that "
        "calls it."
    )


def _is_client(parameter: inspect.Parameter) -> bool:
    return "client" in parameter.name.lower() or "Client" in str(parameter.annotation)


def _run(shown: str, module: ModuleType, function: Callable[..., Any], recorder: Recorder) -> None:
    arguments = _arguments(shown, function, recorder)
    given_arguments, sys.argv = sys.argv, [module.__file__ or shown]  # a parser of arguments finds none
    try:
        with _limit(shown, recorder):
            result = function(*arguments)
            if inspect.isawaitable(result):
                asyncio.run(_await(result))
    except (Enough, asyncio.CancelledError):
        if not recorder.workers:
            raise CodeNotLoaded(f"{shown} was cancelled before it made a Worker.") from None
    except CodeNotLoaded:
        raise
    except SystemExit as error:
        if not recorder.is_started:
            raise CodeNotLoaded(
                f"{shown} ended the process{user_place(error.__traceback__)} (exit code {error.code}) before it ran a "
                "Worker. It was called without command line arguments; name a function that needs none."
            ) from error
    except Exception as error:
        # A worker that is told to stop may stumble over what it did not get; before that, it is a mistake.
        if not recorder.is_started:
            raise CodeNotLoaded(
                f"{shown} raised {type(error).__name__}{user_place(error.__traceback__)} before it ran a Worker: "
                f"{error or 'no message'}. Where it needs more than Temporal for that, name a function that "
                "only makes the Worker, or name --workflows and --data-converter instead."
            ) from error
    finally:
        sys.argv = given_arguments


async def _await(result: Any) -> Any:
    return await result


@contextmanager
def _limit(shown: str, recorder: Recorder) -> Generator[None]:
    """Stop the function when its time is up; only where signals are to be had, which is in the main thread."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    where: list[str] = []

    def stop(_: int, frame: FrameType | None) -> None:
        if not where:
            where.append(_waiting_place(frame))
        raise _TooLong

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_SECONDS, 1.0)
    try:
        yield
    except _TooLong:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    if where and not recorder.workers:
        raise CodeNotLoaded(
            f"{shown} made no Worker within {LIMIT_SECONDS:g} seconds: it was{where[0]}. Where it waits for something "
            "that is not there, name a function that only makes the Worker, or name --workflows and --data-converter "
            "instead."
        )


def _waiting_place(frame: FrameType | None) -> str:
    """Where the user's code is, as far as one can see from a signal: running, or suspended in a task."""
    while frame is not None and frame.f_code.co_filename != __file__:  # above this module is who called it
        if _is_user_code(frame.f_code.co_filename):
            return f" at {frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return " in code of its libraries"
    places = [place for task in tasks for place in _frames(task.get_coro()) if _is_user_code(place[0])]
    return f" waiting at {places[-1][0]}:{places[-1][1]}" if places else " waiting"


def _frames(awaited: Any) -> Sequence[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    while awaited is not None:
        frame: FrameType | None = getattr(awaited, "cr_frame", None)
        if frame is not None:
            found.append((frame.f_code.co_filename, frame.f_lineno))
        awaited = getattr(awaited, "cr_await", None)
    return found


def _is_user_code(file: str) -> bool:
    return not is_library(file) and "site-packages" not in file and not file.startswith(_OURS)
