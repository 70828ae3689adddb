"""The values of a history, as far as they can be read here.

What is in one of the encodings that every SDK reads is read without anybody's help, and without running any code. For
the rest there may be the user's converter and codec; what they raise is told as the value, and so is what nobody reads.
A value is captured as `playhead.timeline.capture` does it: bounded, and without running any code of the user's.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final

import orjson

from playhead.timeline.capture import Capture, Limits
from playhead.timeline.value import Value
from playhead.values import is_payload, short
from playhead_engine.engine.wire import Wire
from playhead_engine.messages import Failure, Payload
from playhead_engine.opaque import STANDARD_ENCODINGS

_SHOWN: Final = Limits(depth=12, width=1_000, parts=10_000, text=20_000)
_JSON: Final = ("json/plain", "json/protobuf")
_MOST_KEPT: Final = 256
_LARGE: Final = 4_000
"""Characters of base64."""


class Payloads:
    """Reads payloads, and remembers those that were read last.

    Attributes:
        asks_code: Whether reading some of them runs code of the user's, which may take its time.
    """

    def __init__(self, wire: Wire | None = None) -> None:
        """
        Args:
            wire: The user's converter and codec, where code was named.
        """
        self._wire = wire
        self.asks_code = wire is not None and wire.has_codec
        self._kept: dict[int, tuple[Payload, Value]] = {}

    def value(self, payload: Payload) -> Value:
        """What a payload holds; where that cannot be read, words that say why."""
        kept = self._kept.get(id(payload))
        if kept is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            # The payload is kept as well, so that no other one gets its id.
            kept = self._kept[id(payload)] = (payload, self._read(payload))
        return kept[1]

    def is_large(self, payload: Payload) -> bool:
        """Whether a payload is better not read before somebody wants to see all of it."""
        return len(_text_of(payload)) > _LARGE and encoding_of(payload) in _JSON

    def beginning(self, payload: Payload, room: int) -> str:
        """The beginning of what a large payload holds; costs little, however large it is."""
        return short(payload, room)

    def text(self, payload: Payload) -> str:
        """All that a payload holds, as text: JSON over several lines, or what stands for it."""
        try:
            plain = self._decoded(payload)
            if encoding_of(plain) in _JSON:
                value = orjson.loads(_data_of(plain))
                return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        except Exception:  # noqa: BLE001 - a codec of the user's; `value` says what it raised
            pass
        return self.value(payload).text(100_000)

    def words(self, payload: Payload) -> str:
        """All that a payload holds, for looking for words in it; empty where nobody reads it."""
        try:
            plain = self._decoded(payload)
            if encoding_of(plain) not in _JSON:
                return self.value(payload).text(_LARGE)
            data = _data_of(plain)
            # Most of it is read as it stands, which costs a tenth of taking it apart.
            return (orjson.dumps(orjson.loads(data)) if b"\\" in data else data).decode()
        except Exception:  # noqa: BLE001 - a codec of the user's; there is nothing in it to be found
            return ""

    def failure(self, failure: Failure) -> Failure:
        """A failure with its message and stack trace as they were before anybody encoded them."""
        encoded: Payload | None = failure.get("encodedAttributes")
        if not encoded:
            return failure
        try:
            said = orjson.loads(_data_of(self._decoded(encoded)))
            return {**failure, "message": str(said["message"]), "stackTrace": str(said.get("stack_trace", ""))}
        except Exception:  # noqa: BLE001 - a codec of the user's, or another failure converter; it stays as it is
            return failure

    def _read(self, payload: Payload) -> Value:
        encoding = encoding_of(payload)
        try:
            plain = self._decoded(payload)
            encoding = encoding_of(plain)
            return Capture(_SHOWN).of(self._object(plain, encoding))
        except Exception as error:  # noqa: BLE001 - a codec or a converter of the user's; what it raised is told
            why = "" if isinstance(error, _Unreadable) else f"; {type(error).__name__}: {error}"
        data = _text_of(payload)
        size = len(data) * 3 // 4 - data.count("=", -2)
        return Value("opaque", "payload", f"{encoding or 'no encoding'}, {size:,} bytes{why}")

    def _object(self, payload: Payload, encoding: str) -> Any:
        if encoding in _JSON:
            return orjson.loads(_data_of(payload))
        if encoding == "binary/null":
            return None
        if encoding == "binary/plain":
            return _data_of(payload)
        if self._wire is None:
            raise _Unreadable
        return self._wire.converter.decode_value(payload)

    def _decoded(self, payload: Payload) -> Payload:
        """A payload without what the codec did to it. Search attributes and the like never went through it."""
        if self._wire is None or not self._wire.has_codec or encoding_of(payload).encode() in STANDARD_ENCODINGS:
            return payload
        return self._wire.raw_values([payload])[0].payload.to_json()


def payloads_in(value: Any) -> Iterator[Payload]:
    """All payloads in a piece of a history."""
    if isinstance(value, list):
        for one in value:
            yield from payloads_in(one)
    elif isinstance(value, dict):
        if is_payload(value):
            yield value  # type: ignore[misc]  # what else would have such fields
        else:
            for one in value.values():
                yield from payloads_in(one)


class _Unreadable(Exception):
    """Nobody here reads such an encoding."""


def encoding_of(payload: Payload) -> str:
    """How a payload is encoded, as far as it says."""
    try:
        return base64.b64decode((payload.get("metadata") or {}).get("encoding", "")).decode()
    except (binascii.Error, ValueError, TypeError, AttributeError):
        return "damaged"


def _data_of(payload: Payload) -> bytes:
    return base64.b64decode(_text_of(payload))


def _text_of(payload: Payload) -> str:
    """Its bytes in base64; empty where a damaged history has something else there."""
    data: Any = payload.get("data")
    return data if isinstance(data, str) else ""
