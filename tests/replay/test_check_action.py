"""The GitHub Action and the pre-commit hook of this repository: what they run is run here as a script."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.replay.shop import ORDERS, Shop, project, shop

__all__ = ["project", "shop"]

yaml = pytest.importorskip("yaml")

GH = """\
#!/usr/bin/env bash
echo "$@" >> "$GH_LOG"
if [ "$2" = --paginate ]; then cat "$GH_COMMENTS"; fi
"""


class Runner:
    """Runs the steps of the action, as the runner of GitHub does: each with its own environment and shell.

    Attributes:
        inputs: What the action was given, over its defaults.
        context: What expressions may ask for besides: `github.base_ref`.
        outputs: What each step has said, by its id.
        said: What the steps have printed.
    """

    def __init__(self, shop: Shop, **inputs: str) -> None:
        self.action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
        self.shop = shop
        defaults = {name: one["default"] for name, one in self.action["inputs"].items()}
        self.inputs = defaults | {"python": sys.executable, "token": "secret"} | inputs
        self.context: dict[str, str] = {"github.action_path": str(ROOT), "runner.temp": str(shop.root / "temp")}
        self.outputs: dict[str, dict[str, str]] = {}
        self.said = ""
        self.environment: dict[str, str] = {}

    def run(self) -> int:
        """Run all steps of the action's own; returns what the last one exited with."""
        code = 0
        for step in self.action["runs"]["steps"]:
            if "run" in step and self._is_wanted(step):
                code = self._run(step)
                if code != 0:
                    return code
        return code

    def _is_wanted(self, step: dict[str, Any]) -> bool:
        conditions = step.get("if", "'' == ''").split(" && ")
        sides = [condition.split(" == ") for condition in conditions]
        return all(self._value(one) == self._value(other) for one, other in sides)

    def _value(self, expression: str) -> str:
        if expression.startswith("'"):
            return expression.strip("'")
        kind, _, name = expression.partition(".")
        if kind == "inputs":
            return self.inputs[name]
        if kind == "steps":
            step, _, name = name.partition(".outputs.")
            return self.outputs[step].get(name, "")
        return self.context.get(expression, "")

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: self._value(found[1]), text)

    def _run(self, step: dict[str, Any]) -> int:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an input must never become a part of a script"
        output = self.shop.write("output.txt", "")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.shop.root / self._filled(step.get("working-directory", ".")),
            env={
                **os.environ,
                "PYTHONPATH": "",
                "PYTHONDONTWRITEBYTECODE": "1",
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.shop.root),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self.shop.root / "summary.md"),
                **self.environment,
                **{name: self._filled(value) for name, value in step.get("env", {}).items()},
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        self.said += done.stdout + done.stderr
        if "id" in step:
            self.outputs[step["id"]] = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done.returncode


def test_a_pull_request_is_compared_with_what_it_is_merged_into(shop: Shop) -> None:
    """In a shallow checkout the base is fetched; the break is annotated, reported, and fails the job at its end."""
    shop.commit()
    origin = shop.root.parent / "origin"
    shop.git("clone", "--quiet", "--bare", str(shop.root), str(origin))
    shop.git("remote", "add", "origin", f"file://{origin}")
    shop.edit("app/prices.py", "charge", "invoice")
    runner = Runner(shop, histories="\n".join(ORDERS), workflows="app.orders\napp.trips")
    runner.context |= {"github.base_ref": "main"}
    assert runner.run() == 1
    assert "::error file=app/orders.py,line=14,title=Playhead%3A diverges (2 histories)::" in runner.said, runner.said
    outputs = runner.outputs["check"]
    assert outputs.pop("exit-code") == "1"
    assert {name: Path(file).is_file() for name, file in outputs.items()} == {
        "junit": True,
        "sarif": True,
        "json": True,
        "markdown": True,
    }
    assert (shop.root / "summary.md").read_text() == Path(outputs["markdown"]).read_text()
    fetched = subprocess.run(
        ["git", "rev-parse", "origin/main"], cwd=shop.root, capture_output=True, text=True, check=False
    )
    assert fetched.returncode == 0


def test_a_project_that_agrees_passes_with_more_arguments(shop: Shop) -> None:
    """Without a base where none is wanted, though it is a pull request."""
    runner = Runner(shop, base="none", arguments="--strict --jobs 1")
    runner.context |= {"github.base_ref": "main"}
    assert runner.run() == 0, runner.said
    assert "3 agree" in runner.said


@pytest.mark.parametrize(
    ("comments", "expected"),
    [
        ("", "--method POST repos/ada/shop/issues/7/comments"),
        ("11\n12\n", "--method PATCH repos/ada/shop/issues/comments/11"),
    ],
)
def test_one_comment_is_written_and_kept_up_to_date(shop: Shop, comments: str, expected: str) -> None:
    """It is found again by its first line."""
    runner = Runner(shop, comment="true", histories=ORDERS[0])
    runner.context |= {
        "github.event_name": "pull_request",
        "github.repository": "ada/shop",
        "github.event.pull_request.number": "7",
    }
    shop.write("bin/gh", GH).chmod(0o755)
    log, known = shop.root / "gh.log", shop.write("comments.txt", comments)
    runner.environment = {
        "PATH": f"{shop.root / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "GH_LOG": str(log),
        "GH_COMMENTS": str(known),
    }
    assert runner.run() == 0, runner.said
    assert log.read_text().splitlines()[1] == (
        f"api --silent {expected} --field body=@{runner.outputs['check']['markdown']}"
    )


def test_the_action_promises_what_its_steps_give() -> None:
    """Each output comes from a step, and each input is used."""
    text = (ROOT / "action.yml").read_text()
    action = yaml.safe_load(text)
    for name in action["inputs"]:
        assert f"inputs.{name}" in text, name
    for one in action["outputs"].values():
        assert re.fullmatch(r"\$\{\{ steps\.check\.outputs\.[\w-]+ \}\}", one["value"])
    assert [step["uses"] for step in action["runs"]["steps"] if "uses" in step] == ["actions/cache@v4"]


def test_the_hook_runs_a_command_that_there_is(shop: Shop) -> None:
    """pre-commit runs it in the environment of the project, without the names of files."""
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    program, *arguments = hook["entry"].split()
    assert (program, hook["language"], hook["pass_filenames"]) == ("playhead", "system", False)
    done = shop.run(*arguments)
    assert done.returncode == 0, done.stderr
