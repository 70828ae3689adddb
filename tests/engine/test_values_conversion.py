"""Typed conversion of values, held against the converter of Temporal's own SDK."""

from __future__ import annotations

import collections
import dataclasses
import enum
import json
import math
import os
import subprocess
import sys
import types
import typing
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypedDict, TypeVar

import pytest
import temporalio.converter
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead_engine.common import RawValue
from playhead_engine.converter import DataConverter, Payload, value_to_type

if typing.TYPE_CHECKING:
    from playhead_engine import messages

OURS = DataConverter.default
THEIRS = temporalio.converter.DataConverter.default.payload_converter

T = TypeVar("T")
OrderId = NewType("OrderId", str)


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Color(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class OldColor(str, enum.Enum):  # noqa: UP042 - as users wrote it before Python 3.11
    RED = "red"


class Plain(enum.Enum):
    ONE = 1


@dataclasses.dataclass
class Item:
    name: str
    count: int = 1
    size: Size = Size.SMALL


@dataclasses.dataclass(frozen=True)
class Order:
    id: OrderId
    items: list[Item]
    color: Color | None = None
    notes: dict[str, str | None] = dataclasses.field(default_factory=dict)
    parent: Order | None = None
    total: float = dataclasses.field(init=False, default=0.0)


@dataclasses.dataclass(slots=True, kw_only=True)
class Slotted:
    when: datetime
    key: uuid.UUID
    blob: bytes = b""
    tags: frozenset[str] = frozenset()


@dataclasses.dataclass
class Box(Generic[T]):
    content: T


class Address(TypedDict):
    street: str
    number: NotRequired[int]


class Point(NamedTuple):
    x: int
    y: int


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(exclude_categories=[]))  # lone surrogates too
    | st.sampled_from([*Size, *Color, *OldColor])
)
datetimes = st.datetimes(timezones=st.none() | st.sampled_from([UTC, timezone(timedelta(hours=-3, seconds=7))]))
items = st.builds(Item, name=st.text(), count=st.integers(), size=st.sampled_from(Size))
orders = st.recursive(
    st.builds(Order, id=st.text(), items=st.lists(items, max_size=2), color=st.none() | st.sampled_from(Color)),
    lambda parents: st.builds(Order, id=st.text(), items=st.just([]), parent=parents),
    max_leaves=3,
)
objects = (
    items
    | orders
    | st.builds(
        Slotted, when=datetimes, key=st.uuids(), blob=st.binary(max_size=4), tags=st.frozensets(st.text(), max_size=1)
    )
    | st.builds(Point, st.integers(), st.integers())
    | datetimes
    | st.uuids()
    | st.binary(max_size=8)
)
values: st.SearchStrategy[object] = st.recursive(
    scalars | objects,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        | st.dictionaries(st.integers() | st.sampled_from(Size), inner, max_size=2)
        | st.builds(collections.deque, st.lists(inner, max_size=2))
        | st.builds(Box, inner)
    ),
    max_leaves=8,
)


def theirs_encoded(value: object) -> messages.Payload:
    return typing.cast("messages.Payload", MessageToDict(THEIRS.to_payload(value)))


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(values)
def test_a_value_becomes_the_bytes_that_temporal_writes(value: object) -> None:
    """Every value that can be converted becomes the same payload, byte for byte, as with Temporal's SDK."""
    assert OURS.encode_value(value) == theirs_encoded(value)
    assert OURS.payload_converter.to_payload(value).to_json() == theirs_encoded(value)


@pytest.mark.parametrize(
    "make", [lambda: {"a": 1, "b": 2}.values(), lambda: range(3), lambda: (n for n in (1, 2)), bytearray]
)
def test_anything_that_can_be_iterated_becomes_a_list(make: typing.Callable[[], Iterable[int]]) -> None:
    """Views, ranges and generators become lists, as with Temporal's SDK."""
    assert OURS.encode_value(make()) == theirs_encoded(make())
    assert OURS.encode_value([make()]) == theirs_encoded([make()])


json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)

