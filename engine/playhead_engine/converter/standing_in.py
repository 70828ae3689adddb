"""The user's data converter for native code, with stand-ins for values that it cannot read; see `opaque`.

It is put in the place of the user's for one replay only, and only where a history holds values in encodings that are
not the standard ones.
"""

from __future__ import annotations

from typing import Any, cast

from playhead_engine.converter.codec import PayloadCodec
from playhead_engine.converter.context import WithSerializationContext
from playhead_engine.converter.data_converter import DataConverter
from playhead_engine.converter.payload_converter import PayloadConverter
from playhead_engine.exceptions import FailureError
from playhead_engine.failures import FailureConverter
from playhead_engine.opaque import StandIns, is_stand_in, part_of
from playhead_engine.payload import Payload
from playhead_engine.standing_in import CodecStandingIn, FailuresStandingIn, PayloadsStandingIn, Place


def standing_in(converter: DataConverter, stand_ins: StandIns) -> DataConverter:
    """A data converter that gives stand-ins.

    Args:
        converter: The user's.
        stand_ins: Those of the replay.
    """
    payloads, failures, place = converter.payload_converter, converter.failure_converter, Place(stand_ins)
    codec: _Codec | None = None
    if converter.payload_codec is not None:
        codec = _Codec(converter.payload_codec, place)
        codec.converter = payloads
    return DataConverter(
        payload_converter_class=cast(Any, lambda: _Payloads(payloads, place)),
        payload_codec=codec,
        failure_converter_class=cast(Any, lambda: _Failures(failures, place)),
    )


class _Payloads(PayloadsStandingIn, PayloadConverter, WithSerializationContext):
    """See the base."""


class _Codec(CodecStandingIn, PayloadCodec, WithSerializationContext):
    """See the base."""


class _Failures(FailuresStandingIn, FailureConverter, WithSerializationContext):
    """See the base."""

    def hide_messages(self, error: BaseException, failure: Any, payload_converter: Any) -> None:
        said: BaseException | None = error
        told: Any = failure.json
        while isinstance(said, FailureError) and told is not None:
            if "encodedAttributes" in told:
                encoded = Payload.from_json(told["encodedAttributes"])
                attributes = payload_converter.from_payloads([encoded])[0]
                if is_stand_in(attributes):
                    said.hide_message(part_of(attributes, ".message"))
            said, told = said.__cause__, told.get("cause")
