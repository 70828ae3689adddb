"""Which releases of `temporalio` can be driven, and whether the one that is installed is one of them.

What is touched is listed here, name by name, and looked for before anything of it is imported. A release may be newer
than all that are known: it is taken if everything is where it was. This module must not import `temporalio` itself,
since it has to say what is wrong with it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final, NoReturn

from playhead_engine.activity import Info
from playhead_engine.profile import PROFILES, UnsupportedRelease, profile_of_version

SUPPORTED: Final = tuple(sorted(profile.name.removeprefix("temporalio ") for profile in PROFILES))
"""The releases whose rules are known."""

_WORKER: Final = "temporalio.worker._workflow"
_INSTANCE: Final = "temporalio.worker._workflow_instance"
_SANDBOX: Final = "temporalio.worker.workflow_sandbox"

# Functions, and with how many positional arguments they are called.
_CALLED: Final[Mapping[str, int]] = {
    f"{_WORKER}:_WorkflowWorker._create_workflow_instance": 3,
    f"{_WORKER}:_WorkflowWorker._handle_activation": 2,
    f"{_INSTANCE}:_WorkflowInstanceImpl._add_command": 1,
    f"{_INSTANCE}:_WorkflowInstanceImpl._outbound_continue_as_new": 2,
    f"{_INSTANCE}:_WorkflowInstanceImpl._set_workflow_failure": 2,
    f"{_INSTANCE}:_WorkflowInstanceImpl.activate": 2,
    "temporalio.bridge.proto.workflow_activation:WorkflowActivation": 0,
    "temporalio.bridge.proto.workflow_completion:WorkflowActivationCompletion": 0,
    "temporalio.workflow:_Definition.must_from_class": 1,
    "temporalio.activity:_Definition.must_from_callable": 1,
    "temporalio.activity:_CompleteAsyncError": 0,
    "temporalio.activity:_Context.set": 1,
    "temporalio.converter:DataConverter._with_store_context": 2,
    "temporalio.worker._activity:_ThreadExceptionRaiser": 0,
    "temporalio.worker._activity:_ThreadExceptionRaiser.raise_in_thread": 2,
}
# Attributes that objects are given when they are made, which no class shows.
_GIVEN: Final[Mapping[str, tuple[str, ...]]] = {
    f"{_WORKER}:_WorkflowWorker": ("_interceptor_classes", "_running_workflows", "_task_queue"),
    f"{_WORKER}:_RunningWorkflow": ("instance",),
    f"{_INSTANCE}:_WorkflowInstanceImpl": (
        "_conditions",
        "_defn",
        "_object",
        "_pending_activities",
        "_pending_child_workflows",
        "_pending_external_cancels",
        "_pending_external_signals",
        "_pending_nexus_operations",
        "_pending_timers",
        "_primary_task",
        "_tasks",
        "_updates",
        "_workflow_context_failure_converter",
    ),
    f"{_INSTANCE}:_ActivityHandle": ("_input",),
    f"{_INSTANCE}:_ChildWorkflowHandle": ("_input",),
    f"{_INSTANCE}:_NexusOperationHandle": ("_input",),
    f"{_SANDBOX}._runner:_Instance": ("globals_and_locals",),
    f"{_SANDBOX}._in_sandbox:InSandbox": ("instance",),
}
# Records that are made here, by the names of their fields; and one that is read.
_MADE: Final[Mapping[str, frozenset[str]]] = {
    "temporalio.activity:_Context": frozenset(
        {
            "info",
            "heartbeat",
            "cancelled_event",
            "worker_shutdown_event",
            "shield_thread_cancel_exception",
            "payload_converter_class_or_instance",
            "runtime_metric_meter",
            "client",
            "cancellation_details",
        }
    ),
    "temporalio.common:_CompositeEvent": frozenset({"thread_event", "async_event"}),
    "temporalio.activity:Info": frozenset(field.name for field in fields(Info)),
}
_READ: Final[Mapping[str, frozenset[str]]] = {
    "temporalio.activity:_Definition": frozenset(
        {"name", "fn", "is_async", "no_thread_cancel_exception", "arg_types", "ret_type"}
    ),
}


class UnsupportedSdk(RuntimeError):
    """The installed `temporalio` cannot be driven.

    Attributes:
        installed: Its version.
        missing: What was looked for in vain.
    """

    def __init__(self, installed: str, missing: str) -> None:
        super().__init__(installed, missing)
        self.installed = installed
        self.missing = missing

    def __str__(self) -> str:
        return (
            f"temporalio {self.installed} cannot be driven without its core: {self.missing}. Supported are "
            f"{', '.join(SUPPORTED)}. `--runtime temporal-core` gives the verdict of Temporal's own Replayer instead."
        )


@cache
def installed_version() -> str:
    """The version of `temporalio` that is installed."""
    return version("temporalio")


@cache
def probe() -> None:
    """Look whether all that is touched is where it is expected.

    Raises:
        UnsupportedSdk: It is not, or the release is older than those whose rules are known.
    """
    try:
        profile_of_version(installed_version())
    except UnsupportedRelease:
        raise UnsupportedSdk(installed_version(), "it is older than the releases whose rules are known") from None
    for path, count in _CALLED.items():
        _must_take(path, count)
    for path, names in _GIVEN.items():
        _must_have(path, set(names), set(_found(path).__init__.__code__.co_names))
    for path, known in {**_MADE, **_READ}.items():
        theirs = {field.name: field for field in fields(_found(path))}
        if path != "temporalio.activity:Info":  # of which releases have more and less; what is not there is not told
            _must_have(path, known, theirs.keys())
        if path in _MADE:
            for name, field in theirs.items():
                if name not in known and field.init and field.default is field.default_factory is MISSING:
                    _refuse(f"{_shown(path)} needs {name!r}, which is not known here")


def refuse_unknown_arguments(function: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the keyword arguments that a function of the SDK takes.

    Args:
        function: The function.
        known: All that can be given, by name.

    Returns:
        What it takes of that.

    Raises:
        UnsupportedSdk: It needs something else.
    """
    parameters = inspect.signature(function).parameters
    for parameter in parameters.values():
        if parameter.name != "self" and parameter.default is parameter.empty and parameter.name not in known:
            _refuse(f"its worker needs {parameter.name!r}, which is not known here")
    return {name: value for name, value in known.items() if name in parameters}


def _must_take(path: str, count: int) -> None:
    found = _found(path)
    try:
        signature = inspect.signature(found)
    except ValueError:
        return  # made by protobuf, in C
    try:
        signature.bind(*range(count))
    except TypeError:
        _refuse(f"{_shown(path)} takes other arguments than it did")


def _must_have(path: str, wanted: set[str] | frozenset[str], there: Any) -> None:
    missing = sorted(wanted - set(there))
    if missing:
        _refuse(f"{_shown(path)} has no {', '.join(missing)}")


def _found(path: str) -> Any:
    module, _, names = path.partition(":")
    try:
        found: Any = import_module(module)
        for name in names.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError):
        _refuse(f"it has no {_shown(path)}")
    return found


def _shown(path: str) -> str:
    return path.replace(":", ".")


def _refuse(missing: str) -> NoReturn:
    raise UnsupportedSdk(installed_version(), missing)
