"""A release of `temporalio` that cannot be driven is refused in a sentence, and never half understood."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("temporalio")

import temporalio.activity
from temporalio import workflow
from temporalio.worker import _workflow, _workflow_instance

from playhead_engine.temporal.runtime import TemporalRuntime
from playhead_engine.temporal.sdk import release
from playhead_engine.temporal.sdk.release import UnsupportedSdk, probe
from tests.conftest import ROOT


@workflow.defn
class Nothing:
    """Does nothing."""

    @workflow.run
    async def run(self) -> None:
        """Do it."""


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """What was found of the real release must not answer for the one that is made up, nor the other way round."""
    probe.cache_clear()
    yield
    probe.cache_clear()


def refusal() -> str:
    """What the user is told."""
    with pytest.raises(UnsupportedSdk) as refused:
        probe()
    return str(refused.value)


def test_the_release_that_is_installed_fits() -> None:
    """It is one of those that are supported."""
    probe()


def _remove_method(patch: pytest.MonkeyPatch) -> None:
    patch.delattr(_workflow._WorkflowWorker, "_handle_activation")


def _remove_class(patch: pytest.MonkeyPatch) -> None:
    patch.delattr(temporalio.activity, "_CompleteAsyncError")


def _remove_module(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "temporalio.worker._activity", None)


def _add_argument(patch: pytest.MonkeyPatch) -> None:
    def activate(self: Any, act: Any, clock: Any) -> Any: ...

    patch.setattr(_workflow_instance._WorkflowInstanceImpl, "activate", activate)


def _rename_attribute(patch: pytest.MonkeyPatch) -> None:
    def made(self: Any, instance: Any) -> None:
        self.inner = instance

    patch.setattr(_workflow._RunningWorkflow, "__init__", made)


def _rename_field(patch: pytest.MonkeyPatch) -> None:
    @dataclass
    class _CompositeEvent:
        thread_event: Any
        task_event: Any

    patch.setattr("temporalio.common._CompositeEvent", _CompositeEvent)


def _add_field(patch: pytest.MonkeyPatch) -> None:
    @dataclass
    class _CompositeEvent:
        thread_event: Any
        async_event: Any
        process_event: Any

    patch.setattr("temporalio.common._CompositeEvent", _CompositeEvent)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_remove_method, "it has no temporalio.worker._workflow._WorkflowWorker._handle_activation"),
        (_remove_class, "it has no temporalio.activity._CompleteAsyncError"),
        (_remove_module, "it has no temporalio.worker._activity._ThreadExceptionRaiser"),
        (_add_argument, "_workflow_instance._WorkflowInstanceImpl.activate takes other arguments than it did"),
        (_rename_attribute, "temporalio.worker._workflow._RunningWorkflow has no instance"),
        (_rename_field, "temporalio.common._CompositeEvent has no async_event"),
        (_add_field, "temporalio.common._CompositeEvent needs 'process_event', which is not known here"),
    ],
)
def test_a_release_in_which_something_moved_is_refused(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[pytest.MonkeyPatch], None], words: str
) -> None:
    """Whatever is touched and is no longer where it was is named, with what to do instead."""
    monkeypatch.setattr(release, "installed_version", lambda: "1.99.0")
    change(monkeypatch)
    told = refusal()
    assert told.startswith("temporalio 1.99.0 cannot be driven without its core: ")
    assert words in told
    assert told.endswith(
        "Supported are 1.33, 1.34, 1.35. `--runtime temporal-core` gives the verdict of Temporal's own Replayer "
        "instead."
    )


def test_a_worker_that_needs_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument that nobody here knows cannot be made up."""

    def made(self: Any, *, workflows: Any, moon_phase: Any) -> None: ...

    monkeypatch.setattr(_workflow._WorkflowWorker, "__init__", made)
    with pytest.raises(UnsupportedSdk, match="its worker needs 'moon_phase', which is not known here"):
        TemporalRuntime([Nothing])


def test_an_old_release_is_refused_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything may be where it is today, but the rules of its core are not known."""
    monkeypatch.setattr(release, "installed_version", lambda: "1.32.0")
    assert "temporalio 1.32.0 cannot be driven without its core: it is older than the releases" in refusal()


def test_a_new_release_is_taken_if_nothing_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to wait for us when Temporal releases."""
    monkeypatch.setattr(release, "installed_version", lambda: "1.99.0")
    probe()


# What a later release might look like to somebody who replays from a command line.
_LATER = """
import sys
import temporalio.worker._workflow as moved
del moved._WorkflowWorker._create_workflow_instance
from playhead.__main__ import main
sys.exit(main(["replay", "fixtures/temporal/orders_completed.json", "--workflows", "examples.temporal.orders"]))
"""


def test_the_command_line_says_it_in_a_sentence() -> None:
    """No traceback, whatever the import of the runtime meets."""
    paths = os.pathsep.join(str(path) for path in (ROOT, ROOT / "engine", ROOT / "replay"))
    done = subprocess.run(
        [sys.executable, "-c", _LATER],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "it has no temporalio.worker._workflow._WorkflowWorker._create_workflow_instance" in done.stderr
    assert "--runtime temporal-core" in done.stderr
    assert done.returncode == 2


# Where it may be touched


def private_uses(file: Path) -> list[str]:
    """What a module touches of `temporalio` that is not public."""
    found: list[str] = []
    tree = ast.parse(file.read_text())
    theirs: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias for alias in node.names if alias.name.partition(".")[0] == "temporalio"]
            theirs.update((alias.asname or alias.name).partition(".")[0] for alias in modules)
            found += [alias.name for alias in modules if _is_private(alias.name)]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "temporalio":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            theirs.update(alias.asname or alias.name for alias in node.names)
            found += [name for name in names if _is_private(name)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            root: ast.expr = node
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in theirs:
                found.append(f"{file.name}:{node.lineno} {ast.unparse(node)}")
    return found


def _is_private(name: str) -> bool:
    parts = name.split(".")
    return "bridge" in parts or any(part.startswith("_") and not part.startswith("__") for part in parts)


def test_what_is_private_in_the_sdk_is_touched_in_one_place() -> None:
    """So that a new release is read against one package."""
    sdk = ROOT / "engine" / "playhead_engine" / "temporal" / "sdk"
    modules = [file for folder in ("engine", "replay", "tui") for file in (ROOT / folder).rglob("*.py")]
    assert {file: uses for file in modules if sdk not in file.parents and (uses := private_uses(file))} == {}
    assert all(private_uses(sdk / name) for name in ("workflows.py", "activities.py"))
