"""Writes the event classes and the message schema of `playhead_engine.history` from Temporal's own descriptors.

Why a script: Temporal adds event types and fields with every release, and the model must have all of them. Run it after
raising the version of `temporalio`; a test fails while what it would write differs from what is there.

    python scripts/generate_events.py

It must not decide anything about a history: it knows names and types, and one sentence of our own for each event type.
"""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HISTORY = Path(__file__).resolve().parents[1] / "engine" / "playhead_engine" / "history"

FAMILIES: dict[str, tuple[str, dict[str, str]]] = {
    "workflow": (
        "How a run begins and how it ends",
        {
            "WorkflowExecutionStarted": "The first event of every run: what to run, with which input, and for whom.",
            "WorkflowExecutionCompleted": "The workflow returned.",
            "WorkflowExecutionFailed": "The workflow raised an error that fails it.",
            "WorkflowExecutionTimedOut": "The run took longer than it was allowed to; the workflow code was not asked.",
            "WorkflowExecutionCanceled": "The workflow ended itself because it had been asked to cancel.",
            "WorkflowExecutionTerminated": "Somebody ended the run from outside; the workflow code was not asked.",
            "WorkflowExecutionContinuedAsNew": "The run ended and a new one with a fresh history took over.",
        },
    ),
    "request": (
        "What the outside asks of a run, and what is changed about it while it runs",
        {
            "WorkflowExecutionSignaled": "A signal came.",
            "WorkflowExecutionCancelRequested": "Somebody asked the workflow to cancel.",
            "WorkflowExecutionOptionsUpdated": "Somebody changed the run's versioning, priority or callbacks.",
            "WorkflowExecutionPaused": "Somebody paused the run.",
            "WorkflowExecutionUnpaused": "Somebody let a paused run go on.",
            "WorkflowExecutionTimeSkippingTransitioned": "The run's own clock jumped ahead, or stopped to.",
            "WorkflowPropertiesModifiedExternally": "Somebody changed the run's task queue, timeouts or memo.",
            "WorkflowPropertiesModified": "The workflow changed its own memo.",
            "UpsertWorkflowSearchAttributes": "The workflow set search attributes of its own.",
        },
    ),
    "task": (
        "Workflow tasks: the moments at which workflow code runs",
        {
            "WorkflowTaskScheduled": "There is something new that the workflow code must hear about.",
            "WorkflowTaskStarted": "A worker took the workflow task.",
            "WorkflowTaskCompleted": "The workflow code ran; the events that follow are what it asked for.",
            "WorkflowTaskTimedOut": "No answer came in time; the task will be tried again.",
            "WorkflowTaskFailed": "The workflow task, not the workflow, failed; it will be tried again.",
        },
    ),
    "activity": (
        "Activities",
        {
            "ActivityTaskScheduled": "The workflow asked for an activity.",
            "ActivityTaskStarted": "The last attempt of the activity began; written only when that attempt has ended.",
            "ActivityTaskCompleted": "The activity returned.",
            "ActivityTaskFailed": "The activity failed for good: no attempt is left, or none may follow.",
            "ActivityTaskTimedOut": "One of the activity's timeouts passed and no attempt may follow.",
            "ActivityTaskCancelRequested": "The workflow asked for the activity to be cancelled.",
            "ActivityTaskCanceled": "The activity reported that it was cancelled.",
            "ActivityPropertiesModifiedExternally": "Somebody changed the retry policy of a waiting activity.",
        },
    ),
    "timer": (
        "Timers",
        {
            "TimerStarted": "The workflow began to wait for a time.",
            "TimerFired": "The time has come.",
            "TimerCanceled": "The workflow stopped waiting for it.",
        },
    ),
    "marker": (
        "Markers: what a worker notes down for its own replay",
        {
            "MarkerRecorded": "A patch, a version, a side effect or the end of a local activity.",
        },
    ),
    "child": (
        "Child workflows",
        {
            "StartChildWorkflowExecutionInitiated": "The workflow asked for a child.",
            "StartChildWorkflowExecutionFailed": "The child could not be started.",
            "ChildWorkflowExecutionStarted": "The child runs.",
            "ChildWorkflowExecutionCompleted": "The child returned.",
            "ChildWorkflowExecutionFailed": "The child failed.",
            "ChildWorkflowExecutionCanceled": "The child was cancelled.",
            "ChildWorkflowExecutionTimedOut": "The child took too long.",
            "ChildWorkflowExecutionTerminated": "Somebody terminated the child.",
        },
    ),
    "external": (
        "What a workflow sends to other workflows",
        {
            "SignalExternalWorkflowExecutionInitiated": "The workflow asked for a signal to be sent to another.",
            "SignalExternalWorkflowExecutionFailed": "The signal could not be delivered.",
            "ExternalWorkflowExecutionSignaled": "The signal was delivered.",
            "RequestCancelExternalWorkflowExecutionInitiated": "The workflow asked for another to be cancelled.",
            "RequestCancelExternalWorkflowExecutionFailed": "The request to cancel could not be delivered.",
            "ExternalWorkflowExecutionCancelRequested": "The request to cancel was delivered.",
        },
    ),
    "update": (
        "Updates: requests to a running workflow that are answered",
        {
            "WorkflowExecutionUpdateAdmitted": "An update waits to be offered to the workflow again, after a reset.",
            "WorkflowExecutionUpdateAccepted": "The workflow's validator let the update pass.",
            "WorkflowExecutionUpdateRejected": "The workflow's validator refused the update.",
            "WorkflowExecutionUpdateCompleted": "The update's handler returned or failed.",
        },
    ),
    "nexus": (
        "Nexus operations",
        {
            "NexusOperationScheduled": "The workflow asked for an operation of a Nexus service.",
            "NexusOperationStarted": "The operation runs and will be answered later.",
            "NexusOperationCompleted": "The operation succeeded.",
            "NexusOperationFailed": "The operation failed.",
            "NexusOperationCanceled": "The operation was cancelled.",
            "NexusOperationTimedOut": "The operation took too long.",
            "NexusOperationCancelRequested": "The workflow asked for the operation to be cancelled.",
            "NexusOperationCancelRequestCompleted": "The request to cancel was delivered.",
            "NexusOperationCancelRequestFailed": "The request to cancel could not be delivered.",
        },
    ),
}
"""Module -> (its first sentence, event type -> what the event tells)."""

