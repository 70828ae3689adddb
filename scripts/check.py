"""Everything that must hold before a change lands, in one command: style, types, boundaries, tests.

Each step is shown with the command that runs it, so that it can be run alone. The first failure does not stop the
others: whoever waits for the answer wants all of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

STEPS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("pyright",),
    ("lint-imports",),
    ("python", "-m", "pytest", "-q", "-n", "auto", "--dist", "loadfile"),
)


def main() -> int:
    """Run every step; returns 0 if all of them passed."""
    failed: list[str] = []
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",  # pyright looks for packages where `python` is
        "PYTHONPATH": str(ROOT),
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
    }
    for step in STEPS:
        shown = " ".join(step)
        print(f"$ {shown}", flush=True)
        begun = time.monotonic()
        done = subprocess.run([str(BIN / step[0]), *step[1:]], cwd=ROOT, env=environment, check=False)
        print(f"  {'ok' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - begun:.1f} s\n", flush=True)
        if done.returncode != 0:
            failed.append(shown)
    if failed:
        print("failed: " + "; ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
