"""What a file is that is no Temporal history.

People try the file they have: another system's export, something else of Temporal's, the text that a command printed.
Telling them what it is saves them an hour. This module only names such files; it must not read them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from playhead.readers.refusal import UnreadableHistory

Test: TypeAlias = Callable[[Any], bool]

_OTHER_SYSTEM = "Histories of that system cannot be read yet"
_ASK_FOR_HISTORY = "Download the history with `temporal workflow show --workflow-id ID --output json`"


def foreign_document(document: Any) -> UnreadableHistory:
    """The refusal of a JSON document that holds no Temporal events."""
    for what, advice, test in _DOCUMENTS:
        if test(document):
            return UnreadableHistory(f"this is {what}, not a Temporal history", advice)
    match document:
        case {"code": _, "message": str(message)}:
            return UnreadableHistory(f"this is an error that a server answered with: {message[:200]}", _ASK_FOR_HISTORY)
        case {}:
            keys = ", ".join(list(map(str, document))[:5]) or "none"
            return UnreadableHistory(
                f"this is JSON, but no history: it has no events (its keys: {keys[:100]})", _ASK_FOR_HISTORY
            )
        case []:
            return UnreadableHistory("this is an empty list: it has no events", _ASK_FOR_HISTORY)
        case _:
            return UnreadableHistory("this is JSON, but no history: it has no events", _ASK_FOR_HISTORY)


def foreign_bytes(data: bytes) -> UnreadableHistory | None:
    """The refusal of bytes that cannot be JSON, by how they begin; None if they may be."""
    start = data[:4096].lstrip()
    if start[:1] in (b"", b"{", b"["):
        return None
    for what, advice, pattern in _BEGINNINGS:
        if re.match(pattern, start):
            return UnreadableHistory(f"this is {what}, not a history in JSON", advice)
    if re.search(rb"[\x00-\x08\x0e-\x1f]", start):
        return UnreadableHistory("these are bytes of no format that is known here", _ASK_FOR_HISTORY)
    shown = start[:20].decode(errors="replace").split("\n")[0]
    return UnreadableHistory(f"this is not JSON: it begins with {shown!r}", _ASK_FOR_HISTORY)


def _first(document: Any, *keys: str) -> dict[str, Any]:
    """The first object of the list under one of the keys, or of the document, if it is a list itself."""
    items: Any = document
    if isinstance(document, dict):
        items = next((document[key] for key in keys if isinstance(document.get(key), list)), [])
    first: Any = items[0] if isinstance(items, list) and items else {}
    return first if isinstance(first, dict) else {}


def _has(document: Any, *keys: str) -> bool:
    return isinstance(document, dict) and all(key in document for key in keys)


def _any_has(document: Any, key: str) -> bool:
    """Whether one of the first items of a list has the key."""
    return isinstance(document, list) and any(_has(item, key) for item in document[:20])


def _is_catalogue(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and bool(document)
        and all(_has(item, "eventId", "eventType") for item in document.values())
    )


def _is_inngest_memo(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and bool(document)
        and all(re.fullmatch("[0-9a-f]{40}", str(key)) for key in document)
    )


_DOCUMENTS: tuple[tuple[str, str, Test], ...] = (
    (
        "an event catalogue: single events under their names",
        "Name the download of one run",
        _is_catalogue,
    ),
    ("a single event", "Name the download of the whole run", lambda d: _has(d, "eventId", "eventType")),
    (
        "the description of a workflow",
        _ASK_FOR_HISTORY,
        lambda d: _has(d, "workflowExecutionInfo") or _has(d, "executionConfig"),
    ),
    ("a list of workflows", _ASK_FOR_HISTORY, lambda d: _has(d, "executions") or _has(_first(d), "execution", "type")),
    (
        "an AWS Step Functions history",
        _OTHER_SYSTEM,
        lambda d: "previousEventId" in _first(d, "events") or _has(_first(d, "events"), "id", "type", "timestamp"),
    ),
    ("the description of an AWS Step Functions execution", _OTHER_SYSTEM, lambda d: _has(d, "stateMachineArn")),
    ("an AWS Step Functions state machine", _OTHER_SYSTEM, lambda d: _has(d, "StartAt", "States")),
    ("an AWS Lambda durable execution history", _OTHER_SYSTEM, lambda d: "EventTimestamp" in _first(d, "Events")),
    (
        "an Azure Durable Functions history",
        _OTHER_SYSTEM,
        lambda d: _has(d, "historyEvents") or _has(_first(d), "EventType", "Timestamp"),
    ),
    ("the state of an Azure Durable Functions orchestrator", _OTHER_SYSTEM, lambda d: _has(d, "isDone", "actions")),
    (
        "a Durable Task history",
        _OTHER_SYSTEM,
        lambda d: (
            _has(d, "schema_version", "instance_id")
            or _has(_first(d), "schema_version", "instance_id")
            or _any_has(d, "orchestratorStarted")
        ),
    ),
    (
        "a Restate journal",
        _OTHER_SYSTEM,
        lambda d: (
            "entry_type" in _first(d, "rows")
            or "partition_key" in _first(d, "rows")
            or "target_service_name" in _first(d, "rows")
            or (_has(d, "rows") and d["rows"] == [])
        ),
    ),
    (
        "a DBOS workflow",
        _OTHER_SYSTEM,
        lambda d: (
            _has(d, "workflow_status")
            or _has(d, "operation_outputs")
            or _has(d, "workflow_id", "recovery_attempts")
            or _has(_first(d), "workflow_id", "recovery_attempts")
            or _has(_first(d), "function_id", "function_name")
        ),
    ),
    (
        "an Inngest run",
        _OTHER_SYSTEM,
        lambda d: (
            (_has(d, "data") and _has(d["data"], "rootSpan"))
            or _is_inngest_memo(d)
            or _has(_first(d).get("request"), "ctx")
        ),
    ),
    ("a Cloudflare workflow", _OTHER_SYSTEM, lambda d: _has(d, "success", "errors", "messages", "result")),
    (
        "a Conductor workflow",
        _OTHER_SYSTEM,
        lambda d: _has(d, "workflowId", "tasks") or "referenceTaskName" in _first(d, "tasks"),
    ),
)
"""(what it is, what to do, how to tell). The first that fits counts."""

_BEGINNINGS: tuple[tuple[str, str, bytes], ...] = (
    (
        "the text output of `temporal workflow show`",
        "Add `--output json` to the command",
        rb"(?:Progress:|\s*(?:ID|#)\s+(?:Time|TIME)|Results:)",
    ),
    ("a web page", "You may have to sign in before the download", rb"(?i)<!doctype html|<html"),
    ("XML", _ASK_FOR_HISTORY, rb"<"),
    ("a zip archive", "Unpack it and name the file inside", rb"PK\x03\x04"),
    ("a SQLite database", _OTHER_SYSTEM, rb"SQLite format 3\x00"),
    ("packed with zstd", "Unpack it first", rb"\x28\xb5\x2f\xfd"),
    ("packed with xz", "Unpack it first", rb"\xfd7zXZ\x00"),
    ("packed with bzip2", "Unpack it first", rb"BZh[1-9]"),
    ("a PDF", _ASK_FOR_HISTORY, rb"%PDF"),
    ("an image", _ASK_FOR_HISTORY, rb"\x89PNG|\xff\xd8\xff|GIF8"),
    ("Python code", "Name the history, and the code with `--workflows`", rb"(?:from|import|def|class|#!.*python)\s"),
    ("a Cloudflare workflow as text", _OTHER_SYSTEM, rb"(?s).{0,200}Workflow Name:"),
)
"""(what it is, what to do, how it begins)."""
