"""Faults: what can go wrong in a run, said beforehand and then done, at exactly that place.

    with Engine(workflows=[Order], activities=[charge], seed=1, faults="activity charge 1.1 lose") as engine:
        engine.execute_workflow(Order.run, "tea").wait()
        print(engine.faults.struck, engine.faults.unused)

A plan is data (`plan`): each fault names a point of the run and what strikes there. `kinds` lists all there are. The
log (`log`) says which points a run passed, so the log of a run with an empty plan is the list of all that could go
wrong in it. The same seed, plan and code give the same run, byte for byte, under the virtual clock.

What strikes is what the world does to a Temporal cluster, its workers and its clients:

- An activity runs at least once. An attempt whose end nobody hears of times out, and its retry policy decides whether
  there is another.
- A crash ends the process underneath the client: what is in memory is gone, the store stays, and the next process takes
  over in the same engine. Handles go on working. Clients ask again for what they have no answer to, as Temporal's
  client does, so a request that was answered is never lost, and none is done twice by a crash.
- Code of the process that ended stops where it waits, and nothing in it runs any more, not even `finally`; but for
  activities in threads, which nobody can stop. Module globals stay: fakes of the outside world belong there, state of a
  process does not.

Faults get in by the seams of the engine (`engine.seams`). One module of this package stands in each: `storage`,
`time`, `rounds`, `attempts`, `requests`; the `injector` counts points and ends processes. `invariants` says what must
be true of the engine whatever strikes. There is no chance here and no Hypothesis: `playhead.faults` makes plans up.
"""

from __future__ import annotations

from playhead_engine.faults.deploy import Deploy
from playhead_engine.faults.kinds import (
    HAVE_ATTEMPTS,
    KINDS,
    MEANING,
    NAMED_AFTER,
    NEEDS_TIME,
    STRIKES,
    TAKES_TIME,
    Kind,
    Strike,
)
from playhead_engine.faults.log import Acknowledged, FaultLog, Passed
from playhead_engine.faults.plan import ANY, BadFaultPlan, Fault, FaultPlan, FaultPoint

__all__ = [
    "ANY",
    "HAVE_ATTEMPTS",
    "KINDS",
    "MEANING",
    "NAMED_AFTER",
    "NEEDS_TIME",
    "STRIKES",
    "TAKES_TIME",
    "Acknowledged",
    "BadFaultPlan",
    "Deploy",
    "Fault",
    "FaultLog",
    "FaultPlan",
    "FaultPoint",
    "Kind",
    "Passed",
    "Strike",
]
