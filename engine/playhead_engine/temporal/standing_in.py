"""The user's data converter for `temporalio` code, with stand-ins for values that it cannot read; see `opaque`.

What `converter.standing_in` is for native code.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from temporalio.converter import (
    DataConverter,
    FailureConverter,
    PayloadCodec,
    PayloadConverter,
    WithSerializationContext,
)
from temporalio.exceptions import FailureError

from playhead_engine.opaque import is_stand_in, part_of
from playhead_engine.standing_in import CodecStandingIn, FailuresStandingIn, PayloadsStandingIn, Place
from playhead_engine.temporal.sdk import workflows as sdk


def standing_in(converter: DataConverter, place: Place) -> DataConverter:
    """A data converter that gives stand-ins.

    Args:
        converter: The user's.
        place: Where it finds those of the run at hand.
    """
    make_payloads, make_failures = converter.payload_converter_class, converter.failure_converter_class
    codec: _Codec | None = None
    if converter.payload_codec is not None:
        codec = _Codec(converter.payload_codec, place)
        codec.converter = make_payloads()
    return replace(
        converter,
        payload_converter_class=cast(Any, lambda: _Payloads(make_payloads(), place)),
        payload_codec=codec,
        failure_converter_class=cast(Any, lambda: _Failures(make_failures(), place)),
    )


class _Payloads(PayloadsStandingIn, PayloadConverter, WithSerializationContext):
    """See the base."""


class _Codec(CodecStandingIn, PayloadCodec, WithSerializationContext):
    """See the base."""


class _Failures(FailuresStandingIn, FailureConverter, WithSerializationContext):
    """See the base."""

    def hide_messages(self, error: BaseException, failure: Any, payload_converter: Any) -> None:
        said: BaseException | None = error
        told = failure
        while isinstance(said, FailureError) and told is not None:
            if told.HasField("encoded_attributes"):
                attributes = payload_converter.from_payloads([told.encoded_attributes])[0]
                if is_stand_in(attributes):
                    sdk.hide_message(said, part_of(attributes, ".message"))
            said, told = said.__cause__, told.cause if told.HasField("cause") else None
