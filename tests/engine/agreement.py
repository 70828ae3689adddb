"""Holds what our replay came to against what core's came to: the same activations, the same verdict, the same words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from playhead_engine.activation import Activation
from playhead_engine.messages import Json
from tests.engine.core_oracle import BUILD_ID, CoreHangs, replay_by_core
from tests.engine.core_protos import activation_proto
from tests.engine.scripted_run import AGREED, Replayed, Script

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation


def difference_from_core(events: Sequence[Json], script: Script, ours: Replayed) -> str | None:
    """What core sees differently in a history and a script; None if nothing.

    Args:
        events: In canonical JSON.
        script: What the code answers.
        ours: What our replay came to.
    """
    try:
        core = replay_by_core(events, script)
    except CoreHangs as error:
        return f"core hangs ({error}), we say {ours.verdict}"
    told_by_core = [_without_order_of_live_local_activities(activation) for activation in core.activations]
    told_by_us = [
        _without_order_of_live_local_activities(_as_worker_sends(activation)) for activation in ours.activations
    ]
    if told_by_core != told_by_us:
        labels = ("core", f"ours ({ours.verdict})")
        return "\n".join(difflib.unified_diff(_lines(told_by_core), _lines(told_by_us), *labels, lineterm=""))
    if core.verdict.reason != ours.verdict.reason:
        return f"core says {core.verdict}, we say {ours.verdict}"
    if core.verdict.reason != AGREED.reason and _comparable(core.verdict.text) != _comparable(ours.verdict.text):
        return f"core says\n    {core.verdict.text}\nwe say\n    {ours.verdict.text}"
    return None


def _lines(activations: list[WorkflowActivation]) -> list[str]:
    return [line for activation in activations for line in str(activation).splitlines()]


def _as_worker_sends(activation: Activation) -> WorkflowActivation:
    proto = activation_proto(activation)
    if not activation.is_replaying:  # beyond the recording it is the worker's own version that runs
        proto.deployment_version_for_current_task.build_id = BUILD_ID
    return proto


def _without_order_of_live_local_activities(activation: WorkflowActivation) -> WorkflowActivation:
    """Beyond the recording their order is up to whoever runs them, and core's worker is not our script."""
    if not activation.is_replaying:
        # All other jobs come before those of local activities, and are left where they are.
        jobs = sorted(activation.jobs, key=lambda job: job.resolve_activity.seq if job.resolve_activity.is_local else 0)
        del activation.jobs[:]
        activation.jobs.extend(jobs)
    return activation


def _comparable(text: str) -> str:
    """A message without what Rust prints for debugging: events, attributes and enums, in their Rust form."""
    text = re.sub(r"HistoryEvent \{ event_id: (\d+),.*?event_type: (\w+),.*", r"HistoryEvent(id: \1, \2)", text)
    return re.sub(r"(completed after being cancelled:|before it started with cause|Event detail:) .*", r"\1", text)
