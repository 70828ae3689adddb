"""Witnesses: whoever wants to see every run of this process, whichever engine makes it.

A tool that looks at all runs of a test suite cannot know the engines that tests make. It registers here, and is shown
each engine as it is made, with the store that its runs go to; it may put a store of its own before that one. An engine
knows nothing of what a witness does, and nobody witnesses anything unless somebody asked for it in this process.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from playhead_engine.record import record
from playhead_engine.runtime import Runtime
from playhead_engine.stores import Store


@record
class EngineParts:
    """What an engine is made of, as its maker said.

    Attributes:
        workflows: Workflow classes.
        data_converter: Converts values; None for the default one.
        interceptors: Of `temporalio.worker`.
        plugins: Of `temporalio`.
        runtimes: Further makers of workflow code.
    """

    workflows: Sequence[type[Any]]
    data_converter: Any
    interceptors: Sequence[Any]
    plugins: Sequence[Any]
    runtimes: Sequence[Runtime]


Witness: TypeAlias = Callable[[EngineParts, Store], Store]
"""Takes what an engine is made of, and its store; gives the store that the engine is to use, which may be the same."""

_witnesses: list[Witness] = []


@contextmanager
def witnessed_by(witness: Witness) -> Generator[None]:
    """Show every engine that is made meanwhile to a witness."""
    _witnesses.append(witness)
    try:
        yield
    finally:
        _witnesses.remove(witness)


def seen(parts: EngineParts, store: Store) -> Store:
    """The store for an engine, once every witness has seen it."""
    for witness in _witnesses:
        store = witness(parts, store)
    return store
