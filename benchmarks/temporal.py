"""How fast a history of `temporalio` code is replayed: beside Temporal's own Replayer, load included.

Run it from the repository root: `python -m benchmarks.temporal`. Both take the same JSON document and the same
workflow class, outside the sandbox (with `--sandboxed` in it as well), and both must come to their end. Wall seconds,
since Temporal's core works in other threads; the best of the rounds for the short histories, one round for the longest,
on which core is quadratic.
"""

from __future__ import annotations

import asyncio
import gc
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer as TemporalReplayer
from temporalio.worker import UnsandboxedWorkflowRunner

from benchmarks.histories import sequential_activities
from benchmarks.temporal_loop import Loop
from playhead import Agrees, Replayer

GOALS = {100: 6.0, 1600: None, 8000: 20.0}
"""Activities, and how many times faster than Temporal's Replayer we mean to be; six events an activity."""
ROUNDS = {100: 10, 1600: 3, 8000: 1}
OWN_ROUNDS = 3


def ours(document: bytes, **options: Any) -> None:
    """Read and replay."""
    verdict = Replayer([Loop], **options).replay(document, workflow_id="wid")
    assert isinstance(verdict, Agrees), verdict


def theirs(document: bytes, **options: Any) -> None:
    """The same by Temporal's Replayer, which raises if it does not agree."""

    async def replay() -> None:
        history = WorkflowHistory.from_json("wid", document.decode())
        await TemporalReplayer(workflows=[Loop], **options).replay_workflow(history)

    asyncio.run(replay())


def seconds(work: Callable[[], None]) -> float:
    """Wall seconds that it takes once."""
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    print(f"{'events':>7} {'sandbox':>8} {'Temporal':>9} {'Playhead':>9} {'us/activity':>12} {'times faster':>13}")
    mine: dict[int, float] = {}
    sandboxed = (False, True) if "--sandboxed" in sys.argv else (False,)
    for in_sandbox in sandboxed:
        for count, goal in GOALS.items():
            document = sequential_activities(count)
            options: dict[str, Any] = {} if in_sandbox else {"workflow_runner": UnsandboxedWorkflowRunner()}
            own, their = partial(ours, document, **options), partial(theirs, document, **options)
            best = their_best = math.inf
            for _ in range(ROUNDS[count]):
                their_best = min(their_best, seconds(their))
                best = min(best, seconds(own))
            for _ in range(OWN_ROUNDS - ROUNDS[count]):
                best = min(best, seconds(own))
            aim = f"  (goal: at least {goal:.0f}x)" if goal and not in_sandbox else ""
            print(
                f"{6 * count + 5:>7} {'yes' if in_sandbox else 'no':>8} {their_best:>8.3f}s {best:>8.3f}s "
                f"{best / count * 1e6:>12.1f} {their_best / best:>12.1f}x{aim}",
                flush=True,
            )
            if not in_sandbox:
                mine[count] = best
    smallest, largest = min(mine), max(mine)
    exponent = math.log(mine[largest] / mine[smallest]) / math.log(largest / smallest)
    print(f"growth exponent from {smallest} to {largest} activities: {exponent:.3f}")


if __name__ == "__main__":
    main()
