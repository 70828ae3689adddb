"""`playhead check --base`: only what a change breaks fails, and what was broken before is said."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from playhead.checking.base import NoBase
from playhead.checking.outcome import Standing
from tests.replay.project import Project
from tests.replay.shop import ORDERS, TRIPS, Shop, project, shop

__all__ = ["project", "shop"]


@pytest.fixture
def committed(shop: Shop) -> Shop:
    """The project in a repository, on a branch `work` that left `main` a commit ago."""
    shop.commit()
    shop.git("checkout", "--quiet", "-b", "work")
    return shop


def standings(shop: Shop, base: str = "main", **options: object) -> dict[str, Standing]:
    return {outcome.history: outcome.standing for outcome in shop.check(base=base, **options).outcomes}


def test_a_break_of_the_change_fails(committed: Shop) -> None:
    """The base is replayed by its own code, which agrees."""
    committed.edit("app/prices.py", "charge", "invoice")
    found = committed.check(base="main")
    assert [outcome.standing for outcome in found.outcomes] == [Standing.BREAKS, Standing.BREAKS, Standing.AGREES]
    assert [outcome.before and outcome.before.headline for outcome in found.outcomes] == ["agrees (16 events)"] * 2 + [
        None
    ]
    assert not found.passes


def test_a_break_of_the_base_is_old(shop: Shop) -> None:
    """It is listed, and passes; another one beside it fails."""
    shop.edit("app/prices.py", "charge", "invoice")
    shop.commit()
    shop.git("checkout", "--quiet", "-b", "work")
    found = shop.check(base="main")
    assert [outcome.standing for outcome in found.outcomes] == [Standing.OLD, Standing.OLD, Standing.AGREES]
    assert found.passes
    assert shop.check(base="main", fail_fast=True).passes, "an old break is none to stop at"
    shop.edit("app/routes.py", 'to {city}"]', 'to {city}", "book_car"]')
    assert standings(shop) == dict.fromkeys(ORDERS, Standing.OLD) | dict.fromkeys(TRIPS, Standing.BREAKS)


def test_a_break_that_comes_earlier_now_is_new(shop: Shop) -> None:
    """Runs that had not come as far as the old break went on until today."""
    shop.edit("app/prices.py", "charge", "invoice")
    shop.commit()
    shop.git("checkout", "--quiet", "-b", "work")
    shop.edit("app/orders.py", "await workflow.sleep(60)", "pass")
    assert [standings(shop)[name] for name in ORDERS] == [Standing.BREAKS] * 2


def test_the_base_is_where_the_branch_left_it(committed: Shop) -> None:
    """What was broken on main meanwhile does not excuse a break of the branch."""
    committed.edit("app/prices.py", "charge", "invoice")
    committed.git("checkout", "--quiet", "main")
    committed.commit()
    committed.git("checkout", "--quiet", "work")
    committed.edit("app/prices.py", "charge", "invoice")
    assert standings(committed)[ORDERS[0]] is Standing.BREAKS


def test_nothing_is_checked_out_where_nothing_breaks(committed: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A green check costs the same with a base."""
    from playhead.checking import checking

    monkeypatch.delattr(checking, "checked_out")
    assert committed.check(base="main").passes


def test_no_worktree_is_left_behind(committed: Shop) -> None:
    """Neither in git's list nor on the disk, and the checkout is as it was."""
    committed.edit("app/prices.py", "charge", "invoice")
    committed.check(base="main")
    listed = subprocess.run(["git", "worktree", "list"], capture_output=True, text=True, check=True).stdout
    status = subprocess.run(["git", "status", "--short"], capture_output=True, text=True, check=True).stdout
    assert len(listed.splitlines()) == 1
    assert status == " M app/prices.py\n"


