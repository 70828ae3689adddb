"""A run of workflow code, told what happens activation by activation.

What passages and reruns share: the instance of the code, what stands in for values that cannot be read, and what its
runtime puts around it. It knows no rules, and holds nothing against a history.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from playhead.verdict import NeedsValue
from playhead_engine.opaque import StandIns
from playhead_engine.record import record
from playhead_engine.runtime import Completion, WorkflowInstance

if TYPE_CHECKING:
    from playhead.unreadable import Unreadable
    from playhead_engine.activation import Activation
    from playhead_engine.engine.wire import Wire


@record
class Staging:
    """All it takes to begin a run of the code, again and again.

    Attributes:
        create: Makes a new instance, with stand-ins for what cannot be read.
        wire_of: Gives what turns values into payloads as the history holds them, and back.
        around: Gives what the runtime puts around a run; left when the run is closed.
        unreadable: Makes what stands in for values of the history that cannot be read; None if there are none.
    """

    create: Callable[[StandIns | None], WorkflowInstance]
    wire_of: Callable[[], Wire]
    around: Callable[[], AbstractContextManager[None]]
    unreadable: Callable[[], Unreadable] | None = None


class Enactment:
    """See the module.

    Attributes:
        staging: What it was begun with.
        instance: The run of the code.
        activation: What the code was told last; None before the first activation.
        completion: What it answered; None if it did not, since it needs a value that cannot be read.
        task: Number of the workflow task that it stands in or after, from 1; 0 before the first.
    """

    def __init__(self, staging: Staging) -> None:
        self.staging = staging
        self._unreadable = staging.unreadable() if staging.unreadable is not None else None
        self.instance = staging.create(None if self._unreadable is None else self._unreadable.stand_ins)
        self._around = ExitStack()
        self._around.enter_context(staging.around())
        self.activation: Activation | None = None
        self.completion: Completion | None = None
        self.task = 0

    @cached_property
    def wire(self) -> Wire:
        """What turns values into payloads as the history holds them, and back."""
        return self.staging.wire_of()

    def tell(self, activation: Activation) -> Completion | NeedsValue:
        """Let the code answer one activation."""
        self.activation = activation
        if self._unreadable is None:
            completion: Completion | NeedsValue = self.instance.activate(activation)
        else:
            completion = self._unreadable.activate(self.instance, activation)
        # What it asked for before it looked into a value that cannot be read does not count.
        self.completion = None if isinstance(completion, NeedsValue) else completion
        return completion

    def close(self) -> None:
        """Throw the run out of memory."""
        try:
            self.instance.close()
        finally:
            self._around.close()
