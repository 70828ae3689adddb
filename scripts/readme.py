"""Keeps the README true: runs the commands it shows, and lists the modules there are.

    python scripts/readme.py          write what is out of date
    python scripts/readme.py --check  say whether anything is

Between `<!-- output: COMMAND -->` and `<!-- end -->` stands what the command prints; between `<!-- modules: PACKAGE
-->` and `<!-- end -->` a line for each module, taken from its docstring.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import shlex
import sys
from pathlib import Path

from playhead.__main__ import main as playhead
from playhead_engine.profile import LATEST

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SOURCES = {"playhead_engine": "engine", "playhead": "replay", "playhead_tui": "tui"}

_OUTPUT = re.compile(r"(<!-- output: playhead ([^\n]*?) -->\n).*?(<!-- end -->)", re.DOTALL)
_MODULES = re.compile(r"(<!-- modules: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_output(text: str) -> str:
    """The text with the output of every command in it as it is today."""

    def run(found: re.Match[str]) -> str:
        printed = io.StringIO()
        arguments = shlex.split(found[2])
        if arguments[0] in ("check", "replay"):
            arguments += ["--profile", LATEST.name]  # whatever is installed here
        if arguments[0] == "check":
            arguments += ["--no-github"]  # wherever this runs
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            playhead(arguments)
        return f"{found[1]}```console\n$ playhead {found[2]}\n{printed.getvalue().rstrip()}\n```\n{found[3]}"

    return _OUTPUT.sub(run, text)


def with_modules(text: str) -> str:
    """The text with the lists of modules in it as they are today."""

    def listed(found: re.Match[str]) -> str:
        root = ROOT / SOURCES[found[2]]
        lines = []
        for path in sorted((root / found[2]).rglob("*.py")):
            first_line = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0].replace("\n", " ")
            parts = path.relative_to(root / found[2]).with_suffix("").parts
            name = "/".join(parts[:-1] if parts[-1] == "__init__" else parts) or found[2]
            lines.append(f"- `{name}`: {first_line.rstrip('.')}")
        return found[1] + "\n".join(lines) + "\n" + found[3]

    return _MODULES.sub(listed, text)


def main() -> int:
    """Write the README, or check it; returns 1 if a check finds it out of date."""
    os.chdir(ROOT)
    os.environ["NO_COLOR"] = "1"
    old = README.read_text()
    new = with_modules(with_output(old))
    if "--check" in sys.argv:
        if new != old:
            print("README.md is out of date: run scripts/readme.py", file=sys.stderr)
            return 1
        return 0
    README.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
