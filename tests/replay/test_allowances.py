"""`[[tool.playhead.allow]]`: which breaks may be there, and until when."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from playhead.allowances import Allowance, Allowances, Break
from playhead.configuration import BadConfiguration, find_configuration
from tests.replay.project import Project, project

__all__ = ["project"]

TODAY = date(2026, 6, 15)


def allowed(history: str, until: date = TODAY, workflow: str | None = None, event: int | None = None) -> Allowance:
    return Allowance(history, "the old shop", until, workflow, event)


@pytest.mark.parametrize(
    ("pattern", "is_covered"),
    [
        ("histories/old/order.json", True),
        ("./histories/old/order.json", True),
        ("histories/old", True),
        ("histories", True),
        ("histories/*/order.json", True),
        ("histories/**/order.json", True),
        ("**/order.json", True),
        ("**", True),
        ("histories/old/ord*", True),
        ("histories/*", True),
        ("histories/order.json", False),
        ("old/order.json", False),
        ("*.json", False),
        ("histories/new", False),
        ("hist", False),
        ("histories/old/order.json/more", False),
        ("../*/histories", True),
        ("../a[b]c/histories", False),
    ],
)
def test_a_history_is_named_as_in_the_configuration(tmp_path: Path, pattern: str, is_covered: bool) -> None:
    """By its file, its folder or a glob, relative to the file that says so."""
    folder = tmp_path / "a[b]c"
    broken = Break(folder / "histories/old/order.json", "Order", 11)
    assert (Allowances((allowed(pattern),), folder).covering(broken, TODAY) is not None) is is_covered
    absolute = Allowances((allowed(f"{tmp_path}/*/{pattern}"),), Path("/elsewhere"))
    assert (absolute.covering(broken, TODAY) is not None) is is_covered


@pytest.mark.parametrize(
    ("workflow", "event", "is_covered"),
    [("Order", None, True), (None, 11, True), ("Order", 11, True), ("Trip", None, False), ("Order", 12, False)],
)
def test_an_allowance_may_be_narrowed(tmp_path: Path, workflow: str, event: int, is_covered: bool) -> None:
    """To a workflow type and to the event at which the replay breaks."""
    allowances = Allowances((allowed("a.json", TODAY, workflow, event),), tmp_path)
    assert (allowances.covering(Break(tmp_path / "a.json", "Order", 11), TODAY) is not None) is is_covered


def test_the_last_day_is_the_last_on_which_it_holds(tmp_path: Path) -> None:
    """On the day itself it does; one that holds goes before one that is over."""
    over, holding = allowed("a.json", date(2026, 6, 14)), allowed("*.json", TODAY)
    assert (over.holds(TODAY), holding.holds(TODAY)) == (False, True)
    broken = Break(tmp_path / "a.json", "Order")
    assert Allowances((over, holding), tmp_path).covering(broken, TODAY) == holding
    assert Allowances((over,), tmp_path).covering(broken, TODAY) == over


def test_what_allows_nothing_any_more_is_known(tmp_path: Path) -> None:
    """But not where nobody looked at its histories."""
    one, other = allowed("one.json"), allowed("other.json")
    allowances = Allowances((one, other), tmp_path)
    checked = [Break(tmp_path / "one.json", "Order")]
    assert allowances.idle(checked, [one], is_all=False) == []
    assert allowances.idle(checked, [], is_all=False) == [one]
    assert allowances.idle(checked, [one], is_all=True) == [other]


def test_allowances_stand_in_the_configuration(project: Project) -> None:
    """With dates as TOML writes them, or as strings."""
    project.write(
        "pyproject.toml",
        """
        [tool.playhead]
        workflows = ["app.workflows"]
        [[tool.playhead.allow]]
        history = "histories/old/*.json"
        reason = "recorded before the rewrite; the last of these runs ends in May"
        until = 2026-05-31
        [[tool.playhead.allow]]
        history = "histories/stuck.json"
        workflow = "Greeting"
        event = 11
        reason = "waits for the hotfix"
        until = "2026-07-01"
        """,
    )
    found = find_configuration().allowed
    assert found.folder == project.root
    assert found.entries == (
        Allowance(
            "histories/old/*.json", "recorded before the rewrite; the last of these runs ends in May", date(2026, 5, 31)
        ),
        Allowance("histories/stuck.json", "waits for the hotfix", date(2026, 7, 1), "Greeting", 11),
    )
    assert str(found.entries[1]) == "history 'histories/stuck.json', workflow 'Greeting', event 11"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[tool.playhead]\nallow = 3", "allow: is to be a list of tables, each headed by [[tool.playhead.allow]]"),
        ("[tool.playhead]\nallow = ['a.json']", "allow: entry 1 is to be a table, and is 'a.json'"),
        ("[[tool.playhead.allow]]\nhistory = 'a'\nuntil = 2026-01-01", "entry 1 says no 'reason': a sentence on why"),
        ("[[tool.playhead.allow]]\nhistory = 'a'\nreason = 'b'", "entry 1 says no 'until': the last day on which"),
        ("[[tool.playhead.allow]]\nreason = 'b'\nuntil = 2026-01-01", "entry 1 says no 'history': a file, a folder"),
        ("[[tool.playhead.allow]]\nhistory = 'a'\nreason = ' '\nuntil = 2026-01-01", "reason is to be a sentence"),
        ("[[tool.playhead.allow]]\nhistory = 'a'\nreason = 'b'\nuntil = 'soon'", "as in 2026-12-31, and is 'soon'"),
        ("[[tool.playhead.allow]]\nhistory = 'a'\nreason = 'b'\nuntil = 2026-01-01\nevent = 0", "id of an event, and"),
        ("[[tool.playhead.allow]]\nhistory = 'a'\nexpires = 2026-01-01", "there is no key 'expires'; the keys are"),
        ("[[tool.playhead.allow]]\nhistorie = 'a'", "there is no key 'historie'; did you mean 'history'?"),
    ],
)
def test_an_allowance_that_says_too_little_is_refused(project: Project, table: str, words: str) -> None:
    """A reason and a last day belong to each."""
    project.write("pyproject.toml", table + "\n")
    with pytest.raises(BadConfiguration) as caught:
        find_configuration()
    assert words in str(caught.value)
