"""Effects: what activities did to the world, written down where they did it.

A fake of a payment provider, a mailbox or a warehouse adds a line here for what it was asked to do. Properties read it
after a trial: what a history says and what the world saw are two things, and faults get between them. This module must
not know how activities are run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator

from playhead_engine.record import frozen_record


@frozen_record
class Effect:
    """One thing that was done to the world.

    Attributes:
        key: What tells it from others: an idempotency key, or whatever the world would take it for the same by.
        name: What was done; empty where there is only one thing to do.
    """

    key: Hashable
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.key!r}" if self.name else repr(self.key)


class Effects:
    """The effects of one trial, in the order in which they happened.

    effects = faults.Effects()

    @activity.defn
    async def charge(order: str) -> None:
        effects.add(order, "charge")

    A property that is given them clears them before each trial.
    """

    def __init__(self) -> None:
        self._done: list[Effect] = []

    def add(self, key: Hashable, name: str = "") -> None:
        """Something was done.

        Args:
            key: What tells it from others: an idempotency key.
            name: What was done, where there are several things to do.
        """
        self._done.append(Effect(key, name))

    def clear(self) -> None:
        """Forget them all."""
        self._done.clear()

    def named(self, name: str) -> list[Hashable]:
        """The keys of all that was done under a name, in order."""
        return [effect.key for effect in self._done if effect.name == name]

    def repeated(self) -> dict[Effect, int]:
        """What was done more than once, and how often."""
        return {effect: count for effect, count in Counter(self._done).items() if count > 1}

    def __iter__(self) -> Iterator[Effect]:
        return iter(tuple(self._done))

    def __len__(self) -> int:
        return len(self._done)

    def __contains__(self, key: object) -> bool:
        return any(effect.key == key for effect in self._done)

    def __repr__(self) -> str:
        return f"Effects({', '.join(map(str, self._done))})"
