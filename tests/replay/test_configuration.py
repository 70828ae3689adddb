"""`[tool.playhead]` in `pyproject.toml`: what is said there once need not be said on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from playhead.__main__ import main
from playhead.configuration import BadConfiguration, find_configuration
from tests.replay.project import FIXTURES, ORDER, Project, project

__all__ = ["project"]

ORDERS = """
    [tool.playhead]
    workflows = ["examples.orders"]
    histories = ["histories", "more/*.json"]
"""


@pytest.fixture
def orders(project: Project) -> Project:
    """A project with one history in a folder and one that a glob finds."""
    project.write("pyproject.toml", ORDERS)
    for name in ("histories/first.json", "more/second.json"):
        project.write(name, "").write_bytes(ORDER.read_bytes())
    return project


def test_replay_alone_works_in_a_configured_project(orders: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Code and histories are those of the file: folders are searched, globs are matched."""
    assert main(["replay"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "histories/first.json: agrees (23 events)",
        "more/second.json: agrees (23 events)",
        "2 histories: 2 agrees",
    ]


def test_paths_are_relative_to_the_file(
    orders: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a folder below, the same histories are found, and modules beside the file as well."""
    orders.write("local_orders.py", "from examples.orders import OrderFulfilment")
    orders.write("pyproject.toml", ORDERS.replace("examples.orders", "local_orders"))
    monkeypatch.chdir(orders.root / "more")
    assert main(["replay"]) == 0
    out = capsys.readouterr().out
    assert f"{orders.root}/histories/first.json: agrees" in out
    assert "second.json: agrees" in out.replace(str(orders.root), "")


def test_the_nearest_file_with_the_table_counts(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file nearer by that says nothing of us is passed over; one that does hides those above it."""
    orders.write("inner/pyproject.toml", "[project]\nname = 'inner'\n")
    monkeypatch.chdir(orders.root / "inner")
    assert find_configuration().path == orders.root / "pyproject.toml"
    orders.write("inner/pyproject.toml", "[tool.playhead]\nworker = 'inner.worker'\n")
    assert find_configuration().code.worker == "inner.worker"
    assert find_configuration().histories == ()


def test_the_command_line_overrides(orders: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """An option takes the place of the key of its name, and given histories that of configured ones."""
    assert main(["replay", "-w", "examples.orders_broken"]) == 1
    assert "diverges at event 11" in capsys.readouterr().out
    assert main(["replay", str(FIXTURES / "orders_stuck.json")]) == 3
    assert "first.json" not in capsys.readouterr().out
    assert main(["replay", "--runtime", "temporal"]) == 2
    assert "--runtime temporal runs code written for `temporalio`, and OrderFulfilment" in capsys.readouterr().err
    orders.write("pyproject.toml", ORDERS + "    profile = 'temporalio-1.33'\n")
    assert main(["replay", "-w", "examples.orders_broken"]) == 1
    assert "  rules     temporalio 1.33" in capsys.readouterr().out
    assert main(["replay", "-w", "examples.orders_broken", "--profile", "temporalio-1.34"]) == 1
    assert "  rules     temporalio 1.34" in capsys.readouterr().out
    assert main(["replay", "--runtime", "temporal-core"]) == 2
    assert "goes by the rules of the temporalio that is installed" in capsys.readouterr().err


def test_a_history_that_is_gone_is_no_success(orders: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """An entry that matches nothing means that nothing was checked there."""
    orders.write("pyproject.toml", ORDERS.replace("more/", "nowhere/"))
    assert main(["replay"]) == 2
    assert f"histories: nothing matches 'nowhere/*.json' below {orders.root}" in capsys.readouterr().err
    (orders.root / "histories/first.json").unlink()
    orders.write("pyproject.toml", ORDERS)
    assert main(["replay"]) == 2
    assert "histories holds no history files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("workflow = ['app']", "there is no key 'workflow'; did you mean 'workflows'?"),
        ("data-converter = 'app:c'", "there is no key 'data-converter'; did you mean 'data_converter'?"),
        ("colour = 'red'", "there is no key 'colour'; the keys are workflows, worker, histories"),
        ("workflows = 3", "workflows is to be a list of modules, package.module:Class or files, and is the number 3"),
        ("histories = []", "histories is to be a list of files, folders and globs, and is the list []"),
        ("workflows = ['app', 4]", "and is the list ['app', 4]"),
        ("worker = ['a', 'b']", "worker is to be a module, package.module:function or a file, and is the list"),
        ("data_converter = 'app.codec'", "is to be package.module:name of a data converter, and is the string"),
        ("sandboxed = 'no'", "sandboxed is to be true or false, and is the string 'no'"),
        ("runtime = 'core'", "runtime is to be one of auto, native, temporal, temporal-core, and is the string 'core'"),
        ("profile = 1.34", "profile is to be a release, as in temporalio-1.34, and is the number 1.34"),
        ("namespace = true", "namespace is to be a string, and is the boolean true"),
        ("python_path = { a = 1 }", "python_path is to be a list of folders, and is the table {'a': 1}"),
    ],
)
def test_a_mistake_names_key_expectation_and_value(
    project: Project, table: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the file, so that the line is found; exit code 2."""
    path = project.write("pyproject.toml", f"[tool.playhead]\n{table}\n")
    assert main(["replay"]) == 2
    said = capsys.readouterr().err
    assert f"[tool.playhead] in {path}" in said
    assert words in said


def test_a_file_that_is_no_toml_is_named(project: Project) -> None:
    """With what the parser says of it, and where."""
    project.write("pyproject.toml", "[tool.playhead\n")
    with pytest.raises(BadConfiguration, match=r"pyproject\.toml is no TOML: .*line 1"):
        find_configuration()
    project.write("pyproject.toml", "[tool]\nplayhead = 3\n")
    with pytest.raises(BadConfiguration, match="is to be a table, and is the number 3"):
        find_configuration()


def test_who_names_no_code_is_told_how(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Without options and without a file that has them; and without histories."""
    assert main(["replay", str(ORDER)]) == 2
    assert "--workflows package.module or --worker package.module" in capsys.readouterr().err
    assert main(["replay", "-w", "examples.orders"]) == 2
    assert "Name a history" in capsys.readouterr().err


def test_modules_are_looked_for_in_the_python_path(project: Project) -> None:
    """In the project's own order, before what is installed; a folder that is not there is a mistake."""
    project.write("src/orders_of_mine.py", "from examples.orders import OrderFulfilment")
    table = "[tool.playhead]\npython_path = ['src']\nworkflows = ['orders_of_mine']\n"
    project.write("pyproject.toml", table)
    assert main(["replay", str(ORDER)]) == 0
    project.write("pyproject.toml", table.replace("'src'", "'lib'"))
    assert main(["replay", str(ORDER)]) == 2


def test_everything_of_a_worker_may_be_named(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Objects, classes and functions without arguments; what is something else is refused by its kind."""
    pytest.importorskip("temporalio")
    from playhead.loading import load_code

    project.write(
        "app/parts.py",
        """
        from dataclasses import replace
        from temporalio.converter import DataConverter, JSONPlainPayloadConverter, PayloadCodec
        from temporalio.plugin import SimplePlugin
        from temporalio.worker import Interceptor

        converter = replace(DataConverter.default)
        class Tracing(Interceptor): pass
        class Codec(PayloadCodec):
            async def encode(self, payloads): return payloads
            async def decode(self, payloads): return payloads
        class Boom(Exception): pass
        def plugin(): return SimplePlugin("parts")
        def make(): return converter
        def fails(): raise LookupError("no key")
        """,
    )
    table = """
        [tool.playhead]
        workflows = ["app.workflows"]
        data_converter = "app.parts:make"
        interceptors = ["app.parts:Tracing"]
        plugins = ["app.parts:plugin"]
        failure_exception_types = ["app.parts:Boom", "ValueError"]
        sandboxed = false
        namespace = "sales"
    """
    project.write("pyproject.toml", table)
    options = load_code(find_configuration().code).options
    assert type(options.data_converter).__name__ == "DataConverter"
    assert [type(one).__name__ for one in options.interceptors] == ["Tracing"]
    assert [one.name() for one in options.plugins] == ["parts"]
    assert [one.__name__ for one in options.failure_exception_types] == ["Boom", "ValueError"]
    assert type(options.workflow_runner).__name__ == "UnsandboxedWorkflowRunner"
    assert options.namespace == "sales"
    for key, name, words in [
        (
            "--data-converter",
            "app.parts:Codec",
            "is a Codec, not a DataConverter: put it into one, with DataConverter(",
        ),
        ("--data-converter", "app.parts:nothing", "app.parts has no 'nothing'"),
        ("--data-converter", "app.parts", "'app.parts' names no object"),
        ("--data-converter", "app.parts:fails", "is called without arguments, and raised LookupError: no key"),
        ("--interceptor", "app.parts:converter", "is a DataConverter, not a temporalio.worker.Interceptor"),
        ("--plugin", "app.parts:Tracing", "is a Tracing, not a temporalio.worker.Plugin"),
    ]:
        assert main(["replay", str(ORDER), key, name]) == 2
        assert words in capsys.readouterr().err
    project.write("pyproject.toml", table.replace("ValueError", "Mistake"))
    assert main(["replay", str(ORDER)]) == 2
    assert "failure_exception_types: Mistake is no exception class" in capsys.readouterr().err


def test_files_in_the_table_are_found_from_anywhere(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker or a module may be named by its file."""
    project.write("pyproject.toml", "[tool.playhead]\nworkflows = ['code/orders.py:OrderFulfilment']\n")
    project.write("code/orders.py", "from examples.orders import OrderFulfilment")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert main(["replay", str(ORDER)]) == 0
