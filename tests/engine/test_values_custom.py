"""Converters and codecs that users wrote for Temporal's SDK: only the import changes, and both read each other."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import types
from typing import Any, cast

import pytest
import temporalio.converter
from google.protobuf.json_format import MessageToDict, ParseDict

from playhead_engine import converter, exceptions, messages
from playhead_engine.converter import DataConverter, Payload

# A user's module, with the two lines of imports to come before it.
USERS_MODULE = '''
import dataclasses
import json
import zlib
from decimal import Decimal
from typing import Any, Sequence


class SealingCodec(converter.PayloadCodec):
    """Compresses the whole payload and marks it, as an encrypting codec does."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(
                metadata={"encoding": b"binary/sealed", "key-id": b"k1"},
                data=zlib.compress(p.SerializeToString()),
            )
            for p in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        opened = []
        for p in payloads:
            if p.metadata.get("encoding", b"").decode() != "binary/sealed":
                opened.append(p)
                continue
            assert p.metadata["key-id"] == b"k1"
            opened.append(Payload.FromString(zlib.decompress(p.data)))
        return opened


class Money:
    def __init__(self, amount: str) -> None:
        self.amount = Decimal(amount)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.amount == self.amount


class MoneyConverter(converter.EncodingPayloadConverter):
    @property
    def encoding(self) -> str:
        return "text/money"

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, Money):
            return None
        return Payload(metadata={"encoding": self.encoding.encode()}, data=str(value.amount).encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        assert not type_hint or type_hint is Money
        return Money(payload.data.decode())


class MoneyPayloadConverter(converter.CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(
            MoneyConverter(), *converter.DefaultPayloadConverter.default_encoding_payload_converters
        )


class DecimalEncoder(converter.AdvancedJSONEncoder):
    def default(self, o: Any) -> Any:
        return str(o) if isinstance(o, Decimal) else super().default(o)


class DecimalTypes(converter.JSONTypeConverter):
    def to_typed_value(self, hint: Any, value: Any) -> Any:
        return Decimal(value) if hint is Decimal else converter.JSONTypeConverter.Unhandled


class DecimalPayloadConverter(converter.CompositePayloadConverter):
    def __init__(self) -> None:
        json_converter = converter.JSONPlainPayloadConverter(
            encoder=DecimalEncoder, custom_type_converters=[DecimalTypes()]
        )
        super().__init__(
            *[
                c if not isinstance(c, converter.JSONPlainPayloadConverter) else json_converter
                for c in converter.DefaultPayloadConverter.default_encoding_payload_converters
            ]
        )


@dataclasses.dataclass
class Bill:
    total: Decimal
    parts: list[Decimal]
    tip: Decimal | None = None


class KeyPerWorkflow(converter.EncodingPayloadConverter, converter.WithSerializationContext):
    context = None

    @property
    def encoding(self) -> str:
        return "text/keyed"

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, str):
            return None
        key = self.context.workflow_id if self.context else "nobody"
        return Payload(metadata={"encoding": b"text/keyed"}, data=f"{key}:{value}".encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return payload.data.decode().partition(":")[2]

    def with_context(self, context: Any) -> Any:
        copy = KeyPerWorkflow()
        copy.context = context
        return copy


class KeyedPayloadConverter(converter.CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(KeyPerWorkflow(), *converter.DefaultPayloadConverter.default_encoding_payload_converters)
'''


def users_module(imports: str, name: str) -> dict[str, Any]:
    module = types.ModuleType(name)
    sys.modules[name] = module  # dataclasses look for themselves there
    exec(compile(imports + USERS_MODULE, name, "exec", dont_inherit=True), vars(module))
    return vars(module)


OURS = users_module(
    "from playhead_engine import converter\nfrom playhead_engine.converter import Payload\n", "users_ours"
)
THEIRS = users_module(
    "from temporalio import converter\nfrom temporalio.api.common.v1 import Payload\n", "users_theirs"
)


def of_temporal(payload: messages.Payload) -> temporalio.api.common.v1.Payload:
    return ParseDict(dict(payload), temporalio.api.common.v1.Payload())


def as_json(payload: temporalio.api.common.v1.Payload) -> messages.Payload:
    return cast(messages.Payload, MessageToDict(payload))


def test_a_codec_seals_what_the_same_codec_opens_under_temporal_and_back() -> None:
    """A codec that seals the bytes of payloads opens here what it sealed under Temporal's SDK, and the reverse."""
    ours = DataConverter(payload_codec=OURS["SealingCodec"]())
    theirs = temporalio.converter.DataConverter(payload_codec=THEIRS["SealingCodec"]())
    values: list[Any] = ["a", {"b": [1]}, None, b"\x00", 1.5]

    async def both_ways() -> None:
        sealed = await ours.wire_encode(ours.encode_values(values))
        assert await theirs.decode([of_temporal(payload) for payload in sealed]) == values
        back = [as_json(payload) for payload in await theirs.encode(values)]
        assert back == sealed
        assert ours.decode_values(await ours.wire_decode(back)) == values
        assert await ours.decode(await ours.encode(values)) == values
        # Payloads from before there was a codec pass.
        plain = DataConverter.default.encode_values(values)
        assert await ours.wire_decode(plain) == plain

    asyncio.run(both_ways())


def test_a_codec_seals_every_payload_of_a_failure_and_of_its_causes() -> None:
    """A codec seals the details and the hidden attributes of a failure, of its causes too, and leaves the original."""
    ours = DataConverter(
        payload_codec=OURS["SealingCodec"](),
        failure_converter_class=converter.DefaultFailureConverterWithEncodedAttributes,
    )
    outer = exceptions.TimeoutError("t", type=exceptions.TimeoutType.HEARTBEAT, last_heartbeat_details=[1])
    outer.__cause__ = exceptions.CancelledError("c", "detail")
    outer.__cause__.__cause__ = exceptions.ApplicationError("secret", {"card": "4711"})
    failure = ours.encode_failure(outer)
    before = json.dumps(failure)

    async def both_ways() -> None:
        sealed = await ours.wire_encode_failure(failure)
        assert json.dumps(failure) == before
        assert json.dumps(sealed).count("YmluYXJ5L3NlYWxlZA==") == 6  # binary/sealed: three messages, three details
        assert await ours.wire_decode_failure(sealed) == failure
        theirs = temporalio.converter.DataConverter(payload_codec=THEIRS["SealingCodec"]())
        message = ParseDict(dict(sealed), temporalio.api.failure.v1.Failure())
        error = cast(Any, await theirs.decode_failure(message))
        assert error.cause.cause.details == ({"card": "4711"},)

    asyncio.run(both_ways())


def test_without_a_codec_payloads_and_failures_are_left_as_they_are() -> None:
    """Without a codec nothing is changed on the way out or in."""
    failure = DataConverter.default.encode_failure(ValueError("x"))
    payloads = DataConverter.default.encode_values([1])

    async def ways() -> None:
        assert await DataConverter.default.wire_encode(payloads) == payloads
        assert await DataConverter.default.wire_decode(payloads) == payloads
        assert await DataConverter.default.wire_encode_failure(failure) is failure
        assert await DataConverter.default.wire_decode_failure(failure) is failure
        assert await DataConverter.default.decode(await DataConverter.default.encode([1, "a"])) == [1, "a"]

    asyncio.run(ways())


@pytest.mark.parametrize(
    ("converter_class", "make", "hint"),
    [
        ("MoneyPayloadConverter", lambda module: module["Money"]("1.50"), lambda module: module["Money"]),
        ("MoneyPayloadConverter", lambda module: {"plain": [1, None]}, lambda module: dict[str, list[int | None]]),
        (
            "DecimalPayloadConverter",
            lambda module: module["Bill"](module["Decimal"]("3"), [module["Decimal"]("1.10")], None),
            lambda module: module["Bill"],
        ),
        ("DecimalPayloadConverter", lambda module: b"bytes", lambda module: bytes),
        ("KeyedPayloadConverter", lambda module: "text", lambda module: str),
    ],
)
def test_a_converter_of_the_user_writes_and_reads_what_it_does_under_temporal(
    converter_class: str, make: Any, hint: Any
) -> None:
    """A custom converter makes the same payload here as under Temporal's SDK, and reads it back."""
    ours = DataConverter(payload_converter_class=OURS[converter_class])
    theirs = temporalio.converter.DataConverter(payload_converter_class=THEIRS[converter_class]).payload_converter
    payload = ours.encode_value(make(OURS))
    assert payload == as_json(theirs.to_payload(make(THEIRS)))
    assert ours.decode_value(payload, hint(OURS)) == make(OURS)
    assert ours.decode_values([payload], [hint(OURS)]) == ours.decode_values(
        ours.encode_values([make(OURS)]), [hint(OURS)]
    )
    assert ours.encode_values([]) == ours.decode_values([]) == []


def test_a_value_that_no_converter_takes_is_refused_by_type_and_place() -> None:
    """Converters that all decline leave an error that names the type of the value and its place among the others."""

    class OnlyMoney(converter.CompositePayloadConverter):
        def __init__(self) -> None:
            super().__init__(OURS["MoneyConverter"]())

    only_money = DataConverter(payload_converter_class=OnlyMoney)
    with pytest.raises(RuntimeError, match="no converter takes the value at index 1, which is of type str"):
        only_money.encode_values([OURS["Money"]("1"), "text"])


def test_a_converter_that_wants_to_know_the_workflow_is_told() -> None:
    """A converter with a context gets it through the data converter, and one without is left as it is."""
    context = converter.WorkflowSerializationContext(namespace="default", workflow_id="order-1")
    keyed = DataConverter(payload_converter_class=OURS["KeyedPayloadConverter"])
    assert Payload.from_json(keyed.with_context(context).encode_value("x")).data == b"order-1:x"
    assert Payload.from_json(keyed.encode_value("x")).data == b"nobody:x"
    assert DataConverter.default.with_context(context) is DataConverter.default
    money = DataConverter(payload_converter_class=OURS["MoneyPayloadConverter"])
    assert money.with_context(context) is money


def test_a_codec_that_wants_to_know_the_workflow_is_told() -> None:
    """A codec with a context gets it through the data converter, and the converter around it stays of its class."""

    class Stamping(converter.PayloadCodec, converter.WithSerializationContext):
        def __init__(self, stamp: bytes = b"nobody") -> None:
            self.stamp = stamp

        async def encode(self, payloads: Any) -> list[Payload]:
            return [Payload(metadata={"by": self.stamp}, data=payload.data) for payload in payloads]

        async def decode(self, payloads: Any) -> list[Payload]:
            raise NotImplementedError

        def with_context(self, context: Any) -> Stamping:
            return Stamping(context.workflow_id.encode())

    @dataclasses.dataclass(frozen=True)
    class Mine(DataConverter):
        pass

    context = converter.WorkflowSerializationContext(namespace="default", workflow_id="order-1")
    mine = Mine(payload_codec=Stamping()).with_context(context)
    assert type(mine) is Mine
    [payload] = asyncio.run(mine.encode([1]))
    assert payload.metadata == {"by": b"order-1"}


def test_a_class_that_claims_to_want_a_context_must_say_how() -> None:
    """A class that inherits the wish for a context without the method is named in the error."""

    class Forgetful(converter.DefaultPayloadConverter):
        with_context = converter.WithSerializationContext.with_context

    context = converter.WorkflowSerializationContext(namespace="default", workflow_id="order-1")
    with pytest.raises(NotImplementedError, match="Forgetful inherits WithSerializationContext without with_context"):
        DataConverter(payload_converter_class=Forgetful).with_context(context)


def test_an_exchanged_default_encoding_is_not_passed_by() -> None:
    """Whoever replaces one of the default encodings gets the replacement, not the short way past it."""

    class Shouting(converter.JSONPlainPayloadConverter):
        def to_payload(self, value: Any) -> Payload | None:
            return super().to_payload(value.upper() if isinstance(value, str) else value)

    class Mine(converter.DefaultPayloadConverter):
        def __init__(self) -> None:
            super().__init__()
            self.converters = {**self.converters, b"json/plain": Shouting()}

    mine = DataConverter(payload_converter_class=Mine)
    assert mine.decode_value(mine.encode_value("hello")) == "HELLO"


def test_the_wrapper_of_several_payloads_goes_both_ways() -> None:
    """The message of several payloads that Temporal's SDK has around them can be made, changed and read."""
    default = converter.default().payload_converter
    wrapper = default.to_payloads_wrapper([1, "a"])
    assert default.from_payloads_wrapper(wrapper) == [1, "a"]
    assert default.from_payloads_wrapper(None) == default.from_payloads_wrapper(converter.Payloads()) == []

    async def through() -> None:
        codec = OURS["SealingCodec"]()
        await codec.encode_wrapper(wrapper)
        assert [payload.metadata["encoding"] for payload in wrapper.payloads] == [b"binary/sealed"] * 2
        await codec.decode_wrapper(wrapper)

    asyncio.run(through())
    assert default.from_payloads_wrapper(wrapper) == [1, "a"]
    assert default.from_payload(default.to_payload(5), int) == 5


def test_json_may_be_read_and_written_by_classes_of_the_user() -> None:
    """An encoder and a decoder of the user's, and another name for the encoding, are used as given."""

    class Reader(json.JSONDecoder):
        def decode(self, s: str, *args: Any) -> Any:
            return {"read": super().decode(s, *args)}

    mine = converter.JSONPlainPayloadConverter(encoder=None, decoder=Reader, encoding="json/mine")
    payload = mine.to_payload([1])
    assert payload == Payload(metadata={"encoding": b"json/mine"}, data=b"[1]")
    assert mine.from_payload(Payload(data=b"[1]")) == {"read": [1]}
    with pytest.raises(RuntimeError, match="it is no JSON"):
        mine.from_payload(Payload(data=b"["))
    with pytest.raises(TypeError):
        mine.to_payload({1, 2})  # json's own encoder has no sets
