"""Real `temporalio` code is judged as Temporal's Replayer of the installed release judges it.

What core and SDK changed between the supported releases is tried case by case. Here one release is installed;
`scripts/releases.py check` runs this file with each of them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("temporalio")

import nexusrpc
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError
from temporalio.worker import UnsandboxedWorkflowRunner

from playhead import Agrees, Diverges, Replayer
from playhead.rendering import report
from tests.engine.history_builder import WORKFLOW_ID, HistoryBuilder
from tests.replay.temporal_judge import judge

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"
RECORDINGS: list[dict[str, Any]] = json.loads((FIXTURES / "INDEX.json").read_text())
PAIRS = [(recording, code) for recording in RECORDINGS for code in [recording, *recording.get("variants", [])]]
SOON = timedelta(seconds=60)


def agree(text: str, workflow_id: str, code: type[Any]) -> None:
    """Both judges say the same, down to the event where Temporal's names one."""
    verdict = Replayer([code], workflow_runner=UnsandboxedWorkflowRunner()).replay(
        text.encode(), workflow_id=workflow_id
    )
    judgement = judge(text, workflow_id, [code])
    shown = report(workflow_id, None, verdict) + judgement.message
    assert verdict.temporal == judgement.verdict, shown
    if isinstance(verdict, Diverges) and judgement.event_id is not None:
        assert verdict.divergence.event_id == judgement.event_id, shown


@pytest.mark.parametrize(
    ("recording", "code"),
    PAIRS,
    ids=[f"{recording['file'].removesuffix('.json')}-{code['module'].rpartition('.')[2]}" for recording, code in PAIRS],
)
def test_recordings_are_judged_as_temporal_judges_them(recording: dict[str, Any], code: dict[str, Any]) -> None:
    """The code that made them, and its variants."""
    module = import_module(code["module"].replace("examples.", "examples.temporal."))
    agree((FIXTURES / recording["file"]).read_text(), recording["workflow_id"], getattr(module, code["class"]))


# Children that cannot start


@workflow.defn
class StartsChild:
    """Fails as its child does."""

    @workflow.run
    async def run(self) -> None:
        """Start it."""
        await workflow.start_child_workflow("Child", id="child-1")


@workflow.defn(name="StartsChild")
class ForgivesChild:
    """Takes any error of the SDK's for an answer."""

    @workflow.run
    async def run(self) -> None:
        """Start it."""
        try:
            await workflow.start_child_workflow("Child", id="child-1")
        except FailureError:
            await asyncio.sleep(1)


def child_not_started(cause: str, end: str) -> HistoryBuilder:
    history = HistoryBuilder("StartsChild")
    history.task()
    history.child_not_started(history.child_initiated(), cause)
    history.task()
    if end == "fails":
        history.failed()
        return history
    history.timer_started()
    history.signaled()
    history.task_open()
    return history


# Local activities


@workflow.defn
class GathersLocally:
    """Asks for a third thing when the first of two local activities ends."""

    @workflow.run
    async def run(self) -> None:
        """Run them."""

        async def first() -> None:
            await workflow.execute_local_activity("first", start_to_close_timeout=SOON)
            await workflow.execute_local_activity("third", start_to_close_timeout=SOON)

        async def second() -> None:
            await workflow.execute_local_activity("second", start_to_close_timeout=SOON)
            await asyncio.sleep(1)

        await asyncio.gather(first(), second())


def grouped(*index: int | str | None) -> HistoryBuilder:
    history = HistoryBuilder("GathersLocally")
    history.task()
    for seq, (name, place) in enumerate(zip(("first", "second", "third"), index, strict=False), 1):
        data = {} if place is None else {"activation_index": place}
        history.local_activity_marker(seq, activity_type=name, **data)
    history.timer_started()
    history.signaled()
    history.task_open()
    return history


@workflow.defn
class RetriesLocally:
    """A local activity whose next attempt is far away."""

    @workflow.run
    async def run(self) -> None:
        """Run it."""
        await workflow.execute_local_activity(
            "lookup",
            start_to_close_timeout=SOON,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=100)),
            local_retry_threshold=timedelta(seconds=1),
        )


@workflow.defn(name="RetriesLocally")
class CancelsInBackoff:
    """Cancels it while it waits for its next attempt."""

    def __init__(self) -> None:
        self._waved = False

    @workflow.signal
    def wave(self) -> None:
        """It is time."""
        self._waved = True

    @workflow.run
    async def run(self) -> None:
        """Run it."""
        handle = workflow.start_local_activity(
            "lookup",
            start_to_close_timeout=SOON,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=100)),
            local_retry_threshold=timedelta(seconds=1),
        )
        await workflow.wait_condition(lambda: self._waved)
        handle.cancel()
        await asyncio.sleep(1)


def backing_off(seconds: int, *, has_timer: bool, cancels: bool = False) -> HistoryBuilder:
    history = HistoryBuilder("RetriesLocally")
    history.task()
    history.local_activity_marker(
        1,
        failure={"message": "no luck", "applicationFailureInfo": {}},
        backoff={"secs": seconds, "nanos": 0} if seconds else {"secs": 0, "nanos": 0},
        attempt=2,
    )
    if has_timer:
        history.timer_started("1")
    history.signaled()
    history.task()
    if cancels:
        history.timer_canceled(history.last_id - 4)
        history.timer_started("2")
    history.signaled()
    history.task_open()
    return history


