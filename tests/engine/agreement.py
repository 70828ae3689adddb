"""Holds what our replay came to against what core's came to: the same activations, the same verdict, the same words.

Core's word may be fresh or recorded (see `judgements`), so both are compared in a form that the messages of every
release have.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playhead_engine.activation import Activation
from playhead_engine.messages import Json
from playhead_engine.temporal.activations import activation_proto
from tests.engine.core_oracle import BUILD_ID, CoreHangs, replay_by_core
from tests.engine.core_protos import activation_json
from tests.engine.scripted_run import AGREED, Replayed, Script, Verdict

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation


# Why another workflow was not reached is the type of the failure; since 1.34, core says it a second time.
_REACHES_OTHERS = frozenset({"resolveSignalExternalWorkflow", "resolveRequestCancelExternalWorkflow"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a replay came to, comparable.

    Attributes:
        activations: The messages in JSON, with numbers for enums.
        verdict: Without what Rust prints for debugging.
    """

    activations: list[Json]
    verdict: Verdict


def difference_from_core(events: Sequence[Json], script: Script, ours: Replayed) -> str | None:
    """What core sees differently in a history and a script; None if nothing.

    Args:
        events: In canonical JSON.
        script: What the code answers.
        ours: What our replay came to.
    """
    try:
        core = judged_by_core(events, script)
    except CoreHangs as error:
        return f"core hangs ({error}), we say {ours.verdict}"
    return difference(core, judged_by_us(ours))


def judged_by_core(events: Sequence[Json], script: Script) -> Judgement:
    """What the installed core makes of a history and a script.

    Raises:
        CoreHangs: It does not come to an end.
    """
    core = replay_by_core(events, script)
    return Judgement([_comparable(activation) for activation in core.activations], _without_rust(core.verdict))


def judged_by_us(ours: Replayed) -> Judgement:
    """What our replay came to, in the same form."""
    activations = [_comparable(_as_worker_sends(activation)) for activation in ours.activations]
    return Judgement(activations, _without_rust(ours.verdict))


def difference(core: Judgement, ours: Judgement) -> str | None:
    """What core sees differently; None if nothing."""
    if core.activations != ours.activations:
        labels = ("core", f"ours ({ours.verdict})")
        return "\n".join(difflib.unified_diff(_lines(core), _lines(ours), *labels, lineterm=""))
    if core.verdict.reason != ours.verdict.reason:
        return f"core says {core.verdict}, we say {ours.verdict}"
    if core.verdict.text != ours.verdict.text:
        return f"core says\n    {core.verdict.text}\nwe say\n    {ours.verdict.text}"
    return None


def _lines(judgement: Judgement) -> list[str]:
    return json.dumps(judgement.activations, indent=1, sort_keys=True).splitlines()


def _as_worker_sends(activation: Activation) -> WorkflowActivation:
    proto = activation_proto(activation)
    if not activation.is_replaying:  # beyond the recording it is the worker's own version that runs
        proto.deployment_version_for_current_task.build_id = BUILD_ID
    return proto


def _comparable(activation: WorkflowActivation) -> Json:
    told = activation_json(activation)
    for job in told["jobs"]:
        for kind in _REACHES_OTHERS & job.keys():
            job[kind].pop("cause", None)
    if not activation.is_replaying:
        # Beyond the recording the order of local activities is up to whoever runs them, and core's worker is not our
        # script. All other jobs come before those of local activities, and are left where they are.
        told["jobs"].sort(key=_number_of_local_activity)
    return told


def _number_of_local_activity(job: Json) -> int:
    resolved: Json = job.get("resolveActivity", {})
    return int(resolved["seq"]) if resolved.get("isLocal") else 0


def _without_rust(verdict: Verdict) -> Verdict:
    """A verdict without what Rust prints for debugging: events, attributes and enums, in their Rust form."""
    if verdict.reason == AGREED.reason:
        return AGREED
    text = re.sub(r"HistoryEvent \{ event_id: (\d+),.*?event_type: (\w+),.*", r"HistoryEvent(id: \1, \2)", verdict.text)
    text = re.sub(r"(completed after being cancelled:|before it started with cause|Event detail:) .*", r"\1", text)
    return Verdict(verdict.reason, text)
