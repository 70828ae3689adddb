"""A project to be checked: a shop with two workflows, helper modules of each and of both, and recorded histories.

The histories are recorded by the engine from the code as it is written here, so that every change to it is one.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest

from playhead.checking.checking import check
from playhead.checking.outcome import Check
from playhead_engine import Engine
from tests.replay.project import Project, project

__all__ = ["Shop", "project", "shop"]

CODE = {
    "pyproject.toml": """
        [tool.playhead]
        workflows = ["app.orders", "app.trips"]
        histories = ["histories"]
        """,
    "app/__init__.py": "",
    "app/names.py": """
        SHOP = "the corner shop"
        """,
    "app/prices.py": """
        def payment(item: str) -> str:
            return "charge"
        """,
    "app/routes.py": """
        def steps(city: str) -> list[str]:
            return [f"book_hotel in {city}", f"book_flight to {city}"]
        """,
    "app/forgotten.py": """
        NOBODY = "imports this"
        """,
    "app/orders.py": """
        from datetime import timedelta

        from app.names import SHOP
        from app.prices import payment
        from playhead_engine import workflow


        @workflow.defn
        class Order:
            @workflow.run
            async def run(self, item: str) -> str:
                await workflow.sleep(60)
                await workflow.execute_activity(payment(item), item, start_to_close_timeout=timedelta(seconds=5))
                return f"{item} from {SHOP}"
        """,
    "app/trips.py": """
        from app.names import SHOP
        from playhead_engine import workflow


        @workflow.defn
        class Trip:
            @workflow.run
            async def run(self, city: str) -> list[str]:
                from app import routes

                for number, step in enumerate(routes.steps(city)):
                    await workflow.sleep(number + 1)
                return [*routes.steps(city), SHOP]
        """,
}

RUNS = {"order-1": ("Order", "tea"), "order-2": ("Order", "coffee"), "trip-1": ("Trip", "Rome")}
ORDERS = ["histories/order-1.json", "histories/order-2.json"]
TRIPS = ["histories/trip-1.json"]


class Shop(Project):
    """The project."""

    def check(self, **options: object) -> Check:
        """Check it in this process; the code runs in another."""
        return check(jobs=1, **options)  # type: ignore[arg-type]

    def replayed(self, **options: object) -> list[str]:
        """Check it, and say which histories were replayed and not known."""
        return [outcome.history for outcome in self.check(**options).outcomes if not outcome.is_known]

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file."""
        path = self.root / name
        text = path.read_text()
        assert old in text, text
        path.write_text(text.replace(old, new))

    def commit(self) -> None:
        """Commit everything; the first time, make a repository of it."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch", "main")
            self.write(".gitignore", ".playhead_cache\n__pycache__\n")
        self.git("add", "--all")
        self.git("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--message", "work")

    def git(self, *arguments: str) -> None:
        """Have git do something in it."""
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)


@pytest.fixture
def shop(project: Project) -> Iterator[Shop]:
    """The project, with three histories that agree; it is the current directory."""
    made = Shop(project.root)
    for name, text in CODE.items():
        made.write(name, text)
    sys.path.insert(0, str(project.root))  # until the end of the test, as `project` sees to it
    for name, content in recordings().items():
        made.write(f"histories/{name}.json", "").write_bytes(content)
    yield made


@cache
def recordings() -> dict[str, bytes]:
    """What the code leaves behind, as Temporal's JSON."""
    before = set(sys.modules)
    found: dict[str, bytes] = {}
    try:
        from app.orders import Order  # type: ignore[import-not-found]
        from app.trips import Trip  # type: ignore[import-not-found]

        from playhead_engine import activity

        @activity.defn(name="charge")
        async def charge(item: str) -> str:
            return f"paid for {item}"

        with Engine(workflows=[Order, Trip], activities=[charge], seed=1) as engine:
            for name, (kind, argument) in RUNS.items():
                engine.execute_workflow(kind, argument, id=name, task_queue="shop").wait()
                found[name] = engine.get_workflow_handle(name).fetch_history().wait().to_json()
    finally:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "app":
                del sys.modules[name]
    return found