# Other workflows


@workflow.defn
class CancelsOther:
    """Asks for the cancellation of another workflow and stops waiting for the answer."""

    def __init__(self) -> None:
        self._waved = False

    @workflow.signal
    def wave(self) -> None:
        """Stop waiting."""
        self._waved = True

    @workflow.run
    async def run(self) -> None:
        """Ask."""
        asked = asyncio.create_task(workflow.get_external_workflow_handle("other").cancel())
        await workflow.wait_condition(lambda: self._waved)
        asked.cancel()
        await asyncio.sleep(1)


def cancelled_elsewhere() -> HistoryBuilder:
    history = HistoryBuilder("CancelsOther")
    history.task()
    initiated = history.cancel_external_initiated()
    history.signaled()
    history.task()
    history.timer_started()
    history.external_cancel_requested(initiated)
    history.task()
    history.signaled()
    history.task_open()
    return history


# Nexus


@nexusrpc.service
class Bank:
    """What is called."""

    pay: nexusrpc.Operation[None, None]


@workflow.defn
class Pays:
    """Calls an operation by its name."""

    @workflow.run
    async def run(self) -> None:
        """Call it."""
        client = workflow.create_nexus_client(service=Bank, endpoint="endpoint")
        await client.execute_operation(Bank.pay, None)


def called(service: str, operation: str) -> HistoryBuilder:
    history = HistoryBuilder("Pays")
    history.task()
    history.nexus_scheduled(service, operation)
    history.signaled()
    history.task()
    history.signaled()
    history.task_open()
    return history


# Pauses, and what is thrown out of memory


@workflow.defn
class Waits:
    """Waits for a signal with a set."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()

    @workflow.signal
    def wave(self, names: frozenset[str] = frozenset()) -> None:
        """Wave."""
        self._names = names

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        await workflow.wait_condition(lambda: bool(self._names))
        if isinstance(self._names, frozenset):
            await asyncio.sleep(1)
        await asyncio.sleep(2)


def waved(*, paused: bool = False, timers: int = 1) -> HistoryBuilder:
    history = HistoryBuilder("Waits")
    history.task()
    history.signaled("wave", ["Ada", "Grace"])
    if paused:
        history.task_scheduled()
        history.task_failed("WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED")
    history.task()
    for number in range(timers):
        history.timer_started(str(number + 1))
    history.signaled()
    history.task_open()
    return history


@workflow.defn
class LetsGo:
    """Cancels an activity and waits until it has ended."""

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        slow = workflow.start_activity(
            "slow",
            start_to_close_timeout=SOON,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await asyncio.sleep(1)
        slow.cancel()
        await slow


def test_an_activity_that_is_still_to_be_cancelled_holds_nobody_up() -> None:
    """Up to 1.34 Temporal's own Replayer never comes back from this: the run does not end when it is thrown out."""
    history = HistoryBuilder("LetsGo")
    history.task()
    scheduled = history.activity_scheduled("1", "slow")
    history.timer_fired(history.timer_started())
    history.task()
    history.activity_cancel_requested(scheduled)
    verdict = Replayer([LetsGo], workflow_runner=UnsandboxedWorkflowRunner()).replay(history.history())
    assert isinstance(verdict, Agrees)


CASES: dict[str, tuple[Callable[[], HistoryBuilder], type[Any]]] = {
    **{
        f"child-{cause.lower()}-{end}-{code.__name__}": (partial(child_not_started, cause, end), code)
        for cause in ("WORKFLOW_ALREADY_EXISTS", "NAMESPACE_NOT_FOUND", "INVALID_VERSIONING_OVERRIDE", "UNSPECIFIED")
        for end, code in (("fails", StartsChild), ("goes-on", ForgivesChild))
    },
    "local-together": (lambda: grouped(1, 1, 1), GathersLocally),
    "local-apart": (lambda: grouped(1, 2, 3), GathersLocally),
    "local-turned": (lambda: grouped(2, 1, 3), GathersLocally),
    "local-unknown": (lambda: grouped(None, None, None), GathersLocally),
    "local-broken-index": (lambda: grouped("1", "1", "1"), GathersLocally),
    "backoff": (lambda: backing_off(100, has_timer=True), RetriesLocally),
    "backoff-of-nothing-with-timer": (lambda: backing_off(0, has_timer=True), RetriesLocally),
    "backoff-of-nothing-without": (lambda: backing_off(0, has_timer=False), RetriesLocally),
    "backoff-cancelled": (lambda: backing_off(100, has_timer=True, cancels=True), CancelsInBackoff),
    "cancel-given-up": (cancelled_elsewhere, CancelsOther),
    "nexus": (lambda: called("Bank", "pay"), Pays),
    "nexus-other-operation": (lambda: called("Bank", "refund"), Pays),
    "nexus-other-service": (lambda: called("Shop", "pay"), Pays),
    "waved": (waved, Waits),
    "waved-without-timer": (lambda: waved(timers=0), Waits),
    "paused": (lambda: waved(paused=True), Waits),
}


@pytest.mark.parametrize("case", CASES)
def test_what_changed_between_releases_is_judged_as_the_installed_one_does(case: str) -> None:
    """By its own core and its own Python."""
    build, code = CASES[case]
    agree(build().history().to_json().decode(), WORKFLOW_ID, code)
