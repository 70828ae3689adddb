"""`temporal replay`: Temporal's command line finds the program `temporal-replay`, and hands on what it was given.

It is `playhead replay`; a word that is a command of ours, as in `temporal replay check`, is that command. Temporal's
own global options come first, wherever they were given, and of them only those about the output mean anything here:
nothing is asked of a server. It also hands on requests for help, and for words to complete in a shell.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from playhead.__main__ import COMMANDS, parser
from playhead.__main__ import main as playhead

_COMPLETE: Final = ("__complete", "__completeNoDesc")
_FILES: Final = ":0"
"""What tells a shell to go on with names of files."""

_NO_FILES: Final = ":4"

# Temporal's global options that take a value.
_WITH_VALUE: Final = frozenset(
    {
        "--client-connect-timeout",
        "--color",
        "--command-timeout",
        "--config-file",
        "--env",
        "--env-file",
        "--log-format",
        "--log-level",
        "--output",
        "--profile",
        "--time-format",
        "-o",
    }
)
_ALONE: Final = frozenset({"--disable-config-env", "--disable-config-file", "--no-json-shorthand-payloads"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _COMPLETE:
        print("\n".join(_completions(given[1:], with_help=given[0] == _COMPLETE[0])))
        return 0
    wants_help = bool(given) and given[0] == "help"
    theirs, ours = _separated(given[1:] if wants_help else given)
    name = ours.pop(0) if ours and ours[0] in COMMANDS else "replay"
    if wants_help:
        return playhead([name, "--help"])
    match theirs.get("--color"):
        case "always":
            os.environ["FORCE_COLOR"] = "1"
        case "never":
            os.environ["NO_COLOR"] = "1"
        case _:
            pass
    if theirs.get("--profile", "").startswith("temporalio"):  # otherwise it names settings of a client
        ours += ["--profile", theirs["--profile"]]
    output = theirs.get("--output", "text")
    if output in ("json", "jsonl"):
        ours += ["--json", "-"] if name == "check" else ["--json"]
    elif output == "none" and name in ("replay", "check"):
        ours.append("--quiet")
    return playhead([name, *ours])


def _separated(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Temporal's global options, and all else."""
    theirs: dict[str, str] = {}
    ours: list[str] = []
    rest = iter(arguments)
    for one in rest:
        option, equals, value = one.partition("=")
        if one == "--":
            ours += [one, *rest]
        elif option in _WITH_VALUE:
            theirs["--output" if option == "-o" else option] = value if equals else next(rest, "")
        elif option not in _ALONE:
            ours.append(one)
    return theirs, ours


def _completions(words: Sequence[str], *, with_help: bool) -> list[str]:
    """What the last word may become, in the form that Temporal's command line passes on to the shell."""
    _, before = _separated(words[:-1])
    name = next((word for word in before if word in COMMANDS), "replay")
    last = words[-1] if words else ""
    if not last.startswith("-"):
        return [*(one for one in COMMANDS if not before and one.startswith(last)), _FILES]
    begun = last if len(last) > 1 else "--"
    found = [
        f"{option}\t{action.help}" if with_help and action.help else option
        for action in _options_of(name)
        for option in action.option_strings
        if option.startswith(begun)
    ]
    return [*found, _NO_FILES]


def _options_of(name: str) -> list[argparse.Action]:
    commands = next(one for one in parser()._actions if isinstance(one, argparse._SubParsersAction))
    chosen: argparse.ArgumentParser = commands.choices[name]
    return chosen._actions


if __name__ == "__main__":
    sys.exit(main())
