"""What a recording keeps of values: a picture that is safe to take, whatever the value is."""

from __future__ import annotations

import collections
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

import pydantic
import pytest

from playhead.timeline.capture import FULL, Capture, Limits
from playhead.timeline.value import Value, same


class Colour(Enum):
    """An enum."""

    RED = "red"

    def __str__(self) -> str:
        raise RuntimeError("the text of an enum is the user's code")


@dataclass
class Parcel:
    """A dataclass."""

    id: str
    weight: int


class Customer(pydantic.BaseModel):
    """A pydantic model."""

    name: str
    age: int


class Point(NamedTuple):
    """A tuple with names."""

    x: int
    y: int


class Slotted:
    """An object without a dictionary, and with a slot that was never filled."""

    __slots__ = ("empty", "filled")

    def __init__(self) -> None:
        """Fill one."""
        self.filled = 1


class Hostile:
    """An object that does damage whenever anybody calls anything of it."""

    def __init__(self) -> None:
        """Hold something worth seeing."""
        self.secret = 42

    def _refuse(self, *_: Any) -> NoReturn:
        raise RuntimeError("code of the user's was run")

    __repr__ = __str__ = __eq__ = __hash__ = __len__ = __iter__ = __bool__ = __getattr__ = __dir__ = _refuse  # type: ignore[assignment]

    @property
    def tempting(self) -> int:
        """Would never end."""
        while True:
            pass


class HostileDict(dict[str, int]):
    """A dictionary whose methods do damage."""

    def _refuse(self, *_: Any) -> NoReturn:
        raise RuntimeError("code of the user's was run")

    items = keys = values = __iter__ = __len__ = __getitem__ = __repr__ = _refuse  # type: ignore[assignment]


class Nowhere(tzinfo):
    """A time zone of the user's own."""

    def _refuse(self, moment: datetime | None) -> NoReturn:
        raise RuntimeError("code of the user's was run")

    utcoffset = dst = tzname = _refuse


