"""Asks Temporal's own Replayer for its verdict: the judge of ours."""

from __future__ import annotations

import asyncio
import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

temporalio_worker = pytest.importorskip("temporalio.worker")

from temporalio import workflow  # noqa: E402 - only where it is installed
from temporalio.client import WorkflowHistory  # noqa: E402
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner  # noqa: E402


@dataclass(frozen=True)
class Judgement:
    """What Temporal's Replayer says.

    Attributes:
        verdict: As `playhead.verdict.TemporalVerdict`.
        message: Its message; empty if it is content.
    """

    verdict: str
    message: str = ""

    @property
    def event_id(self) -> int | None:
        """The event that its message names, if it names one."""
        found = re.search(r"HistoryEvent\s?[({]\s?(?:id|event_id): (\d+)", self.message)
        return int(found.group(1)) if found else None


def judge(history_json: str | bytes, workflow_id: str, workflows: list[type[Any]]) -> Judgement:
    """Let Temporal's Replayer replay a history; at most twenty seconds."""

    async def replay() -> Judgement:
        text = history_json.decode() if isinstance(history_json, bytes) else history_json
        history = WorkflowHistory.from_json(workflow_id, text)
        replayer = Replayer(workflows=workflows, workflow_runner=UnsandboxedWorkflowRunner())
        result = await asyncio.wait_for(replayer.replay_workflow(history, raise_on_replay_failure=False), 20)
        failure = result.replay_failure
        if failure is None:
            return Judgement("ok")
        kind = "nondeterminism" if isinstance(failure, workflow.NondeterminismError) else "error"
        return Judgement(kind, str(failure))

    return asyncio.run(replay())


def in_temporalio_form(source: Path) -> types.ModuleType:
    """The module that a file of native code becomes when `temporalio` takes the place of `playhead_engine`."""
    text = re.sub(r"(?m)^(from|import) playhead_engine", r"\1 temporalio", source.read_text())
    name = f"{source.stem}_for_temporalio"
    if name not in sys.modules:
        module = types.ModuleType(name)
        module.__file__ = str(source)
        sys.modules[name] = module
        exec(compile(text, str(source), "exec"), module.__dict__)
    return sys.modules[name]
