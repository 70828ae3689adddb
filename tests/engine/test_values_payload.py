"""`Payload`: what users' converters and codecs hold in their hands."""

from __future__ import annotations

import copy
import pickle

import pytest
import temporalio.api.common.v1 as theirs
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from playhead_engine.common import RawValue
from playhead_engine.converter import Payload

metadata = st.dictionaries(st.text(max_size=8), st.binary(max_size=300), max_size=4)

# Where one name begins another, protobuf's C version has an order of its own.
usual_metadata = st.dictionaries(
    st.sampled_from(["encoding", "messageType", "type", "key-id"]), st.binary(max_size=300)
)


@given(usual_metadata, st.binary(max_size=300))
def test_the_bytes_are_those_of_protobuf(metadata: dict[str, bytes], data: bytes) -> None:
    """A payload serializes to the bytes that protobuf writes for it."""
    protobuf = theirs.Payload(metadata=metadata, data=data)
    assert Payload(metadata=metadata, data=data).SerializeToString() == protobuf.SerializeToString(deterministic=True)


@given(metadata, st.binary(max_size=300))
def test_protobuf_and_we_read_each_other(metadata: dict[str, bytes], data: bytes) -> None:
    """A payload reads the bytes that protobuf wrote, and protobuf those that a payload wrote."""
    ours = Payload(metadata=metadata, data=data)
    protobuf = theirs.Payload(metadata=metadata, data=data)
    assert Payload.FromString(protobuf.SerializeToString()) == ours
    assert theirs.Payload.FromString(ours.SerializeToString()) == protobuf


@given(metadata, st.binary(max_size=300))
def test_the_json_is_that_of_protobuf(metadata: dict[str, bytes], data: bytes) -> None:
    """A payload becomes the JSON that a history holds, and comes back from it."""
    ours = Payload(metadata=metadata, data=data)
    assert ours.to_json() == MessageToDict(theirs.Payload(metadata=metadata, data=data))
    assert Payload.from_json(ours.to_json()) == ours


@given(st.binary(max_size=40))
def test_any_bytes_are_read_as_protobuf_reads_them_or_refused(serialized: bytes) -> None:
    """Bytes that are no payload are refused by an error, never read as something else than protobuf reads."""
    try:
        ours = Payload.FromString(serialized)
    except ValueError:
        return
    try:
        protobuf = theirs.Payload.FromString(serialized)
    except Exception:  # noqa: BLE001 - protobuf has no error class in common with its C version
        return  # protobuf also refuses what is wrong inside fields that are skipped here
    assert (dict(ours.metadata), ours.data) == (dict(protobuf.metadata), protobuf.data)


def test_fields_of_a_later_version_are_skipped() -> None:
    """Fields that this version does not know are skipped, whatever their kind."""
    known = Payload(metadata={"encoding": b"json/plain"}, data=b"1").SerializeToString()
    number, eight_bytes, text, four_bytes = b"\x18\x96\x01", b"\x21" + bytes(8), b"\x2a\x02hi", b"\x35" + bytes(4)
    assert Payload.FromString(number + eight_bytes + known + text + four_bytes).data == b"1"


@pytest.mark.parametrize("cut", range(1, 8))
def test_cut_bytes_are_refused(cut: int) -> None:
    """Bytes that end too early are refused, and the error says where."""
    serialized = Payload(data=b"1234567").SerializeToString()
    with pytest.raises(ValueError, match=r"not a serialized payload: .* of "):
        Payload.FromString(serialized[:-cut])


def test_a_number_without_end_is_refused() -> None:
    """A length that never ends is refused in bounded time."""
    with pytest.raises(ValueError, match="no number at byte 1"):
        Payload.FromString(b"\x12" + b"\xff" * 1000)


def test_it_can_be_changed_compared_and_copied_like_protobuf() -> None:
    """Metadata can be set, read and defaulted as with protobuf, and copies are independent."""
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"1")
    other = Payload()
    other.CopyFrom(payload)
    assert other == payload
    other.metadata["key"] = b"k1"
    assert other != payload
    assert payload != "a payload"
    assert payload.metadata.get("absent", b"none") == b"none"
    assert payload.metadata["absent"] == b""
    assert repr(Payload(data=b"x")) == "Payload(metadata={}, data=b'x')"


def test_text_instead_of_bytes_is_refused_by_name() -> None:
    """A str where bytes belong is refused with the name of the field."""
    with pytest.raises(TypeError, match="metadata 'encoding' of a payload must be bytes, got str"):
        Payload(metadata={"encoding": "json/plain"})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="data of a payload must be bytes, got str"):
        Payload(data="1")  # type: ignore[arg-type]


def test_a_raw_value_survives_pickling_and_copying() -> None:
    """A raw value comes out of pickle and copy as it went in."""
    raw = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"1"))
    assert pickle.loads(pickle.dumps(raw)) == raw
    assert copy.deepcopy(raw) == raw
