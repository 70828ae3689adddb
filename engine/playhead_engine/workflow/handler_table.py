"""Handlers that are set, removed or asked for while the workflow runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playhead_engine.native.context import current_run
from playhead_engine.workflow.decorators import warn_of_async_query

Handler = Callable[..., Any]


def get_signal_handler(name: str) -> Handler | None:
    """What handles this signal; a dynamic handler does not count."""
    handlers = current_run().handlers
    return handlers.bound(handlers.signals, name)


def set_signal_handler(name: str, handler: Handler | None) -> None:
    """Set the handler of a signal; signals that came before are handled at once. None removes it."""
    current_run().handlers.set_signal(name, handler)


def get_dynamic_signal_handler() -> Handler | None:
    """What handles the signals that nothing else handles."""
    handlers = current_run().handlers
    return handlers.bound(handlers.signals, None)


def set_dynamic_signal_handler(handler: Handler | None) -> None:
    """Set the handler of all other signals; signals that came before are handled at once. None removes it."""
    current_run().handlers.set_signal(None, handler)


def get_query_handler(name: str) -> Handler | None:
    """What answers this query; a dynamic handler does not count."""
    handlers = current_run().handlers
    return handlers.bound(handlers.queries, name)


def set_query_handler(name: str, handler: Handler | None) -> None:
    """Set the handler of a query. None removes it."""
    _set_query(name, handler)


def get_dynamic_query_handler() -> Handler | None:
    """What answers the queries that nothing else answers."""
    handlers = current_run().handlers
    return handlers.bound(handlers.queries, None)


def set_dynamic_query_handler(handler: Handler | None) -> None:
    """Set the handler of all other queries. None removes it."""
    _set_query(None, handler)


def _set_query(name: str | None, handler: Handler | None) -> None:
    handlers = current_run().handlers
    handlers.set_query(name, handler)
    if handler is not None and handlers.queries[name].is_async:
        warn_of_async_query()


def get_update_handler(name: str) -> Handler | None:
    """What handles this update; a dynamic handler does not count."""
    handlers = current_run().handlers
    return handlers.bound(handlers.updates, name)


def set_update_handler(name: str, handler: Handler | None, *, validator: Handler | None = None) -> None:
    """Set the handler of an update, and the function, not async, that refuses it by raising. None removes it."""
    current_run().handlers.set_update(name, handler, validator)


def get_dynamic_update_handler() -> Handler | None:
    """What handles the updates that nothing else handles."""
    handlers = current_run().handlers
    return handlers.bound(handlers.updates, None)


def set_dynamic_update_handler(handler: Handler | None, *, validator: Handler | None = None) -> None:
    """Set the handler of all other updates, and the function, not async, that refuses them. None removes it."""
    current_run().handlers.set_update(None, handler, validator)


def all_handlers_finished() -> bool:
    """Whether no signal or update is being handled. Wait for it before the workflow ends."""
    return current_run().handlers.all_finished()