HINTS: list[Any] = [
    Any,
    None,
    type(None),
    object,
    int,
    float,
    bool,
    str,
    bytes,
    bytearray,
    datetime,
    date,
    time,
    timedelta,
    Decimal,
    uuid.UUID,
    OrderId,
    T,
    Size,
    Color,
    OldColor,
    Plain,
    Item,
    Order,
    Slotted,
    Box,
    Box[int],
    Address,
    Point,
    list,
    dict,
    tuple,
    set,
    frozenset,
    collections.deque,
    Mapping,
    Iterable,
    Sequence,
    typing.List,  # noqa: UP006 - users' code has them
    typing.Dict[str, int],  # noqa: UP006
    typing.Optional[int],  # noqa: UP045
    typing.Union[int, str],  # noqa: UP007
    list[int],
    list[Any],
    list[T],  # type: ignore[valid-type]
    list[Item],
    set[str],
    frozenset[int],
    collections.deque[int],
    Iterable[Size],
    Sequence[Order],
    tuple[int, str],
    tuple[int, ...],
    tuple[str, int, ...],  # type: ignore[misc]
    tuple[()],
    dict[str, int],
    dict[str, Any],
    dict[int, str],
    dict[float, str],
    dict[bool, str],
    dict[None, str],
    dict[Size, str],
    dict[Color, Item],
    dict[uuid.UUID, list[int]],
    dict[OrderId, Item],
    dict[T, T],  # type: ignore[valid-type]
    Mapping[str, Item],
    collections.OrderedDict[str, int],
    Literal["a", 1, True, None],
    int | str,
    str | int,
    float | int,
    int | None,
    str | None,
    None | list[int],
    datetime | str,
    str | datetime,
    bool | int | float | str | bytes | None,
    Item | Order,
    Order | dict[str, Any],
    list[int] | list[str] | dict[str, int],
    list[int | None],
    dict[str, list[Item | None]],
    typing.Annotated[int, "a note"],
    typing.Callable[[], int],
    "Item",
]


text_of_dates = datetimes.map(datetime.isoformat)
json_items = st.fixed_dictionaries({"name": st.text()}, optional={"count": st.integers(), "size": st.integers(0, 3)})
SHAPES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    str: st.text(max_size=5),
    bytes: st.lists(st.integers(0, 300), max_size=3),
    type(None): st.none(),
    datetime: text_of_dates,
    uuid.UUID: st.uuids().map(str),
    OrderId: st.text(max_size=5),
    Size: st.integers(0, 3),
    Color: st.sampled_from(["red", "blue", "green"]),
    OldColor: st.sampled_from(["red", "blue"]),
    Item: json_items,
    Order: st.fixed_dictionaries(
        {"id": st.text(), "items": st.lists(json_items, max_size=2)},
        optional={"color": st.sampled_from(["red", None]), "notes": st.none(), "total": st.floats(0, 9)},
    ),
    Slotted: st.fixed_dictionaries({"when": text_of_dates, "key": st.uuids().map(str)}),
    Address: st.fixed_dictionaries({"street": st.text()}, optional={"number": st.integers(), "more": st.none()}),
    Point: st.lists(st.integers(), min_size=2, max_size=2),
}


def shaped(hint: Any) -> st.SearchStrategy[Any]:
    """JSON that suits a hint, where we know what does."""
    if isinstance(hint, typing.Hashable) and hint in SHAPES:
        return SHAPES[hint]
    args = [arg for arg in typing.get_args(hint) if arg is not Ellipsis]
    origin = typing.get_origin(hint)
    if not args:
        return json_values
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(shaped, args))
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.tuples(*map(shaped, args)).map(list)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        keys = shaped(args[0]).filter(lambda key: not isinstance(key, (list, dict)))
        return st.dictionaries(keys, shaped(args[1]), max_size=3)
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return st.lists(shaped(args[0]), max_size=3)
    return json_values


