"""Replays a run from every moment at which a worker might have had to take it up anew.

A worker that has lost its memory of a run is handed the history up to a `WorkflowTaskStarted` event, replays what came
before, and does that last task live. So does this module, for each task of a run that has gone on since: it finds code
that does other things live than on replay, or that depends on what another run of it left behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import Final

from playhead.diagnosis.steps import Step, StepKind, asked_step, has_other_id, recorded_step
from playhead.divergence import Divergence, DivergenceKind
from playhead.replayer import Replayer
from playhead.verdict import Agrees, CodeRaised, Diverges, Verdict
from playhead_engine.history import History, HistoryEvent
from playhead_engine.record import record
from playhead_engine.tasks import COMMAND_EVENTS

BUDGET: Final = 50_000
"""How many events are replayed for one run at most, unless more are asked for."""

# What a worker learns of only while it does the task: updates come beside the history, local activities run within it.
_BESIDE_THE_HISTORY: Final = frozenset(
    {StepKind.UPDATE_ACCEPTED, StepKind.UPDATE_COMPLETED, StepKind.LOCAL_ACTIVITY, StepKind.MARKER}
)


@record
class PrefixReplay:
    """One replay of the beginning of a history.

    Attributes:
        events: How many events of it were there.
        verdict: What it came to; `Diverges` where the code, live, asked for something else than the run went on with.
    """

    events: int
    verdict: Verdict


def replay_prefixes(
    replayer: Replayer, history: History, *, workflow_id: str | None = None, budget: int = BUDGET
) -> Iterator[PrefixReplay]:
    """Replay every prefix of a history that ends with a workflow task that is about to be done.

    Args:
        replayer: Has the code.
        history: The run.
        workflow_id: The id to replay under; by default the one the history holds.
        budget: How many events to replay at most. For a longer run some prefixes are left out, evenly.
    """
    for start in _spread(_started(history.events), budget):
        cut = History(history.events[:start], history.workflow_id)
        verdict = replayer.replay(cut, workflow_id=workflow_id)
        if isinstance(verdict, Agrees):
            verdict = _compared(verdict, history.events, start)
        yield PrefixReplay(start, verdict)


def how_many(history: History, budget: int = BUDGET) -> tuple[int, int]:
    """How many prefixes `replay_prefixes` replays, and how many there are."""
    all_there_are = _started(history.events)
    return len(_spread(all_there_are, budget)), len(all_there_are)


def is_sound(verdict: Verdict) -> bool:
    """Whether a run that has just been made replays: it agrees, or is stuck on an error as it was while it ran."""
    return isinstance(verdict, Agrees) or (isinstance(verdict, CodeRaised) and verdict.is_recorded)


def _started(events: Sequence[HistoryEvent]) -> list[int]:
    """How many events there are up to the start of each task that was completed."""
    return [
        at
        for at, (event, following) in enumerate(pairwise(events), start=1)
        if event.KIND == "WORKFLOW_TASK_STARTED" and following.KIND == "WORKFLOW_TASK_COMPLETED"
    ]


def _spread(starts: list[int], budget: int) -> list[int]:
    if budget <= 0:
        return []
    return starts[:: max(-(-sum(starts) // budget), 1)]


def _compared(verdict: Agrees, events: Sequence[HistoryEvent], start: int) -> Verdict:
    """The verdict on a prefix, now that it is held against what the run did in its last task."""
    following = []
    for event in events[start + 1 :]:
        if event.KIND not in COMMAND_EVENTS:
            break
        following.append(recorded_step(event))
    asked = [asked_step(command) for command in verdict.next_commands]
    if any(step.kind in _BESIDE_THE_HISTORY for step in (*following, *asked)):
        return verdict
    for then, now in zip_longest(
        [step for step in following if not step.belongs_to_patch],
        [step for step in asked if not step.belongs_to_patch],
    ):
        if then is None or now is None or then.key != now.key or has_other_id(then, now):
            return Diverges(_divergence(then, now, start), "ok")
    return verdict


def _divergence(then: Step | None, now: Step | None, start: int) -> Divergence:
    if then is None:
        kind = DivergenceKind.UNRECORDED
    elif now is None:
        kind = DivergenceKind.MISSING
    else:
        kind = DivergenceKind.DIFFERENT_KIND if then.kind is not now.kind else DivergenceKind.DIFFERENT_FIELDS
    return Divergence(
        kind,
        then.event.event_id if then is not None and then.event is not None else start,
        then.side if then is not None else None,
        now.side if now is not None else None,
        now.site if now is not None else None,
        "The code, live, asks for something else than the run went on with",
        then.event if then is not None else None,
        now.command if now is not None else None,
    )
