"""Runs a function as workflow code is run, without a workflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from playhead_engine import guards

T = TypeVar("T")


class Sample:
    """Stands for a workflow class."""


def as_workflow(step: Callable[[], T]) -> T:
    """Call a function as an activation calls workflow code."""
    guards.arm(Sample)
    guards.enter("Sample (sample-1)")
    try:
        return step()
    finally:
        guards.leave()


def refusal(step: Callable[[], object]) -> guards.NondeterministicCall:
    """The error that a function gets as workflow code; that it gets none fails the test."""
    with pytest.raises(guards.NondeterministicCall) as caught:
        as_workflow(step)
    return caught.value
