"""Faults: find the bug before production does.

    from hypothesis import given
    from playhead import faults

    effects = faults.Effects()

    @faults.program(workflows=[Checkout], activities=[charge], properties=[faults.properties.effects_once(effects)])
    def checkout(engine):
        engine.execute_workflow(Checkout.run, "A-1", id="A-1", task_queue="shop").wait()

    @given(faults.fault_plans(checkout))
    def test_checkout(plan):
        checkout.check(plan)

A **program** is what clients do with some workflows; a **trial** is one run of it under a fault plan, and
**properties** are what must hold of it. Plans come from Hypothesis (`strategies`), from an `exploration`
that tries every fault, or from a line that somebody kept. What can go wrong, and how, is the engine's business:
`playhead_engine.faults`.

Names are imported when they are first used: Hypothesis is loaded for those that need it, and for no other.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playhead.faults import properties
    from playhead.faults.effects import Effect, Effects
    from playhead.faults.exploration import Exploration, ExplorationFailed, explore
    from playhead.faults.message import Message, deliver
    from playhead.faults.observation import target
    from playhead.faults.programs import Program, program
    from playhead.faults.properties.property import Property, PropertyBroken
    from playhead.faults.reaching import NeverReached, check_reached, sometimes
    from playhead.faults.strategies import fault_plans, inputs, messages, seeds, signals
    from playhead.faults.trial import Trial
    from playhead_engine.faults import BadFaultPlan, Deploy, Fault, FaultPlan, FaultPoint

_HOME = {
    "BadFaultPlan": "playhead_engine.faults",
    "Deploy": "playhead_engine.faults",
    "Effect": "playhead.faults.effects",
    "Effects": "playhead.faults.effects",
    "Exploration": "playhead.faults.exploration",
    "ExplorationFailed": "playhead.faults.exploration",
    "Fault": "playhead_engine.faults",
    "FaultPlan": "playhead_engine.faults",
    "FaultPoint": "playhead_engine.faults",
    "Message": "playhead.faults.message",
    "NeverReached": "playhead.faults.reaching",
    "Program": "playhead.faults.programs",
    "Property": "playhead.faults.properties.property",
    "PropertyBroken": "playhead.faults.properties.property",
    "Trial": "playhead.faults.trial",
    "check_reached": "playhead.faults.reaching",
    "deliver": "playhead.faults.message",
    "explore": "playhead.faults.exploration",
    "fault_plans": "playhead.faults.strategies",
    "inputs": "playhead.faults.strategies",
    "messages": "playhead.faults.strategies",
    "program": "playhead.faults.programs",
    "seeds": "playhead.faults.strategies",
    "signals": "playhead.faults.strategies",
    "sometimes": "playhead.faults.reaching",
    "target": "playhead.faults.observation",
}

__all__ = [
    "BadFaultPlan",
    "Deploy",
    "Effect",
    "Effects",
    "Exploration",
    "ExplorationFailed",
    "Fault",
    "FaultPlan",
    "FaultPoint",
    "Message",
    "NeverReached",
    "Program",
    "Property",
    "PropertyBroken",
    "Trial",
    "check_reached",
    "deliver",
    "explore",
    "fault_plans",
    "inputs",
    "messages",
    "program",
    "properties",
    "seeds",
    "signals",
    "sometimes",
    "target",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name == "properties":
        return import_module("playhead.faults.properties")
    raise AttributeError(f"module 'playhead.faults' has no attribute {name!r}")
