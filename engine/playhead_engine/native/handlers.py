"""Signals, updates and queries of one run.

Signals and updates are handled in tasks of their own, which may wait for anything. A query is answered at once, and its
handler may change nothing, nor may the validator of an update.
"""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from playhead_engine.call_site import definition_line
from playhead_engine.commands import AcceptUpdate, CompleteUpdate, RejectUpdate, RespondToQuery
from playhead_engine.common import RawValue
from playhead_engine.definitions import HandlerDefinition, HandlerUnfinishedPolicy
from playhead_engine.exceptions import CancelledError
from playhead_engine.native.children import ContinueRequested
from playhead_engine.native.context import current_update
from playhead_engine.native.errors import (
    ReadOnlyContextError,
    UnfinishedSignalHandlersWarning,
    UnfinishedUpdateHandlersWarning,
)
from playhead_engine.native.info import UpdateInfo
from playhead_engine.native.loop import close_task
from playhead_engine.native.stacks import built_in_queries
from playhead_engine.native.top_level import ended_by

if TYPE_CHECKING:
    from playhead_engine.activation import DoUpdate, QueryWorkflow, SignalWorkflow
    from playhead_engine.messages import Payload
    from playhead_engine.native.run import Run

logger = logging.getLogger("playhead_engine.workflow")


class _Unfinished(NamedTuple):
    name: str
    policy: HandlerUnfinishedPolicy


