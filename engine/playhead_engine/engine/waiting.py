"""What runs wait for, in words, for those who would otherwise wait for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from playhead_engine.convert import time_json
from playhead_engine.engine.errors import (
    ActivityKeepsFailingError,
    NothingDueError,
    WorkflowTaskKeepsFailingError,
    place_of,
)
from playhead_engine.engine.runs import LiveRun
from playhead_engine.messages import part
from playhead_engine.server.pending import PendingActivity


def keeps_failing(run: LiveRun) -> WorkflowTaskKeepsFailingError:
    """The error for those who wait for a run whose workflow task fails again and again."""
    assert run.trouble is not None
    state, error = run.state, run.trouble.error
    problem = f"{type(error).__name__}: {error}"
    stuck = WorkflowTaskKeepsFailingError(
        state.workflow_id, state.run_id, state.type_name, run.trouble.attempts, problem, place_of(error)
    )
    stuck.__cause__ = error
    return stuck


def activity_keeps_failing(run: LiveRun, activity: PendingActivity) -> ActivityKeepsFailingError:
    """The error for those who wait for a run whose activity fails again and again."""
    state, failure = run.state, activity.last_failure or {}
    return ActivityKeepsFailingError(
        state.workflow_id,
        state.run_id,
        state.type_name,
        activity.type_name,
        activity.attempt - 1,
        failure.get("message", ""),
    )


def nothing_due(run: LiveRun, others: Iterable[LiveRun], knows: Knows) -> NothingDueError:
    """The error for those who wait for a run when everything waits.

    Args:
        run: The run they wait for.
        others: Other runs that somebody waits for.
        knows: Says what the engine has code for.
    """
    state = run.state
    told = [
        f"workflow {other.state.workflow_id!r} ({other.state.type_name}): {'; '.join(what_it_waits_for(other, knows))}"
        for other in others
        if other is not run
    ]
    return NothingDueError(state.workflow_id, state.run_id, state.type_name, what_it_waits_for(run, knows), told)


class Knows:
    """Says what an engine has code for.

    Attributes:
        workflow: Whether it has code for a workflow type.
        activity: Whether it has code for an activity.
        registered: The names of the activities it has code for.
    """

    def __init__(
        self, workflow: Callable[[str], bool], activity: Callable[[str], bool], registered: Callable[[], list[str]]
    ) -> None:
        self.workflow = workflow
        self.activity = activity
        self.registered = registered


def what_it_waits_for(run: LiveRun, knows: Knows) -> list[str]:
    """One sentence for each thing an open run waits for; at least one."""
    state = run.state
    found: list[str] = []
    if state.task_scheduled_id and not knows.workflow(state.type_name):
        found.append(f"its code: no workflow of type {state.type_name!r} is registered")
    if run.trouble is not None:
        error = run.trouble.error
        place = place_of(error)
        found.append(
            f"something new, since its workflow task fails with {type(error).__name__}: {error}"
            + (f" at {place}" if place else "")
        )
    for activity in state.activities.values():
        what = f"activity {activity.type_name!r} (event {activity.scheduled_event_id}, attempt {activity.attempt})"
        if not knows.activity(activity.type_name):
            known = ", ".join(knows.registered()) or "none"
            found.append(f"{what}, which is not registered; registered are: {known}")
        elif activity.scheduled_event_id in run.attempts:
            attempt = run.attempts[activity.scheduled_event_id]
            found.append(
                f"{what}, {'to be completed by somebody else' if attempt.is_postponed else 'which is running'}"
            )
        else:
            found.append(f"{what}, to be tried again at {time_json(activity.due_ns)}")
    found += [f"local activity {local.type_name!r}, which is running" for local in run.local_attempts.values()]
    for timer_id, timer in state.timers.items():
        found.append(f"timer {timer_id} (event {timer.started_event_id}), due at {time_json(timer.fire_ns)}")
    for child in state.children.values():
        found.append(f"child workflow {child.workflow_id!r} ({child.type_name}, event {child.initiated_event_id})")
    found += [f"a signal to workflow {_target(one)} to be delivered" for one in state.signals.values()]
    found += [f"a request to cancel workflow {_target(one)} to be delivered" for one in state.cancels.values()]
    found += _conditions(run)
    return found or ["a signal or an update: it has no timer, activity or child workflow under way"]


def _conditions(run: LiveRun) -> list[str]:
    """Conditions that the code waits for, where its runtime can tell."""
    pending = getattr(run.instance, "pending", None)
    if pending is None:
        return []
    found: list[str] = []
    waiting: list[Any] = pending()
    for one in waiting:
        if one.kind == "condition":
            site = f" at {one.site}" if one.site is not None else ""
            found.append(f"a signal or an update that makes the condition {one.name} true{site}")
    return found


def _target(attributes: Any) -> str:
    return repr(part(attributes, "workflowExecution").get("workflowId", ""))
