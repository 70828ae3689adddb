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
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from playhead.importing import EXTRA, CodeNotLoaded, import_named, user_place
from playhead_engine.call_site import is_library
from playhead_engine.record import record

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.service import ServiceClient

DEFAULT_FUNCTION = "main"
LIMIT_SECONDS = 20.0
"""How long the function may take to build its worker."""
_OURS = str(Path(__file__).parent) + os.sep
_SETTLED_SECONDS = 0.1  # after the last worker was made or begun, nobody makes another one


@record
class RecordedWorker:
    """What one worker was given.

    Attributes:
        arguments: The arguments of `Worker`, by their names; those that were not given have their defaults.
        client: The client it was given.
    """

    arguments: dict[str, Any]
    client: Client

    @property
    def task_queue(self) -> str:
        """Its task queue."""
        return str(self.arguments["task_queue"])

    @property
    def plugins(self) -> tuple[Any, ...]:
        """Its worker plugins: those that the client brings along, and its own."""
        from temporalio.worker import Plugin

        of_client = (plugin for plugin in self.client.config()["plugins"] if isinstance(plugin, Plugin))
        return (*of_client, *self.arguments["plugins"])


class _Enough(BaseException):
    """Ends the user's function: there is nothing more to learn from it."""


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
    recorder = _Recorder()
    with recorder.in_place():
        module = import_named(target)
        function = _function(module, function_name or DEFAULT_FUNCTION, is_default=not function_name)
        shown = f"{target}:{function_name or DEFAULT_FUNCTION}"
        _run(shown, module, function, recorder)
    if not recorder.workers:
        raise CodeNotLoaded(
            f"{shown} ended without making a temporalio.worker.Worker. --worker takes a function that makes one."
        )
    return recorder.workers


class _Recorder:
    """Stands in for Temporal while the user's function runs."""

    def __init__(self) -> None:
        self.workers: list[RecordedWorker] = []
        self.is_started = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.TimerHandle | None = None

    def offline_client(self) -> Client:
        """A client that is connected to nothing."""
        from temporalio.client import Client

        return Client(self._service_client(_offline_address()))

    @contextmanager
    def in_place(self) -> Generator[None]:
        """Take the place of connections and workers, in the classes themselves: names of them are everywhere."""
        from temporalio.service import ServiceClient
        from temporalio.testing import WorkflowEnvironment
        from temporalio.worker import Worker

        members: dict[tuple[type, str], Any] = {
            (ServiceClient, "connect"): staticmethod(self._connect),
            **{(Worker, name): value for name, value in self._worker_members(Worker).items()},
        }
        for name in vars(WorkflowEnvironment):
            if name == "start_local" or name.startswith("start_time_skipping"):
                members[WorkflowEnvironment, name] = classmethod(_environment(self))
        originals = {(cls, name): vars(cls)[name] for cls, name in members}
        for (cls, name), value in members.items():
            setattr(cls, name, value)
        try:
            yield
        finally:
            for (cls, name), value in originals.items():
                setattr(cls, name, value)

    async def _connect(self, config: Any) -> ServiceClient:
        self._a_sign_of_life()
        return self._service_client(config)

    def _service_client(self, config: Any) -> ServiceClient:
        from temporalio.service import RPCError, RPCStatusCode, ServiceClient

        recorder = self

        class OfflineServiceClient(ServiceClient):
            @property
            def worker_service_client(self) -> Any:
                return self

            def update_rpc_metadata(self, metadata: Any) -> None:
                pass

            def update_api_key(self, api_key: str | None) -> None:
                pass

            async def _rpc_call(self, rpc: str, *_: Any, **__: Any) -> Any:
                if recorder.workers:
                    raise _Enough
                raise RPCError(f"{rpc} was asked of a server, and there is none here", RPCStatusCode.UNAVAILABLE, b"")

        return OfflineServiceClient(config)

    def _worker_members(self, worker: type[Any]) -> dict[str, Any]:
        """What every worker is made of while this stands in for Temporal."""
        recorder, signature = self, inspect.signature(worker.__init__)
        recorded: dict[int, RecordedWorker] = {}
        kept: list[Any] = []  # an id means something only as long as its object lives

        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it takes its place
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            arguments = dict(list(bound.arguments.items())[1:])
            kept.append(self)
            recorded[id(self)] = RecordedWorker(arguments, arguments.pop("client"))
            recorder.workers.append(recorded[id(self)])
            recorder._a_sign_of_life()

        async def run(self: Any) -> None:
            recorder._begin()
            await asyncio.get_running_loop().create_future()

        async def __aenter__(self: Any) -> Any:  # noqa: N807
            recorder._begin()
            return self

        async def __aexit__(self: Any, *_: object) -> None:  # noqa: N807
            pass

        async def shutdown(self: Any) -> None:
            pass

        def config(self: Any, **_: bool) -> dict[str, Any]:
            return {"client": recorded[id(self)].client, **recorded[id(self)].arguments}

        return {
            "__init__": __init__,
            "run": run,
            "__aenter__": __aenter__,
            "__aexit__": __aexit__,
            "shutdown": shutdown,
            "config": config,
            "client": property(lambda self: recorded[id(self)].client),
            "task_queue": property(lambda self: recorded[id(self)].task_queue),
            "is_running": property(lambda self: recorder.is_started),
            "is_shutdown": property(lambda self: False),
        }

    def _begin(self) -> None:
        self.is_started = True
        self._loop = asyncio.get_running_loop()
        self._a_sign_of_life()

    def _a_sign_of_life(self) -> None:
        """Put the end off: where one worker begins, others may be on their way."""
        if self._stop is not None:
            self._stop.cancel()
        if self._loop is not None and not self._loop.is_closed():
            self._stop = self._loop.call_later(_SETTLED_SECONDS, self._stop_now, self._loop)

    def _stop_now(self, loop: asyncio.AbstractEventLoop) -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        self._a_sign_of_life()  # who catches one cancellation is given another


def _offline_address() -> Any:
    from temporalio.service import ConnectConfig

    return ConnectConfig(target_host="localhost:7233")


def _environment(recorder: _Recorder) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def start(cls: Any, **options: Any) -> Any:
        """A test environment is a server as well, and one that is downloaded."""
        from temporalio.client import Client

        takes = inspect.signature(Client.__init__).parameters
        given = {name: value for name, value in options.items() if name in takes}
        client = await recorder._connect(_offline_address())
        return cls.from_client(Client(client, **given))

    return start


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


def _arguments(shown: str, function: Callable[..., Any], recorder: _Recorder) -> list[Any]:
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


def _run(shown: str, module: ModuleType, function: Callable[..., Any], recorder: _Recorder) -> None:
    arguments = _arguments(shown, function, recorder)
    given_arguments, sys.argv = sys.argv, [module.__file__ or shown]  # a parser of arguments finds none
    try:
        with _limit(shown, recorder):
            result = function(*arguments)
            if inspect.isawaitable(result):
                asyncio.run(_await(result))
    except (_Enough, asyncio.CancelledError):
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
def _limit(shown: str, recorder: _Recorder) -> Generator[None]:
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
