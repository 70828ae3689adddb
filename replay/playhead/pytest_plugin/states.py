"""What a past run is like at its marks: held against what a marker says, or against what was kept beside its history.

A replay that agrees says that the code asks for the same; it says nothing of what the code thinks meanwhile. `name()`
stands for the query `name`, everything else is an expression that only looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from playhead.history_files import STATES
from playhead.pytest_plugin.corpus import without_ending
from playhead.timeline.asking import NotAnswered
from playhead.timeline.capture import FULL, Capture
from playhead.timeline.expression import BadExpression, ExpressionFailed, RunChanged
from playhead.timeline.marks import Mark, NoSuchMark, mark_of
from playhead.timeline.recording import Recording
from playhead.timeline.state import State
from playhead.timeline.value import Value

Watched: TypeAlias = dict[str, dict[str, Any]]
"""By query or expression: by the id of an event, what it is worth from there on."""

_ROOM: Final = 400  # characters for a value that JSON cannot say


def unmet(recording: Recording, at: Mapping[int | str, Mapping[str, Any]]) -> list[str]:
    """What is not as expected, a sentence for each.

    Args:
        recording: The run.
        at: By mark (the id of an event, `task:3`, `orders.py:86`), what queries and expressions are to be worth.
    """
    found: list[str] = []
    for mark, values in at.items():
        try:
            where: Mark = mark_of(str(mark))
            state = recording.at(**where)
        except NoSuchMark as error:
            found.append(f"at {mark}: {error}")
            continue
        shown = f"event {mark}" if isinstance(mark, int) else mark
        found += [
            f"{text} at {shown}: {said}" for text, value in values.items() if (said := _differs(state, text, value))
        ]
    return found


def _differs(state: State, text: str, expected: Any) -> str:
    """In which way a value is not the expected one; empty if it is."""
    try:
        value = _value(state, text)
    except (NotAnswered, BadExpression, ExpressionFailed) as error:
        return str(error)
    return "" if value == expected else f"expected {expected!r}, got {value!r}"


def _value(state: State, text: str) -> Any:
    name = query_in(text)
    return state.query(name) if name is not None else state.eval(text)


def query_in(text: str) -> str | None:
    """The name of the query that a text stands for; None if it is an expression."""
    match = re.fullmatch(r"\s*(\w+)\(\)\s*", text)
    return match[1] if match else None


def queries_in(texts: Sequence[str]) -> list[str]:
    """The queries among several."""
    return [name for text in texts if (name := query_in(text)) is not None]


def watch(recording: Recording, texts: Sequence[str]) -> Watched:
    """What queries and expressions are worth over the course of a run; what this run knows nothing of is left out.

    Args:
        recording: The run; it was made with the queries among them.
        texts: Queries and expressions.

    Raises:
        BadExpression: One is none.
        NotAnswered, RunChanged: One changes the run.
    """
    found: Watched = {}
    for text in texts:
        name = query_in(text)
        values = dict(_answers(recording, name) if name is not None else _values(recording, text))
        if values:
            found[text] = values
    return found


def _answers(recording: Recording, query: str) -> Iterator[tuple[str, Any]]:
    capture = Capture(FULL)
    for task, answer in recording.answers(query):
        if answer.changed:
            raise NotAnswered(f"query {query!r} changed the run, and a query must not: {'; '.join(answer.changed)}")
        if not answer.error:
            yield _event(recording, task), _plain(capture.of(answer.value))


def _values(recording: Recording, expression: str) -> Iterator[tuple[str, Any]]:
    try:
        changes = recording.changes(expression)
    except RunChanged:
        raise
    except ExpressionFailed:
        return  # there is nothing of that name in this workflow
    for change in changes:
        yield _event(recording, change.task), None if change.after is None else _plain(change.after)


def _event(recording: Recording, task: int) -> str:
    frame = recording.frames[task - 1]
    return str(next(iter(recording.told(frame)), frame.last_event))


def _plain(value: Value) -> Any:
    shown = value.as_json()
    return shown["value"] if "value" in shown else value.text(_ROOM)


class StateFile:
    """The file beside a history that keeps what was watched.

    Attributes:
        path: Where it is.
    """

    def __init__(self, history: Path) -> None:
        self.path = history.with_name(without_ending(history.name) + STATES)

    def read(self) -> Watched | None:
        """What is in it; None if there is no such file.

        Raises:
            ValueError: It is not what was written.
        """
        if not self.path.is_file():
            return None
        try:
            kept = orjson.loads(self.path.read_bytes())
        except orjson.JSONDecodeError as error:
            raise ValueError(f"{self.path.name} is no JSON: {error}") from None
        if not isinstance(kept, dict) or not all(isinstance(values, dict) for values in kept.values()):
            raise ValueError(f"{self.path.name} holds no watched states")
        return kept

    def write(self, watched: Watched) -> None:
        """Keep something else."""
        self.path.write_bytes(orjson.dumps(watched, option=orjson.OPT_INDENT_2) + b"\n")


def differences(kept: Watched, now: Watched) -> list[str]:
    """What changed, a line for each: `status() at event 7: was "charging", is "billing"`."""
    lines: list[str] = []
    for text in dict.fromkeys((*kept, *now)):
        then, today = kept.get(text, {}), now.get(text, {})
        lines += [
            f"{text} at event {event}: was {_said(then, event)}, is {_said(today, event)}"
            for event in sorted({*then, *today}, key=int)
            if then.get(event, _GONE) != today.get(event, _GONE)
        ]
    return lines


_GONE: Final = object()


def _said(values: Mapping[str, Any], event: str) -> str:
    return orjson.dumps(values[event]).decode() if event in values else "as before"
