"""Damages histories at random: their bytes, or the JSON in them. The same seed does the same damage."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from random import Random
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 17, 2**63, 2**64 - 1, 1.5, -0.0, 1e300),
    *("", "x", "5", "-5", "0" * 30, "\u00b2", "\u0663", "\u2028\x00", "EVENT_TYPE_TIMER_FIRED", "RETRY_STATE_"),
    *("2020-13-45T00:00:00Z", "2020-01-01T00:00:00.1234567890Z", "0000-01-01T00:00:00Z", "1s", "-1s", "9" * 19 + "s"),
    *([], [1], [[[[]]]], [None], {}, {"a": 1}, {"seconds": "x"}, {"seconds": 1, "nanos": -5}, {"nanos": 1e300}),
    *({"payloads": 5}, {"payloads": [5]}, {"metadata": {"encoding": 5}, "data": 7}, {"metadata": 0.0}, {"data": "="}),
)
"""What a value becomes: whatever a reader could take for something else."""

KEYS = (
    *(
        "attributes",
        "eventId",
        "event_id",
        "eventType",
        "eventTime",
        "timestamp",
        "input",
        "failure",
        "details",
        "cause",
    ),
    *("timerFiredEventAttributes", "decisionTaskStartedEventAttributes", "_", "", "taskList", "history", "events"),
)
"""What a key becomes."""

PIECES = (
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u", b"\\ud800", b"\xff", b"\xc3", b"\x00", b"\n"),
    *(b"1e999", b"9" * 23, b"NaN", b"-", b"0.", b"\x1f\x8b\x08", b"\xff\xfe", b"\xef\xbb\xbf"),
)
"""What is put between two bytes."""


def mangled(document: Any, random: Random) -> bytes:
    """A document, damaged; as bytes, which may be damaged once more."""
    kind = random.random()
    if kind < 0.5:
        return json.dumps(_with_other_values(document, random)).encode()
    text = json.dumps(document).encode()
    if kind < 0.9:
        return _with_other_bytes(text, random)
    if kind < 0.95:
        return _with_other_bytes(gzip.compress(text), random)
    return _with_other_bytes(json.dumps(document).encode("utf-16"), random)


def mangled_bytes(data: bytes, random: Random) -> bytes:
    """Bytes of any kind, damaged."""
    return _with_other_bytes(data, random)


def _with_other_values(document: Any, random: Random) -> Any:
    result = {"document": copy.deepcopy(document)}
    for _ in range(random.choice([1, 1, 1, 2, 5])):
        container, key = random.choice(list(_places(result)))
        damage = random.random()
        if damage < 0.5:
            container[key] = copy.deepcopy(random.choice(VALUES))
        elif container is result:
            continue
        elif damage < 0.7:
            del container[key]
        elif isinstance(container, dict):
            respelled = (f"{key}x", f"{key}Seconds", key.upper(), key.lower(), *KEYS)
            container[random.choice(respelled)] = container.pop(key)
        elif damage < 0.85:
            random.shuffle(container)
        else:
            container.insert(random.randrange(len(container)), copy.deepcopy(container[key]))
    return result["document"]


def _places(container: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a document, with every key that it has."""
    keys = list(container) if isinstance(container, dict) else range(len(container))
    for key in keys:
        yield container, key
        if isinstance(container[key], dict | list):
            yield from _places(container[key])


def _with_other_bytes(data: bytes, random: Random) -> bytes:
    result = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 8])):
        place = random.randrange(len(result) + 1)
        damage = random.random()
        if damage < 0.4 and place < len(result):
            result[place] = random.randrange(256)
        elif damage < 0.6:
            del result[place : place + random.choice([1, 1, 5, 100])]
        elif damage < 0.8:
            result[place:place] = random.choice(PIECES)
        elif damage < 0.9:
            result[place:place] = result[place : place + 50]
        else:
            del result[place:]
    return bytes(result)