def outcome(convert: typing.Callable[[], object]) -> str:
    try:
        value = convert()
    except Exception:  # noqa: BLE001 - which error it is differs on purpose; that there is one must not
        return "refused"
    return f"{type(value).__qualname__} {value!r}"


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(st.data())
def test_a_payload_becomes_the_value_that_temporal_reads(data: st.DataObject) -> None:
    """For every hint and every JSON value, the result is the one of Temporal's SDK; what it refuses is refused."""
    hint = data.draw(st.sampled_from(HINTS))
    text = json.dumps(data.draw(json_values | shaped(hint)))
    payload = temporalio.api.common.v1.Payload(metadata={"encoding": b"json/plain"}, data=text.encode())
    ours = outcome(lambda: OURS.decode_value(typing.cast("messages.Payload", MessageToDict(payload)), hint))
    assert ours == outcome(lambda: THEIRS.from_payload(payload, hint))


@pytest.mark.parametrize("hint", HINTS, ids=str)
def test_each_hint_reads_what_its_own_values_were_written_as(hint: Any) -> None:
    """Hints that convert at all agree with Temporal's SDK on a handful of telling values."""
    telling: list[object] = [
        None,
        True,
        False,
        0,
        1,
        -1,
        2.0,
        1.5,
        "",
        "1",
        "a",
        "red",
        "2024-05-01T10:00:00+02:00",
        [],
        [1],
        [1, "a"],
    ]
    telling += [{}, {"1": "a"}, {"true": "x"}, {"null": "y"}, {"street": "s"}, {"name": "n", "extra": 1}, [[1, 2], [3]]]
    telling += [{"red": {"name": "n"}}, {"id": "7", "items": [{"name": "n", "size": 2}], "total": 9, "parent": None}]
    telling += [
        "12345678-1234-5678-1234-567812345678",
        {"content": [1]},
        {"when": "2024-05-01", "key": str(uuid.UUID(int=1))},
    ]
    for value in telling:
        payload = THEIRS.to_payload(value)
        ours = outcome(partial(OURS.decode_value, typing.cast("messages.Payload", MessageToDict(payload)), hint))
        assert ours == outcome(partial(THEIRS.from_payload, payload, hint)), value


@given(st.binary(max_size=20) | json_values.map(lambda value: json.dumps(value, indent=1).encode("utf-16")))
def test_the_data_of_any_payload_is_read_as_json_reads_it(data: bytes) -> None:
    """Whatever the bytes of a JSON payload, in any Unicode encoding, they mean what they mean to Temporal's SDK."""
    ours = Payload(metadata={"encoding": b"json/plain"}, data=data)
    theirs = temporalio.api.common.v1.Payload(metadata={"encoding": b"json/plain"}, data=data)
    assert outcome(lambda: OURS.decode_value(ours.to_json())) == outcome(lambda: THEIRS.from_payload(theirs))


@pytest.mark.parametrize(
    "text", ["-0", "1e400", "123456789012345678901234567890", "NaN", " 1 ", '"\\ud800"', "\ufeff1"]
)
def test_numbers_and_text_at_the_edge_are_read_exactly(text: str) -> None:
    """Large integers stay exact, and infinities, blanks and lone surrogates are read as Temporal's SDK reads them."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=text.encode())
    assert repr(OURS.decode_value(payload.to_json())) == repr(json.loads(text.encode()))


# Where we say more than Temporal's SDK, or must not do as it does.


def test_a_set_becomes_the_same_bytes_in_every_process() -> None:
    """A set of strings, whose order differs from process to process, always becomes the same payload."""
    program = (
        "from playhead_engine.converter import DataConverter as D\n"
        "print(D.default.encode_value({'tags': set('playhead'), 'frozen': frozenset('engine')})['data'])"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(written) == 1


@given(st.frozensets(st.text() | st.integers() | st.booleans(), max_size=6))
def test_a_set_comes_back_whole(tags: frozenset[object]) -> None:
    """A set is written as a list, sorted, and read as a set by a hint that says so."""
    listed = OURS.decode_value(OURS.encode_value(tags))
    assert isinstance(listed, list)
    assert listed == sorted(listed, key=json.dumps)
    assert OURS.decode_value(OURS.encode_value(tags), set[Any]) == tags


@pytest.mark.parametrize("value", [date(2024, 5, 1), time(12), timedelta(1), Decimal("1.5"), Plain.ONE, object(), 1j])
def test_a_value_that_json_does_not_have_is_refused_by_its_type(value: object) -> None:
    """A value that JSON does not have is refused, as by Temporal's SDK, and the error names its type and a way out."""
    for holder in (value, [value], {"key": value}, Box(value)):
        with pytest.raises(TypeError, match=rf"{type(value).__name__}: JSON has no such value. Convert it first"):
            OURS.encode_value(holder)
        with pytest.raises(TypeError):
            THEIRS.to_payload(holder)


