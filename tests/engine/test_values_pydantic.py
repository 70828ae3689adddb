"""Pydantic models as values."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, cast

import pydantic
import pytest
import temporalio.contrib.pydantic
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from playhead_engine import messages
from playhead_engine.contrib.pydantic import (
    PydanticJSONPlainPayloadConverter,
    PydanticPayloadConverter,
    ToJsonOptions,
    pydantic_data_converter,
)
from playhead_engine.converter import DataConverter, Payload

THEIRS = temporalio.contrib.pydantic.pydantic_data_converter.payload_converter


class Line(pydantic.BaseModel):
    name: str
    price: Decimal = Decimal(1)


class Tag(pydantic.BaseModel):
    name: str
    rank: int


class Invoice(pydantic.BaseModel):
    id: uuid.UUID
    due: date
    within: timedelta
    lines: list[Line]
    note: str | None = None


@dataclasses.dataclass
class Envelope:
    invoice: Invoice
    tags: set[str]


lines = st.builds(Line, name=st.text(), price=st.decimals(allow_nan=False, allow_infinity=False))
invoices = st.builds(Invoice, id=st.uuids(), due=st.dates(), within=st.timedeltas(), lines=st.lists(lines, max_size=2))
envelopes = st.builds(Envelope, invoice=invoices, tags=st.sets(st.text(), max_size=1))


@pytest.mark.parametrize(
    ("hint", "strategy"),
    [
        (Invoice, invoices),
        (Envelope, envelopes),
        (list[Line], st.lists(lines, max_size=2)),
        (dict[str, Invoice | None], st.dictionaries(st.text(), st.none() | invoices, max_size=2)),
        (datetime, st.datetimes(timezones=st.just(UTC))),
        (tuple[int, Decimal], st.tuples(st.integers(-9, 9), st.decimals(allow_nan=False, allow_infinity=False))),
        (type(None), st.none()),
        (bytes, st.binary()),
    ],
)
@given(data=st.data())
def test_what_pydantic_knows_is_converted_as_under_temporal(data: st.DataObject, hint: Any, strategy: Any) -> None:
    """Whatever pydantic knows becomes the payload that Temporal's SDK makes by pydantic, and comes back equal."""
    value = data.draw(strategy)
    payload = pydantic_data_converter.encode_value(value)
    assert payload == cast(messages.Payload, MessageToDict(THEIRS.to_payload(value)))
    assert pydantic_data_converter.decode_value(payload, hint) == value


def test_a_payload_that_does_not_suit_the_model_is_refused_by_pydantic() -> None:
    """A payload that the model does not accept is refused with pydantic's own error, which names the field."""
    payload = pydantic_data_converter.encode_value({"name": 5})
    with pytest.raises(pydantic.ValidationError, match="name"):
        pydantic_data_converter.decode_value(payload, Line)
    assert pydantic_data_converter.decode_value(payload) == {"name": 5}


def test_options_say_what_is_written() -> None:
    """Fields that nobody set are left out where the options say so."""
    terse = PydanticPayloadConverter(ToJsonOptions(exclude_unset=True))
    assert terse.to_payload(Line(name="a")).data == b'{"name":"a"}'
    assert PydanticPayloadConverter().to_payload(Line(name="a")).data == b'{"name":"a","price":"1"}'


def test_hints_that_cannot_be_kept_are_converted_all_the_same() -> None:
    """A hint that has no hash is converted, though what validates it cannot be kept."""
    hint = Annotated[int, ["a list"]]
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"5")
    for kept in (0, None, 8):
        converter = PydanticJSONPlainPayloadConverter(max_cached_type_adapters=kept)
        assert converter.from_payload(payload, cast(Any, hint)) == 5
        assert converter.from_payload(payload, int) == 5
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        PydanticJSONPlainPayloadConverter(max_cached_type_adapters=-1)


def test_a_converter_in_use_can_be_pickled() -> None:
    """A converter that has converted something is pickled without what it keeps."""
    converter = PydanticJSONPlainPayloadConverter(ToJsonOptions())
    payload = converter.to_payload(Line(name="a"))
    assert payload is not None
    assert converter.from_payload(payload, Line) == Line(name="a")
    copy = pickle.loads(pickle.dumps(converter))
    assert copy.from_payload(payload, Line) == Line(name="a")


def test_the_standard_converter_takes_models_with_a_warning() -> None:
    """Without the converter for pydantic a model is written as a plain object, and a warning names that converter."""
    with pytest.warns(UserWarning, match="pydantic_data_converter of playhead_engine"):
        payload = DataConverter.default.encode_value(Tag(name="a", rank=1))
    assert DataConverter.default.decode_value(payload) == {"name": "a", "rank": 1}
    assert DataConverter.default.decode_value(payload, Tag) == Tag(name="a", rank=1)
    with pytest.raises(TypeError, match="expected Tag, got int 5"):
        DataConverter.default.decode_value(DataConverter.default.encode_value(5), Tag)
    assert DataConverter.default.encode_value([Tag(name="a", rank=1)]) == DataConverter.default.encode_value(
        [{"name": "a", "rank": 1}]
    )
    assert DataConverter.default.decode_value(DataConverter.default.encode_value([{"name": "b"}]), list[Line]) == [
        Line(name="b")
    ]


def test_pydantic_is_not_loaded_before_it_is_needed() -> None:
    """Importing the converter for pydantic does not import pydantic."""
    program = "import sys, playhead_engine.contrib.pydantic as p; assert 'pydantic' not in sys.modules, sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
