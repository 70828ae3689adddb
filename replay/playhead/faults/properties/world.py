"""What the world saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playhead.faults.effects import Effects
from playhead.faults.properties.property import Property, PropertyBroken

if TYPE_CHECKING:
    from playhead.faults.trial import Trial

_ONCE: Final = "each effect once"


def effects_once(effects: Effects) -> Property:
    """Nothing is done to the world twice under one key, although activities run at least once.

    Args:
        effects: What was done. They are cleared before each trial.
    """

    def check(_: Trial[Any]) -> None:
        repeated = effects.repeated()
        if repeated:
            said = ", ".join(f"{effect} was done {count} times" for effect, count in repeated.items())
            raise PropertyBroken(_ONCE, said)

    return Property(_ONCE, check, begin=effects.clear, holds_always=True)
