"""All that is left to chance in an engine: ids, and the order of what happens at the same instant.

With a seed, both follow from it, so the same program writes the same histories, byte for byte, and another seed shows
another order. Without one, ids are random and things happen in the order in which they came.
"""

from __future__ import annotations

import random
from typing import Final, TypeVar

_T = TypeVar("_T")

_SYSTEM: Final = random.SystemRandom()
"""For all engines without a seed. It has no state, so they need not make one each, and a forked process may use it."""


class Chance:
    """Draws ids and orders."""

    def __init__(self, seed: int | None = None, *, shuffles: bool = True) -> None:
        """Begin to draw.

        Args:
            seed: What everything drawn follows from; None for something new each time.
            shuffles: Whether orders follow from it, too; otherwise only ids do.
        """
        self._seed = seed
        self._random = _SYSTEM if seed is None else random.Random(seed)
        self._shuffles = shuffles and seed is not None

    def go_on(self, mark: str) -> None:
        """Draw from here on as follows from the seed and from what was done before; ids must not come twice.

        Args:
            mark: Tells apart every state that the engine has ever been in.
        """
        if self._seed is not None:
            self._random.seed(f"{self._seed}:{mark}")

    def new_id(self) -> str:
        """A random UUID (version 4) as text."""
        bits = self._random.getrandbits(128)
        bits = bits & ~(0xF000 << 64 | 0xC000 << 48) | 0x4000 << 64 | 0x8000 << 48
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def order(self, things: list[_T]) -> list[_T]:
        """The same things, in the order in which they are to happen. The list itself may be used for it."""
        if self._shuffles and len(things) > 1:
            self._random.shuffle(things)
        return things
