"""`NativeRuntime`: runs workflow classes written with `playhead_engine.workflow`."""

from __future__ import annotations

from collections.abc import Sequence

from playhead_engine import guards
from playhead_engine.converter import DataConverter
from playhead_engine.converter.standing_in import standing_in
from playhead_engine.definitions import WorkflowDefinition
from playhead_engine.native.instance import NativeInstance
from playhead_engine.native.waiting import make_as_completed_deterministic
from playhead_engine.opaque import StandIns


class NativeRuntime:
    """Makes instances of the workflow classes it was given; see `runtime.Runtime`.

    Attributes:
        name: How reports call it.
    """

    name = "native"

    def __init__(
        self,
        workflows: Sequence[type],
        *,
        data_converter: DataConverter | None = None,
        namespace: str = "default",
        failure_exception_types: Sequence[type[BaseException]] = (),
        deadlock_timeout: float | None = 2.0,
    ) -> None:
        """
        Args:
            workflows: The classes, each decorated with `@workflow.defn`.
            data_converter: Converts their values; the default one if not given.
            namespace: What the code is told as its namespace.
            failure_exception_types: Errors that fail a workflow rather than its task, beside those its class lists.
            deadlock_timeout: How long workflow code may run without waiting for anything, in seconds; None for ever.

        Raises:
            ValueError: A class is no workflow, or two have the same type or are both dynamic.
            NondeterministicCall: The code of a class shows that it would break replay.
        """
        self._definitions: dict[str, WorkflowDefinition] = {}
        self._dynamic: WorkflowDefinition | None = None
        self._converter = DataConverter.default if data_converter is None else data_converter
        self._namespace = namespace
        self._failure_exception_types = tuple(failure_exception_types)
        self._watchdog = guards.Watchdog(deadlock_timeout)
        for cls in workflows:
            self._add(WorkflowDefinition.of_class(cls))
        make_as_completed_deterministic()

    def _add(self, definition: WorkflowDefinition) -> None:
        if definition.sandboxed:
            guards.arm(definition.cls)
        if definition.name is None:
            if self._dynamic is not None:
                raise ValueError(f"{self._dynamic.cls.__qualname__} and {definition.cls.__qualname__} are both dynamic")
            self._dynamic = definition
            return
        other = self._definitions.setdefault(definition.name, definition)
        if other is not definition:
            raise ValueError(
                f"{other.cls.__module__}.{other.cls.__qualname__} and {definition.cls.__module__}."
                f"{definition.cls.__qualname__} are both of type {definition.name}"
            )

    def workflow_types(self) -> frozenset[str]:
        """Types it can make, not counting what a dynamic workflow takes."""
        return frozenset(self._definitions)

    def accepts(self, workflow_type: str) -> bool:
        """Whether it has code for this type."""
        return self._dynamic is not None or workflow_type in self._definitions

    def create(self, workflow_type: str, run_id: str, stand_ins: StandIns | None = None) -> NativeInstance:
        """A new instance, whose first activation holds an `InitializeWorkflow` job; see `runtime.Runtime`.

        Raises:
            LookupError: It has no such type.
        """
        definition = self._definitions.get(workflow_type, self._dynamic)
        if definition is None:
            known = ", ".join(sorted(self._definitions)) or "none"
            raise LookupError(f"there is no workflow of type {workflow_type!r}; there are: {known}")
        converter = self._converter if stand_ins is None else standing_in(self._converter, stand_ins)
        return NativeInstance(
            definition, run_id, self._namespace, converter, self._failure_exception_types, self._watchdog
        )
