"""Searching and filtering, as one types."""

from __future__ import annotations

from playhead_tui.model.place import Place
from tests.tui.desk import debugging


async def test_a_search_marks_what_it_finds_and_goes_there() -> None:
    """Enter goes to the first match from here, keys to the others, in circles; escape is the end of it."""
    async with debugging("orders_completed.json") as desk:
        await desk.press("slash")
        await desk.type("charge")
        assert "3 found" in desk.text
        assert [row[:3] for row in desk.pane("events") if row.startswith("•")] == ["•11", "•12", "•13"]
        await desk.press("enter")
        assert (desk.place, "1 of 3" in desk.status) == (Place(11), True)
        await desk.press("f3", "f3", "f3", "shift+f3")
        assert desk.place == Place(13)
        await desk.press("escape", "f3")
        assert "Nothing is looked for" in desk.status
        assert not any(row.startswith("•") for row in desk.pane("events"))


async def test_a_filter_leaves_only_what_matches() -> None:
    """It narrows with every letter, and can be taken back."""
    async with debugging("orders_completed.json") as desk:
        await desk.press("ampersand")
        await desk.type("type:activity")
        assert len(desk.pane("events")) == 9
        await desk.type(" activity:ship")
        await desk.press("enter")
        assert [row[1:3] for row in desk.pane("events")] == ["17", "18", "19"]
        await desk.press("escape")
        assert len(desk.pane("events")) == 23


async def test_a_filter_that_means_nothing_says_so_while_it_is_typed() -> None:
    """And what was shown before still is."""
    async with debugging("orders_completed.json") as desk:
        await desk.press("ampersand")
        await desk.type("colour:red")
        assert "there is no filter colour:" in desk.text
        await desk.press("escape")
        assert len(desk.pane("events")) == 23


async def test_groups_are_folded_and_stepped_through() -> None:
    """One row for an activity; unfolded, all its events; the playhead is where it was."""
    async with debugging("orders_completed.json") as desk:
        await desk.press("m", "u")
        assert any(row.startswith("▶") and "activity reserve" in row for row in desk.pane("events"))
        before = len(desk.pane("events"))
        await desk.press("right")
        assert len(desk.pane("events")) == before + 3
        await desk.press("down", "down")
        assert desk.place == Place(6)
        await desk.press("u")
        assert len(desk.pane("events")) == 23
