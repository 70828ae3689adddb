"""Asks Temporal's own core what it makes of a history and a script.

This drives the replay worker inside `temporalio` the way its Replayer does, but answers the activations from a script
instead of from workflow code. Test modules that import this one are skipped where `temporalio` is not installed, or is
older than the oldest profile. It must not know our rules, and must never hang: core does, on histories that no server
writes.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import pytest

pytest.importorskip("temporalio", minversion="1.33", reason="needs temporalio 1.33 or newer")

import temporalio.bridge.worker as bridge
from google.protobuf import json_format
from temporalio.api.history.v1 import History
from temporalio.bridge.proto.workflow_activation import RemoveFromCache, WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig

from playhead_engine.messages import Json
from tests.engine.core_protos import command_proto
from tests.engine.history_builder import WORKFLOW_ID
from tests.engine.scripted_run import CODE_FAILURE, Answer, Reason, Script, Verdict

BUILD_ID = "oracle"
"""Of the worker that replays: what an activation says is running, once it is past the recording."""

_PATIENCE_S = 10.0
# Core's threads let go of Python objects a moment after they have answered; an interpreter gone by then aborts.
atexit.register(time.sleep, 0.1)

_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)", source')


@dataclass(frozen=True, slots=True)
class CoreReplayed:
    """What a replay by core came to."""

    activations: list[WorkflowActivation]
    verdict: Verdict


class CoreHangs(AssertionError):
    """Core did not answer in time."""


def replay_by_core(events: Sequence[Json], script: Script) -> CoreReplayed:
    """Let core replay a history.

    Args:
        events: In canonical JSON.
        script: What the code answers.

    Raises:
        CoreHangs: It does not come to an end.
    """
    return asyncio.run(_replay(events, script))


async def _replay(events: Sequence[Json], script: Script) -> CoreReplayed:
    history = json_format.ParseDict({"events": events}, History(), ignore_unknown_fields=True)
    worker, pusher = bridge.Worker.for_replay(_runtime()._core_runtime, _worker_config())
    activations: list[WorkflowActivation] = []
    try:
        await pusher.push_history(WORKFLOW_ID, history.SerializeToString())
        while True:
            try:
                activation = await asyncio.wait_for(worker.poll_workflow_activation(), _PATIENCE_S)
            except TimeoutError:
                raise CoreHangs(f"no answer within {_PATIENCE_S} s after {len(activations)} activations") from None
            if activation.jobs[0].HasField("remove_from_cache"):
                await worker.complete_workflow_activation(_completion(activation, ()))
                return CoreReplayed(activations, _verdict(activation.jobs[0].remove_from_cache))
            activations.append(activation)
            answer = script([told.history_length for told in activations])
            await worker.complete_workflow_activation(_completion(activation, answer))
    finally:
        pusher.close()
        worker.initiate_shutdown()
        with suppress(TimeoutError):
            await asyncio.wait_for(_shut_down(worker), _PATIENCE_S)


async def _shut_down(worker: bridge.Worker) -> None:
    with suppress(bridge.PollShutdownError):  # type: ignore[attr-defined]
        while True:
            activation = await worker.poll_workflow_activation()
            await worker.complete_workflow_activation(_completion(activation, ()))
    await worker.finalize_shutdown()


def _completion(activation: WorkflowActivation, answer: Answer) -> WorkflowActivationCompletion:
    completion = WorkflowActivationCompletion(run_id=activation.run_id)
    if answer is None:
        completion.failed.failure.message = CODE_FAILURE
    else:
        completion.successful.commands.extend(command_proto(command) for command in answer)
        completion.successful.SetInParent()
    return completion


def _verdict(eviction: RemoveFromCache) -> Verdict:
    reason = cast("Reason", RemoveFromCache.EvictionReason.Name(eviction.reason))
    if reason == "LANG_REQUESTED":
        return Verdict(reason)
    # The message is a failure as Rust prints one for debugging, or the error itself.
    printed = _MESSAGE.search(eviction.message)
    return Verdict(reason, re.sub(r"\\(.)", r"\1", printed[1]) if printed else eviction.message)


@functools.cache
def _runtime() -> Runtime:
    # Core warns about every divergence it finds, which is what these tests are about.
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="OFF")))


def _worker_config() -> bridge.WorkerConfig:
    one = bridge.FixedSizeSlotSupplier(1)
    poller = bridge.PollerBehaviorSimpleMaximum(1)
    return bridge.WorkerConfig(
        namespace="default",
        task_queue="main",
        versioning_strategy=bridge.WorkerVersioningStrategyNone(build_id_no_versioning=BUILD_ID),
        identity_override=None,
        max_cached_workflows=2,
        tuner=bridge.TunerHolder(bridge.FixedSizeSlotSupplier(2), one, one, one),
        workflow_task_poller_behavior=bridge.PollerBehaviorSimpleMaximum(2),
        nonsticky_to_sticky_poll_ratio=1,
        activity_task_poller_behavior=poller,
        no_remote_activities=True,
        task_types=bridge.WorkerTaskTypes(
            enable_workflows=True, enable_local_activities=False, enable_remote_activities=False, enable_nexus=False
        ),
        sticky_queue_schedule_to_start_timeout_millis=1000,
        max_heartbeat_throttle_interval_millis=1000,
        default_heartbeat_throttle_interval_millis=1000,
        max_activities_per_second=None,
        max_task_queue_activities_per_second=None,
        max_eager_activity_reservations_per_workflow_task=0,
        graceful_shutdown_period_millis=0,
        nondeterminism_as_workflow_fail=False,
        nondeterminism_as_workflow_fail_for_types=set(),
        nexus_task_poller_behavior=poller,
        plugins=[],
        storage_drivers=set(),
        disable_payload_error_limit=True,
    )
