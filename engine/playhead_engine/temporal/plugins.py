"""Plugins of the SDK on our engine: they change what it is made of, and stand around its life.

A plugin is asked twice, as by Temporal: for the client, whose data converter and interceptors are meant, and for the
worker. What it is asked about is written as the SDK writes it; of what comes back the engine takes what it has a use
for, and a plugin that wants a server (`client.start_workflow` and the like) is told that there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NoReturn

import temporalio.client
import temporalio.worker
from temporalio.common import HeaderCodecBehavior
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from playhead_engine.server.requests import NAMESPACE
from playhead_engine.temporal.converter import sdk_converter
from playhead_engine.temporal.sdk.workflows import outside_any_loop

_TASK_QUEUE: Final = "playhead"


class NoClient:
    """Stands where a worker's client would be. It has options, and is connected to nothing."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    def config(self, *, active_config: bool = False) -> dict[str, Any]:
        """The options; the same whether the plugins had their say or not."""
        return dict(self._config)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a plugin asks its client for {name!r}, and an engine has no client: there is no server")


class Plugins:
    """What an engine is made of once its plugins had their say.

    Attributes:
        workflows: The workflow classes.
        activities: The activities.
        data_converter: Converts values.
        interceptors: Worker interceptors.
        options: How workflows are run, as keywords of `TemporalRuntime`.
    """

    def __init__(
        self,
        plugins: Sequence[Any],
        workflows: Sequence[type],
        activities: Sequence[Callable[..., Any]],
        data_converter: Any,
        interceptors: Sequence[Any],
    ) -> None:
        """Ask them.

        Args:
            plugins: Of `temporalio.client`, of `temporalio.worker`, or of both.
            workflows: What the engine is given, as are the rest.
            activities: The same.
            data_converter: The same.
            interceptors: The same.

        Raises:
            TypeError: One is no plugin.
        """
        for plugin in plugins:
            if not isinstance(plugin, temporalio.client.Plugin | temporalio.worker.Plugin):
                raise TypeError(f"{type(plugin).__name__} is no plugin of temporalio.client or temporalio.worker")
        client: Any = {
            "service_client": None,
            "namespace": NAMESPACE,
            "data_converter": sdk_converter(data_converter),
            "plugins": list(plugins),
            "interceptors": [],
            "default_workflow_query_reject_condition": None,
            "header_codec_behavior": HeaderCodecBehavior.NO_CODEC,
        }
        for plugin in plugins:
            if isinstance(plugin, temporalio.client.Plugin):
                client = plugin.configure_client(client)
        of_client = [one for one in client["interceptors"] if isinstance(one, temporalio.worker.Interceptor)]
        worker: Any = {
            "client": NoClient(client),
            "task_queue": _TASK_QUEUE,
            "workflows": list(workflows),
            "activities": list(activities),
            "interceptors": list(interceptors),
            "plugins": list(plugins),
            "workflow_runner": SandboxedWorkflowRunner(),
            "unsandboxed_workflow_runner": UnsandboxedWorkflowRunner(),
            "workflow_failure_exception_types": [],
        }
        self._of_worker = [plugin for plugin in plugins if isinstance(plugin, temporalio.worker.Plugin)]
        for plugin in self._of_worker:
            worker = plugin.configure_worker(worker)
        if worker.get("nexus_service_handlers"):
            raise TypeError("a plugin brings nexus service handlers, which the engine cannot run")
        self.workflows: list[type] = list(worker["workflows"])
        self.activities: list[Callable[..., Any]] = list(worker["activities"])
        self.data_converter: Any = client["data_converter"]
        self.interceptors: list[Any] = [*of_client, *worker["interceptors"]]
        self.options: dict[str, Any] = {
            "workflow_runner": worker["workflow_runner"],
            "unsandboxed_workflow_runner": worker["unsandboxed_workflow_runner"],
            "failure_exception_types": tuple(worker["workflow_failure_exception_types"]),
            "header_codec_behavior": client["header_codec_behavior"],
        }
        self._around: _Around | None = None

    def begin(self) -> None:
        """Do what plugins do around a worker that runs, as far as it comes before.

        Raises:
            RuntimeError: One of them did not let the worker run.
        """
        if self._around is None and self._of_worker:
            self._around = _Around(self._of_worker)

    def end(self) -> None:
        """Do what comes after."""
        around, self._around = self._around, None
        if around is not None:
            around.leave()


class _Around:
    """The `run_worker` of plugins, stopped in the middle, where the worker would run."""

    def __init__(self, plugins: Sequence[Any]) -> None:
        self._loop = asyncio.new_event_loop()
        running = asyncio.Event()
        self._over = asyncio.Event()

        async def run(_worker: Any) -> None:
            running.set()
            await self._over.wait()

        chain: Callable[[Any], Awaitable[None]] = run
        for plugin in reversed(plugins):
            chain = _wrapped(plugin, chain)

        async def begin() -> asyncio.Task[None]:
            task = asyncio.ensure_future(chain(None))
            waiting = asyncio.ensure_future(running.wait())
            await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
            if not running.is_set():
                waiting.cancel()
                await task
                raise RuntimeError("a plugin does not run the worker that it is given")
            return task

        try:
            with outside_any_loop():
                self._task = self._loop.run_until_complete(begin())
        except BaseException:
            self._loop.close()
            raise

    def leave(self) -> None:
        """Let the worker end."""
        self._over.set()
        try:
            with outside_any_loop(), suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
        finally:
            self._loop.close()


def _wrapped(plugin: Any, inner: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    return lambda worker: plugin.run_worker(worker, inner)