NAMED_MESSAGES = {
    "temporal.api.common.v1.Payload": "Payload",
    "temporal.api.common.v1.Payloads": "Payloads",
    "temporal.api.common.v1.RetryPolicy": "RetryPolicy",
    "temporal.api.common.v1.WorkflowExecution": "WorkflowExecution",
    "temporal.api.common.v1.WorkflowType": "NamedType",
    "temporal.api.common.v1.ActivityType": "NamedType",
    "temporal.api.failure.v1.Failure": "Failure",
}
"""Messages that `playhead_engine.messages` names; all others are Json."""

TEXT_TIMES = ("google.protobuf.Duration", "google.protobuf.Timestamp")


@dataclass(frozen=True)
class Field:
    """One field of a message, in words that do not depend on protobuf's Python API."""

    name: str
    json_name: str
    kind: str  # string, bool, int32, int64, double, bytes, enum, message
    type_name: str  # full name of the enum or message, or empty
    shape: str  # one, list, map

    @classmethod
    def of(cls, descriptor: Any) -> Field:
        value, shape = descriptor, "one"
        if descriptor.message_type is not None and descriptor.message_type.GetOptions().map_entry:
            value, shape = descriptor.message_type.fields_by_name["value"], "map"
        elif descriptor.is_repeated:
            shape = "list"
        kinds = {
            value.CPPTYPE_STRING: "bytes" if value.type == value.TYPE_BYTES else "string",
            value.CPPTYPE_BOOL: "bool",
            value.CPPTYPE_INT32: "int32",
            value.CPPTYPE_UINT32: "int32",
            value.CPPTYPE_INT64: "int64",
            value.CPPTYPE_UINT64: "int64",
            value.CPPTYPE_FLOAT: "double",
            value.CPPTYPE_DOUBLE: "double",
            value.CPPTYPE_ENUM: "enum",
            value.CPPTYPE_MESSAGE: "message",
        }
        named = value.enum_type or value.message_type
        return cls(
            descriptor.name, descriptor.json_name, kinds[value.cpp_type], named.full_name if named else "", shape
        )


def main() -> int:
    """Write every generated file; say which ones changed."""
    for path, text in generate().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(HISTORY.parents[2])}")
    return 0


