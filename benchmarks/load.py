"""How fast a history is loaded: beside `orjson.loads` of the same bytes, and beside Temporal's own reader.

Run it from the repository root: `python -m benchmarks.load`. Rounds are interleaved, each figure is the best of its
rounds in CPU seconds, and every result is checked to have all events. `orjson.loads` is measured as a user would call
it, and once more with Python's garbage collector paused, which is how our reader calls it.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson

from benchmarks.histories import sequential_activities
from playhead.readers import read_history

ACTIVITIES = 8000
EVENTS = 6 * ACTIVITIES + 5
ROUNDS = 7


def seconds(work: Callable[[], int]) -> float:
    """CPU seconds that it takes once; it must answer with the number of events."""
    gc.collect()
    begun = time.process_time()
    events = work()
    taken = time.process_time() - begun
    assert events == EVENTS, events
    return taken


@contextmanager
def paused_collector() -> Iterator[None]:
    """No garbage collection inside."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def main() -> None:
    """Measure and print."""
    text = sequential_activities(ACTIVITIES, core_flags=(1, 2, 3))

    def ours() -> int:
        history = read_history(text)
        assert history.events[-1].event_id == EVENTS
        return len(history)

    def parsed() -> int:
        return len(orjson.loads(text)["events"])

    best = dict.fromkeys(("ours", "parsed", "paused"), math.inf)
    for _ in range(ROUNDS):
        best["parsed"] = min(best["parsed"], seconds(parsed))
        best["ours"] = min(best["ours"], seconds(ours))
        with paused_collector():
            best["paused"] = min(best["paused"], seconds(parsed))

    print(f"{EVENTS:,} events, {len(text) / 1e6:.1f} MB")
    print(f"orjson.loads                      {best['parsed']:7.3f} s")
    print(f"orjson.loads, collector paused    {best['paused']:7.3f} s")
    print(f"read_history                      {best['ours']:7.3f} s")
    print(f"  time of Playhead / time of orjson.loads: {best['ours'] / best['parsed']:.2f}x  (goal: at most 3x)")
    print(f"  the same beside a paused collector:      {best['ours'] / best['paused']:.2f}x")
    if "--without-temporal" not in sys.argv:
        theirs = temporal(text.decode())
        print(f"WorkflowHistory.from_json         {theirs:7.3f} s")
        print(f"  times faster than Temporal's:            {theirs / best['ours']:.1f}x")


def temporal(text: str) -> float:
    """CPU seconds that Temporal's own reader takes."""
    from temporalio.client import WorkflowHistory

    return min(seconds(lambda: len(WorkflowHistory.from_json("wid", text).events)) for _ in range(2))


if __name__ == "__main__":
    main()
