"""What keeps workflow code from doing what would not happen in the same way on replay.

Workflow code is guarded between `enter` and `leave`, on the thread that called them. Nothing else in the process is:
activities, tests and libraries go on as they were. `arm` readies a workflow class before its first run.

- The clock, randomness and `time.sleep` (`calls`, `rebinding`): refused if user code asks, allowed if a library does
  for its own ends, such as `logging` for the time of a record. What a library gives back to the workflow is the
  library's doing.
- Files, sockets, processes, threads (`audit`): refused whoever does it for the workflow, except importing, logging and
  showing errors.
- Iteration over sets of strings (`set_order`): refused when the class is armed, where the source shows it.
- A workflow that does not yield (`watchdog`): stopped and named.

`unrestricted` is the way out, behind `workflow.unsafe`. User code is what lies neither in the standard library nor in
`site-packages`, and the package of every workflow that was armed, wherever it lies.
"""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakSet

from playhead_engine.guards.presence import enter, in_workflow, leave, unrestricted
from playhead_engine.guards.refusal import NondeterministicCall
from playhead_engine.guards.watchdog import Watchdog, WorkflowDeadlock

__all__ = [
    "NondeterministicCall",
    "Watchdog",
    "WorkflowDeadlock",
    "arm",
    "enter",
    "in_workflow",
    "leave",
    "unrestricted",
]

_armed: WeakSet[type] = WeakSet()
_arming = threading.Lock()
_replaced: dict[Any, Any] = {}


def arm(workflow_class: type) -> None:
    """Make ready to run this workflow class. Cheap for a class that was armed before.

    The first call in a process puts the guards into the standard library and listens to audit events.

    Args:
        workflow_class: The class with the workflow's code.

    Raises:
        NondeterministicCall: Its code iterates over a set of strings.
    """
    if workflow_class in _armed:
        return
    from playhead_engine.guards import audit, calls, origin, rebinding, set_order

    with _arming:
        replaced_now = calls.guard_standard_library()
        _replaced.update(replaced_now)
        if origin.claim(workflow_class) or replaced_now:
            rebinding.rebind(_replaced)
        audit.install_hook()
    set_order.check(workflow_class)
    _armed.add(workflow_class)
