"""The README is true: its commands are those that are run, and its outputs are those they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_outputs_and_module_lists_are_up_to_date() -> None:
    """Every command shown prints what is shown, and every module has its line."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    script = [sys.executable, "scripts/readme.py", "--check"]
    done = subprocess.run(script, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """What lands is decided by the line that everybody can paste."""
    command = next(line for line in README.splitlines() if line.endswith("scripts/check.py"))
    assert command in (ROOT / ".ci" / "run").read_text()


def test_the_python_example_of_the_readme_runs() -> None:
    """The workflow shown under `Run a workflow` does what it says."""
    example = next(code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "class Greeting" in code)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    program = ROOT / "examples" / "__init__.py"
    assert program.exists()
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            f"import sys\nsys.modules['greeting'] = sys.modules['__main__']\n{example}",
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("Hello, Ada!\n", "")


def test_the_demo_shows_what_it_says() -> None:
    """The first command of the README ends well."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "examples/demo.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "diverges at event 11" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_sentence_of_the_readme_is_the_one_that_temporal_says() -> None:
    """The tour begins with the words that a worker's log has of that deploy."""
    from playhead import Diverges, Replayer

    sys.path.insert(0, str(ROOT))
    try:
        from examples.orders_broken import OrderFulfilment
    finally:
        sys.path.remove(str(ROOT))
    verdict = Replayer([OrderFulfilment]).replay(ROOT / "fixtures" / "temporal" / "orders_completed.json")
    assert isinstance(verdict, Diverges)
    assert verdict.divergence.message in README.splitlines()
