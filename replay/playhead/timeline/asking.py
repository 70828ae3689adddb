"""Asks a run a query between two workflow tasks, as a client of the live run would have.

Queries are told in an activation of their own, and nothing of it reaches the machines: a query leaves no trace in a
history. What it leaves in the run, if it changes what it must not change, is found out by whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from playhead.enactment import Enactment
from playhead_engine.activation import QueryWorkflow
from playhead_engine.commands import RespondToQuery
from playhead_engine.common import RawValue
from playhead_engine.record import record
from playhead_engine.runtime import TaskFailed


class NotAnswered(Exception):
    """A query or an expression has no answer there, or changed the run that it must only look at."""


@record
class Answer:
    """What came of a query.

    Attributes:
        value: The answer, converted from its payload: what a client gets that gives no type.
        error: Why there is none; empty if there is one.
        changed: What the query changed, though it must not: variables, or commands that it asked for.
    """

    value: Any
    error: str = ""
    changed: tuple[str, ...] = ()


def ask(run: Enactment, name: str, args: Sequence[Any], result_type: Any = None) -> Answer:
    """Let the run answer a query where it stands.

    Args:
        run: After its first activation.
        name: Name of the query.
        args: Its arguments.
        result_type: What to convert the answer to; by default what its JSON says.
    """
    if run.activation is None:
        return Answer(None, "the run has not begun")
    query = QueryWorkflow("timeline", name, run.wire.encode_values(args), {})
    completion = run.instance.activate(replace(run.activation, jobs=(query,)))
    if isinstance(completion, TaskFailed):
        return Answer(None, f"{type(completion.error).__name__}: {completion.error}")
    asked = tuple(f"it asks for {type(c).__name__}" for c in completion.commands if not isinstance(c, RespondToQuery))
    response = next((c for c in completion.commands if isinstance(c, RespondToQuery)), None)
    if response is None:
        return Answer(None, "the run gave no answer", asked)
    if response.failure is not None:
        return Answer(None, str(response.failure.get("message", "")) or "it failed", asked)
    if response.result is None:
        return Answer(None, "", asked)
    return Answer(run.wire.decode_value(response.result, result_type), "", asked)


def queries_of(run: Enactment) -> list[str]:
    """The names of the queries that the workflow says it answers."""
    # As it is on the wire: the SDKs convert it to different things.
    answer = ask(run, "__temporal_workflow_metadata", (), RawValue)
    metadata = orjson.loads(answer.value.payload.data) if isinstance(answer.value, RawValue) else {}
    definitions = (metadata.get("definition") or {}).get("queryDefinitions") or []
    return [one["name"] for one in definitions if one.get("name") and not one["name"].startswith("__")]
