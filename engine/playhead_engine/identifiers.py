"""Where ids and unspecified orders come from: from chance, or from a seed.

Same seed, same ids in the same order, and so the same histories. Whatever an engine may choose freely it asks here, so
that nothing depends on a hash or an address.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import MutableSequence
from typing import Any


class Choices:
    """Makes ids, and settles orders that nobody specified.

    Args:
        seed: Makes everything reproducible; None leaves ids to chance and orders to arrival.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.is_seeded = seed is not None
        self._random: random.Random = random.Random(seed) if seed is not None else random.SystemRandom()

    def new_id(self) -> str:
        """A fresh id, in the form of a UUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def settle(self, items: MutableSequence[Any]) -> None:
        """Put things into an order that nobody may rely on; the order of arrival without a seed."""
        if self.is_seeded and len(items) > 1:
            self._random.shuffle(items)
