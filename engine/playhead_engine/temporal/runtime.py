"""`TemporalRuntime`: runs workflow classes written for Temporal's own Python SDK."""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, Final

import temporalio.converter
from temporalio.common import HeaderCodecBehavior
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from playhead_engine.guards import Watchdog
from playhead_engine.opaque import StandIns
from playhead_engine.standing_in import Place
from playhead_engine.temporal.given import check_given, check_types
from playhead_engine.temporal.instance import TemporalInstance
from playhead_engine.temporal.sdk import workflows as sdk
from playhead_engine.temporal.standing_in import standing_in

REPLAY_NAMESPACE: Final = "ReplayNamespace"
"""What Temporal's Replayer tells code that asks for its namespace."""


class TemporalRuntime:
    """Makes instances of the workflow classes it was given; see `runtime.Runtime`.

    The options are those of `temporalio.worker.Replayer`, with its defaults, so that what the code can see is the same.

    Attributes:
        name: How reports call it.
    """

    name = "temporal"

    def __init__(
        self,
        workflows: Sequence[type],
        *,
        data_converter: temporalio.converter.DataConverter | None = None,
        interceptors: Sequence[Any] = (),
        plugins: Sequence[Any] = (),
        workflow_runner: Any = None,
        unsandboxed_workflow_runner: Any = None,
        failure_exception_types: Sequence[type[BaseException]] = (),
        namespace: str = REPLAY_NAMESPACE,
        build_id: str | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
        debug_mode: bool = False,
        deadlock_timeout: float | None = 2.0,
        task_queue_of_history: bool = False,
    ) -> None:
        """
        Args:
            workflows: The classes, each decorated with `@temporalio.workflow.defn`.
            data_converter: Converts their values, and holds the codec; the SDK's default one if not given.
            interceptors: Of `temporalio.worker`, as the worker has them.
            plugins: Of the SDK, as the worker has them. They may change all other options.
            workflow_runner: Runs classes that want the sandbox; the SDK's `SandboxedWorkflowRunner` if not given.
            unsandboxed_workflow_runner: Runs the others.
            failure_exception_types: Errors that fail a workflow rather than its task, beside those its class lists.
            namespace: What the code is told as its namespace.
            build_id: What the code is told as its build id.
            header_codec_behavior: Whether the codec applies to headers.
            debug_mode: As the SDK's: no limit of time, and breakpoints work.
            deadlock_timeout: How long workflow code may run without waiting for anything, in seconds; None for ever.
            task_queue_of_history: Tell the code the task queue of its run, not one named after the replay.

        Raises:
            ValueError: A class is no workflow, two have the same type or are both dynamic, or an option is of another
                kind.
            RuntimeError: A workflow cannot be imported into the sandbox.
            UnsupportedSdk: The installed `temporalio` does not fit.
        """
        check_given(
            data_converter=data_converter,
            workflow_runner=workflow_runner,
            unsandboxed_workflow_runner=unsandboxed_workflow_runner,
            interceptors=interceptors,
            plugins=plugins,
        )
        check_types((sdk.workflow_type_of(cls), cls) for cls in workflows)
        # The public Replayer is what plugins configure. It is made for its options, and never replays.
        self._replayer = Replayer(
            workflows=workflows,
            workflow_runner=workflow_runner if workflow_runner is not None else SandboxedWorkflowRunner(),
            unsandboxed_workflow_runner=(
                unsandboxed_workflow_runner if unsandboxed_workflow_runner is not None else UnsandboxedWorkflowRunner()
            ),
            namespace=namespace,
            data_converter=data_converter if data_converter is not None else temporalio.converter.DataConverter.default,
            interceptors=interceptors,
            plugins=plugins,
            build_id=build_id,
            workflow_failure_exception_types=failure_exception_types,
            debug_mode=debug_mode,
            header_codec_behavior=header_codec_behavior,
        )
        self._has_plugins = bool(plugins)
        options: Any = self._replayer.config(active_config=True)
        converter = options.get("data_converter") or temporalio.converter.DataConverter.default
        self._namespace: str = options.get("namespace") or REPLAY_NAMESPACE
        self._queue = f"replay-{options.get('build_id')}"
        self._queue_of_history = task_queue_of_history
        classes = tuple(options["workflows"])
        self._settings = sdk.Settings(
            classes,
            converter,
            tuple(options.get("interceptors") or ()),
            options.get("workflow_runner") or SandboxedWorkflowRunner(),
            options.get("unsandboxed_workflow_runner") or UnsandboxedWorkflowRunner(),
            tuple(options.get("workflow_failure_exception_types") or ()),
            self._namespace,
            self._queue,
            options.get("header_codec_behavior", HeaderCodecBehavior.NO_CODEC) != HeaderCodecBehavior.NO_CODEC,
            bool(options.get("debug_mode")),
        )
        self._worker = self._made(self._settings)
        self._standing_in: tuple[sdk.WorkflowWorker, Place] | None = None
        types = [sdk.workflow_type_of(cls) for cls in classes]
        self._types = frozenset(name for name in types if name is not None)
        self._has_dynamic = None in types
        self._watchdog = Watchdog(None if debug_mode else deadlock_timeout)
        self.data_converter: temporalio.converter.DataConverter = converter

    def workflow_types(self) -> frozenset[str]:
        """Types it can make, not counting what a dynamic workflow takes."""
        return self._types

    def accepts(self, workflow_type: str) -> bool:
        """Whether it has code for this type."""
        return self._has_dynamic or workflow_type in self._types

    def _made(self, settings: sdk.Settings) -> sdk.WorkflowWorker:
        worker = sdk.WorkflowWorker(settings)
        weakref.finalize(self, worker.close)
        return worker

    def create(self, workflow_type: str, run_id: str, stand_ins: StandIns | None = None) -> TemporalInstance:
        """A new instance, whose first activation holds an `InitializeWorkflow` job; see `runtime.Runtime`.

        Raises:
            LookupError: It has no such type.
        """
        if not self.accepts(workflow_type):
            known = ", ".join(sorted(self._types)) or "none"
            raise LookupError(f"there is no workflow of type {workflow_type!r}; there are: {known}")
        queue = None if self._queue_of_history else self._queue
        worker = self._worker if stand_ins is None else self._worker_with(stand_ins)
        return TemporalInstance(worker, workflow_type, run_id, self._namespace, queue, self._queue, self._watchdog)

    def _worker_with(self, stand_ins: StandIns) -> sdk.WorkflowWorker:
        """A worker that gives stand-ins. It is made once: importing workflows into the sandbox takes its time."""
        if self._standing_in is None:
            place = Place()
            converter = standing_in(self.data_converter, place)
            self._standing_in = self._made(replace(self._settings, data_converter=converter)), place
        worker, place = self._standing_in
        place.stand_ins = stand_ins
        return worker

    @contextmanager
    def replaying(self) -> Generator[None]:
        """What plugins of the SDK put around a replay. Without plugins, nothing."""
        if not self._has_plugins:
            yield
            return

        async def none() -> AsyncIterator[Any]:
            return
            yield

        @asynccontextmanager
        async def replay(_replayer: Any, _histories: Any) -> AsyncGenerator[AsyncIterator[Any]]:
            yield none()

        around: Any = replay
        for plugin in reversed(self._replayer.plugins):
            around = _wrapped(plugin, around)
        context = around(self._replayer, none())
        with sdk.outside_any_loop():
            self._worker.run(context.__aenter__())
        try:
            yield
        finally:
            with sdk.outside_any_loop():
                self._worker.run(context.__aexit__(None, None, None))


def _wrapped(plugin: Any, inner: Any) -> Any:
    def run(replayer: Any, histories: Any) -> Any:
        return plugin.run_replayer(replayer, histories, inner)

    return run
