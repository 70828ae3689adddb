"""Stand-ins for Temporal's client and worker, which connect to nothing and write down what they are given.

They take the place of the originals in the classes themselves, for as long as somebody's code is called to see what it
makes of them. They must never reach a server, and must leave no trace behind. `temporalio` is imported when they are
used, not before.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from playhead_engine.record import record

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.service import ServiceClient

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


class Enough(BaseException):
    """Ends the user's function: there is nothing more to learn from it."""


class Recorder:
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
                    raise Enough
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


def _environment(recorder: Recorder) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def start(cls: Any, **options: Any) -> Any:
        """A test environment is a server as well, and one that is downloaded."""
        from temporalio.client import Client

        takes = inspect.signature(Client.__init__).parameters
        given = {name: value for name, value in options.items() if name in takes}
        client = await recorder._connect(_offline_address())
        return cls.from_client(Client(client, **given))

    return start
