"""What a check knows from the last one, and when it no longer does: a stale verdict would let a break pass."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from playhead.checking.outcome import Standing
from tests.replay.shop import ORDERS, TRIPS, Shop, project, shop

__all__ = ["project", "shop"]

ALL = [*ORDERS, *TRIPS]

FALLBACK = """
try:
    from app.discounts import payment
except ImportError:
    from app.prices import payment
"""

COMPUTED = "payment = importlib.import_module('.'.join(['app', 'prices'])).payment; await workflow.sleep(60)"


def test_what_is_known_is_not_replayed(shop: Shop) -> None:
    """The second check replays nothing, starts no process, and says the same."""
    first, second = shop.check(), shop.check()
    assert [outcome.is_known for outcome in first.outcomes] == [False] * 3
    assert [outcome.is_known for outcome in second.outcomes] == [True] * 3
    assert [outcome.judgement for outcome in second.outcomes] == [outcome.judgement for outcome in first.outcomes]
    assert (shop.root / ".playhead_cache/.gitignore").read_text().endswith("\n*\n")


@pytest.mark.parametrize(
    ("file", "replayed"),
    [
        ("app/orders.py", ORDERS),
        ("app/prices.py", ORDERS),
        ("app/routes.py", TRIPS),  # imported inside of a function
        ("app/names.py", ALL),
        ("app/__init__.py", ALL),  # Python runs it to import any module in it
        ("app/forgotten.py", []),
        ("unrelated.py", []),
    ],
)
def test_a_changed_module_invalidates_what_reaches_it_and_nothing_else(
    shop: Shop, file: str, replayed: list[str]
) -> None:
    """However it is imported: at the top, inside of a function, or as the package of another module."""
    shop.check()
    path = shop.root / file
    path.write_text((path.read_text() if path.exists() else "") + "\n# changed\n")
    assert shop.replayed() == replayed
    assert shop.replayed() == []


def test_a_change_that_is_taken_back_is_known(shop: Shop) -> None:
    """What is in a file counts, and neither when it was written nor what was there in between."""
    shop.check()
    shop.edit("app/prices.py", '"charge"', '"invoice"')
    assert [outcome.standing for outcome in shop.check().outcomes] == [Standing.BREAKS] * 2 + [Standing.AGREES]
    shop.edit("app/prices.py", '"invoice"', '"charge"')
    assert shop.replayed() == []


def test_a_history_counts_by_what_is_in_it(shop: Shop) -> None:
    """A copy is known by another name; one that was changed is replayed again."""
    shop.check()
    copy = shop.root / "histories/copy.json"
    copy.write_bytes((shop.root / ORDERS[0]).read_bytes())
    assert shop.replayed() == []
    copy.write_bytes(copy.read_bytes().replace(b'"charge"', b'"refund"'))
    assert shop.replayed() == ["histories/copy.json"]


def test_a_module_that_gets_in_the_way_of_another_counts(shop: Shop) -> None:
    """A new file may be what a name means from now on, though no file that was there has changed."""
    shop.edit(
        "app/orders.py",
        "from app.prices import payment",
        FALLBACK,
    )
    assert [outcome.standing for outcome in shop.check().outcomes] == [Standing.AGREES] * 3
    shop.write("app/discounts.py", "def payment(item: str) -> str:\n    return 'voucher'\n")
    assert [outcome.standing for outcome in shop.check().outcomes] == [Standing.BREAKS] * 2 + [Standing.AGREES]


def test_a_module_that_is_imported_by_a_computed_name_counts(shop: Shop) -> None:
    """No text of the code holds its name, so that what is imported in a replay is noted, for later histories too."""
    shop.edit("app/orders.py", "from app.prices import payment", "import importlib")
    shop.edit("app/orders.py", "await workflow.sleep(60)", COMPUTED)
    assert {outcome.standing for outcome in shop.check().outcomes} == {Standing.AGREES}
    shop.write("app/forgotten.py", "NOBODY = 'imports this still'")
    assert shop.replayed() == []
    shop.edit("app/prices.py", '"charge"', '"invoice"')
    assert [outcome.standing for outcome in shop.check().outcomes] == [Standing.BREAKS] * 2 + [Standing.AGREES]


def test_settings_count(shop: Shop) -> None:
    """Other rules, another namespace: each has verdicts of its own."""
    shop.check()
    shop.edit("pyproject.toml", "[tool.playhead]", "[tool.playhead]\nprofile = 'temporalio-1.33'")
    assert shop.replayed() == ALL
    shop.edit("pyproject.toml", "profile = 'temporalio-1.33'", "namespace = 'shop'")
    assert shop.replayed() == ALL
    shop.edit("pyproject.toml", "namespace = 'shop'", "")
    assert shop.replayed() == []


def test_the_environment_counts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of any installed package, and every verdict is asked for anew."""
    from playhead.checking import environment

    shop.check()
    monkeypatch.setattr(environment, "_distributions", lambda: iter(["temporalio-99.0.0.dist-info"]))
    environment.environment_digest.cache_clear()
    try:
        assert shop.replayed() == ALL
    finally:
        environment.environment_digest.cache_clear()


def test_a_check_elsewhere_takes_the_cache_over(
    shop: Shop, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in it depends on the folder that the project is in, so that CI may restore it into any checkout."""
    shop.check()
    moved = tmp_path_factory.mktemp("elsewhere") / "shop"
    shop.root.rename(moved)
    monkeypatch.chdir(moved)
    assert Shop(moved).replayed() == []
    moved.rename(shop.root)


def test_without_a_cache_everything_is_replayed(shop: Shop) -> None:
    """And nothing is left behind."""
    assert shop.replayed(cache=False) == ALL
    assert shop.replayed(cache=False) == ALL
    assert not (shop.root / ".playhead_cache").exists()


@pytest.mark.parametrize("harm", ["garbage", "a file", "other values"])
def test_a_cache_that_is_no_good_costs_time_only(shop: Shop, harm: str, tmp_path: Path) -> None:
    """It is said, where there is something to say, and everything is replayed."""
    cache = tmp_path / "cache"
    if harm == "a file":
        cache.write_text("")
    elif harm == "garbage":
        cache.mkdir()
        (cache / "cache.db").write_bytes(b"no database" * 1000)
    else:
        shop.check(cache=cache)
        with sqlite3.connect(cache / "cache.db") as database:
            database.execute("UPDATE Cache SET value = ?", (b"{]",))
        database.close()
    found = shop.check(cache=cache)
    assert [outcome.is_known for outcome in found.outcomes] == [False] * 3
    assert found.passes
    assert bool(found.notes) is (harm != "other values")
    assert all("every history is replayed" in note for note in found.notes)
