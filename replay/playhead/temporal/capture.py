"""Captures runs on Temporal's own worker, by a plugin of the SDK for its client or its worker.

An interceptor notes which runs the worker takes up, and when the worker is done, while the server is still there, their
histories are fetched. Replaying them is left to the capture that is under way; without one, this does nothing at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import temporalio.client
import temporalio.worker
from temporalio.service import RPCError

from playhead.capture import Capture, active_capture
from playhead.replayer import Replayer
from playhead.sources import history_of
from playhead.temporal.noting import NotingInterceptor
from playhead_engine.record import record


@record
class _Watched:
    """A worker that is watched.

    Attributes:
        task_queue: Its task queue.
        interceptor: Notes the runs that it takes up.
        options: How a replay runs the same code: the classes, and options of `Replayer`.
    """

    task_queue: str
    interceptor: NotingInterceptor
    options: dict[str, Any]


class AlwaysReplay(temporalio.client.Plugin, temporalio.worker.Plugin):
    """See the module. Made by `playhead.always_replay()`."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []

    # For the client, which hands its plugins on to its workers

    def configure_client(self, config: temporalio.client.ClientConfig) -> temporalio.client.ClientConfig:
        return config

    async def connect_service_client(self, config: Any, next: Callable[[Any], Awaitable[Any]]) -> Any:
        return await next(config)

    # For the worker

    def configure_worker(self, config: temporalio.worker.WorkerConfig) -> temporalio.worker.WorkerConfig:
        if active_capture() is not None:
            watched = _Watched(config.get("task_queue", ""), NotingInterceptor(), _replay_options(config))
            self._watched.append(watched)
            config["interceptors"] = [*config.get("interceptors", ()), watched.interceptor]
        return config

    async def run_worker(
        self, worker: temporalio.worker.Worker, next: Callable[[temporalio.worker.Worker], Awaitable[None]]
    ) -> None:
        # The built-in engine, which takes plugins as well, has no worker; its runs are seen in another way.
        if not isinstance(worker, temporalio.worker.Worker):  # pyright: ignore[reportUnnecessaryIsInstance]
            self._watched.clear()
            return await next(worker)
        try:
            await next(worker)
        finally:
            capture = active_capture()
            mine = [one for one in self._watched if one.task_queue == worker.task_queue]
            self._watched = [one for one in self._watched if one not in mine]
            if capture is not None:
                for watched in mine:
                    await _hand_over(worker.client, watched, capture)

    # For the SDK's replayer

    def configure_replayer(self, config: temporalio.worker.ReplayerConfig) -> temporalio.worker.ReplayerConfig:
        return config

    def run_replayer(self, replayer: Any, histories: Any, next: Callable[[Any, Any], Any]) -> Any:
        return next(replayer, histories)


def _replay_options(config: Any) -> dict[str, Any]:
    """What a worker is made of, as `Replayer` takes it."""
    client = config["client"].config(active_config=True)
    of_client = [one for one in client["interceptors"] if isinstance(one, temporalio.worker.Interceptor)]
    return {
        "workflows": list(config["workflows"]),
        "data_converter": client["data_converter"],
        "interceptors": [*of_client, *config["interceptors"]],
        "workflow_runner": config["workflow_runner"],
        "unsandboxed_workflow_runner": config["unsandboxed_workflow_runner"],
        "failure_exception_types": tuple(config["workflow_failure_exception_types"]),
        "namespace": client["namespace"],
        "header_codec_behavior": client["header_codec_behavior"],
    }


async def _hand_over(client: temporalio.client.Client, watched: _Watched, capture: Capture) -> None:
    made: list[Replayer] = []

    def replayer() -> Replayer:
        if not made:
            options = dict(watched.options)
            made.append(Replayer(options.pop("workflows"), **options))
        return made[0]

    for run_id, workflow_id in watched.interceptor.noted.items():
        try:
            fetched = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        except RPCError as error:
            capture.lose(f"The history of workflow {workflow_id}, run {run_id}, cannot be fetched: {error}")
        else:
            capture.add(history_of(fetched), replayer)
