"""Handles: what a client holds of a workflow and of an update.

Temporal's names. A handle is only an address: making one asks nothing, and it can be made for a workflow of long ago.
Every method returns an `Operation`, to be awaited or waited for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack, overload

from playhead_engine.definitions import QUERY, SIGNAL, UPDATE, handler_name, handler_result
from playhead_engine.engine.operation import Operation
from playhead_engine.engine.options import UNSET, QueryOptions, SignalOptions, UpdateOptions, known, values_of
from playhead_engine.history import History

if TYPE_CHECKING:
    from playhead_engine.engine.conversation import Conversation
    from playhead_engine.engine.executions import WorkflowExecutionDescription

SelfType = TypeVar("SelfType")
ReturnType = TypeVar("ReturnType")
_P = TypeVar("_P")
_R = TypeVar("_R")


class WorkflowUpdateStage(IntEnum):
    """How far an update has come."""

    ADMITTED = 1  # the engine has it
    ACCEPTED = 2  # the workflow took it
    COMPLETED = 3  # it has an outcome


class WorkflowUpdateHandle(Generic[ReturnType]):
    """An update that the workflow accepted.

    Attributes:
        id: Its id.
        workflow_id: The workflow.
        workflow_run_id: Its run; None for the newest.
    """

    def __init__(
        self, conversation: Conversation, id: str, workflow_id: str, workflow_run_id: str | None, result_type: Any
    ) -> None:
        self._conversation = conversation
        self.id = id
        self.workflow_id = workflow_id
        self.workflow_run_id = workflow_run_id
        self._result_type = result_type

    def result(self) -> Operation[ReturnType]:
        """What the update returns.

        Raises:
            WorkflowUpdateFailedError: It raised, or the workflow ended before it did.
            WorkflowNotFoundError: The workflow accepted no such update.
        """
        return self._conversation.operation(self._result)

    async def _result(self) -> Any:
        return await self._conversation.update_result(
            self.workflow_id, self.workflow_run_id, self.id, self._result_type
        )


class WorkflowHandle(Generic[SelfType, ReturnType]):
    """A workflow.

    Attributes:
        id: Its workflow id.
        run_id: The run that is signalled, queried and so on; None for the newest.
        result_run_id: The run whose result is waited for; None for the newest.
        first_execution_run_id: The first run of the chain that may be cancelled or terminated; None for any.
        result_type: What the result is converted to; None takes it as it comes.
    """

    def __init__(
        self,
        conversation: Conversation,
        id: str,
        *,
        run_id: str | None = None,
        result_run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: Any = None,
    ) -> None:
        self._conversation = conversation
        self.id = id
        self.run_id = run_id
        self.result_run_id = result_run_id
        self.first_execution_run_id = first_execution_run_id
        self.result_type = result_type

    def __repr__(self) -> str:
        return f"WorkflowHandle({self.id!r})"

    def result(self, *, follow_runs: bool = True) -> Operation[ReturnType]:
        """What the workflow returns.

        Args:
            follow_runs: Wait for the last run of the chain, should it continue as new or be tried again.

        Raises:
            WorkflowFailureError: It failed, was cancelled, terminated or timed out; the `cause` says how.
            WorkflowContinuedAsNewError: It continued as new, and runs are not to be followed.
            WorkflowNotFoundError: There is no such workflow.
            WorkflowStuckError: It will not end by itself: nothing is due, or its workflow task keeps failing.
        """
        talk = self._conversation
        return talk.operation(partial(talk.result, self.id, self.result_run_id, follow_runs, self.result_type))

    @overload
    def signal(self, signal: Callable[[SelfType], Any], **options: Unpack[SignalOptions]) -> Operation[None]: ...

    @overload
    def signal(
        self, signal: Callable[[SelfType, _P], Any], arg: _P, **options: Unpack[SignalOptions]
    ) -> Operation[None]: ...

    @overload
    def signal(
        self, signal: str | Callable[..., Any], arg: Any = UNSET, **options: Unpack[SignalOptions]
    ) -> Operation[None]: ...

    def signal(self, signal: Any, arg: Any = UNSET, **options: Unpack[SignalOptions]) -> Operation[None]:
        """Send the workflow a signal. It is safe when this is done; the workflow may not have taken it yet.

        Args:
            signal: The method that takes it, or its name.
            arg: Its argument.
            options: See `SignalOptions`.

        Raises:
            WorkflowNotFoundError: There is no such workflow, or it has closed.
        """
        name, values, talk = (
            handler_name(signal, SIGNAL, "signal"),
            values_of(arg, options.get("args")),
            self._conversation,
        )
        return talk.operation(partial(talk.signal, self.id, self.run_id, name, values, known(options).get("headers")))

    @overload
    def query(self, query: Callable[[SelfType], _R], **options: Unpack[QueryOptions]) -> Operation[_R]: ...

    @overload
    def query(self, query: Callable[[SelfType, _P], _R], arg: _P, **options: Unpack[QueryOptions]) -> Operation[_R]: ...

    @overload
    def query(
        self, query: str | Callable[..., Any], arg: Any = UNSET, **options: Unpack[QueryOptions]
    ) -> Operation[Any]: ...

    def query(self, query: Any, arg: Any = UNSET, **options: Unpack[QueryOptions]) -> Operation[Any]:
        """Ask the workflow something, open or closed.

        Args:
            query: The method that answers, or its name.
            arg: Its argument.
            options: See `QueryOptions`.

        Raises:
            WorkflowQueryFailedError: The query raised, or there is none of that name.
            WorkflowQueryRejectedError: The run is not to be asked.
            WorkflowNotFoundError: There is no such workflow.
            NotReady: Its code cannot be asked: it is not registered, or has not begun, or no longer fits its history.
        """
        talk, hint = self._conversation, options.get("result_type") or handler_result(query, QUERY, "query")
        asked = partial(
            talk.query,
            self.id,
            self.run_id,
            handler_name(query, QUERY, "query"),
            values_of(arg, options.get("args")),
            hint,
            options.get("reject_condition"),
            known(options).get("headers"),
        )
        return talk.operation(asked)

    @overload
    def execute_update(
        self, update: Callable[[SelfType], Awaitable[_R]], **options: Unpack[UpdateOptions]
    ) -> Operation[_R]: ...

    @overload
    def execute_update(
        self, update: Callable[[SelfType, _P], Awaitable[_R]], arg: _P, **options: Unpack[UpdateOptions]
    ) -> Operation[_R]: ...

    @overload
    def execute_update(
        self, update: str | Callable[..., Any], arg: Any = UNSET, **options: Unpack[UpdateOptions]
    ) -> Operation[Any]: ...

    def execute_update(self, update: Any, arg: Any = UNSET, **options: Unpack[UpdateOptions]) -> Operation[Any]:
        """Ask the workflow for an update, and wait for what it returns.

        Args:
            update: The method that does it, or its name.
            arg: Its argument.
            options: See `UpdateOptions`.

        Raises:
            WorkflowUpdateFailedError: The workflow refused it, or it raised.
            WorkflowNotFoundError: There is no such workflow, or it has closed.
            WorkflowStuckError: The workflow will not do it: its workflow task keeps failing, or nothing is due.
        """
        accepted = self._accepted(update, arg, options)

        async def do() -> Any:
            return await (await accepted())._result()

        return self._conversation.operation(do)

    @overload
    def start_update(
        self,
        update: Callable[[SelfType], Awaitable[_R]],
        *,
        wait_for_stage: WorkflowUpdateStage,
        **options: Unpack[UpdateOptions],
    ) -> Operation[WorkflowUpdateHandle[_R]]: ...

    @overload
    def start_update(
        self,
        update: Callable[[SelfType, _P], Awaitable[_R]],
        arg: _P,
        *,
        wait_for_stage: WorkflowUpdateStage,
        **options: Unpack[UpdateOptions],
    ) -> Operation[WorkflowUpdateHandle[_R]]: ...

    @overload
    def start_update(
        self,
        update: str | Callable[..., Any],
        arg: Any = UNSET,
        *,
        wait_for_stage: WorkflowUpdateStage,
        **options: Unpack[UpdateOptions],
    ) -> Operation[WorkflowUpdateHandle[Any]]: ...

    def start_update(
        self, update: Any, arg: Any = UNSET, *, wait_for_stage: WorkflowUpdateStage, **options: Unpack[UpdateOptions]
    ) -> Operation[WorkflowUpdateHandle[Any]]:
        """Ask the workflow for an update, and wait until it is accepted.

        Args:
            update: The method that does it, or its name.
            arg: Its argument.
            wait_for_stage: ACCEPTED, or COMPLETED to wait for the outcome as well.
            options: See `UpdateOptions`.

        Raises:
            WorkflowUpdateFailedError: The workflow refused it.
            WorkflowNotFoundError: There is no such workflow, or it has closed.
            WorkflowStuckError: The workflow will not take it: its workflow task keeps failing.
            ValueError: The stage is ADMITTED, which nothing can wait for.
        """
        if wait_for_stage == WorkflowUpdateStage.ADMITTED:
            raise ValueError(
                "wait_for_stage must be ACCEPTED or COMPLETED: an update is not kept before it is accepted"
            )
        accepted = self._accepted(update, arg, options)

        async def do() -> WorkflowUpdateHandle[Any]:
            handle = await accepted()
            if wait_for_stage == WorkflowUpdateStage.COMPLETED:
                await self._conversation.update_outcome(handle.workflow_id, handle.workflow_run_id, handle.id)
            return handle

        return self._conversation.operation(do)

    def _accepted(
        self, update: Any, arg: Any, options: UpdateOptions
    ) -> Callable[[], Coroutine[Any, Any, WorkflowUpdateHandle[Any]]]:
        return partial(
            self._conversation.start_update,
            self.id,
            self.run_id,
            self.first_execution_run_id,
            handler_name(update, UPDATE, "update"),
            values_of(arg, options.get("args")),
            options.get("id"),
            options.get("result_type") or handler_result(update, UPDATE, "update"),
            known(options).get("headers"),
        )

    def get_update_handle(
        self, id: str, *, workflow_run_id: str | None = None, result_type: Any = None
    ) -> WorkflowUpdateHandle[Any]:
        """The handle of an update that was accepted before.

        Args:
            id: Its id.
            workflow_run_id: The run that accepted it; that of this handle if None.
            result_type: What to convert the result to.
        """
        return WorkflowUpdateHandle(self._conversation, id, self.id, workflow_run_id or self.run_id, result_type)

    def cancel(self, *, reason: str = "") -> Operation[None]:
        """Ask the workflow to cancel itself.

        Args:
            reason: Why.

        Raises:
            WorkflowNotFoundError: There is no such workflow, or it has closed.
        """
        talk = self._conversation
        return talk.operation(partial(talk.cancel, self.id, self.run_id, self.first_execution_run_id, reason))

    def terminate(self, *args: Any, reason: str = "") -> Operation[None]:
        """End the workflow without asking it.

        Args:
            args: Details, kept in the history.
            reason: Why.

        Raises:
            WorkflowNotFoundError: There is no such workflow, or it has closed.
        """
        talk = self._conversation
        return talk.operation(partial(talk.terminate, self.id, self.run_id, self.first_execution_run_id, reason, args))

    def describe(self) -> Operation[WorkflowExecutionDescription]:
        """Where the workflow stands, and what it waits for.

        Raises:
            WorkflowNotFoundError: There is no such workflow.
        """
        return self._conversation.operation(partial(self._conversation.describe, self.id, self.run_id))

    def fetch_history(self) -> Operation[History]:
        """The history, as far as it is written. `to_json()` exports it as Temporal's tools take it.

        Raises:
            WorkflowNotFoundError: There is no such workflow.
        """
        return self._conversation.operation(partial(self._conversation.history, self.id, self.run_id))
