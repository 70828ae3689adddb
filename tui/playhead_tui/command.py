"""`playhead debug`: opens the debugger on histories."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from playhead.cli import complain
from playhead.cli.project import project_of
from playhead.codec_endpoint import codec_endpoint
from playhead.configuration import Configuration
from playhead.timeline.marks import NoSuchMark, mark_of
from playhead_engine.stores import StoreError
from playhead_tui.app import Debugger
from playhead_tui.colours import has_colours
from playhead_tui.model.code import Code
from playhead_tui.model.opening import Target
from playhead_tui.model.shelf import Item, from_files, from_store
from playhead_tui.preferences import preferences_of


def main(arguments: argparse.Namespace) -> int:
    """Open the debugger, and return the exit code when it is closed: 0, or 2 for what cannot be opened."""
    try:
        project = project_of(arguments, needs_code=False)
        preferences = preferences_of(project)
        endpoint = codec_endpoint(project.codec_endpoint, arguments.codec_auth, project.code.namespace)
        items = _items(arguments, project)
        if arguments.at:
            mark_of(arguments.at)
    except (NoSuchMark, OSError, StoreError, ValueError) as error:
        return complain(error)
    if not items:
        return complain("Name a history, or a directory of them, or --store, or `histories` in [tool.playhead].")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return complain("the debugger needs a terminal; `playhead trace` and `playhead show` write to a file or a pipe")
    if not has_colours():
        os.environ["NO_COLOR"] = "1"
    code = Code(project)
    targets = [Target(item, code, arguments.workflow_id, endpoint) for item in items]
    app = Debugger(targets, at=arguments.at or "", preferences=preferences)
    app.run()
    if app.problem:
        complain(app.problem)
    return app.return_code or 0


def _items(arguments: argparse.Namespace, project: Configuration) -> list[Item]:
    """What the user names, else what the project does.

    Raises:
        ValueError: There is nothing in it.
        StoreError: It is no store.
    """
    named = [Path(name) for name in arguments.histories]
    if arguments.store is not None:
        return [*from_files(named), *from_store(arguments.store)]
    return from_files(named or project.history_paths())
