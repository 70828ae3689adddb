"""States and recordings in words, for a terminal or for a machine. Nothing here replays, reads or exits."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playhead.divergence import command_side, event_side
from playhead.exception_text import exception_text
from playhead.places import place
from playhead.rendering import command_json, site_json, telling
from playhead.terminal import PLAIN, Style
from playhead.timeline.frame import Frame
from playhead.timeline.logpoints import Logged
from playhead.timeline.recording import Recording
from playhead.timeline.snapshot import Difference, Snapshot, differences
from playhead.timeline.state import State
from playhead.timeline.steps import Step
from playhead.timeline.value import Value
from playhead_engine.call_site import CallSite
from playhead_engine.runtime import Waiting

NOTHING = Snapshot({}, (), ())


def state_text(state: State, *, style: Style = PLAIN, width: int = 120) -> list[str]:
    """A state, in lines: where the run is, what its variables hold, what it waits for."""
    lines = [f"after event {state.event}, in workflow task {state.task}"]
    if state.error is not None:
        lines.append(f"  {style('raised', 'red')}  {exception_text(state.error)}")
    for name, value in state.attributes.items():
        lines.append(f"  {style(f'self.{name}', 'bold')} = {value.text(width - 12 - len(name))}")
    for coroutine in state.coroutines:
        lines.append(f"  {style(coroutine.name, 'bold')}")
        for frame in coroutine.stack:
            lines.append(f"    {_at(frame.site, style)}")
            lines += [f"      {name} = {value.text(width - 10 - len(name))}" for name, value in frame.locals.items()]
    lines += [f"  waits for {waiting_text(one)}{_where(one.site, style)}" for one in state.waits]
    return lines


def state_json(state: State) -> dict[str, Any]:
    """A state for a machine: `task`, `event`, `attributes`, `coroutines`, `waits`."""
    return {
        "event": state.event,
        "task": state.task,
        "error": None if state.error is None else exception_text(state.error),
        "attributes": values_json(state.attributes),
        "coroutines": [
            {
                "name": coroutine.name,
                "stack": [{**site_json(frame.site), "locals": values_json(frame.locals)} for frame in coroutine.stack],
            }
            for coroutine in state.coroutines
        ],
        "waits": [_waiting_json(one) for one in state.waits],
    }


def values_json(values: Mapping[str, Value]) -> dict[str, Any]:
    """Variables for a machine."""
    return {name: value.as_json() for name, value in values.items()}


def waiting_text(waiting: Waiting) -> str:
    """What a run waits for, in words."""
    summary = f" ({waiting.summary})" if waiting.summary else ""
    return f"{waiting.kind} {waiting.name}{summary}"


class Telling:
    """Tells a recording, workflow task by workflow task."""

    def __init__(
        self, recording: Recording, *, lines: bool = False, logged: Sequence[tuple[str, Sequence[Logged]]] = ()
    ) -> None:
        """
        Args:
            recording: The recording.
            lines: Whether to show every line that ran.
            logged: What logpoints said, each with its line.
        """
        self._recording = recording
        self._lines = lines
        self._logged = logged

    def text(self, task: int, *, style: Style = PLAIN, width: int = 120) -> list[str]:
        """One workflow task, in lines."""
        recording, frame = self._recording, self._recording.frames[task - 1]
        lines = [style(f"task {task}  events {frame.first_event}-{frame.last_event}", "bold")]
        for event_id in recording.told(frame):
            event = recording.history.events[event_id - 1]
            told = f"{event.type_name}  {telling(event_side(event), 50)}".rstrip()
            lines.append(f"  {event_id:>5}  {told}{_where(recording.sources.get(event_id), style)}")
        if self._lines:
            lines += [f"         {_step_text(step, width, style)}" for step in recording.lines(task=task)]
            if recording.is_cut(task=task):
                lines.append("         ... and more lines than are kept")
        for line, logged in self._logged_in(task):
            lines.append(f"    {style('log', 'yellow')}  {line}  {logged.text}")
        for command in frame.commands:
            side = command_side(command)
            asked = f"{side.kind}  {telling(side, 50)}".rstrip()
            lines.append(f"     {style('->', 'green')}  {asked}{_where(getattr(command, 'site', None), style)}")
        if frame.error is not None:
            lines.append(f"     {style('!', 'red')}   {exception_text(frame.error)}")
        lines += [f"         {_shortened(str(one), width - 9)}" for one in self._changes(frame)]
        return lines

    def json(self, task: int) -> dict[str, Any]:
        """One workflow task, for a machine."""
        recording, frame = self._recording, self._recording.frames[task - 1]
        state = recording.at(task=task)
        shown: dict[str, Any] = {
            "task": task,
            "events": [frame.first_event, frame.last_event],
            "told": [
                {
                    "event_id": event_id,
                    "type": recording.history.events[event_id - 1].type_name,
                    **site_json(recording.sources.get(event_id)),
                }
                for event_id in recording.told(frame)
            ],
            "commands": [_command_json(command) for command in frame.commands],
            "changed": [
                {
                    "name": one.name,
                    "before": None if one.before is None else one.before.as_json(),
                    "after": None if one.after is None else one.after.as_json(),
                }
                for one in self._changes(frame)
            ],
            "waits": [_waiting_json(one) for one in state.waits],
            "error": None if frame.error is None else exception_text(frame.error),
        }
        if self._lines:
            shown["lines"] = [
                {**site_json(step.site), "depth": step.depth, "changed": values_json(step.changed)}
                for step in recording.lines(task=task)
            ]
        if self._logged:
            shown["logged"] = [
                {
                    "at": line,
                    "event": logged.event,
                    "text": logged.text,
                    "value": None if logged.value is None else logged.value.as_json(),
                    "error": logged.error or None,
                }
                for line, logged in self._logged_in(task)
            ]
        return shown

    def _logged_in(self, task: int) -> Iterator[tuple[str, Logged]]:
        for line, all_logged in self._logged:
            for logged in all_logged:
                if logged.task == task:
                    yield line, logged

    def _changes(self, frame: Frame) -> list[Difference]:
        """What the task changed; variables of functions that have ended are no news."""
        before = self._recording.at(task=frame.task - 1).snapshot if frame.task > 1 else NOTHING
        after = self._recording.at(task=frame.task).snapshot
        return [one for one in differences(before, after) if one.after is not None]


def _command_json(command: Any) -> dict[str, Any]:
    site: CallSite | None = getattr(command, "site", None)
    return {**command_json(command), "stack": [site_json(one) for one in site.stack()] if site is not None else []}


def _waiting_json(waiting: Waiting) -> dict[str, Any]:
    return {
        "kind": waiting.kind,
        "name": waiting.name,
        "seq": waiting.seq,
        "summary": waiting.summary,
        **site_json(waiting.site),
    }


def _step_text(step: Step, width: int, style: Style) -> str:
    source = linecache.getline(step.site.file, step.site.line).strip()
    where = place(step.site)
    changed = "  ".join(f"{name}={value.text(40)}" for name, value in step.changed.items())
    text = f"{'  ' * step.depth}{source}"
    room = max(width - len(where) - 13, 30)
    line = f"{style(where, 'blue')}  {_shortened(text, room)}"
    return f"{line}  {style(_shortened('# ' + changed, max(room - len(text), 20)), 'dim')}" if changed else line


def _at(site: CallSite, style: Style) -> str:
    return f"{style(place(site), 'blue')} in {site.function}"


def _where(site: CallSite | None, style: Style) -> str:
    return f"  {style(place(site), 'blue')}" if site is not None else ""


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 1)] + "…"
