"""A process that replays the histories of a program's trials; see `properties.elsewhere`. Not meant for people.

It is told the program and where to look for modules, and then one history after the other, each as a line of JSON. It
answers each with a line: what the replay comes to, or an empty string where it agrees.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final, TypeAlias

import orjson

from playhead.diagnosis.steps import recorded_step
from playhead.importing import look_up
from playhead.places import place
from playhead.prefixes import is_sound
from playhead.readers import read_history
from playhead.rendering import report
from playhead.replayer import Replayer
from playhead.values import plain, short
from playhead.verdict import NotReplayable
from playhead_engine.commands import ScheduleActivity, SignalExternal, StartChildWorkflow
from playhead_engine.history import History
from playhead_engine.runtime import TaskCompleted

_WithInput: TypeAlias = ScheduleActivity | StartChildWorkflow | SignalExternal

_RECORDED: Final[dict[type[_WithInput], str]] = {
    ScheduleActivity: "ACTIVITY_TASK_SCHEDULED",
    StartChildWorkflow: "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
    SignalExternal: "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
}


def main() -> int:
    """Serve until standard input ends."""
    # Whatever the user's code prints must not get between the lines.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    name, sys.path[:] = orjson.loads(sys.stdin.buffer.readline())
    program: Any = look_up(name)
    output.write(b'""\n')
    output.flush()
    for line in sys.stdin.buffer:
        workflow_id, text, deployed = orjson.loads(line)
        history = read_history(text.encode())
        replayer = program.replayer(deployed)
        verdict = replayer.replay(history, workflow_id=workflow_id)
        if is_sound(verdict):
            said = "" if deployed else other_arguments(replayer, history, workflow_id)
        else:
            said = report(workflow_id, history, verdict, profile=replayer.profile)
        output.write(orjson.dumps(said) + b"\n")
        output.flush()
    return 0


def other_arguments(replayer: Replayer, history: History, workflow_id: str) -> str:
    """What code that agrees with a history asks for with other arguments than it did. No replay minds, and whoever gets
    the letter of somebody else does.

    Args:
        replayer: Has the code.
        history: The run.
        workflow_id: The id to replay under.

    Returns:
        A sentence; empty if there is nothing.
    """
    passage = replayer.begin(history, workflow_id)
    if isinstance(passage, NotReplayable):
        return ""
    asked: list[_WithInput] = []
    try:
        while passage.advance():
            if isinstance(passage.completion, TaskCompleted):
                asked += [one for one in passage.completion.commands if isinstance(one, _WithInput)]
        for kind, name in _RECORDED.items():
            events = [event for event in history.events if name == event.KIND]
            commands = [one for one in asked if isinstance(one, kind)]
            for event, command in zip(events, commands, strict=False):
                then = plain(passage.wire.decoded_attributes(event.attributes).get("input"))
                now = plain(command.attributes.get("input"))
                if then != now:
                    at = f" at {place(command.site)}" if command.site is not None else ""
                    what = f"{workflow_id} asked at event {event.event_id} for {recorded_step(event).described()}"
                    return f"{what} with {short(then)}, and now asks with {short(now)}{at}"
    finally:
        passage.close()
    return ""


if __name__ == "__main__":
    sys.exit(main())