def generate() -> dict[Path, str]:
    """Every generated file and the text it must hold."""
    from temporalio.api.history.v1 import message_pb2

    event: Any = message_pb2.HistoryEvent.DESCRIPTOR
    attributes = {
        oneof_field.message_type.name.removesuffix("EventAttributes"): oneof_field
        for oneof_field in event.oneofs_by_name["attributes"].fields
    }
    described = {name for _, members in FAMILIES.values() for name in members}
    if described != set(attributes):
        raise SystemExit(
            f"FAMILIES must name every event type once. Missing: {sorted(set(attributes) - described)}, "
            f"unknown: {sorted(described - set(attributes))}"
        )
    files = {
        HISTORY / "events" / f"{family}.py": _family_module(title, members, attributes)
        for family, (title, members) in FAMILIES.items()
    }
    files[HISTORY / "events" / "__init__.py"] = _events_package()
    files[HISTORY / "schema.py"] = _schema_module(event, list(attributes.values()))
    return files


def _family_module(title: str, members: dict[str, str], attributes: dict[str, Any]) -> str:
    classes = [_event_class(name, sentence, attributes[name]) for name, sentence in members.items()]
    body = "\n\n\n".join(classes)
    messages = sorted(name for name in {*NAMED_MESSAGES.values(), "Json"} if _mentions(body, name))
    lines = [
        f'"""{title}.',
        "",
        "Generated by scripts/generate_events.py from Temporal's descriptors: change that, not this.",
        '"""',
        "",
        '# mypy: disable-error-code="no-any-return"',
        "",
        "from __future__ import annotations",
        "",
        *(["from base64 import b64decode"] if "b64decode(" in body else []),
        "from typing import TYPE_CHECKING, ClassVar" if messages else "from typing import ClassVar",
        "",
        "from playhead_engine.history.event import Event",
        *(
            ["", "if TYPE_CHECKING:", f"    from playhead_engine.messages import {', '.join(messages)}"]
            if messages
            else []
        ),
        "",
        "",
        body,
    ]
    return "\n".join(lines) + "\n"


def _mentions(body: str, name: str) -> bool:
    return any(f"{before}{name}{after}" in body for before in ("-> ", "[", ", ") for after in (" ", ":", "]"))


def _event_class(name: str, sentence: str, oneof_field: Any) -> str:
    kind = oneof_field.name.removesuffix("_event_attributes").upper()
    lines = [
        f"class {name}(Event):",
        f'    """{sentence}"""',
        "",
        "    __slots__ = ()",
        f'    KIND: ClassVar[str] = "{kind}"',
        f'    ATTRIBUTES_KEY: ClassVar[str] = "{oneof_field.json_name}"',
    ]
    for descriptor in oneof_field.message_type.fields:
        annotation, value = _property(Field.of(descriptor), descriptor)
        lines += ["", "    @property", f"    def {descriptor.name}(self) -> {annotation}:", f"        return {value}"]
    return "\n".join(lines)


def _property(field: Field, descriptor: Any) -> tuple[str, str]:
    """Type and expression of the property that reads a field."""
    get = f'self.attributes.get("{field.json_name}"'
    named = NAMED_MESSAGES.get(field.type_name, "Json")
    plain = {"string": "str", "enum": "str", "bool": "bool", "int32": "int", "int64": "int", "double": "float"}
    element = named if field.kind == "message" else plain.get(field.kind, "str")
    if field.shape == "map":
        return f"dict[str, {element}]", f"{get}, {{}})"
    if field.shape == "list":
        return f"list[{element}]", f"{get}, [])"
    match field.kind:
        case "string":
            return "str", f'{get}, "")'
        case "bool":
            return "bool", f"{get}, False)"
        case "int32":
            return "int", f"{get}, 0)"
        case "int64":
            return "int", f"int({get}, 0))"
        case "double":
            return "float", f"{get}, 0.0)"
        case "bytes":
            return "bytes", f'b64decode({get}, ""))'
        case "enum":
            return "str", f'{get}, "{descriptor.enum_type.values_by_number[0].name}")'
        case _:
            return ("str | None" if field.type_name in TEXT_TIMES else f"{named} | None"), f"{get})"


