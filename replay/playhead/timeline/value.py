"""Values as they were captured: what a variable of a past run held, for people and for expressions.

A captured value is a picture, not the object: immutable ones are kept as they are, everything else as its parts, down
to a bound. Nothing in this module calls code of the user's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import chain
from typing import Any, Final, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "plain",  # an immutable value of Python's own: `content` is it
    "text",  # a string, or bytes, that is too long: `content` is its beginning, `size` its length
    "enum",  # a member of an enum: `content` is it
    "list",
    "tuple",
    "set",
    "dict",
    "object",  # anything with attributes
    "opaque",  # nothing to look into: a function, a lock, what a library made
    "cut",  # too deep, or too much of it
    "cycle",  # it holds itself
]

NOTHING: Final = object()
"""The content of values that have parts instead."""

_BRACKETS: Final = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "dict": ("{", "}"),
    "object": ("(", ")"),
}


class Value:
    """One captured value.

    Attributes:
        kind: Which of the kinds above.
        type: Name of its class.
        content: The value itself, where it is immutable, or its beginning; the words for what is opaque.
        names: What its parts are called: attribute names, keys, or indices; None for 0, 1, 2, ...
        parts: Its parts, as many as were captured. Those of a set have no order.
        size: How many parts there are, or how long a text is.
        identity: The same for two parts of one state exactly if they are the same object; 0 for immutable values.
    """

    __slots__ = ("content", "identity", "kind", "names", "parts", "size", "type")

    def __init__(
        self,
        kind: Kind,
        type_name: str,
        content: Any = NOTHING,
        names: tuple[Any, ...] | None = None,
        parts: tuple[Value, ...] = (),
        size: int = 0,
        identity: int = 0,
    ) -> None:
        self.kind = kind
        self.type = type_name
        self.content = content
        self.names = names
        self.parts = parts
        self.size = size
        self.identity = identity

    @property
    def is_whole(self) -> bool:
        """Whether all of it was captured."""
        if self.kind in ("text", "opaque", "cut", "cycle"):
            return False
        return len(self.parts) == self.size and all(part.is_whole for part in self.parts)

    def children(self) -> Iterator[tuple[str, Value]]:
        """Its parts by name, as one would write them: `name`, `[0]`, `['key']`."""
        for name, part in self.named():
            if self.kind == "object":
                yield name if type(name) is str else "?", part
            elif self.kind == "set":
                yield "", part
            else:
                yield f"[{name.text() if isinstance(name, Value) else plain_text(name)}]", part

    def named(self) -> Iterator[tuple[Any, Value]]:
        """Its parts with their attribute names, keys or indices; a key that is not immutable is a `Value`."""
        return zip(self.names if self.names is not None else self._indices(), self.parts, strict=True)

    def _indices(self) -> Iterable[int]:
        """Of a long sequence, half of the parts come from its end."""
        count = len(self.parts)
        if count == self.size or self.kind == "set":
            return range(count)
        return chain(range(count // 2), range(self.size - count + count // 2, self.size))

    def child(self, name: Any) -> Value | None:
        """The part of that attribute name, key or index, if it was captured."""
        return next((part for known, part in self.named() if type(known) is type(name) and known == name), None)

    def text(self, room: int = 80) -> str:
        """A short rendering.

        Args:
            room: About how many characters there is room for.
        """
        match self.kind:
            case "plain":
                return _shortened(plain_text(self.content), room)
            case "text":
                return f"{_shortened(repr(self.content) + '…', max(room - 12, 8))} ({self.size})"
            case "enum":
                return f"{self.type}.{enum_name(self.content)}"
            case "opaque":
                return f"<{self.content}>"
            case "cut":
                return f"<{self.type}>"
            case "cycle":
                return f"<the same {self.type}>"
            case _:
                return self._text_of_parts(room)

    def _text_of_parts(self, room: int) -> str:
        opening, closing = _BRACKETS[self.kind]
        prefix = "" if self.type == self.kind and self.kind != "object" else self.type
        if self.kind == "set" and not self.parts and self.size == 0:
            return f"{self.type}()"
        shown: list[str] = []
        used = len(prefix) + 2
        for name, part in self.named():
            if used >= room:
                break
            text = part.text(max(room - used, 12))
            if self.kind == "object" or (self.kind == "tuple" and isinstance(name, str)):
                text = f"{name}={text}"
            elif self.kind == "dict":
                text = f"{name.text() if isinstance(name, Value) else plain_text(name)}: {text}"
            shown.append(text)
            used += len(text) + 2
        if self.kind == "set":
            shown.sort()
        left = self.size - len(shown)
        if left > 0:
            shown.append(f"… {left} more" if shown else f"… {left}")
        inner = ", ".join(shown)
        if self.kind == "tuple" and self.size == 1 and not prefix:
            inner += ","
        return f"{prefix}{opening}{inner}{closing}"

    def as_json(self) -> dict[str, Any]:
        """For a machine: `type`, `text`, and what of it can be said in JSON, or its parts."""
        shown: dict[str, Any] = {"type": self.type, "text": self.text()}
        kind = type(self.content)
        if self.kind == "plain" and (kind in (type(None), bool, str, float) or (kind is int and _fits(self.content))):
            shown["value"] = self.content
        if self.parts or self.size:
            shown["size"] = self.size
        if self.parts:
            shown["parts"] = [{"name": name, **part.as_json()} for name, part in self.children()]
        return shown

    def __repr__(self) -> str:
        return f"<Value {self.text()}>"


def same(one: Value | None, other: Value | None) -> bool:
    """Whether two values look the same, whichever objects they were."""
    if one is other:
        return True
    if one is None or other is None or one.kind != other.kind or one.type != other.type or one.size != other.size:
        return False
    if one.kind == "text" and one.identity != other.identity:
        return False
    if not _same_content(one.content, other.content) or len(one.parts) != len(other.parts):
        return False
    if one.kind == "set":
        return sorted(part.text() for part in one.parts) == sorted(part.text() for part in other.parts)
    if one.names is not other.names and not _same_names(one.names, other.names):
        return False
    return all(map(same, one.parts, other.parts))


def _same_names(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> bool:
    if one is None or other is None or len(one) != len(other):
        return False
    for mine, theirs in zip(one, other, strict=True):
        if isinstance(mine, Value) and isinstance(theirs, Value):
            if not same(mine, theirs):
                return False
        elif not _same_content(mine, theirs):
            return False
    return True


def _same_content(one: Any, other: Any) -> bool:
    # Enum members may have an `__eq__` of the user's; all else that gets here is Python's own.
    if one is other:
        return True
    return type(one) is type(other) and not isinstance(one, Enum) and bool(one == other)


def enum_name(member: Any) -> str:
    """The name of a member, without calling anything that its class may define."""
    return str(object.__getattribute__(member, "__dict__").get("_name_", "?"))


def _fits(number: int) -> bool:
    """Whether JSON's readers keep a number as it is."""
    return abs(number) < 2**53


def plain_text(content: Any) -> str:
    """How an immutable value is written."""
    if isinstance(content, Enum):
        return f"{type(content).__name__}.{enum_name(content)}"
    return repr(content)


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 1)] + "…"
