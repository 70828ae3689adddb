"""Workflow code written for Temporal's own Python SDK, run by driving the SDK's workflow instance without its core.

Everything that imports `temporalio` is in this package, and nothing outside it may need it: `temporalio` is an extra.
So this module itself imports nothing of it; whoever wants the runtime imports `playhead_engine.temporal.runtime`.
"""

from __future__ import annotations

_DEFINITION = "__temporal_workflow_definition"


def is_temporal_workflow(cls: object) -> bool:
    """Whether something is a class decorated with `temporalio.workflow.defn`. Does not import `temporalio`."""
    return isinstance(cls, type) and _DEFINITION in vars(cls)