def _events_package() -> str:
    names = [name for _, members in FAMILIES.values() for name in members]
    imports: list[str] = []
    for family, (_, members) in sorted(FAMILIES.items()):
        line = f"from playhead_engine.history.events.{family} import {', '.join(sorted(members, key=_import_order))}"
        if len(line) <= 120:
            imports.append(line)
        else:
            imports += [
                f"from playhead_engine.history.events.{family} import (",
                *(f"    {n}," for n in sorted(members, key=_import_order)),
                ")",
            ]
    return "\n".join(
        [
            '"""One class for each type of event that Temporal knows.',
            "",
            "Generated by scripts/generate_events.py from Temporal's descriptors: change that, not this.",
            '"""',
            "",
            "from __future__ import annotations",
            "",
            "from typing import TypeAlias",
            "",
            "from playhead_engine.history.event import Event, UnknownEvent",
            *imports,
            "",
            "HistoryEvent: TypeAlias = (",
            *(f"    {'| ' if index else ''}{name}" for index, name in enumerate([*names, "UnknownEvent"])),
            ")",
            '"""Every kind of event. Closed: a type that is not known here is an `UnknownEvent`."""',
            "",
            "EVENT_CLASSES: dict[str, type[HistoryEvent]] = {",
            "    event_class.KIND: event_class",
            "    for event_class in (",
            *(f"        {name}," for name in names),
            "    )",
            "}",
            '"""Kind, as in `ACTIVITY_TASK_SCHEDULED`, -> class."""',
            "",
            "__all__ = [",
            *(
                f'    "{name}",'
                for name in sorted([*names, "EVENT_CLASSES", "Event", "HistoryEvent", "UnknownEvent"], key=_all_order)
            ),
            "]",
            "",
        ]
    )


def _import_order(name: str) -> str:
    return name.lower()


def _all_order(name: str) -> tuple[int, str]:
    """Constants first, then classes: the order in which the linter sorts `__all__`."""
    return (0 if name.isupper() else 1, name)


def _schema_module(event: Any, oneof_fields: list[Any]) -> str:
    messages: dict[str, Any] = {}
    enums: dict[str, Any] = {}

    def visit(message: Any) -> None:
        if message.full_name in messages or message.full_name in TEXT_TIMES:
            return
        if not message.GetOptions().map_entry:
            messages[message.full_name] = message
        for descriptor in message.fields:
            if descriptor.enum_type is not None:
                enums[descriptor.enum_type.full_name] = descriptor.enum_type
            if descriptor.message_type is not None:
                visit(descriptor.message_type)

    visit(event)
    # A short name must be unique; nested messages keep the name of the message around them.
    short = {name: name.split(".v1.", 1)[1].removesuffix("EventAttributes") for name in [*messages, *enums]}
    if len(set(short.values())) != len(short):
        raise SystemExit("Two messages or enums have the same short name: give them longer ones in _schema_module")

    lines = [
        '"""Names and types of all fields in a history, by which a reader brings other spellings to canonical JSON.',
        "",
        "Generated by scripts/generate_events.py from Temporal's descriptors: change that, not this.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "MESSAGES: dict[str, str] = {",
    ]
    for full_name, message in sorted(messages.items(), key=lambda item: short[item[0]]):
        fields = " ".join(
            _schema_field(Field.of(descriptor), short)
            for descriptor in message.fields
            if descriptor.containing_oneof is None or message is not event  # attributes: named like the event type
        )
        lines += _entry(short[full_name], fields)
    lines += [
        "}",
        '"""Message -> its fields, as `name:type`. `[type]` is a list, `{type}` a map from texts, `Enum!` an enum.',
        "",
        'What is special to an event is in the message that is named like its type."""',
        "",
        "ENUMS: dict[str, str] = {",
    ]
    for full_name in sorted(enums, key=short.__getitem__):
        values = sorted(enums[full_name].values, key=lambda value: value.number)
        prefix = values[0].name.removesuffix("UNSPECIFIED")
        names = (f"{value.name.removeprefix(prefix)}={value.number}" for value in values)
        lines += _entry(short[full_name], " ".join([prefix, *names]))
    lines += ["}", '"""Enum -> the prefix of its values, then each as `NAME=number`."""', ""]
    return "\n".join(lines)


def _schema_field(field: Field, short: dict[str, str]) -> str:
    name = field.type_name
    match field.kind:
        case "message":
            kind = {"google.protobuf.Duration": "duration", "google.protobuf.Timestamp": "timestamp"}.get(
                name
            ) or short[name]
        case "enum":
            kind = f"{short[name]}!"
        case _:
            kind = field.kind
    brackets = {"one": "{}", "list": "[{}]", "map": "{{{}}}"}[field.shape]
    return f"{field.json_name}:{brackets.format(kind)}"


def _entry(key: str, text: str) -> list[str]:
    """One line of a table, wrapped where it is too long."""
    line = f'    "{key}": "{text}",'
    if len(line) <= 120:
        return [line]
    if len(text) <= 110:
        return [f'    "{key}": (', f'        "{text}"', "    ),"]
    pieces = textwrap.wrap(text, width=109, break_long_words=False, break_on_hyphens=False)
    return [
        f'    "{key}": (',
        *(f'        "{piece} "' for piece in pieces[:-1]),
        f'        "{pieces[-1]}"',
        "    ),",
    ]


if __name__ == "__main__":
    sys.exit(main())