def captured(value: Any, limits: Limits = FULL) -> Value:
    """A value as it is captured."""
    return Capture(limits).of(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (True, "True"),
        (None, "None"),
        ("an 'a'", "\"an 'a'\""),
        (b"\x00", "b'\\x00'"),
        (1.5, "1.5"),
        (Decimal("1.10"), "Decimal('1.10')"),
        (UUID(int=1), "UUID('00000000-0000-0000-0000-000000000001')"),
        (datetime(2026, 1, 2, tzinfo=UTC), "datetime.datetime(2026, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)"),
        (timedelta(days=1), "datetime.timedelta(days=1)"),
        (Colour.RED, "Colour.RED"),
        ([1, [2]], "[1, [2]]"),
        ((1,), "(1,)"),
        ((), "()"),
        (set(), "set()"),
        ({2, 1}, "{1, 2}"),
        ({"a": 1, 2: (3,)}, "{'a': 1, 2: (3,)}"),
        (Parcel("p", 3), "Parcel(id='p', weight=3)"),
        (Customer(name="Ada", age=36), "Customer(name='Ada', age=36)"),
        (Slotted(), "Slotted(filled=1)"),
        (collections.Counter("aab"), "Counter{'a': 2, 'b': 1}"),
        (collections.deque([1]), "deque[1]"),
        (Point(1, 2), "Point(x=1, y=2)"),
        (ValueError("no"), "ValueError(args=('no',))"),
        (len, "<function len>"),
        (Parcel, "<class Parcel>"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_values_are_told_by_their_structure(value: Any, text: str) -> None:
    """Containers, dataclasses, enums, dates and pydantic models are shown as one would write them."""
    assert captured(value).text() == text


def test_the_parts_of_a_value_can_be_looked_into() -> None:
    """Each part has the name one would write, a type and a text of its own."""
    value = captured({"parcels": [Parcel("p", 3)]})
    ((key, parcels),) = value.children()
    ((index, parcel),) = parcels.children()
    assert (key, index, parcel.type) == ("['parcels']", "[0]", "Parcel")
    assert {name: part.text() for name, part in parcel.children()} == {"id": "'p'", "weight": "3"}


def test_no_code_of_the_users_is_run() -> None:
    """Objects whose every method raises or never ends are captured all the same, with their attributes."""
    value = captured([Hostile(), HostileDict(a=1), datetime(2026, 1, 1, tzinfo=Nowhere())])
    assert value.parts[0].text() == "Hostile(secret=42)"
    assert value.parts[1].text() == "HostileDict{'a': 1}"
    assert "2026" in value.parts[2].text()
    assert same(captured(Hostile()), captured(Hostile()))


def test_a_value_that_holds_itself_is_captured_once() -> None:
    """A cycle ends where it began."""
    value: list[Any] = [1]
    value.append(value)
    assert captured(value).text() == "[1, <the same list>]"


@pytest.mark.parametrize(
    "value",
    ["x" * 10_000_000, list(range(1_000_000)), 10**100_000, {n: [n] * 100 for n in range(20_000)}],
    ids=["text", "list", "number", "dict"],
)
def test_huge_values_take_little_time_and_space(value: Any) -> None:
    """What is kept of a value, and how long that takes, does not depend on its size; its size is told."""
    begun = time.process_time()
    kept = captured(value, Limits())
    assert time.process_time() - begun < 0.5
    assert not kept.is_whole
    assert kept.size >= 10_000
    assert len(kept.text()) < 200


def test_deeply_nested_values_are_cut() -> None:
    """Nesting beyond the bound is shown as cut off."""
    value: Any = "bottom"
    for _ in range(10_000):
        value = [value]
    assert captured(value, Limits(depth=3)).text() == "[[[<list>]]]"


def test_a_long_list_shows_its_beginning_and_its_end() -> None:
    """What was appended last is what one wants to see."""
    kept = captured(list(range(100)), Limits(width=4))
    assert [name for name, _ in kept.children()] == ["[0]", "[1]", "[98]", "[99]"]


def test_the_same_object_can_be_told_from_an_equal_one() -> None:
    """Parts that are one and the same object have the same identity."""
    shared = [1]
    first, second, equal = captured([shared, shared, [1]]).parts
    assert first.identity == second.identity != equal.identity
    assert same(first, equal)


def test_what_has_not_changed_is_not_kept_again() -> None:
    """Captured again, an unchanged value is the very same picture, and a changed one shares what is unchanged."""
    capture = Capture()
    value = {"parcels": [Parcel("p", 3), Parcel("q", 4)], "total": 7}
    first = capture.of(value)
    assert capture.of(value, first) is first
    value["total"] = 8
    second = capture.of(value, first)
    assert second is not first
    assert second.parts[0] is first.parts[0]
    assert not same(first, second)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value["list"].append(4),
        lambda value: value["list"].__setitem__(0, 9),
        lambda value: value["parcel"].__setattr__("weight", 5),
        lambda value: value["parcel"].__setattr__("colour", "red"),
        lambda value: value["set"].add(8),
        lambda value: value["dict"].pop("a"),
        lambda value: value["dict"].__setitem__("a", "b"),
        lambda value: value.__setitem__("text", "x" * 999 + "y"),
        lambda value: value.__setitem__("list", (1, 2)),
        lambda value: value["empty"].append(1),
    ],
)
def test_every_change_is_noticed(change: Any) -> None:
    """Whatever is changed within the bounds, in place or not, shows."""
    value: dict[str, Any] = {
        "list": [1, 2],
        "parcel": Parcel("p", 3),
        "set": {7},
        "dict": {"a": 1},
        "text": "x" * 1000,
        "empty": [],
    }
    capture = Capture()
    before = capture.of(value)
    assert capture.of(value, before) is before
    change(value)
    after = capture.of(value, before)
    assert not same(before, after)
    assert same(after, Capture().of(value))


def test_values_for_machines() -> None:
    """JSON has the type, the text, the value where JSON can say it, and the parts by name."""
    shown = captured(Parcel("p", 3)).as_json()
    assert shown == {
        "type": "Parcel",
        "text": "Parcel(id='p', weight=3)",
        "size": 2,
        "parts": [
            {"name": "id", "type": "str", "text": "'p'", "value": "p"},
            {"name": "weight", "type": "int", "text": "3", "value": 3},
        ],
    }
