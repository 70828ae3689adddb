"""JSON text to a JSON document, refusing whatever would not come out again as it went in.

orjson is fast and strict, but it keeps the last of two equal keys, and rounds a number that is too long. Cheap tests
tell whether a text might hold either; only then is it parsed a second time, slowly and with an eye on every token.
This module must not know what a document is about.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from playhead.readers.refusal import UnreadableHistory

if TYPE_CHECKING:
    from playhead.readers.source import Source

_DOUBLE_DIGITS = 17
"""Decimal digits that tell any two doubles apart."""

_LONG_NUMBER = b"0" * _DOUBLE_DIGITS
_DIGITS_TO_ZERO = bytes(0x30 if chr(code) in "0123456789." else 0x20 for code in range(256))

_COLON_ESCAPE = re.compile(rb"\\u003[aA]")
_BLANKS = re.compile(r"[ \t\n\r]*")

_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1


def parse(source: Source) -> Any:
    """The document in a text. Several documents, one after the other, make a list.

    Raises:
        UnreadableHistory: It is not JSON, cut short, nested too deep, or holds what would get lost.
    """
    text = source.data
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "content after document" in error.msg:
            return _parse_carefully(source, several=True)
        raise _explain(error, source) from None
    if _may_repeat_keys(text, document) or _LONG_NUMBER in text.translate(_DIGITS_TO_ZERO):
        return _parse_carefully(source)
    return document


def _may_repeat_keys(text: bytes, document: Any) -> bool:
    """Whether keys could have been dropped: when the document is written again, their colons are missing.

    A colon that the text has as an escape is there as itself in what is written, and could make up for a missing one.
    """
    return text.count(b":") != _write(document).count(b":") or (
        b"\\u003" in text and _COLON_ESCAPE.search(text) is not None
    )


def _parse_carefully(source: Source, *, several: bool = False) -> Any:
    decoder = json.JSONDecoder(
        object_pairs_hook=_object,
        parse_int=_integer,
        parse_float=_float,
        parse_constant=_constant,
    )
    try:
        text = source.data.decode()
        if not several:
            return decoder.decode(text)
        documents: list[Any] = []
        position = _end_of_blanks(text, 0)
        while position < len(text):
            document, end = decoder.raw_decode(text, position)
            documents.append(document)
            position = _end_of_blanks(text, end)
    except json.JSONDecodeError as error:
        raise _explain(error, source) from None
    except RecursionError:
        raise _too_deep() from None
    _write(documents)
    return documents


def _write(document: Any) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError as error:
        if "ecursion" in str(error):
            raise _too_deep() from None
        raise UnreadableHistory(f"it could not be written again as it is: {error}") from None


def _end_of_blanks(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                owner = next((f" of event {value}" for name, value in pairs if name in ("eventId", "event_id")), "")
                raise UnreadableHistory(
                    f"the key {json.dumps(key)}{owner} is there twice in one object",
                    "Only one of the two could be kept; remove the other",
                )
            seen.add(key)
    return result


def _integer(text: str) -> int:
    if len(text) <= 20 and _INT64_MIN <= (number := int(text)) <= _UINT64_MAX:
        return number
    raise _number_too_long(text)


def _float(text: str) -> float:
    number = float(text)
    digits = sum(character.isdigit() for character in re.split("[eE]", text)[0].lstrip("-0."))
    if math.isinf(number) or (digits > _DOUBLE_DIGITS and Decimal(text) != Decimal(repr(number))):
        raise _number_too_long(text)
    return number


def _constant(text: str) -> NoReturn:
    raise UnreadableHistory(f"it holds {text}, which is not JSON")


def _explain(error: json.JSONDecodeError, source: Source) -> UnreadableHistory:
    """What an error of a JSON parser means to the owner of the file."""
    text = source.data
    if not text.strip():
        return UnreadableHistory("it is empty", "Download it again", 0)
    try:
        text.decode()
    except UnicodeDecodeError as wrong:
        if wrong.reason == "unexpected end of data":
            return _truncated(source)
        place = f"{wrong.start}{source.layer}"
        return UnreadableHistory(f"it is not UTF-8: byte {place} is 0x{text[wrong.start]:02x}", offset=wrong.start)
    if error.msg.startswith("unexpected end of data") or error.pos >= len(error.doc):
        return _truncated(source)
    if "depth limit" in error.msg or "ecursion" in error.msg:
        return _too_deep()
    offset = len(error.doc[: error.pos].encode())
    if "infinity" in error.msg:
        number = re.match(rb"[-+0-9.eE]*", text[offset : offset + 400])
        return _number_too_long(number.group().decode() if number else "", offset)
    shown = error.doc[error.pos : error.pos + 20]
    return UnreadableHistory(
        f"it is not JSON: {error.msg} at byte {offset}{source.layer}, where it says {json.dumps(shown)}", offset=offset
    )


def _truncated(source: Source) -> UnreadableHistory:
    size = len(source.data)
    return UnreadableHistory(f"truncated at byte {size}{source.layer}", "Download it again", size)


def _too_deep() -> UnreadableHistory:
    return UnreadableHistory("it is nested more than 254 levels deep, which no history is")


def _number_too_long(text: str, offset: int | None = None) -> UnreadableHistory:
    shown = text if len(text) <= 40 else f"{text[:20]}...{text[-10:]}"
    return UnreadableHistory(
        f"the number {shown} is too long to be kept exactly", "Numbers in a history have at most 64 bits", offset
    )
