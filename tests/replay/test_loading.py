"""`--workflows`: what may be named, and what is said where nothing is found."""

from __future__ import annotations

import pytest

from playhead.loading import CodeNames, CodeNotLoaded, load_code
from tests.replay.project import FIXTURES, ORDER, Project, project

__all__ = ["project"]


def names(*workflows: str) -> list[str]:
    """The classes that are loaded."""
    return [cls.__qualname__ for cls in load_code(CodeNames(workflows=workflows)).workflows]


def test_both_kinds_of_classes_are_found(project: Project) -> None:
    """A module may hold workflows for `temporalio`, for our own API, or both."""
    pytest.importorskip("temporalio")
    project.write("both.py", "from app.workflows import Greeting\nfrom examples.orders import OrderFulfilment\n")
    assert names("both") == ["Greeting", "OrderFulfilment"]
    assert names("app.workflows", "examples.orders") == ["Greeting", "Parting", "OrderFulfilment"]
    assert [one.__name__ for one in load_code(CodeNames(workflows=("app.workflows",))).activities] == ["greet"]


def test_a_class_a_list_or_a_file_may_be_named(project: Project) -> None:
    """`module:Class`, `module:LIST` and paths of files, with the same after a colon."""
    pytest.importorskip("temporalio")
    project.write("lists.py", "from app.workflows import *\nWORKFLOWS = [Parting]\nEMPTY = []\nWORDS = ['a']\n")
    assert names("app.workflows:Parting") == ["Parting"]
    assert names("lists:WORKFLOWS") == ["Parting"]
    assert names("app/workflows.py") == ["Greeting", "Parting"]
    assert names("app/workflows.py:Greeting") == ["Greeting"]
    for wrong in ("EMPTY", "WORDS"):
        with pytest.raises(CodeNotLoaded, match=f"lists:{wrong} is not a list of classes decorated"):
            names(f"lists:{wrong}")


def test_a_file_elsewhere_can_be_imported_again(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Temporal's sandbox imports a module by its name, so that one must lead to the file."""
    pytest.importorskip("temporalio")
    import importlib

    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "beside_me.py").write_text("from examples.temporal.orders import *")
    (folder / "orders_elsewhere.py").write_text("from beside_me import OrderFulfilment")
    assert names(str(folder / "orders_elsewhere.py")) == ["OrderFulfilment"]
    assert importlib.import_module("orders_elsewhere").__file__ == str(folder / "orders_elsewhere.py")


def test_a_package_without_workflows_names_its_modules(project: Project) -> None:
    """People name the package; the workflows are one floor below."""
    with pytest.raises(
        CodeNotLoaded, match=r"app holds no class .* It is a package; name its modules: app\.workflows\."
    ):
        names("app")


def test_more_activities_need_no_workflows(project: Project) -> None:
    """A module of activities alone is fine where activities are asked for."""
    pytest.importorskip("temporalio")
    project.write("acts.py", "from app.workflows import greet\n")
    code = load_code(CodeNames(workflows=("examples.orders",), activities=("acts",)))
    assert "greet" in [one.__name__ for one in code.activities]


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay", str(ORDER), "-w", "app.workflows"],
        ["replay", str(ORDER), "--worker", "app.workflows"],
        ["replay", str(ORDER), "-w", "examples.orders", "--unsandboxed"],
        ["replay", str(ORDER), "-w", "app.workflows", "--runtime", "temporal-core"],
        ["run", "app.workflows:Greeting"],
    ],
)
def test_without_the_extra_it_is_said_how_to_install_it(project: Project, arguments: list[str]) -> None:
    """Whatever needs `temporalio` says in one sentence that it comes with the extra."""
    done = project.run(*arguments, has_temporalio=False)
    assert done.returncode == 2
    assert "pip install 'playhead[temporal]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_extra_histories_of_temporal_are_read_and_native_code_is_replayed(project: Project) -> None:
    """The extra is for code that needs it, and for nothing else."""
    shown = project.run("show", str(FIXTURES / "saga_compensated.json"), "--group", has_temporalio=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "TripBooking" in shown.stdout
    replayed = project.run("replay", str(ORDER), "-w", "examples.orders", has_temporalio=False)
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert "agrees (23 events)" in replayed.stdout


def test_a_type_that_no_class_has_is_told_with_those_of_both_kinds(project: Project) -> None:
    """Whoever named the wrong module sees what is in it."""
    done = project.run("replay", str(FIXTURES / "pizza_open.json"), "-w", "examples.orders")
    assert done.returncode == 5
    assert "no code for workflow type 'PizzaOrder'" in done.stdout
    assert "The workflow types there are: OrderFulfilment." in done.stdout
