"""`playhead debug`: opens the debugger on a history."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from playhead.cli import complain
from playhead.cli.project import project_of
from playhead.codec_endpoint import codec_endpoint
from playhead_tui.app import Debugger
from playhead_tui.model.opening import Target


def main(arguments: argparse.Namespace) -> int:
    """Open the debugger, and return the exit code when it is closed: 0, or 2 for what cannot be opened."""
    try:
        project = project_of(arguments, needs_code=False)
        endpoint = codec_endpoint(project.codec_endpoint, arguments.codec_auth, project.code.namespace)
    except ValueError as error:
        return complain(error)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return complain("the debugger needs a terminal; `playhead trace` and `playhead show` write to a file or a pipe")
    app = Debugger(Target(Path(arguments.histories[0]), project, arguments.workflow_id, endpoint))
    app.run()
    return app.return_code or 0