class Handlers:
    """See the module.

    Attributes:
        signals: Handlers by name; that of None is dynamic. Likewise `queries` and `updates`.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        definition = run.definition
        self.signals = dict(definition.signals)
        self.queries = dict(definition.queries)
        self.updates = dict(definition.updates)
        self._buffered: dict[str, list[SignalWorkflow]] = {}
        self._handled_signals = 0
        self._unfinished_signals: dict[int, _Unfinished] = {}
        self._unfinished_updates: dict[str, _Unfinished] = {}

    def bound(self, handlers: dict[str | None, HandlerDefinition], name: str | None) -> Callable[..., Any] | None:
        """What handles a name, ready to be called."""
        definition = handlers.get(name)
        return definition.bound(self._run.workflow_object) if definition is not None else None

    def _arguments(self, definition: HandlerDefinition, name: str, payloads: list[Payload]) -> list[Any]:
        if definition.name is not None:
            return self._run.decode(payloads, definition.arg_types)
        if definition.takes_values:
            return [name, *self._run.decode(payloads, (definition.arg_types or [None])[1:])]
        return [name, self._run.decode(payloads, [RawValue] * len(payloads))]

    # -- Signals -------------------------------------------------------------------------------------------------------

    def signal(self, job: SignalWorkflow) -> None:
        """Handle a signal, or keep it until there is a handler."""
        definition = self.signals.get(job.name) or self.signals.get(None)
        if definition is None:
            self._buffered.setdefault(job.name, []).append(job)
        else:
            self._start_signal(definition, job)

    def set_signal(self, name: str | None, handler: Callable[..., Any] | None) -> None:
        """Set or remove a handler; signals that were kept for it are handled at once."""
        self._run.check_may("set a signal handler")
        if handler is None:
            self.signals.pop(name, None)
            return
        definition = self.signals[name] = HandlerDefinition.of(name, handler, is_method=False)
        kept = [self._buffered.pop(name, [])] if name is not None else list(self._buffered.values())
        for jobs in kept:
            for job in jobs:
                self._start_signal(definition, job)
        if name is None:
            self._buffered.clear()

    def _start_signal(self, definition: HandlerDefinition, job: SignalWorkflow) -> None:
        try:
            args = self._arguments(definition, job.name, job.input)
        except Exception:
            # Whoever sent it cannot be told, and the workflow must go on; so Temporal's SDK drops it too.
            if not self._run.is_silent:
                logger.exception("Signal %s is dropped: its arguments cannot be decoded", job.name)
            return
        self._handled_signals += 1
        number = self._handled_signals
        self._unfinished_signals[number] = _Unfinished(job.name, definition.unfinished_policy)
        coroutine = ended_by(self._run, self._handle_signal, definition, args)
        task = self._run.loop.create_task(coroutine, name=f"signal: {job.name}")
        task.add_done_callback(lambda _task: self._unfinished_signals.pop(number, None) and None)

    async def _handle_signal(self, definition: HandlerDefinition, args: Sequence[Any]) -> None:
        result = definition.bound(self._run.workflow_object)(*args)
        if definition.is_async:
            await result

    # -- Updates -------------------------------------------------------------------------------------------------------

    def update(self, job: DoUpdate) -> None:
        """Handle an update. Even its handler is looked for in the task: the run method may set it first."""
        self._run.loop.create_task(self._handle_update(job), name=f"update: {job.name}")

    def set_update(
        self, name: str | None, handler: Callable[..., Any] | None, validator: Callable[..., None] | None
    ) -> None:
        """Set or remove a handler.

        Raises:
            RuntimeError: It is dynamic and does not take what a dynamic handler is given.
        """
        self._run.check_may("set an update handler")
        if handler is None:
            self.updates.pop(name, None)
            return
        definition = HandlerDefinition.of(name, handler, is_method=False)
        if definition.takes_values:
            raise RuntimeError("a dynamic update takes a Sequence[RawValue], not *values")
        self.updates[name] = definition.with_validator(validator) if validator is not None else definition

    async def _handle_update(self, job: DoUpdate) -> None:
        run = self._run
        current_update.set(UpdateInfo(job.id, job.name))
        is_accepted = False
        site = None
        try:
            definition = self._find("update", self.updates, job.name)
            site = definition_line(definition.fn)
            self._unfinished_updates[job.id] = _Unfinished(job.name, definition.unfinished_policy)
            args = self._arguments(definition, job.name, job.input)
            validate = definition.bound_validator(run.workflow_object)
            if job.run_validator and validate is not None:
                run.set_read_only(True, answers_now=True)
                try:
                    validate(*args)
                finally:
                    run.set_read_only(False)
                # The validator may have changed them.
                args = self._arguments(definition, job.name, job.input)
            run.ask(AcceptUpdate(job.protocol_instance_id, site))
            is_accepted = run.accepted_update = True
            result = definition.bound(run.workflow_object)(*args)
            if definition.is_async:
                result = await result
            run.ask(CompleteUpdate(job.protocol_instance_id, run.converter.encode_value(result), site))
        except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 - each becomes a response or fails the task
            error: BaseException = raised
            if isinstance(raised, asyncio.CancelledError):
                error = CancelledError(f"Cancellation raised within update {raised}")
            if isinstance(error, ReadOnlyContextError) or (is_accepted and not run.is_failure(error)):
                run.stop(error)
            else:
                run.ask(RejectUpdate(job.protocol_instance_id, run.converter.encode_failure(error), site))
        except ContinueRequested:
            run.stop(RuntimeError(f"an update handler cannot continue as new, but that of {job.name} tried to"))
        finally:
            self._unfinished_updates.pop(job.id, None)

    # -- Queries -------------------------------------------------------------------------------------------------------

    def query(self, job: QueryWorkflow) -> None:
        """Answer a query. The answer is a command."""
        self._run.loop.create_task(self._handle_query(job), name=f"query: {job.name}")

    def set_query(self, name: str | None, handler: Callable[..., Any] | None) -> None:
        """Set or remove a handler."""
        self._run.check_may("set a query handler")
        if handler is None:
            self.queries.pop(name, None)
        else:
            self.queries[name] = HandlerDefinition.of(name, handler, is_method=False)

    async def _handle_query(self, job: QueryWorkflow) -> None:
        run = self._run
        answer = None
        site = None
        failure = None
        try:
            run.set_read_only(True, answers_now=True)
            try:
                built_in = built_in_queries(run).get(job.name) if job.name not in self.queries else None
                if built_in is not None:
                    answer = run.converter.encode_value(built_in())
                else:
                    definition = self._find("query", self.queries, job.name)
                    site = definition_line(definition.fn)
                    args = self._arguments(definition, job.name, job.input)
                    result = definition.bound(run.workflow_object)(*args)
                    answer = run.converter.encode_value((await result) if definition.is_async else result)
            finally:
                run.set_read_only(False)
        except Exception as error:  # noqa: BLE001 - the answer to the query
            failure = run.converter.encode_failure(error)
        run.ask(RespondToQuery(job.id, answer, failure, site))

    def answer_the_rest(self, jobs: Sequence[QueryWorkflow]) -> None:
        """Refuse the queries whose handlers wait for something, and throw the handlers away."""
        run = self._run
        if not run.is_read_only:
            return
        run.set_read_only(False)
        answered = {command.query_id for command in run.commands if isinstance(command, RespondToQuery)}
        for task in run.loop.pending_tasks():
            if task.get_name().startswith("query: "):
                close_task(task)
        for job in jobs:
            if job.id not in answered:
                error = RuntimeError(
                    f"the handler of query {job.name} waits for something; a query is answered at once"
                )
                run.ask(RespondToQuery(job.id, None, run.converter.encode_failure(error)))

    def _find(self, kind: str, handlers: dict[str | None, HandlerDefinition], name: str) -> HandlerDefinition:
        definition = handlers.get(name) or handlers.get(None)
        if definition is None:
            known = ", ".join(sorted(name for name in handlers if name)) or "none"
            raise RuntimeError(f"{self._run.definition.name} has no handler for {kind} {name!r}; it has: {known}")
        return definition

    # -- At the end ----------------------------------------------------------------------------------------------------

    def all_finished(self) -> bool:
        """Whether no signal or update is being handled."""
        return not self._unfinished_signals and not self._unfinished_updates

    def warn_of_unfinished(self) -> None:
        """Tell that the workflow ended while handlers were still running."""
        warned = HandlerUnfinishedPolicy.WARN_AND_ABANDON
        updates = [{"name": u.name, "id": i} for i, u in self._unfinished_updates.items() if u.policy is warned]
        names = Counter(u.name for u in self._unfinished_signals.values() if u.policy is warned)
        advice = (
            "were still being handled when the workflow ended, and what they were doing is lost. Wait for them, with "
            "`await workflow.wait_condition(workflow.all_handlers_finished)`, or give their handlers "
            "`unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON`"
        )
        if updates:
            message = f"[TMPRL1102] updates {advice}: {json.dumps(updates)}"
            warnings.warn(message, UnfinishedUpdateHandlersWarning, stacklevel=2)
        if names:
            signals = [{"name": name, "count": count} for name, count in names.most_common()]
            message = f"[TMPRL1102] signals {advice}: {json.dumps(signals)}"
            warnings.warn(message, UnfinishedSignalHandlersWarning, stacklevel=2)
