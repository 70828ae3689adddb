"""What reaches outside of the process: files, sockets, other processes, and threads.

The interpreter announces each of them to audit hooks, whatever it was called through, so one hook sees them all. It
cannot be taken out again, and it hears of much else: what is of no interest must cost next to nothing.

What no event announces is not seen: asking whether a file exists, reading an environment variable, and whatever a
library does in C without a word to the interpreter.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from playhead_engine.guards.origin import is_installed
from playhead_engine.guards.presence import Here, here
from playhead_engine.guards.refusal import HAPPENS_AGAIN, STARTING_A_THREAD, Rule

_IN_AN_ACTIVITY = "do it in an activity"

_FILES = (
    "fcntl fileinput glob mmap msvcrt os.chdir os.chmod os.chown os.fwalk os.getxattr os.link os.listdir os.listdrives"
    " os.listmounts os.listvolumes os.listxattr os.lockf os.mkdir os.remove os.removexattr os.rename os.rmdir"
    " os.scandir os.setxattr os.symlink os.truncate os.utime os.walk pathlib shutil sqlite3.connect tempfile winreg"
)
_NETWORK = "ftplib http imaplib nntplib poplib smtplib socket telnetlib urllib webbrowser"
_PROCESSES = (
    "os.exec os.fork os.forkpty os.kill os.killpg os.posix_spawn os.spawn os.startfile os.startfile/2 os.system pty"
    " signal subprocess syslog"
)
_INSTEAD = {
    **dict.fromkeys((_FILES + " " + _NETWORK + " " + _PROCESSES).split(), _IN_AN_ACTIVITY),
    "open": _IN_AN_ACTIVITY,
    "builtins.input": "use a signal or an update",
}
"""What to do instead, by event, or by the part of its name before the dot."""

_NAMES = {
    "builtins.input": "input()",
    "socket.__new__": "socket.socket()",
}


class _Rules(dict[str, Rule | None]):
    """The rule for each event heard of so far; None for those that are fine."""

    def __missing__(self, event: str) -> Rule | None:
        instead = _INSTEAD.get(event) or _INSTEAD.get(event.partition(".")[0])
        rule = None
        if event.startswith("_thread.start_"):
            rule = STARTING_A_THREAD
        elif instead is not None:
            rule = Rule(_NAMES.get(event, f"{event}()"), HAPPENS_AGAIN, instead, through_libraries=True)
        self[event] = rule
        return rule


_installed = False


def install_hook() -> None:
    """Listen from now on, for the rest of the process."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)


def _hook(event: str, args: tuple[Any, ...], here: Here = here, rules: _Rules = _Rules()) -> None:  # noqa: B008
    # Bound as defaults: the interpreter goes on announcing events when the globals of modules are gone.
    if here.workflow is None:
        return
    rule = rules[event]
    if rule is None:
        return
    if event == "open":
        path, _mode, flags = args
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if isinstance(path, str):
            if not flags & (os.O_WRONLY | os.O_RDWR) and is_installed(path):
                return
            rule = Rule(f"open({path!r})", rule.why, rule.instead, through_libraries=True)
    elif event == "sqlite3.connect" and args == (":memory:",):
        return
    rule.enforce(sys._getframe(1))
