"""The main job in one go: a run recorded by a Temporal server, replayed against today's code and against a bad change.

Run it from anywhere: `python examples/demo.py`. It calls the same command line that you would.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playhead.__main__ import main

ROOT = Path(__file__).parent.parent

STEPS = (
    (
        "Three real runs of an order, and the code that is deployed today.",
        "replay fixtures/temporal/orders_completed.json fixtures/temporal/orders_retries.json "
        "fixtures/temporal/orders_failed.json --workflows examples.orders",
    ),
    (
        "Somebody adds a fraud check in front of the charge. Runs that began before it would break:",
        "replay fixtures/temporal/orders_completed.json --workflows examples.orders_broken",
    ),
    (
        "Another order is stuck: its discount divides by zero.",
        "replay fixtures/temporal/orders_stuck.json --workflows examples.orders",
    ),
    (
        "Does the hotfix get it going again?",
        "replay fixtures/temporal/orders_stuck.json --workflows examples.orders_hotfix",
    ),
)


def demo() -> int:
    """Show each step's command and what it says; returns 0 if all said what they should."""
    os.chdir(ROOT)
    expected = (0, 1, 3, 0)
    given: list[int] = []
    for words, command in STEPS:
        print(f"{words}\n\n$ playhead {command}", flush=True)
        given.append(main(command.split()))
        print(flush=True)
    return 0 if tuple(given) == expected else 1


if __name__ == "__main__":
    sys.exit(demo())
