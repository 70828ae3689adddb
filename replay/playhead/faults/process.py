"""A process that replays the histories of a program's trials; see `properties.elsewhere`. Not meant for people.

It is told the program and where to look for modules, and then one history after the other, each as a line of JSON. It
answers each with a line: what the replay comes to, or an empty string where it agrees.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import orjson

from playhead.importing import look_up
from playhead.prefixes import is_sound
from playhead.readers import read_history
from playhead.rendering import report


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
        said = "" if is_sound(verdict) else report(workflow_id, history, verdict, profile=replayer.profile)
        output.write(orjson.dumps(said) + b"\n")
        output.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
