"""The code an engine was given: native, written for `temporalio`, or both; and who converts whose values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from playhead_engine.converter import DataConverter
from playhead_engine.engine.coded import CodedRuntime
from playhead_engine.engine.registry import Registry
from playhead_engine.engine.wire import Wire
from playhead_engine.engine.wires import Wires
from playhead_engine.runtime import Runtime
from playhead_engine.temporal import is_of_temporal, is_temporal_activity, is_temporal_workflow

if TYPE_CHECKING:
    from playhead_engine.temporal.activities import TemporalActivities
    from playhead_engine.temporal.plugins import Plugins


class Code:
    """Workflows and activities.

    Attributes:
        runtimes: Make workflow code, in the order in which they are asked.
        registry: The activities.
        wires: Convert values.
        plugins: What stands around the engine's life; None if nothing does.
    """

    def __init__(
        self,
        workflows: Sequence[type],
        activities: Sequence[Callable[..., Any]],
        data_converter: Any,
        interceptors: Sequence[Any],
        runtimes: Sequence[Runtime],
        plugins: Sequence[Any] = (),
    ) -> None:
        """Take it up.

        Args:
            workflows: Workflow classes.
            activities: Activities.
            data_converter: Converts values: ours, that of `temporalio`, or None.
            interceptors: Of `temporalio.worker`.
            runtimes: Further makers of workflow code.
            plugins: Of `temporalio`; they may change all of the above but `runtimes`.

        Raises:
            ValueError: A workflow or an activity is not decorated, or two have the same name; interceptors are given
                and nothing that they could stand before; or two data converters are given.
            TypeError: Something is of the wrong type: code of `temporalio` needs a data converter of `temporalio`.
        """
        self.plugins: Plugins | None = None
        if plugins:
            from playhead_engine.temporal.plugins import Plugins

            self.plugins = made = Plugins(plugins, workflows, activities, data_converter, interceptors)
            workflows, activities, interceptors = made.workflows, made.activities, made.interceptors
            data_converter = made.data_converter
        native = [cls for cls in workflows if not is_temporal_workflow(cls)]
        temporal = [cls for cls in workflows if is_temporal_workflow(cls)]
        drivers = [runtime for runtime in runtimes if runtime.name == "temporal"]
        if data_converter is None and drivers:
            data_converter = getattr(drivers[0], "data_converter", None)
        self.runtimes: list[Runtime] = list(runtimes)
        if temporal or drivers or is_of_temporal(data_converter) or any(map(is_temporal_activity, activities)):
            self._take_both(native, temporal, activities, data_converter, interceptors)
            return
        if interceptors:
            raise ValueError("interceptors stand before code written for temporalio, and there is none")
        converter = DataConverter.default if data_converter is None else data_converter
        wire = Wire(converter)
        self._take_native(native, wire)
        self.registry = Registry(activities)
        self.wires = Wires(wire, wire, self._is_native)

    def _take_both(
        self,
        native: Sequence[type],
        temporal: Sequence[type],
        activities: Sequence[Callable[..., Any]],
        data_converter: Any,
        interceptors: Sequence[Any],
    ) -> None:
        from playhead_engine.temporal.converter import TemporalWire, knows_contexts, native_converter, sdk_converter

        sdk = sdk_converter(data_converter)
        for runtime in self.runtimes:
            if runtime.name == "temporal" and getattr(runtime, "data_converter", sdk) is not sdk:
                raise ValueError("a runtime has another data converter than the engine: give both the same")
        if native and (knows_contexts(sdk) or sdk.external_storage is not None):
            what = "depends on the workflow" if knows_contexts(sdk) else "stores values elsewhere"
            raise ValueError(
                f"native workflows cannot use a data converter that {what}, as this one does: run "
                f"{', '.join(cls.__qualname__ for cls in native)} in an engine of its own"
            )
        if temporal:
            options = {} if self.plugins is None else self.plugins.options
            self.runtimes.append(_temporal_runtime(temporal, sdk, interceptors, options))
        wire = Wire(native_converter(sdk))
        self._take_native(native, wire)

        def in_common() -> TemporalActivities:
            from playhead_engine.temporal.activities import TemporalActivities

            return TemporalActivities(sdk, interceptors)

        self.registry = Registry(activities, in_common)
        self.wires = Wires(wire, TemporalWire(sdk), self._is_native)

    def _take_native(self, workflows: Sequence[type], wire: Wire) -> None:
        if workflows:
            from playhead_engine.native import NativeRuntime  # an engine for code of another SDK does not need it

            runtime = NativeRuntime(workflows, data_converter=wire.converter)
            for other in self.runtimes:
                twice = runtime.workflow_types() & other.workflow_types()
                if twice and other.name != runtime.name:
                    raise ValueError(
                        f"there are two workflows named {min(twice)!r}, a native one and one of {other.name}"
                    )
            self.runtimes.append(runtime)
        if wire.has_codec:
            self.runtimes = [
                CodedRuntime(one, wire) if one.name == "native" and not isinstance(one, CodedRuntime) else one
                for one in self.runtimes
            ]

    def runtime_of(self, workflow_type: str) -> Runtime | None:
        """Who has code for a type of workflow, if anybody has. Who knows this type comes before who takes any."""
        accepting = [runtime for runtime in self.runtimes if runtime.accepts(workflow_type)]
        knowing = (runtime for runtime in accepting if workflow_type in runtime.workflow_types())
        return next(knowing, accepting[0] if accepting else None)

    def _is_native(self, workflow_type: str) -> bool:
        runtime = self.runtime_of(workflow_type)
        return runtime is not None and runtime.name == "native"


def _temporal_runtime(
    workflows: Sequence[type], converter: Any, interceptors: Sequence[Any], options: Mapping[str, Any]
) -> Runtime:
    from playhead_engine.server.requests import NAMESPACE
    from playhead_engine.temporal.runtime import TemporalRuntime

    return TemporalRuntime(
        workflows,
        data_converter=converter,
        interceptors=interceptors,
        namespace=NAMESPACE,
        task_queue_of_history=True,
        **options,
    )
