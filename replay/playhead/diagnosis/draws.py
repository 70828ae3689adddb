"""Ids that came from the run's random numbers: proved by drawing again from the seed.

A UUID of `workflow.uuid4()`, and so the default id of a child workflow, is the next 128 bits of the run's generator.
One number drawn more, anywhere before it, and every later id is another one. The generator is seeded by the run id, so
both ids can be looked up in what it gives.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from playhead.diagnosis.cause import Case, Cause, Confidence
from playhead.diagnosis.source import source_at

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_MOST_WORDS: Final = 20_000
_WORDS_OF: Final = {1: "one `getrandbits()` or `randrange()`", 2: "one `random()`", 4: "one `uuid4()`"}


@dataclass(frozen=True, slots=True)
class Draw:
    """Where in the run's random numbers a UUID was drawn.

    Attributes:
        word: The number of the first of its four words of 32 bits, from 0.
    """

    word: int


class Generator:
    """The random numbers of a run, from the first on."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self._words = [random.getrandbits(32) for _ in range(_MOST_WORDS)]
        self._places = {word: place for place, word in reversed(list(enumerate(self._words)))}

    def place(self, text: str) -> Draw | None:
        """Where the UUID in a text was drawn; None if there is none in it, or it comes from elsewhere."""
        found = _UUID.search(text)
        if found is None:
            return None
        low = uuid.UUID(found[0]).int & 0xFFFFFFFF  # the first word drawn; version and variant are not in it
        place = self._places.get(low)
        if place is None or place + 4 > len(self._words):
            return None
        value = sum(word << 32 * shift for shift, word in enumerate(self._words[place : place + 4]))
        drawn = uuid.UUID(bytes=value.to_bytes(16, "big"), version=4)
        return Draw(place) if str(drawn) == found[0] else None


def drawn_ids(case: Case) -> Iterator[Cause]:
    """A cause for ids that moved along the run's random numbers."""
    rows = [n for n, row in enumerate(case.alignment.rows) if row.recorded is not None and row.now is not None]
    moved = [n for n in rows if case.alignment.rows[n].change is not None and _UUID.search(_id(case, n))]
    if not moved:
        return
    generator = Generator(case.seed)
    shifts: dict[int, list[int]] = {}
    for number in moved:
        row = case.alignment.rows[number]
        assert row.recorded is not None
        assert row.now is not None
        one, other = generator.place(row.recorded.id), generator.place(row.now.id)
        if one is not None and other is not None and one != other:
            shifts.setdefault(other.word - one.word, []).append(number)
    for shift, numbers in shifts.items():
        yield _cause(case, generator, shift, numbers)


def _id(case: Case, number: int) -> str:
    recorded = case.alignment.rows[number].recorded
    return recorded.id if recorded is not None else ""


def _cause(case: Case, generator: Generator, shift: int, numbers: list[int]) -> Cause:
    row = case.alignment.rows[numbers[0]]
    assert row.recorded is not None
    assert row.now is not None
    one, other = generator.place(row.recorded.id), generator.place(row.now.id)
    assert one is not None
    assert other is not None
    words = abs(shift)
    size = _WORDS_OF.get(words, f"{words} words of 32 bits")
    if shift > 0:
        text = (
            f"The code draws more random numbers before this than it did ({size} more), so the id is the next in line."
        )
    else:
        text = (
            f"The code draws fewer random numbers before this than it did ({size} less), so the id is an earlier one."
        )
    evidence = [
        f"the recorded id is what the run's generator gives from word {one.word} on, today's from word {other.word} on"
    ]
    site, source = row.site, source_at(row.site)
    line = 0
    if site is not None and source is not None:
        function = source.function(site.line)
        drawn = [
            node.lineno
            for name, node in (source.calls(function) if function is not None else ())
            if (name.startswith("workflow.random") or name in ("workflow.uuid4", "workflow.uuid7"))
            and node.lineno <= site.line
        ]
        evidence += [f"line {number} draws: {source.line(number)}" for number in sorted(set(drawn))]
        line = min(drawn, default=0)
    evidence.append("ids that must not change are best made of what the workflow is given, or drawn first")
    file = site.file if site is not None else ""
    return Cause(text, Confidence.CERTAIN, tuple(evidence), tuple(numbers), file, line, words=shift)
