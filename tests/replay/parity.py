"""Our verdict beside that of Temporal's own Replayer, on the same history and the same code.

The Replayer is asked in this process, on one event loop in a thread of its own: it hangs on some histories, and then
the thread is left behind and another one is begun.
"""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("temporalio.worker")

from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer as TemporalReplayer

import playhead
from playhead import CodeRaised, CodeUnfinished, Diverges, NotReplayable
from playhead.temporal_core.answers import verdict_of
from playhead_engine.history import History

PATIENCE = 60.0
"""How long Temporal's Replayer may take over a history, in seconds, before it counts as hanging."""


@dataclass(frozen=True)
class Opinion:
    """What one of the two says.

    Attributes:
        verdict: As `playhead.verdict.TemporalVerdict`.
        words: What it says, without what only one of the two prints.
        event_id: The event that the words name; 0 if they name none.
    """

    verdict: str
    words: str = ""
    event_id: int = 0


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()


_running: list[_Loop] = []


def theirs(text: str, workflow_id: str, workflows: Sequence[type[Any]], **options: Any) -> Opinion:
    """What Temporal's Replayer says.

    Args:
        text: The history, in JSON.
        workflow_id: The id to replay it under.
        workflows: The classes.
        options: Of `temporalio.worker.Replayer`.
    """

    async def replay() -> BaseException | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            replayer = TemporalReplayer(workflows=workflows, **options)
            history = WorkflowHistory.from_json(workflow_id, text)
            return (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure

    if not _running:
        _running.append(_Loop())
    asked = asyncio.run_coroutine_threadsafe(replay(), _running[0].loop)
    try:
        failure = asked.result(PATIENCE)
    except TookTooLong:
        _running.clear()
        return Opinion("hangs")
    if failure is None:
        return Opinion("ok")
    kind = "nondeterminism" if isinstance(failure, workflow.NondeterminismError) else "error"
    return _opinion(verdict_of(History.from_events([], ""), {"outcome": kind, "message": str(failure)}))


def ours(text: str, workflow_id: str, workflows: Sequence[type[Any]], **options: Any) -> Opinion:
    """What we say that Temporal's Replayer says; see `theirs`."""
    if "workflow_failure_exception_types" in options:
        options["failure_exception_types"] = options.pop("workflow_failure_exception_types")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdict = playhead.Replayer(workflows, **options).replay(text.encode(), workflow_id=workflow_id)
    return Opinion("ok") if verdict.temporal == "ok" else _opinion(verdict)


def differences(text: str, workflow_id: str, workflows: Sequence[type[Any]], **options: Any) -> list[str]:
    """In what the two differ; empty if they agree."""
    they, we = theirs(text, workflow_id, workflows, **options), ours(text, workflow_id, workflows, **options)
    found = []
    if they.verdict != we.verdict:
        found.append(f"they say {they}, we say {we}")
    elif they.verdict in ("nondeterminism", "error") and (they.words, they.event_id) != (we.words, we.event_id):
        found.append(f"both say {they.verdict}, but they say {they}, we say {we}")
    return found


@pytest.fixture
def quiet_judge() -> Iterator[None]:
    """The SDK leaves coroutines over when it evicts a run that has not begun, and changed code leaves others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()


_EVENT = re.compile(r"HistoryEvent(?: \{ event_id|\(id): (\d+).*", re.DOTALL)


def _opinion(verdict: playhead.Verdict) -> Opinion:
    match verdict:
        case Diverges(divergence):
            words = divergence.message
        case CodeRaised() | CodeUnfinished():
            words = verdict.message
        case NotReplayable():
            words = re.sub(r"There is no code for workflow type .*", "no code", verdict.reason)
            words = re.sub(r"^Workflow class .* is not registered on this worker.*", "no code", words)
            if "after workflow execution was terminated" in words or "comes after the run ended" in words:
                return Opinion(verdict.temporal, "after the end")
            if verdict.temporal == "hangs":
                return Opinion("hangs")
            if "event ids are not 1" in words or "two different events" in words or "History is out of order" in words:
                return Opinion(verdict.temporal, "out of order")
        case _:
            words = ""
    if "is not registered on this worker" in words:
        words = "no code"
    words = re.sub(r"^(\[TMPRL1100\] Nondeterminism error|Fatal error in workflow machines): ", "", words)
    if "after workflow execution was terminated" in words:
        words = "after the end"
    if "History is out of order" in words:
        words = "out of order"
    if isinstance(verdict, CodeUnfinished):
        return Opinion(verdict.temporal, "unfinished")
    named = re.search(r"\b(?:HistoryEvent|EventInfo)\s?[({]\s?(?:id|event_id): (\d+)|, event id: (\d+)", words)
    event_id = int(named[1] or named[2]) if named else 0
    if "<Task " in words:
        words = words[: words.index("<Task ")]  # it is numbered
    return Opinion(verdict.temporal, _EVENT.sub(r"event \1", words)[:300], event_id)
