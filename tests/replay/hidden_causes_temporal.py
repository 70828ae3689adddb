"""The same for code written for `temporalio`: workflows that depend on what no history records, each in another way."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow

SOON = timedelta(seconds=10)
_seen: list[str] = []


async def fetch(name: str) -> None:
    """Ask for an activity of that name."""
    await workflow.execute_activity(name, start_to_close_timeout=SOON)


@workflow.defn(name="Hidden")
class Fine:
    """Depends on nothing."""

    @workflow.run
    async def run(self) -> None:
        """Do three things."""
        for name in ("alpha", "beta", "gamma"):
            await fetch(name)


@workflow.defn(name="Hidden")
class HashOrder:
    """Goes through a set of strings, which the SDK's sandbox does not mind."""

    @workflow.run
    async def run(self) -> None:
        """Do three things."""
        for name in {"alpha", "beta", "gamma"}:
            await fetch(name)


@workflow.defn(name="Hidden", sandboxed=False)
class Module:
    """Remembers what earlier runs did, which it could not in the sandbox."""

    @workflow.run
    async def run(self) -> None:
        """Do three things, the first of them once."""
        for name in ("alpha", "beta", "gamma"):
            if name not in _seen or name != "alpha":
                _seen.append(name)
                await fetch(name)


@workflow.defn(name="Hidden")
class SandboxedModule(Module):
    """The same in the sandbox, which gives each run modules of its own."""

    @workflow.run
    async def run(self) -> None:
        """Do the same."""
        await Module.run(self)


@workflow.defn(name="Hidden")
class Spoiled:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        """Start with nobody."""
        self.asked = 0

    @workflow.run
    async def run(self) -> None:
        """Do three things, unless somebody asks."""
        for name in ("alpha", "beta", "gamma"):
            await fetch(name if not self.asked else "again")

    @workflow.query
    def status(self) -> int:
        """Tell how often this was asked."""
        self.asked += 1
        return self.asked


@workflow.defn(name="Hidden")
class Wait:
    """Takes what asyncio.wait gives in the order of a set."""

    @workflow.run
    async def run(self) -> None:
        """Do three things, in the order in which the set of finished tasks has their names."""
        tasks = [asyncio.create_task(asyncio.sleep(0), name=name) for name in ("alpha", "beta", "gamma")]
        done, _ = await asyncio.wait(tasks)
        for task in done:
            await fetch(task.get_name())


@workflow.defn(name="Hidden")
class Local:
    """Reads the clock on the wall of the machine."""

    @workflow.run
    async def run(self) -> None:
        """Do three things, at another hour elsewhere."""
        hour = datetime.fromtimestamp(workflow.now().timestamp()).hour
        await workflow.execute_activity("alpha", hour, start_to_close_timeout=SOON)
        await fetch("beta")
        await fetch("gamma")
