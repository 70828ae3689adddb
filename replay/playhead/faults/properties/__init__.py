"""Properties: what must hold of workflows whatever goes wrong, ready to use.

    @faults.program(workflows=[...], properties=[*faults.properties.STANDARD, faults.properties.effects_once(effects)])

Each is a `Property`, with a name. One of your own is a function that is given a `Trial` and raises AssertionError. What
holds of the engine itself is none of their business: see `playhead_engine.faults.invariants`.
"""

from __future__ import annotations

from typing import Final

from playhead.faults.properties.bounds import every_run_ends, history_bounded
from playhead.faults.properties.elsewhere import replays_in_other_processes
from playhead.faults.properties.property import Property, PropertyBroken
from playhead.faults.properties.replaying import every_prefix_replays, queries_change_nothing, same_without_cache
from playhead.faults.properties.sagas import saga_compensates
from playhead.faults.properties.signals import no_signal_lost
from playhead.faults.properties.world import effects_once

STANDARD: Final = (every_run_ends(), every_prefix_replays())
"""What should hold of every workflow, and needs nothing to be said."""

__all__ = [
    "STANDARD",
    "Property",
    "PropertyBroken",
    "effects_once",
    "every_prefix_replays",
    "every_run_ends",
    "history_bounded",
    "no_signal_lost",
    "queries_change_nothing",
    "replays_in_other_processes",
    "saga_compensates",
    "same_without_cache",
]
