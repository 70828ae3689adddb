"""`playhead trace`: tell a past run, task by task, line by line."""

from __future__ import annotations

import argparse
import sys

import orjson

from playhead.cli import complain
from playhead.cli.recording import NotRecorded, record
from playhead.rendering import label
from playhead.terminal import style_of, width_of
from playhead.timeline.asking import NotAnswered
from playhead.timeline.expression import BadExpression
from playhead.timeline.marks import NoSuchMark
from playhead.timeline.telling import Telling


def main(arguments: argparse.Namespace) -> int:
    """Record, tell, and return the exit code: that of the verdict."""
    try:
        name, recording = record(arguments, arguments.history)
        logged = [(line, recording.log(line, expression)) for line, expression in arguments.logpoint]
        first = recording.at(task=arguments.task if arguments.task is not None else 1).task
    except (NotRecorded, NoSuchMark, NotAnswered, BadExpression) as error:
        return complain(error)
    last = first if arguments.task is not None else len(recording.frames)
    telling = Telling(recording, lines=arguments.lines, logged=logged)
    style, width = style_of(sys.stdout), width_of(sys.stdout)
    for task in range(first, last + 1):
        if arguments.json:
            sys.stdout.write(orjson.dumps(telling.json(task)).decode() + "\n")
        else:
            print("\n".join(telling.text(task, style=style, width=width)))
    from playhead.cli.replay import exit_code
    from playhead.rendering import report

    if not arguments.json:
        if label(recording.verdict) == "agrees":
            print(f"{name}: {style('agrees', 'green', 'bold')}")
        else:
            print(report(name, recording.history, recording.verdict, style=style, width=width))
    return exit_code(recording.verdict)
