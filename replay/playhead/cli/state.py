"""`playhead replay --at`, `--print` and `--query`: the state of a past run, and what it answers."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import orjson

from playhead.cli import complain
from playhead.cli.recording import NotRecorded, record
from playhead.terminal import style_of, width_of
from playhead.timeline.asking import NotAnswered
from playhead.timeline.capture import FULL, Capture
from playhead.timeline.expression import BadExpression, Expression
from playhead.timeline.marks import Mark, NoSuchMark, mark_of
from playhead.timeline.state import State
from playhead.timeline.telling import state_json, state_text


def main(arguments: argparse.Namespace) -> int:
    """Record, go to the mark, answer; returns the exit code."""
    try:
        mark = mark_of(arguments.at) if arguments.at is not None else Mark(event=-1)
        expressions = [Expression(text) for text in arguments.print]
        _, recording = record(arguments, arguments.histories)
        state = recording.at(**mark)
        answers = _answers(state, expressions, arguments.query)
        if arguments.json:
            sys.stdout.write(orjson.dumps({**state_json(state), "answers": answers}).decode() + "\n")
        elif answers:
            for answer in answers:
                print(f"{answer['of']} = {answer['text']}" if len(answers) > 1 else answer["text"])
        else:
            print("\n".join(state_text(state, style=style_of(sys.stdout), width=width_of(sys.stdout))))
    except (NotRecorded, NoSuchMark, NotAnswered, BadExpression) as error:
        return complain(error)
    return 0


def _answers(state: State, expressions: list[Expression], queries: list[str]) -> list[dict[str, Any]]:
    found = [{"of": one.text, **state.look(one).as_json()} for one in expressions]
    found += [{"of": f"{name}()", **Capture(FULL).of(state.query(name)).as_json()} for name in queries]
    for answer in found:
        if type(answer.get("value")) is str:
            answer["text"] = answer["value"]
    return found
