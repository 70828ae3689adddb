"""A recorded step written as the call that would ask for it again.

A history does not hold the code that was run, only what it asked for. So a call made from it has the recorded name, id
and timeouts, and the recorded arguments as literals, except where they are what the workflow was given: then it is the
parameter. What cannot be written down so is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from playhead.diagnosis.blocks import quoted
from playhead.diagnosis.source import Function, Source
from playhead.diagnosis.steps import Step, StepKind
from playhead.values import plain
from playhead_engine.convert import duration_ns
from playhead_engine.history import History
from playhead_engine.messages import Json

_TIMEOUTS: Final[Mapping[str, str]] = {
    "scheduleToCloseTimeout": "schedule_to_close_timeout",
    "scheduleToStartTimeout": "schedule_to_start_timeout",
    "startToCloseTimeout": "start_to_close_timeout",
    "heartbeatTimeout": "heartbeat_timeout",
}


class CannotWrite(Exception):
    """A recorded step cannot be written as code; the text says why."""


@dataclass(slots=True)
class Writer:
    """Writes calls for one function of a file.

    Attributes:
        history: What was recorded.
        source: The file.
        function: Where the call is to stand.
        module: What the file calls the workflow module.
        needs_timedelta: Whether a call was written that needs `timedelta`, which the file does not import.
        notes: What to look at in what was written.
    """

    history: History
    source: Source
    function: Function | None
    module: str = "workflow"
    needs_timedelta: bool = False
    notes: list[str] = field(default_factory=list)

    def call(self, step: Step) -> str:
        """The expression that asks for a recorded step and waits for its end.

        Raises:
            CannotWrite: There is no such expression.
        """
        fields = step.side.fields
        match step.kind:
            case StepKind.ACTIVITY | StepKind.LOCAL_ACTIVITY:
                return self._activity(step, fields)
            case StepKind.TIMER:
                return f"await {self.module}.sleep({_seconds(fields.get('startToFireTimeout', '0s'))})"
            case StepKind.CHILD:
                arguments = [quoted(step.name), *self._arguments(fields), f"id={quoted(step.id)}"]
                return f"await {self.module}.execute_child_workflow({', '.join(arguments)})"
            case StepKind.SIGNAL:
                target = f"{self.module}.get_external_workflow_handle({quoted(step.id)})"
                return f"await {target}.signal({', '.join([quoted(step.name), *self._arguments(fields)])})"
            case StepKind.MEMO:
                return f"{self.module}.upsert_memo({plain(fields.get('upsertedMemo', {}).get('fields', {}))!r})"
            case StepKind.PATCH:
                return f"{self.module}.deprecate_patch({quoted(step.name)})"
            case StepKind.COMPLETED:
                return self._return(fields)
            case _:
                raise CannotWrite(f"{_article(step.described())} cannot be written from what was recorded of it")

    def _return(self, fields: Json) -> str:
        payloads = (fields.get("result") or {}).get("payloads") or []
        value = plain(payloads[0]) if payloads else None
        if value is None:
            return "return None"
        if not isinstance(value, str | int | float | bool) or (isinstance(value, str) and value.startswith("<")):
            raise CannotWrite("the recorded result cannot be written as a literal")
        self.notes.append(f"{value!r} is what this run returned; other runs may have returned something else")
        return f"return {quoted(value) if isinstance(value, str) else repr(value)}"

    def _activity(self, step: Step, fields: Json) -> str:
        name = self.activity_name(step.name)
        arguments = [name, *self._arguments(fields)]
        if step.id and not step.id.isdigit():
            arguments.append(f"activity_id={quoted(step.id)}")
        if step.kind is StepKind.LOCAL_ACTIVITY:
            self.notes.append(f"the marker of {step.name} does not say with which timeout it ran, nor with what")
            arguments.append(f"start_to_close_timeout={self.duration('10s')}")
            return f"await {self.module}.execute_local_activity({', '.join(arguments)})"
        timeouts = [
            f"{parameter}={self.duration(fields[key])}"
            for key, parameter in _TIMEOUTS.items()
            if key in fields
            and not (key == "scheduleToStartTimeout" and fields[key] == fields.get("scheduleToCloseTimeout"))
        ]
        return f"await {self.module}.execute_activity({', '.join([*arguments, *timeouts])})"

    def activity_name(self, name: str) -> str:
        """How to name an activity: by its function if the file still has it, else by its type."""
        for node in self.source.tree.body:
            if isinstance(node, Function) and node.name == name and node.decorator_list:
                return name
            if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == name for alias in node.names):
                return name
        return quoted(name)

    def duration(self, text: str) -> str:
        """A duration as code."""
        ns = duration_ns(text)
        imported = {
            alias.asname or alias.name: node.module
            for node in self.source.tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        whole = any(
            alias.name == "datetime" and alias.asname is None
            for node in self.source.tree.body
            if isinstance(node, ast.Import)
            for alias in node.names
        )
        if imported.get("timedelta") == "datetime":
            name = "timedelta"
        elif whole:
            name = "datetime.timedelta"
        else:
            name, self.needs_timedelta = "timedelta", True
        return f"{name}(seconds={_number(ns)})"

    def _arguments(self, fields: Json) -> list[str]:
        payloads: list[Any] = (fields.get("input") or {}).get("payloads") or []
        given: list[Any] = ((self.history.events[0].attributes.get("input") or {}).get("payloads")) or []
        names = self._parameters()
        written: list[str] = []
        for payload in payloads:
            name = next((n for n, value in zip(names, given, strict=False) if value == payload), None)
            if name is None:
                value = plain(payload)
                if isinstance(value, str) and value.startswith("<"):
                    raise CannotWrite(f"an argument cannot be read: {value}")
                self.notes.append(f"{value!r} is what this run gave; other runs may have given something else")
                name = quoted(value) if isinstance(value, str) else repr(value)
            written.append(name)
        return [f"args=[{', '.join(written)}]"] if len(written) > 1 else written

    def _parameters(self) -> list[str]:
        """The names of what the workflow was given, where the call is to stand in its run method."""
        function = self.function
        if function is None or not any(ast.unparse(d).endswith(".run") for d in function.decorator_list):
            return []
        return [argument.arg for argument in function.args.args[1:]]


def _article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _number(ns: int) -> str:
    seconds = ns / 1_000_000_000
    return str(int(seconds)) if seconds == int(seconds) else repr(seconds)


def _seconds(text: str) -> str:
    return _number(duration_ns(text))
