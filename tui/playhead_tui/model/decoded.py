"""One event as a tree of fields, in words.

Payloads are values, failures are chains from error to cause, durations and times are said so that one can picture them,
and every other event that it speaks of can be gone to. Fields that say nothing are left out; what was recorded to the
letter is in `raw_lines`. Nothing is decoded before its field is unfolded, and nothing is shown without bounds: a value
of a megabyte costs no more than a line of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

import orjson

from playhead.places import place
from playhead.timeline.value import Value
from playhead.values import is_failure, is_payload
from playhead_engine.call_site import CallSite, elsewhere
from playhead_engine.convert import time_ns
from playhead_engine.history import HistoryEvent
from playhead_engine.messages import Failure, Json, Payload
from playhead_tui.model.groups import Groups, state_text, title_text
from playhead_tui.model.ink import Ink
from playhead_tui.model.outline import Node
from playhead_tui.model.payloads import Payloads
from playhead_tui.model.spans import clock_text, duration_text, span_text

_ROOM: Final = 300
"""Characters of a value that are shown in its line."""
_MOST_PARTS: Final = 2_000
_WIDEST_RAW: Final = 400

_DURATION: Final = re.compile(r"-?[0-9]+(\.[0-9]{1,9})?s")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:]{8}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})")
_ENUM: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FILE: Final = re.compile(r'\s*File "([^"]+)", line ([0-9]+)(?:, in (.*))?')
_BESIDE: Final = ("userMetadata", "links", "principal", "eventGroupMarkers", "taskId", "version", "workerMayIgnore")


class Decoder:
    """Makes the tree of an event.

    Attributes:
        payloads: Reads the values.
    """

    def __init__(self, groups: Groups, payloads: Payloads | None = None) -> None:
        """
        Args:
            groups: Of the history, for what an event belongs to and speaks of.
            payloads: Reads the values; by default without any code.
        """
        self.payloads = payloads or Payloads()
        self._groups = groups
        self._start_ns = next((event.time_ns for event in groups.history.events if event.time_ns), 0)

    def nodes(self, event: HistoryEvent, site: CallSite | None = None) -> list[Node]:
        """The topmost nodes of an event.

        Args:
            event: The event.
            site: The line of code that it comes from.
        """
        nodes = [Node("", f"{event.type_name}", "title"), *self._when(event)]
        if site is not None:
            nodes.append(Node("asked for at", f"{place(site)} in {site.function}", "function", site=site))
        nodes += self._fields(event.attributes)
        beside = {name: event.canonical[name] for name in _BESIDE if event.canonical.get(name)}
        if beside:
            nodes.append(Node("more", ", ".join(map(_words, beside)), "dim", lambda: self._fields(beside)))
        return [*nodes, *self._company(event)]

    # -- Where it stands -----------------------------------------------------------------------------------------------

    def _when(self, event: HistoryEvent) -> Iterator[Node]:
        if not event.time_ns:
            return
        text = f"{clock_text(event.time_ns)} UTC"
        if event.time_ns != self._start_ns:
            text += f", {span_text(event.time_ns - self._start_ns)} after the start"
        yield Node("time", text, "number", whole=lambda: str(event.canonical.get("eventTime", "")))

    def _company(self, event: HistoryEvent) -> Iterator[Node]:
        """What it belongs to, and the other events of that."""
        if event.event_id not in self._groups:
            return
        group = self._groups.of(event.event_id)
        if len(group.events) < 2:
            return
        others = [one for one in group.events if one is not event]
        text = f"{group.kind} {title_text(group)}".strip() + f", {state_text(group.outcome)}" * bool(group.outcome)
        yield Node("belongs to", text, "plain", lambda: [self._link("", one.event_id) for one in others], is_open=True)

    def _link(self, label: str, event_id: int) -> Node:
        """Another event, to be gone to."""
        if event_id not in self._groups:
            return Node(label, f"event {event_id}, which is not here", "dim")
        group = self._groups.of(event_id)
        event = next(one for one in group.events if one.event_id == event_id)
        title = title_text(group)
        about = f"{event.type_name} {title}" if title and group.kind != "workflow" else event.type_name
        return Node(label, f"event {event_id}  {about}", "number", event_id=event_id)

    # -- Fields --------------------------------------------------------------------------------------------------------

    def _fields(self, fields: Json) -> list[Node]:
        found = (self.field(_words(name), name, value) for name, value in fields.items())
        return _bounded([node for node in found if node is not None])

    def field(self, label: str, name: str, value: Any) -> Node | None:
        """A piece of a history as a node; None if it says nothing.

        Args:
            label: What to call it.
            name: What it is called in the history, which tells durations from other text, for example.
            value: The piece.
        """
        match value:
            case None | "" | False | 0 | 0.0:
                return None
            case dict():
                return self._object(label, name, value) if value else None
            case list():
                return self._list(label, name, value) if value else None
            case bool():
                return Node(label, "yes", "keyword")
            case str() if name.endswith("EventId") and value.isdecimal():
                return self._link(label.removesuffix(" id"), int(value)) if int(value) else None
            case int() if name.endswith("EventId"):
                return self._link(label.removesuffix(" id"), value)
            case str():
                return _text(label, name, value)
            case _:
                return Node(label, str(value), "number")

    def _object(self, label: str, name: str, value: Json) -> Node | None:
        if is_failure(value):
            return self._failure(label, value)  # type: ignore[arg-type]  # what else would have such fields
        if is_payload(value):
            return self._payload(label, value)  # type: ignore[arg-type]
        if set(value) == {"payloads"} and isinstance(value["payloads"], list):
            return self._payloads(label, value["payloads"])
        if set(value) <= {"name", "kind"} and isinstance(value.get("name"), str):
            return Node(label, value["name"], "name") if value["name"] else None
        if set(value) in ({"fields"}, {"indexedFields"}) and isinstance(next(iter(value.values())), dict):
            value = next(iter(value.values()))
            nodes = [self.field(key, "", one) for key, one in value.items()]
            found = [node for node in nodes if node is not None]
            return Node(label, ", ".join(value), "dim", lambda: _bounded(found), is_open=True) if found else None
        parts = self._fields(value)
        if not parts:
            return None
        if len(parts) == 1 and parts[0].parts is None:
            return _called(label, parts[0])
        text = ", ".join(f"{part.label} {part.text}" for part in parts[:3] if part.text and part.parts is None)
        return Node(label, text[:_ROOM], "dim", lambda: parts)

    def _list(self, label: str, name: str, value: list[Any]) -> Node | None:
        nodes = [self.field(f"[{at}]", name, one) for at, one in enumerate(value[: _MOST_PARTS + 1])]
        found = [node for node in nodes if node is not None]
        if not found:
            return None
        if len(found) == 1 and len(value) == 1:
            return _called(label, found[0])
        return Node(label, f"{len(value)} of them", "dim", lambda: _bounded(found), is_open=len(found) < 10)

    # -- Values --------------------------------------------------------------------------------------------------------

    def _payloads(self, label: str, payloads: list[Any]) -> Node | None:
        found = [self._argument(f"[{at}]", one) for at, one in enumerate(payloads[:_MOST_PARTS])]
        nodes = [node for node in found if node is not None]
        if not nodes:
            return None
        if len(payloads) == 1:
            return _called(label, nodes[0])
        return Node(label, f"{len(payloads)} values", "dim", lambda: nodes, is_open=True)

    def _argument(self, label: str, payload: Any) -> Node | None:
        """One of several payloads; a damaged history has something else there."""
        return self._payload(label, payload) if isinstance(payload, dict) else self.field(label, "", payload)  # type: ignore[arg-type]

    def _payload(self, label: str, payload: Payload) -> Node:
        def whole() -> str:
            return self.payloads.text(payload)

        if self.payloads.is_large(payload):
            parts = lambda: value_nodes(self.payloads.value(payload))  # noqa: E731 - not read before it is unfolded
            return Node(label, self.payloads.beginning(payload, _ROOM), "value", parts, whole=whole)
        value = self.payloads.value(payload)
        return Node(label, value.text(_ROOM), "value", _value_parts(value), whole=whole)

    def _failure(self, label: str, failure: Failure) -> Node:
        chain = [self.payloads.failure(one) for one in _chain(failure)]
        text = " <- ".join(_headline(one) for one in chain)

        def parts() -> list[Node]:
            links = ("error", *("caused by",) * (len(chain) - 1))
            return [self._error(link, one) for link, one in zip(links, chain, strict=True)]

        return Node(label, text, "bad", parts, whole=lambda: "\n".join(_report(chain)), is_open=True)

    def _error(self, label: str, failure: Failure) -> Node:
        fields: Json = {key: value for key, value in failure.items() if key not in _OF_CHAIN}
        info = next((key for key in fields if key.endswith("FailureInfo")), "")
        about = fields.pop(info, None)
        fields |= {key: value for key, value in about.items() if key != "type"} if isinstance(about, dict) else {}
        stack = failure.get("stackTrace", "")

        def parts() -> list[Node]:
            nodes = self._fields(fields)
            if stack:
                nodes.append(Node("stack trace", "", "dim", lambda: _stack(stack), whole=lambda: stack, is_open=True))
            return nodes

        return Node(label, _headline(failure), "bad", parts if fields or stack else None)


def value_nodes(value: Value) -> list[Node]:
    """The parts of a captured value; of a long text, its lines."""
    if value.kind in ("plain", "text") and isinstance(value.content, str):
        return _lines(value.content, value.size if value.kind == "text" else 0)
    keys = [name if isinstance(name, str) else None for name, _ in value.named()]
    nodes = [_value_node(key or name or "·", part) for key, (name, part) in zip(keys, value.children(), strict=True)]
    left = value.size - len(value.parts)
    return [*nodes, Node("", f"… {left:,} more", "dim")] if left > 0 else nodes


def _value_node(label: str, value: Value) -> Node:
    return Node(label, value.text(_ROOM), "value", _value_parts(value), whole=lambda: value.text(100_000))


def _value_parts(value: Value) -> Callable[[], Sequence[Node]] | None:
    is_long = isinstance(value.content, str) and (len(value.content) > _ROOM or "\n" in value.content)
    return (lambda: value_nodes(value)) if value.parts or is_long else None


def _lines(text: str, size: int = 0) -> list[Node]:
    """A long text line by line; what has no lines is cut into some."""
    lines = [line[at : at + _ROOM] for line in text.splitlines() for at in range(0, max(len(line), 1), _ROOM)]
    nodes = [Node("", line, "string") for line in lines[:_MOST_PARTS]]
    left = max(size - len(text), 0) + sum(map(len, lines[_MOST_PARTS:]))
    return [*nodes, Node("", f"… {left:,} more characters", "dim")] if left else nodes


def _text(label: str, name: str, value: str) -> Node | None:
    if _DURATION.fullmatch(value):
        return Node(label, duration_text(value), "number", whole=lambda: value) if value.strip("0.s") else None
    if _TIME.fullmatch(value):
        try:
            return Node(label, f"{clock_text(time_ns(value))} UTC", "number", whole=lambda: value)
        except ValueError:
            return Node(label, value, "string")
    if _ENUM.fullmatch(value):
        shown = _enum_text(name, value)
        return Node(label, shown, "keyword", whole=lambda: value) if shown not in ("unspecified", "normal") else None
    if len(value) <= _ROOM and "\n" not in value:
        return Node(label, value, "string")
    first = value[:_ROOM].partition("\n")[0]
    return Node(label, f"{first}… {len(value):,} characters", "string", lambda: _lines(value), whole=lambda: value)


def _enum_text(name: str, value: str) -> str:
    """What an enum says, without the name of the enum, which is the name of the field or ends like it."""
    last = _HUMP.sub("_", name).upper().rpartition("_")[2]
    _, found, rest = value.partition(f"{last}_") if last else ("", "", "")
    return (rest if found and rest else value).replace("_", " ").lower()


def _words(name: str) -> str:
    """What a field is called in words: `startToCloseTimeout` is `start to close timeout`."""
    return _HUMP.sub(" ", name).lower()


def _called(label: str, node: Node) -> Node:
    return Node(label, node.text, node.ink, node.parts, node.event_id, node.site, node.whole, node.is_open)


def _bounded(nodes: list[Node]) -> list[Node]:
    if len(nodes) <= _MOST_PARTS:
        return nodes
    return [*nodes[:_MOST_PARTS], Node("", f"… {len(nodes) - _MOST_PARTS:,} more", "dim")]


# -- Failures ----------------------------------------------------------------------------------------------------------

_OF_CHAIN: Final = ("message", "stackTrace", "cause", "encodedAttributes")
_LONGEST_CHAIN: Final = 100


def _chain(failure: Failure) -> Iterator[Failure]:
    """A failure and its causes, the outermost first."""
    following: Any = failure
    for _ in range(_LONGEST_CHAIN):
        if not isinstance(following, dict) or not following:  # damaged, or the last one
            return
        yield cast(Failure, following)
        following = following.get("cause")


def _headline(failure: Failure) -> str:
    name = next((key.removesuffix("FailureInfo") for key in failure if key.endswith("FailureInfo")), "failure")
    info: Any = failure.get(f"{name}FailureInfo")
    kind = info.get("type") if isinstance(info, dict) else None
    return f"{kind or name}: {failure.get('message', '')}"


def _report(chain: list[Failure]) -> Iterator[str]:
    for number, failure in enumerate(chain):
        yield f"{'Caused by ' if number else ''}{_headline(failure)}"
        stack = failure.get("stackTrace")
        if stack:
            yield stack


def _stack(text: str) -> list[Node]:
    """A stack trace line by line; where it names a place in a file, that can be gone to."""
    return _bounded(
        [Node("", line, _stack_ink(line), site=_place_in(line)) for line in text.splitlines() if line.strip()]
    )


def _stack_ink(line: str) -> Ink:
    return "dim" if _FILE.match(line) else "plain"


def _place_in(line: str) -> CallSite | None:
    found = _FILE.match(line)
    return elsewhere(found[1], (found[3] or "").strip(), int(found[2])) if found is not None else None


# -- To the letter -----------------------------------------------------------------------------------------------------


def raw_lines(event: HistoryEvent) -> list[str]:
    """The JSON of an event as it was recorded, over several lines; long texts in it are cut, and say so."""
    return orjson.dumps(_cut(event.raw), option=orjson.OPT_INDENT_2).decode().splitlines()


def _cut(value: Any) -> Any:
    match value:
        case str() if len(value) > _WIDEST_RAW:
            return f"{value[:_WIDEST_RAW]}… {len(value):,} characters"
        case dict():
            return {key: _cut(one) for key, one in value.items()}
        case list() if len(value) > _MOST_PARTS:
            return [*map(_cut, value[:_MOST_PARTS]), f"… {len(value) - _MOST_PARTS:,} more"]
        case list():
            return [_cut(one) for one in value]
        case _:
            return value
