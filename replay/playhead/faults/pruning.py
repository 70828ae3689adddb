"""Pruning: which faults need not be tried, because what comes of them is what comes of another.

A run follows from its seed, its plan and its code. So two faults come to the same if they strike a run at the same
moment and leave the same behind: in the store, in memory, with clients and in the world. Each rule here says why that
is so, and holds whatever else strikes later. A rule that might be wrong for some program has no place here; the tests
try what the rules leave out.

What is left out is a matter of the run that a fault would strike in, so the rules look at the points which that run
passes, in its order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from playhead_engine.faults import Fault, Passed

TORN: Final = "leave of a commit what a crash before it leaves: nothing (torn)"
"""A store writes all of a commit or nothing, so the process that ends in the middle of one leaves what it would have
left by ending before: that stands for both. That a store keeps this promise is tested where stores are."""

SAME_END: Final = "end a round just before its commit, as a crash after its last task does"
"""A round runs workflow tasks and then writes what came of them, and nothing else can run in between. A process that
ends after the last task of a round, and one that ends before the commit that follows, have both run that task and
written nothing of it. The crash after the task stands for both. A crash before a task is another thing: its code has
not run."""

NOTHING_CACHED: Final = "take code out of the cache that is not there yet"
"""Before the first workflow task of a workflow nothing of it is in memory, so `evict` changes nothing at all."""


def redundant(passed: Sequence[Passed]) -> dict[Fault, str]:
    """The faults that need not strike in a run, each with the rule by which; see `rule_for`.

    Args:
        passed: The points that the run passes, in order.
    """
    return dict([*_torn(passed), *_same_ends(passed), *_nothing_cached(passed)])


def rule_for(fault: Fault, known: Mapping[Fault, str]) -> str:
    """The rule by which a fault need not strike; empty if it has to be tried.

    A process that is down for some time after a redundant end is as redundant as one that is not: so is the same end,
    with the same time after it, that stands for it.

    Args:
        fault: The fault.
        known: What `redundant` found.
    """
    return known.get(Fault(fault.point, fault.strike), "") if fault.strike in _ENDS else known.get(fault, "")


_ENDS: Final = frozenset({"torn", "crash-before"})


def _torn(passed: Sequence[Passed]) -> Iterator[tuple[Fault, str]]:
    for here in passed:
        if here.point.kind == "commit":
            yield Fault(here.point, "torn"), TORN


def _same_ends(passed: Sequence[Passed]) -> Iterator[tuple[Fault, str]]:
    for before, here in pairwise(passed):
        is_next = before.commits == here.commits and before.at_ns == here.at_ns
        if here.point.kind == "commit" and before.point.kind == "task" and is_next:
            yield Fault(here.point, "crash-before"), SAME_END


def _nothing_cached(passed: Sequence[Passed]) -> Iterator[tuple[Fault, str]]:
    seen: set[str] = set()
    for here in passed:
        if here.point.kind == "task" and here.workflow_id not in seen:
            seen.add(here.workflow_id)
            yield Fault(here.point, "evict"), NOTHING_CACHED
