"""Faults: find the bug before production does."""

from playhead.faults.effects import Effects
from playhead.faults.program import program
from playhead.faults import properties