def test_a_value_that_contains_itself_is_refused() -> None:
    """A list that contains itself is refused, not followed until the stack ends."""
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="Circular"):
        OURS.encode_value(endless)


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (int, "seven", "expected int, got str 'seven'"),
        (list[Item], [{"name": "a"}, {"name": 5}], "item 1 of list[Item]: field name of Item: expected str, got int 5"),
        (dict[str, int], {"a": None}, "value of 'a' in dict[str, int]: expected int, got NoneType None"),
        (dict[int, str], {"a": "b"}, "key 'a' of dict[int, str]: invalid literal for int() with base 10: 'a'"),
        (tuple[int, str], [1, "a", 2], "expected tuple[int, str] with 2 items, got more: list [1, 'a', 2]"),
        (int | None, "x", "expected int | None, got str 'x'"),
        (Literal["a", "b"], "c", "expected one of 'a', 'b', got str 'c'"),
        (datetime, "yesterday", "expected a datetime as ISO 8601, got 'yesterday'"),
        (Size, "big", "expected Size, got str 'big'"),
        (timedelta, 5, "nothing converts a payload to timedelta, got int 5"),
        (Item, [], "expected Item, got list []"),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_with_the_place(hint: Any, value: object, message: str) -> None:
    """A value that does not suit its hint is refused with the way to it, what was expected and what came."""
    with pytest.raises(TypeError) as caught:
        OURS.decode_value(OURS.encode_value(value), hint)
    assert message in str(caught.value).replace(f"{__name__}.", "")


def test_a_huge_value_does_not_fill_the_error() -> None:
    """The error about a value of a megabyte is short."""
    with pytest.raises(TypeError) as caught:
        OURS.decode_value(OURS.encode_value("x" * 1_000_000), int)
    assert len(str(caught.value)) < 200


def test_a_payload_of_an_unknown_encoding_is_refused_by_name() -> None:
    """An encoding that nobody knows is named, with those that are known and the likely reason."""
    payload = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"?")
    with pytest.raises(KeyError, match=r"binary/encrypted, which is none of binary/null.*may lack the codec"):
        OURS.decode_value(payload.to_json())
    with pytest.raises(KeyError, match="encoding <none>"):
        OURS.decode_value({})


def test_a_broken_payload_is_refused_with_the_reason() -> None:
    """JSON that is none, and a null with data, are refused with the reason."""
    for converter in (
        OURS.decode_value,
        lambda payload: OURS.payload_converter.from_payload(Payload.from_json(payload)),
    ):
        with pytest.raises(RuntimeError, match="no JSON: Expecting value"):
            converter(Payload(metadata={"encoding": b"json/plain"}, data=b"oops").to_json())
        with pytest.raises(RuntimeError, match="null has no data, and there are 2 bytes"):
            converter(Payload(metadata={"encoding": b"binary/null"}, data=b"{}").to_json())


def test_a_damaged_payload_is_refused_with_what_came() -> None:
    """Data that is no base64, not even text, is refused with a glance at it; so is JSON a million lists deep."""
    for data in ("abc", "a*bc", "-_-_", 5, "x" * 1_000_001):
        for encoding in ("anNvbi9wbGFpbg==", "YmluYXJ5L3BsYWlu", "b3RoZXI="):
            payload: Any = {"metadata": {"encoding": encoding}, "data": data}
            with pytest.raises(RuntimeError, match=r"a payload is damaged: expected base64, got .{1,40}: "):
                OURS.decode_value(payload)
    deep = Payload(metadata={"encoding": b"json/plain"}, data=b"[" * 1_000_000 + b"]" * 1_000_000)
    with pytest.raises(RuntimeError, match="nested too deeply"):
        OURS.decode_value(deep.to_json())


