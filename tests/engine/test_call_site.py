"""Finding the line of the user's code that asked for something."""

from __future__ import annotations

import os
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from inspect import currentframe
from pathlib import Path

import playhead_engine
from playhead_engine.call_site import CallSite, caller


def here(lines_up: int = 0) -> int:
    """The line that calls this, or one above it."""
    frame = currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno - lines_up


def site_in(filename: str) -> CallSite | None:
    """What code in a certain file takes for its caller, when it asks from a function called in this one."""
    names: dict[str, object] = {"caller": caller}
    exec(compile("def ask():\n    return caller()\nsite = ask()", filename, "exec"), names)
    site = names["site"]
    assert site is None or isinstance(site, CallSite)
    return site


def test_it_names_file_line_and_function() -> None:
    """Enough to print a link that editors and terminals open."""
    site = caller()
    assert site is not None
    assert (site.file, site.line) == (__file__, here(2))
    assert site.function == "test_it_names_file_line_and_function"
    assert str(site) == f"{__file__}:{here(4)}"


def test_functions_within_functions_are_named_in_full() -> None:
    """Most handlers and coroutines are methods or closures."""

    def inner() -> CallSite | None:
        return caller()

    site = inner()
    assert site is not None
    assert site.function == "test_functions_within_functions_are_named_in_full.<locals>.inner"


def test_a_call_over_several_lines_is_where_it_begins() -> None:
    """That is the line people look for."""
    site = caller(
        depth=(
            1  # the frame that calls
        ),
    )
    assert site is not None
    assert site.line == here(6)


def test_frames_above_the_caller_can_be_passed_over() -> None:
    """A decorator or a helper that asks on behalf of somebody else."""

    def helper() -> CallSite | None:
        return caller(2)

    site = helper()
    assert site is not None
    assert site.line == here(2)


def test_frames_of_this_package_are_not_the_users_code() -> None:
    """`workflow.sleep` is ours; the line that calls it is not."""
    ours = str(Path(playhead_engine.__file__).parent / "workflow" / "timers.py")
    site = site_in(ours)
    assert site is not None
    assert (site.file, site.function) == (__file__, "site_in")


def test_frames_of_the_standard_library_are_not_the_users_code() -> None:
    """Between the user's `gather` and our timer stands asyncio."""

    class Something:
        pass

    something = Something()
    site = weakref.finalize(something, caller)()
    assert isinstance(site, CallSite)
    assert (site.file, site.line) == (__file__, here(2))


def test_installed_packages_are_somebodys_code() -> None:
    """Workflows may be installed; only Python's own modules are passed over."""
    installed = str(Path(os.__file__).parent / "site-packages" / "shop" / "workflows.py")
    site = site_in(installed)
    assert site is not None
    assert str(site) == f"{installed}:2"


def test_code_without_a_file_is_named_as_it_names_itself() -> None:
    """Typed into a console, or made by a template."""
    site = site_in("<console>")
    assert str(site) == "<console>:2"


def test_where_there_is_only_library_code_there_is_no_site() -> None:
    """A thread that a library started has no user's code below it."""
    with ThreadPoolExecutor() as pool:
        assert pool.submit(caller).result() is None


def test_a_site_can_be_sent_to_another_process() -> None:
    """The code itself stays behind; what people see of it goes along."""
    site = caller()
    assert site is not None
    again = pickle.loads(pickle.dumps(site))
    assert (again.file, again.line, again.function) == (site.file, site.line, site.function)
    assert str(again) == str(site)
    once_more = pickle.loads(pickle.dumps(again))
    assert str(once_more) == str(site)