def test_a_check_in_a_hook_leaves_the_index_alone(committed: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """There git says by its environment which index it is about; and no hook of the repository runs for the base."""
    committed.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {committed.root}/hooked\n").chmod(0o755)
    committed.edit("app/prices.py", "charge", "invoice")
    committed.git("add", "app/prices.py")
    index = (committed.root / ".git/index").read_bytes()
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    monkeypatch.setenv("GIT_DIR", ".git")
    assert standings(committed)[ORDERS[0]] is Standing.BREAKS
    assert (committed.root / ".git/index").read_bytes() == index
    assert not (committed.root / "hooked").exists()


def test_verdicts_on_the_base_are_kept(committed: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next check of the branch starts no process for it, and finds the same."""
    from playhead.checking import side

    committed.edit("app/prices.py", "charge", "invoice")
    first = committed.check(base="main", explains=False)
    monkeypatch.delattr(side, "Pool")
    second = committed.check(base="main", explains=False)
    assert [one.before for one in second.outcomes] == [one.before for one in first.outcomes]


def test_code_of_the_base_is_found_though_the_search_path_leads_elsewhere(
    committed: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `PYTHONPATH` and editable installs do: to the checkout that one works in."""
    monkeypatch.syspath_prepend(str(committed.root))
    committed.edit("app/prices.py", "charge", "invoice")
    assert standings(committed)[ORDERS[0]] is Standing.BREAKS


def test_an_editable_install_that_finds_modules_by_itself_is_led_to_the_base(
    committed: Shop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Such an install puts a finder in place that knows where each package is."""
    (committed.root / "src").mkdir()
    committed.git("mv", "app", "src/app")
    committed.commit()
    committed.git("branch", "--force", "main")
    finder = Project(tmp_path_factory.mktemp("site")).write(
        "sitecustomize.py",
        f"""
        import sys
        from importlib.util import spec_from_file_location

        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "app":
                    place = {str(committed.root / "src/app")!r}
                    return spec_from_file_location(name, place + "/__init__.py", submodule_search_locations=[place])

        sys.meta_path.append(Finder)
        """,
    )
    committed.edit("src/app/prices.py", "charge", "invoice")
    done = committed.run("check", "--base", "main", environment={"PYTHONPATH": str(finder.parent)})
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 break" in done.stdout
    committed.commit()
    committed.git("branch", "--force", "main")
    done = committed.run("check", "--base", "main", environment={"PYTHONPATH": str(finder.parent)})
    assert (done.returncode, "2 broke before" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_base_whose_code_cannot_be_loaded_excuses_nothing(committed: Shop) -> None:
    """It is said why, and every break counts."""
    committed.edit("app/prices.py", "def payment", "raise RuntimeError('no prices today')\ndef payment")
    committed.commit()
    committed.git("branch", "--force", "main")
    committed.edit("app/prices.py", "raise RuntimeError('no prices today')\n", "")
    committed.edit("app/prices.py", "charge", "invoice")
    found = committed.check(base="main")
    assert [outcome.standing for outcome in found.outcomes[:2]] == [Standing.BREAKS] * 2
    assert found.base is not None
    assert "RuntimeError" in found.base.problem
    assert "no prices today" in found.base.problem
    assert " at app/prices.py:" in found.base.problem, "the checkout of the base is gone, and its folder says nothing"


def test_a_project_that_was_not_configured_then_is_taken_by_its_words_of_today(shop: Shop) -> None:
    """Whoever introduces the gate has a base to compare with at once."""
    table = (shop.root / "pyproject.toml").read_text()
    (shop.root / "pyproject.toml").unlink()
    shop.edit("app/prices.py", "charge", "invoice")
    shop.commit()
    shop.write("pyproject.toml", table)
    assert standings(shop, base="HEAD")[ORDERS[0]] is Standing.OLD


def test_a_module_that_was_called_otherwise_then_is_found(committed: Shop) -> None:
    """The base goes by what it says of itself."""
    committed.git("mv", "app/orders.py", "app/purchases.py")
    committed.edit("pyproject.toml", "app.orders", "app.purchases")
    committed.edit("app/prices.py", "charge", "invoice")
    found = committed.check(base="main")
    assert found.base is not None
    assert found.base.problem == ""
    assert found.outcomes[0].standing is Standing.BREAKS


def test_a_file_that_could_not_be_read_before_is_old(committed: Shop) -> None:
    """One that is new, or another than it was, is not."""
    committed.write("histories/torn.json", '{"events": [')
    committed.commit()
    committed.git("branch", "--force", "main")
    assert standings(committed)["histories/torn.json"] is Standing.OLD
    committed.write("histories/torn.json", '{"events": [{')
    assert standings(committed)["histories/torn.json"] is Standing.UNCHECKED


@pytest.mark.parametrize(
    ("base", "words"),
    [("nowhere", "There is no commit 'nowhere' here. Fetch it first"), ("--help", "There is no commit '--help' here")],
)
def test_a_base_that_is_not_there_is_refused(committed: Shop, base: str, words: str) -> None:
    """With what to do, before anything is replayed."""
    with pytest.raises(NoBase, match=words):
        committed.check(base=base)


def test_without_a_repository_there_is_no_base(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is in none says so."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(Path(shop.root).parent))
    with pytest.raises(NoBase, match="needs a git repository"):
        shop.check(base="main")
