"""`playhead hotfix`: what the code of today would do next on a recorded run."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias, assert_never

import orjson

from playhead.cli import complain
from playhead.cli.judges import of_kind
from playhead.cli.project import project_of, reader_of
from playhead.configuration import BadConfiguration, Configuration
from playhead.hotfix.answers import Answers, BadAnswer, Fails, Gives, child_answer, error_of, from_json, named_answer
from playhead.hotfix.document import future_document
from playhead.hotfix.edits import Cancel, CannotEdit, Edit, EndActivity, Signal
from playhead.hotfix.future import AwaitsAnswer, Ended, Ending, Future, LooksInside, Refused, Stopped, Stuck, Waits
from playhead.hotfix.marks import BadMark
from playhead.hotfix.preview import MAX_EVENTS, MAX_TIME, Hotfix
from playhead.hotfix.text import future_text
from playhead.importing import CodeNotLoaded, import_named
from playhead.loading import activity_name, load_code
from playhead.readers import UnreadableHistory
from playhead.rendering import report
from playhead.replayer import history_files
from playhead.terminal import style_of, width_of
from playhead.verdict import Agrees, CodeRaised, CodeUnfinished, Diverges, NeedsValue, NotReplayable, Verdict
from playhead_engine.guards import NondeterministicCall
from playhead_engine.history import History
from playhead_engine.profile import profile_named

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def main(arguments: argparse.Namespace) -> int:
    """Preview, show, and return the exit code."""
    # What keeps workflow code from going on is told at the end, in words.
    for name in ("playhead_engine", "temporalio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    try:
        project = project_of(arguments)
        read = reader_of(project, arguments)
        history = read(arguments.history)
        max_events, max_time = _bounds(arguments.until or [])
        edits = _edits(arguments)
        if arguments.export and not Path(arguments.export).absolute().parent.is_dir():
            raise ValueError(f"--export: there is no directory {Path(arguments.export).parent}")
        with contextlib.redirect_stdout(sys.stderr):
            hotfix = _hotfix(arguments, project, read, history)
            future = hotfix.preview(
                history,
                at=arguments.at,
                edits=edits,
                max_events=max_events,
                max_time=max_time,
                workflow_id=arguments.workflow_id or history.id or Path(arguments.history).stem,
            )
    except (
        BadAnswer,
        BadMark,
        CannotEdit,
        CodeNotLoaded,
        NondeterministicCall,
        UnreadableHistory,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        return complain(error)
    _show(arguments, future, hotfix)
    if arguments.export and not isinstance(future.ending, Refused):
        try:
            Path(arguments.export).write_bytes(future.history.canonical_json(indent=True) + b"\n")
        except OSError as error:
            return complain(f"--export: {arguments.export} cannot be written: {error.strerror}")
    return exit_code(future.ending)


def exit_code(ending: Ending) -> int:
    """What a shell is told of an ending."""
    match ending:
        case Ended():
            return 0 if ending.is_good else 8
        case Waits():
            return 0
        case Stuck():
            return 3
        case AwaitsAnswer():
            return 6
        case Stopped():
            return 7
        case LooksInside(verdict) | Refused(verdict):
            return _refused(verdict)
        case _:
            assert_never(ending)


def _refused(verdict: Verdict) -> int:
    match verdict:
        case Agrees() | Diverges():
            return 1
        case CodeRaised():
            return 3
        case CodeUnfinished():
            return 4
        case NotReplayable():
            return 5
        case NeedsValue():
            return 9
        case _:
            assert_never(verdict)


def _show(arguments: argparse.Namespace, future: Future, hotfix: Hotfix) -> None:
    name, style, width = arguments.history, style_of(sys.stdout), width_of(sys.stdout)
    if arguments.json:
        sys.stdout.write(orjson.dumps(future_document(name, future), default=str).decode() + "\n")
    elif isinstance(future.ending, Refused):
        verdict, profile = future.ending.verdict, hotfix.replayer.profile
        print(report(name, future.recorded, verdict, profile=profile, style=style, width=width))
    else:
        print(future_text(name, future, style=style, width=width))


_Read: TypeAlias = Callable[[str | os.PathLike[str]], History]


def _hotfix(arguments: argparse.Namespace, project: Configuration, read: _Read, history: History) -> Hotfix:
    if project.runtime == "temporal-core":
        raise BadConfiguration("--runtime temporal-core only replays; a preview needs auto, native or temporal.")
    code = load_code(project.code)
    profile = profile_named(project.profile) if project.profile is not None else None
    answers = _answers(arguments, read, history, code.activities)
    return Hotfix(of_kind(code, project.runtime), answers=answers, profile=profile, **code.options.as_keywords())


def _answers(arguments: argparse.Namespace, read: _Read, history: History, activities: Sequence[Any]) -> Answers:
    table, children = _answer_file(arguments.answer_file) if arguments.answer_file else ({}, {})
    table |= dict(named_answer(one) for one in arguments.answer or [])
    children |= dict(child_answer(one) for one in arguments.answer_child or [])
    return Answers(
        table,
        children,
        _function(arguments.answer_with) if arguments.answer_with else None,
        tuple(_other_histories(arguments.answers or [], read, history)),
        _real(arguments.real or [], activities),
        arguments.answer_any,
    )


def _answer_file(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        found = orjson.loads(Path(name).read_bytes())
    except orjson.JSONDecodeError as error:
        raise BadAnswer(f"--answer-file: {name} is not JSON: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("$children", {}), dict):
        raise BadAnswer(f"--answer-file: {name} must hold an object of answers by the name of the activity")
    children = found.pop("$children", {})
    return (
        {key: from_json(value, key) for key, value in found.items()},
        {key: from_json(value, key) for key, value in children.items()},
    )


def _function(name: str) -> Callable[..., Any]:
    module, colon, function = name.partition(":")
    if not colon or not function:
        raise BadAnswer(f"--answer-with takes MODULE:FUNCTION, not {name!r}")
    found: Callable[..., Any] | None = getattr(import_named(module), function, None)
    if not callable(found):
        raise BadAnswer(f"--answer-with: there is no function {function!r} in {module}")
    function_found: Callable[..., Any] = found
    return function_found


def _other_histories(paths: Iterable[str], read: _Read, history: History) -> Iterable[tuple[str, History]]:
    for path in map(Path, paths):
        for file in history_files(path) if path.is_dir() else [path]:
            other = read(file)
            if other.run_id != history.run_id:
                yield file.name, other


def _real(names: Iterable[str], activities: Sequence[Any]) -> tuple[Any, ...]:
    known = {activity_name(one): one for one in activities}
    missing = [name for name in names if name not in known]
    if missing:
        raise BadAnswer(
            f"--real: there is no activity {missing[0]!r} beside the workflow code; there are: "
            f"{', '.join(sorted(name for name in known if name)) or 'none'}"
        )
    return tuple(known[name] for name in names)


def _edits(arguments: argparse.Namespace) -> list[Edit]:
    edits: list[Edit] = []
    for text in arguments.result or []:
        name, value = named_answer(text)
        edits.append(EndActivity(name, Gives(value)))
    for text in arguments.fail or []:
        name, equals, error = text.partition("=")
        if not equals:
            raise BadAnswer(f"--fail takes NAME=ERROR, such as charge='CardDeclined: no money', not {text!r}")
        edits.append(EndActivity(name, Fails(error_of(error, non_retryable=True))))
    for text in arguments.signal or []:
        if "=" in text:
            name, value = named_answer(text)
            edits.append(Signal(name, (value,)))
        else:
            edits.append(Signal(text))
    return [*edits, *([Cancel()] if arguments.cancel else [])]


def _bounds(texts: Iterable[str]) -> tuple[int, timedelta]:
    events, time = MAX_EVENTS, MAX_TIME
    for text in texts:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
        if found is None or float(found[1]) == 0 or (not found[2] and "." in text):
            raise ValueError(
                f"--until takes a number of events, such as 500, or a time such as 90s, 12h or 30d, not {text!r}"
            )
        if found[2]:
            time = timedelta(**{_UNITS[found[2]]: float(found[1])})
        else:
            events = int(text)
    return events, time
