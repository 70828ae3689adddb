"""The bytes of a file, with bounds on what may be opened, how much is read and how far it may unpack.

A history comes from anywhere. So this module opens nothing that could block or never end (a pipe, a device), reads no
more than it was allowed to, and turns UTF-16 and gzip into plain UTF-8. It must not know what the bytes mean.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat
import zlib
from dataclasses import dataclass

from playhead.readers.refusal import UnreadableHistory

DEFAULT_LIMIT = 256 * 1024 * 1024
"""Bytes. Temporal ends a run whose history reaches 50 MB of protobuf, which makes less than 100 MB of JSON."""

GZIP_MAGIC = b"\x1f\x8b"

_WINDOW = 1 << 16  # bytes of packed data at a time; what is left of them is copied for each part
_MOST_MEMBERS = 10_000  # parts of a gzip file; tools that make many of them give each 64 kB
_READ_TEXT = "To read JSON itself, hand it over as bytes: `read_history(text.encode())`"
_RAISE_LIMIT = "Raise the limit if it is a history: `read_history(path, limit=BYTES)`"
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)

_OPEN_PROBLEMS = {
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "there is no such file: a part of its path is a file, not a directory",
    errno.EACCES: "permission to read it is denied",
    errno.EPERM: "permission to read it is denied",
    errno.ELOOP: "its symbolic links lead round in a circle",
    errno.ENAMETOOLONG: "its name is too long to be one",
    errno.ENXIO: "it is a socket, not a file",
    errno.EISDIR: "it is a directory, not a file",
}

_NO_FILE = {
    stat.S_IFDIR: "it is a directory, not a file",
    stat.S_IFIFO: "it is a pipe, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a file holds once nothing is packed any more.

    Attributes:
        data: Bytes; UTF-8 without a byte order mark if they are text.
        layer: What was taken off to get there, as a phrase that may follow "at byte N"; empty for a plain file.
    """

    data: bytes
    layer: str = ""


def read_file(path: str | os.PathLike[str], limit: int) -> bytes:
    """All bytes of a regular file.

    Args:
        path: Where it is.
        limit: How many bytes it may have.

    Raises:
        UnreadableHistory: It is not there, not readable, no regular file, or too long.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError as error:
        problem = _OPEN_PROBLEMS.get(error.errno or 0, f"it cannot be opened: {error.strerror}")
        is_json = os.fspath(path).lstrip().startswith(("{", "["))
        raise UnreadableHistory(problem, _READ_TEXT if is_json else "") from None
    except ValueError:
        raise UnreadableHistory("this cannot be the name of a file") from None
    try:
        status = os.fstat(descriptor)
        kind = stat.S_IFMT(status.st_mode)
        if kind != stat.S_IFREG:
            advice = "Name the files in it instead" if kind == stat.S_IFDIR else "Save it to a file first"
            raise UnreadableHistory(_NO_FILE.get(kind, "it is not a regular file"), advice)
        if status.st_size > limit:
            raise _too_long(status.st_size, limit)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UnreadableHistory(f"it cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise _too_long(len(data), limit)
    return data


def unpack(data: bytes, limit: int) -> Source:
    """Take gzip and UTF-16 off.

    Args:
        data: The bytes of a file.
        limit: How many bytes they may unpack to.

    Raises:
        UnreadableHistory: They are damaged, cut short or too long, or not in the encoding they claim.
    """
    layer = ""
    if data.startswith(GZIP_MAGIC):
        data, layer = _gunzip(data, limit), " of the unpacked text"
        if data.startswith(GZIP_MAGIC):
            raise UnreadableHistory("it is packed with gzip twice", "Unpack it once")
    encoding = _wide_encoding(data)
    if encoding:
        return Source(_to_utf8(data, encoding), " of the text in UTF-8")
    return Source(data.removeprefix(codecs.BOM_UTF8), layer)


def _too_long(size: int, limit: int) -> UnreadableHistory:
    megabytes = limit / 1_000_000
    return UnreadableHistory(
        f"it is longer than the {megabytes:,.0f} MB that are read at most ({size:,} bytes)",
        _RAISE_LIMIT,
    )


def _gunzip(data: bytes, limit: int) -> bytes:
    unpacked = bytearray()
    position = 0
    for _ in range(_MOST_MEMBERS):
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not stream.eof:
            window = data[position : position + _WINDOW]
            if not window:
                problem = f"truncated at byte {len(data)}: its gzip packing has no end"
                raise UnreadableHistory(problem, "Download it again", len(data))
            try:
                unpacked += stream.decompress(window, limit + 1 - len(unpacked))
            except zlib.error:
                problem = f"its gzip packing is damaged near byte {position}"
                raise UnreadableHistory(problem, "Download it again", position) from None
            if len(unpacked) > limit:
                problem = f"it unpacks to more than the {limit / 1_000_000:,.0f} MB that are read at most"
                raise UnreadableHistory(problem, _RAISE_LIMIT)
            position += len(window) - len(stream.unconsumed_tail) - len(stream.unused_data)
        if position == len(data) or (not data[position] and not data[position:].strip(b"\0")):  # padded, by an archive
            return bytes(unpacked)
        if not data.startswith(GZIP_MAGIC, position):
            problem = f"after its gzip packing ends at byte {position} comes something else"
            raise UnreadableHistory(problem, offset=position)
    raise UnreadableHistory(f"its gzip packing has more than {_MOST_MEMBERS:,} parts", "Unpack it first")


def _wide_encoding(data: bytes) -> str:
    """UTF-16 or UTF-32, where the data begins like text in one of them; else empty."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        if data.startswith(tuple(character.encode(encoding) for character in "{[ \n\r")):
            return encoding
    return ""


def _to_utf8(data: bytes, encoding: str) -> bytes:
    name = encoding.upper().removesuffix("-LE").removesuffix("-BE")
    try:
        return data.decode(encoding).encode()
    except UnicodeDecodeError as error:
        if error.reason in ("truncated data", "unexpected end of data"):
            raise UnreadableHistory(f"truncated at byte {len(data)}", "Download it again", len(data)) from None
        raise UnreadableHistory(
            f"it claims to be {name} and is not: {error.reason} at byte {error.start}", offset=error.start
        ) from None
