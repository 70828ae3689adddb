"""The main job in one go: a run recorded by a Temporal server, replayed against today's code and against a bad change.

Run it from anywhere: `python examples/demo.py`. It calls the same command line that you would. The code is written for
`temporalio` where that is installed; without it, the same code with Playhead's own imports is taken.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from playhead.__main__ import main

ROOT = Path(__file__).parent.parent
EXAMPLES = "examples.temporal" if find_spec("temporalio") else "examples"

STEPS = (
    (
        "Three real runs of an order, and the code that is deployed today.",
        "replay fixtures/temporal/orders_completed.json fixtures/temporal/orders_retries.json "
        f"fixtures/temporal/orders_failed.json --workflows {EXAMPLES}.orders",
    ),
    (
        "Somebody adds a fraud check in front of the charge. Runs that began before it would break:",
        f"replay fixtures/temporal/orders_completed.json --workflows {EXAMPLES}.orders_broken",
    ),
    (
        "Another order is stuck: its discount divides by zero.",
        f"replay fixtures/temporal/orders_stuck.json --workflows {EXAMPLES}.orders",
    ),
    (
        "Does the hotfix get it going again?",
        f"replay fixtures/temporal/orders_stuck.json --workflows {EXAMPLES}.orders_hotfix",
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
