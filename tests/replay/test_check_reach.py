"""Which code a history reaches: read from its text, and from what is loaded."""

from __future__ import annotations

from textwrap import dedent

import pytest

from playhead.checking.imports import imports_of
from playhead.checking.reach import Roots, reach
from tests.replay.project import Project, project

__all__ = ["project"]

WORKER = """
    from temporalio.client import Client
    from temporalio.worker import Worker

    from app.conversion import CONVERTER
    from app.other import Other
    from app.workflows import Greeting, Parting, greet


    async def main() -> None:
        client = await Client.connect("localhost:7233", data_converter=CONVERTER)
        await Worker(client, task_queue="q", workflows=[Greeting, Parting, Other], activities=[greet]).run()
"""

CONVERSION = """
    import dataclasses

    import temporalio.converter

    from app.keys import KEY


    class Converter(temporalio.converter.DefaultPayloadConverter):
        pass


    CONVERTER = dataclasses.replace(temporalio.converter.default(), payload_converter_class=Converter)
"""

OTHER = """
    from temporalio import workflow

    from app.other_steps import STEPS


    @workflow.defn
    class Other:
        @workflow.run
        async def run(self) -> list[str]:
            return STEPS
"""

GREETING = """
    {"events": [
      {"eventId": "1", "eventTime": "2026-01-01T00:00:00Z", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
       "workflowExecutionStartedEventAttributes": {"workflowType": {"name": "Greeting"}, "taskQueue": {"name": "q"},
         "workflowId": "greeting", "originalExecutionRunId": "r", "firstExecutionRunId": "r", "attempt": 1,
         "input": {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "IkFkYSI="}]}}},
      {"eventId": "2", "eventTime": "2026-01-01T00:00:00Z", "eventType": "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED",
       "workflowTaskScheduledEventAttributes": {"taskQueue": {"name": "q"}, "attempt": 1}},
      {"eventId": "3", "eventTime": "2026-01-01T00:00:01Z", "eventType": "EVENT_TYPE_WORKFLOW_TASK_STARTED",
       "workflowTaskStartedEventAttributes": {"scheduledEventId": "2"}}
    ]}
"""


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("import a.b, c as d", {"a.b", "c"}),
        ("from a import b as c", {"a", "a.b"}),
        ("from . import b", {"p.q", "p.q.b"}),
        ("from .. import b", {"p", "p.b"}),
        ("from ..a.b import c", {"p.a.b", "p.a.b.c"}),
        ("def f():\n    import a", {"a"}),
        ("class C:\n    async def f(self):\n        with x():\n            from a import b", {"a", "a.b"}),
        ("try:\n    import a\nexcept ImportError:\n    import b", {"a", "b"}),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", {"b"}),
        ("if typing.TYPE_CHECKING:\n    import a\nimport b", {"b"}),
        ("import importlib\nimportlib.import_module('a.b')", {"importlib", "a.b"}),
        ("__import__('a')", {"a"}),
        ("x = 'import a'  # import b", set()),
        ("this is no Python", set()),
    ],
)
def test_every_import_in_a_text_is_found(text: str, modules: set[str]) -> None:
    """Wherever it stands, but for what only type checkers look at."""
    found = imports_of(text.encode(), "p.q.r", is_package=False)
    assert set(found.modules) == modules
    assert not found.is_computed


def test_relative_imports_of_a_package_are_its_own() -> None:
    """In an `__init__`, one dot is the package itself."""
    assert set(imports_of(b"from . import a", "p.q", is_package=True).modules) == {"p.q", "p.q.a"}
    assert imports_of(b"from .a import *", "p.q", is_package=True).packages == ("p.q.a",)


@pytest.mark.parametrize(
    "text",
    [
        "import_module(name)",
        "importlib.import_module('.a', package='p')",
        "__import__(f'a.{x}')",
        "pkgutil.walk_packages(p)",
        "runpy.run_path('x')",
        "importlib.util.spec_from_file_location('a', path)",
    ],
)
def test_an_import_by_a_computed_name_is_noticed(text: str) -> None:
    """Nobody can know before it runs what it imports."""
    assert imports_of(text.encode(), "a", is_package=False).is_computed


def test_imports_are_followed_as_python_finds_modules(project: Project) -> None:
    """Packages with and without an `__init__`, relative imports, and everything that a star may stand for."""
    for name, text in {
        "one/a.py": "from shared import b\nimport space.c\nfrom pack import *\nimport json, temporalio",
        "one/space/d.py": "",
        "two/space/c.py": "from .e import x",
        "two/space/e.py": "x = 1",
        "two/shared/__init__.py": "from .deep import y",
        "two/shared/b.py": "",
        "two/shared/deep.py": "",
        "two/shared/unused.py": "",
        "two/pack/__init__.py": "__all__ = ['inner']",
        "two/pack/inner.py": "",
        "two/json/loads.py": "",
    }.items():
        project.write(name, dedent(text))
    root = project.root
    found = reach({"a": f"{root}/one/a.py"}, Roots([root / "one", root / "two"]), {})
    assert sorted(file.removeprefix(f"{root}/") for file in found.files) == [
        "one/a.py",
        "two/pack/__init__.py",
        "two/pack/inner.py",
        "two/shared/__init__.py",
        "two/shared/b.py",
        "two/shared/deep.py",
        "two/space/c.py",
        "two/space/e.py",
    ]
    assert found.names["temporalio"] is None
    assert found.names["json"] is None, "a folder without Python files in it at this name stands for nothing"


def test_a_history_reaches_its_workflow_and_what_the_worker_is_made_of(project: Project) -> None:
    """Whoever makes the worker imports all workflows: that of one does not invalidate the histories of another."""
    pytest.importorskip("temporalio.worker")
    from playhead.checking.checking import check

    for name, text in {
        "app/worker.py": WORKER,
        "app/conversion.py": CONVERSION,
        "app/keys.py": "KEY = 1",
        "app/other.py": OTHER,
        "app/other_steps.py": "STEPS = []",
        "pyproject.toml": '[tool.playhead]\nworker = "app.worker"\nhistories = "greeting.json"',
        "greeting.json": GREETING,
    }.items():
        project.write(name, text)

    def is_known() -> bool:
        found = check(jobs=1)
        assert found.passes, found
        return found.outcomes[0].is_known

    assert not is_known()
    for name in ("app/other.py", "app/other_steps.py"):
        project.write(name, (project.root / name).read_text() + "# changed\n")
        assert is_known(), name
    for name in ("app/keys.py", "app/worker.py", "app/workflows.py"):
        project.write(name, (project.root / name).read_text() + "# changed\n")
        assert not is_known(), name