def test_hints_may_be_more_or_fewer_than_payloads() -> None:
    """Payloads without a hint are taken as they come, and hints without a payload are left over."""
    payloads = OURS.encode_values(["2024-05-01", "b"])
    assert OURS.decode_values(payloads, [datetime]) == [datetime(2024, 5, 1), "b"]
    assert OURS.decode_values(payloads, [str, str, int]) == ["2024-05-01", "b"]


def test_a_raw_value_passes_unconverted() -> None:
    """A raw value gives its own payload, and a hint of it gets the payload as it is."""
    raw = RawValue(Payload(metadata={"encoding": b"custom/mine"}, data=b"\x00"))
    assert OURS.encode_value(raw) == raw.payload.to_json()
    assert OURS.decode_value(raw.payload.to_json(), RawValue) == raw
    assert OURS.decode_value(OURS.encode_value(None), RawValue) == RawValue(
        Payload(metadata={"encoding": b"binary/null"})
    )


@given(st.lists(scalars, max_size=4))
def test_several_values_are_converted_like_each_of_them(several: list[object]) -> None:
    """Several values become several payloads in order, and come back in order, with or without hints."""
    payloads = OURS.encode_values(several)
    assert payloads == [OURS.encode_value(value) for value in several]
    assert repr(OURS.decode_values(payloads)) == repr([OURS.decode_value(payload) for payload in payloads])
    assert repr(OURS.decode_values(payloads, [Any] * len(payloads))) == repr(OURS.decode_values(payloads))


def test_messages_of_protobuf_are_converted_as_by_temporal() -> None:
    """A protobuf message becomes JSON under its type's name and comes back, in both encodings."""
    from google.protobuf.duration_pb2 import Duration

    message = Duration(seconds=5, nanos=1)
    assert OURS.encode_value(message) == theirs_encoded(message)
    assert OURS.decode_value(OURS.encode_value(message), Duration) == message
    metadata = {"encoding": b"binary/protobuf", "messageType": b"google.protobuf.Duration"}
    binary = Payload(metadata=metadata, data=message.SerializeToString())
    assert OURS.decode_value(binary.to_json()) == message
    unknown = Payload(metadata={"encoding": b"json/protobuf", "messageType": b"my.Message"}, data=b"{}")
    with pytest.raises(RuntimeError, match=r"my\.Message, which is not known here; import the module"):
        OURS.decode_value(unknown.to_json())
    for encoding, data in ((b"json/protobuf", b"5"), (b"binary/protobuf", b"\xff")):
        broken = Payload(metadata={**metadata, "encoding": encoding}, data=data)
        with pytest.raises(RuntimeError, match=r"it is no google\.protobuf\.Duration"):
            OURS.decode_value(broken.to_json())


def test_the_order_of_a_union_counts_even_if_an_equal_one_came_before() -> None:
    """`int | str` equals `str | int`, and still each is tried in its own order, also inside a generic."""
    assert value_to_type(datetime | str, "2024-05-01") == datetime(2024, 5, 1)
    assert value_to_type(str | datetime, "2024-05-01") == "2024-05-01"
    assert value_to_type(list[datetime | str], ["2024-05-01"]) == [datetime(2024, 5, 1)]
    assert value_to_type(list[str | datetime], ["2024-05-01"]) == ["2024-05-01"]


def test_hints_made_anew_for_every_value_do_not_pile_up() -> None:
    """Ten thousand hints made on the fly leave a bounded number in memory, and are right to the last."""
    from playhead_engine.converter.type_hints import TypeHints

    hints = TypeHints()
    for number in range(10_000):
        assert hints.converter(Literal[number])(number) == number
    assert len(hints._known) <= 4096


def test_a_dataclass_may_name_a_type_that_is_defined_later() -> None:
    """A dataclass that refers to itself, and to a name defined after it, is converted when it is used."""
    nested = Order(OrderId("2"), [Item("a")], parent=Order(OrderId("1"), []))
    assert OURS.decode_value(OURS.encode_value(nested), Order) == nested


def test_nan_comes_back_as_nan() -> None:
    """A float that is no number stays one."""
    assert math.isnan(OURS.decode_value(OURS.encode_value(math.nan), float))
