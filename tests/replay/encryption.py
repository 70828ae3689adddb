"""Histories as a worker with an encrypting codec leaves them, and the codec, for both kinds of code."""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload as PayloadProto
from temporalio.converter import PayloadCodec as TemporalCodec

from playhead_engine.converter import PayloadCodec
from playhead_engine.payload import Payload

KEY = b"test-key-test-key-test-key-test!"
OTHER_KEY = b"another-key-another-key-another!"


def encrypt(plain: bytes) -> bytes:
    """Twelve bytes of nonce, then AES-GCM."""
    nonce = os.urandom(12)
    return nonce + AESGCM(KEY).encrypt(nonce, plain, None)


def encrypted(document: bytes, change: Callable[[bytes], bytes] = encrypt, encoding: str = "binary/encrypted") -> bytes:
    """A history whose values went through a codec. Markers, headers and search attributes do not go through one.

    Args:
        document: The history.
        change: What the codec does to the bytes of a payload.
        encoding: What it calls that.
    """

    def through(part: Any) -> Any:
        if isinstance(part, list):
            return [through(item) for item in part]
        if not isinstance(part, dict):
            return part
        if isinstance(part.get("metadata"), dict):
            data = change(Payload.from_json(part).SerializeToString())
            metadata = {"encoding": base64.b64encode(encoding.encode()).decode()}
            return {"metadata": metadata, "data": base64.b64encode(data).decode()}
        aside = ("searchAttributes", "header", "markerRecordedEventAttributes")
        return {key: value if key in aside else through(value) for key, value in part.items()}

    return json.dumps(through(json.loads(document))).encode()


def compressed(document: bytes) -> bytes:
    """A history whose values were compressed."""
    return encrypted(document, zlib.compress, "binary/zlib")


class _Aes:
    """What both codecs do. `key` is the one that they have."""

    def __init__(self, payload_class: Any, key: bytes) -> None:
        self._payload_class = payload_class
        self._key = key

    async def encode(self, payloads: Sequence[Any]) -> list[Any]:
        encoded = [encrypt(payload.SerializeToString()) for payload in payloads]
        return [self._payload_class(metadata={"encoding": b"binary/encrypted"}, data=data) for data in encoded]

    async def decode(self, payloads: Sequence[Any]) -> list[Any]:
        decoded: list[Any] = []
        for payload in payloads:
            if payload.metadata.get("encoding") != b"binary/encrypted":
                decoded.append(payload)
                continue
            plain = AESGCM(self._key).decrypt(payload.data[:12], payload.data[12:], None)
            decoded.append(self._payload_class.FromString(plain))
        return decoded


class TemporalAes(_Aes, TemporalCodec):
    """The codec as `temporalio` code has it."""

    def __init__(self, key: bytes = KEY) -> None:
        super().__init__(PayloadProto, key)


class NativeAes(_Aes, PayloadCodec):
    """The codec as native code has it."""

    def __init__(self, key: bytes = KEY) -> None:
        super().__init__(Payload, key)
