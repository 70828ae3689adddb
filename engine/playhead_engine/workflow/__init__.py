"""Writing workflows, with the names and semantics of Temporal's Python SDK.

    from playhead_engine import workflow

    @workflow.defn
    class Greeting:
        @workflow.run
        async def run(self, name: str) -> str:
            return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))

The functions here are thin: they find the run they are called from, and call `native`. Code written against them
moves to a Temporal cluster by changing the import.
"""

from __future__ import annotations

from playhead_engine.commands import ActivityCancellationType, ChildWorkflowCancellationType
from playhead_engine.commands import NexusCancellationType as NexusOperationCancellationType
from playhead_engine.common import ParentClosePolicy
from playhead_engine.definitions import HandlerUnfinishedPolicy
from playhead_engine.native.activities import ActivityHandle
from playhead_engine.native.children import ChildWorkflowHandle
from playhead_engine.native.errors import (
    ContinueAsNewError,
    NondeterminismError,
    NotInWorkflowError,
    ReadOnlyContextError,
    UnfinishedSignalHandlersWarning,
    UnfinishedUpdateHandlersWarning,
)
from playhead_engine.native.external import ExternalWorkflowHandle
from playhead_engine.native.info import Info, ParentInfo, RootInfo, UpdateInfo
from playhead_engine.native.nexus import NexusClient, NexusOperationHandle
from playhead_engine.native.waiting import as_completed, wait
from playhead_engine.workflow.activities import (
    ActivityConfig,
    execute_activity,
    execute_activity_class,
    execute_activity_method,
    start_activity,
    start_activity_class,
    start_activity_method,
)
from playhead_engine.workflow.children import (
    ChildWorkflowConfig,
    continue_as_new,
    execute_child_workflow,
    get_external_workflow_handle,
    get_external_workflow_handle_for,
    start_child_workflow,
)
from playhead_engine.workflow.decorators import (
    DynamicWorkflowConfig,
    UpdateMethod,
    defn,
    dynamic_config,
    init,
    query,
    run,
    signal,
    update,
)
from playhead_engine.workflow.escape import LoggerAdapter, logger, unsafe
from playhead_engine.workflow.handler_table import (
    all_handlers_finished,
    get_dynamic_query_handler,
    get_dynamic_signal_handler,
    get_dynamic_update_handler,
    get_query_handler,
    get_signal_handler,
    get_update_handler,
    set_dynamic_query_handler,
    set_dynamic_signal_handler,
    set_dynamic_update_handler,
    set_query_handler,
    set_signal_handler,
    set_update_handler,
)
from playhead_engine.workflow.local_activities import (
    LocalActivityConfig,
    execute_local_activity,
    execute_local_activity_class,
    execute_local_activity_method,
    start_local_activity,
    start_local_activity_class,
    start_local_activity_method,
)
from playhead_engine.workflow.state import (
    cancellation_reason,
    current_update_info,
    deprecate_patch,
    get_current_details,
    get_last_completion_result,
    get_last_failure,
    has_last_completion_result,
    in_workflow,
    info,
    instance,
    is_failure_exception,
    memo,
    memo_value,
    new_random,
    now,
    patched,
    payload_converter,
    random,
    random_seed,
    register_random_seed_callback,
    set_current_details,
    sleep,
    time,
    time_ns,
    upsert_memo,
    upsert_search_attributes,
    uuid4,
    uuid7,
    wait_condition,
)
from playhead_engine.workflow.versioning import ContinueAsNewVersioningBehavior, VersioningIntent


def create_nexus_client(*, service: str, endpoint: str) -> NexusClient:
    """A client for the operations of a service.

    Args:
        service: Name of the service.
        endpoint: Where it is.
    """
    return NexusClient(endpoint, service)


__all__ = [
    "ActivityCancellationType",
    "ActivityConfig",
    "ActivityHandle",
    "ChildWorkflowCancellationType",
    "ChildWorkflowConfig",
    "ChildWorkflowHandle",
    "ContinueAsNewError",
    "ContinueAsNewVersioningBehavior",
    "DynamicWorkflowConfig",
    "ExternalWorkflowHandle",
    "HandlerUnfinishedPolicy",
    "Info",
    "LocalActivityConfig",
    "LoggerAdapter",
    "NexusClient",
    "NexusOperationCancellationType",
    "NexusOperationHandle",
    "NondeterminismError",
    "NotInWorkflowError",
    "ParentClosePolicy",
    "ParentInfo",
    "ReadOnlyContextError",
    "RootInfo",
    "UnfinishedSignalHandlersWarning",
    "UnfinishedUpdateHandlersWarning",
    "UpdateInfo",
    "UpdateMethod",
    "VersioningIntent",
    "all_handlers_finished",
    "as_completed",
    "cancellation_reason",
    "continue_as_new",
    "create_nexus_client",
    "current_update_info",
    "defn",
    "deprecate_patch",
    "dynamic_config",
    "execute_activity",
    "execute_activity_class",
    "execute_activity_method",
    "execute_child_workflow",
    "execute_local_activity",
    "execute_local_activity_class",
    "execute_local_activity_method",
    "get_current_details",
    "get_dynamic_query_handler",
    "get_dynamic_signal_handler",
    "get_dynamic_update_handler",
    "get_external_workflow_handle",
    "get_external_workflow_handle_for",
    "get_last_completion_result",
    "get_last_failure",
    "get_query_handler",
    "get_signal_handler",
    "get_update_handler",
    "has_last_completion_result",
    "in_workflow",
    "info",
    "init",
    "instance",
    "is_failure_exception",
    "logger",
    "memo",
    "memo_value",
    "new_random",
    "now",
    "patched",
    "payload_converter",
    "query",
    "random",
    "random_seed",
    "register_random_seed_callback",
    "run",
    "set_current_details",
    "set_dynamic_query_handler",
    "set_dynamic_signal_handler",
    "set_dynamic_update_handler",
    "set_query_handler",
    "set_signal_handler",
    "set_update_handler",
    "signal",
    "sleep",
    "start_activity",
    "start_activity_class",
    "start_activity_method",
    "start_child_workflow",
    "start_local_activity",
    "start_local_activity_class",
    "start_local_activity_method",
    "time",
    "time_ns",
    "unsafe",
    "update",
    "upsert_memo",
    "upsert_search_attributes",
    "uuid4",
    "uuid7",
    "wait",
    "wait_condition",
]
