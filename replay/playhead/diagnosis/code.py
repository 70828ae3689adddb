"""The code of today, as a diagnosis runs it: again and again, from the beginning."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playhead.diagnosis.source import Source, class_source, workflow_class
from playhead_engine.activation import Activation
from playhead_engine.call_site import noting_origins
from playhead_engine.opaque import LookedInside, StandIns, UnreadableValue
from playhead_engine.profile import Profile
from playhead_engine.runtime import Completion, Runtime, TaskFailed, WorkflowInstance

if TYPE_CHECKING:
    from collections.abc import Callable

    from playhead_engine.engine.wire import Wire


@dataclass(frozen=True, slots=True)
class Code:
    """What runs workflows of one type.

    Attributes:
        runtime: Makes instances.
        workflow_type: The type.
        cls: The class; None if it is not among those that were given.
        wire: Values to payloads as histories hold them, and back.
        profile: The release of Temporal's core whose rules apply.
        stands_in: Whether values that cannot be read are stood in for; see `playhead_engine.opaque`.
    """

    runtime: Runtime
    workflow_type: str
    cls: type[Any] | None
    wire: Wire
    profile: Profile
    stands_in: bool = False

    @classmethod
    def of(
        cls,
        runtime: Runtime,
        workflow_type: str,
        workflows: tuple[type[Any], ...],
        data_converter: Any,
        profile: Profile,
    ) -> Code:
        """The code of a type.

        Args:
            runtime: What runs it.
            workflow_type: The type.
            workflows: The classes there are.
            data_converter: `temporalio`'s or the engine's; None for the default one.
            profile: The release of Temporal's core whose rules apply.
        """
        from playhead_engine.converter import DataConverter
        from playhead_engine.engine.wire import Wire
        from playhead_engine.temporal import is_of_temporal

        converter = getattr(runtime, "data_converter", None) or data_converter or DataConverter.default
        if is_of_temporal(converter):
            from playhead_engine.temporal.converter import native_converter, sdk_converter

            converter = native_converter(sdk_converter(converter))
        return Code(runtime, workflow_type, workflow_class(workflows, workflow_type), Wire(converter), profile)

    @property
    def source(self) -> Source | None:
        """The module of the class, where it can be read."""
        return class_source(self.cls)

    @contextmanager
    def instance(self, run_id: str) -> Generator[WorkflowInstance]:
        """A run that has not begun, closed in the end. Its commands know their lines even where a task asks."""
        replaying: Callable[[], AbstractContextManager[Any]] = getattr(self.runtime, "replaying", nullcontext)
        with replaying(), noting_origins():
            stand_ins = StandIns() if self.stands_in else None
            instance = self.runtime.create(self.workflow_type, run_id, stand_ins)
            try:
                yield instance if stand_ins is None else _Discreet(instance, stand_ins)
            finally:
                instance.close()


class _Discreet:
    """A run in which a look into a value that cannot be read is an error of the code."""

    def __init__(self, instance: WorkflowInstance, stand_ins: StandIns) -> None:
        self._instance = instance
        self._stand_ins = stand_ins

    def activate(self, activation: Activation) -> Completion:
        """Tell the code what happened and let it run until everything in it waits."""
        try:
            completion = self._stand_ins.watch(lambda: self._instance.activate(activation))
        except LookedInside as look:
            return TaskFailed({}, UnreadableValue(str(look)))
        if self._stand_ins.look is not None:
            return TaskFailed({}, UnreadableValue("it caught what was to end it"))
        return completion

    def close(self) -> None:
        """Throw the run out of memory."""
        self._instance.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)
