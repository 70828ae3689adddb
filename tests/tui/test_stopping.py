"""Breakpoints stop the playhead in both directions; logpoints and watches tell what there was."""

from __future__ import annotations

from pathlib import Path

from playhead_tui.model.place import Place
from tests.tui.desk import debugging

ORDERS = ["examples.orders"]


async def test_a_breakpoint_on_a_line_stops_on_the_way_there_and_back() -> None:
    """Set with a key on the line at the cursor, cleared with the same key."""
    async with debugging("orders_stuck.json", workflows=ORDERS, at="1") as desk:
        await desk.press("m", "2", "b")  # event 5 comes from the line that asks for the reservation
        assert any(row.startswith("▶") and "80●" in row for row in desk.pane("source"))
        await desk.press("<", "c")
        assert desk.debugger.deck.session.view().site.line == 80
        assert "Stopped at examples/orders.py:80" in desk.status
        await desk.press("c")
        assert (desk.place, "No breakpoint after this" in desk.status) == (Place(19), True)
        await desk.press("C")
        assert desk.debugger.deck.session.view().site.line == 80
        await desk.press("b", "C")
        assert (desk.place, "No breakpoint before this" in desk.status) == (Place(1), True)


async def test_breakpoints_are_written_for_events_conditions_and_changes() -> None:
    """What a debugger of live programs calls conditional, here also in terms of the history."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        for text, reached in [
            ("activity:charge type:completed", 13),
            ("when self.stage == 'shipping'", 13),
            ("change self.stage", 7),
        ]:
            await desk.press("<", "B")
            await desk.type(text)
            await desk.press("enter", "c")
            assert desk.place.event == reached, (text, desk.place)
            await desk.press("6", "end", "delete")
        assert desk.debugger.deck.lookout.stops.breakpoints == ()
        await desk.press("B")
        await desk.type("when nonsense here")
        await desk.press("enter")
        assert "nonsense here" in desk.status


async def test_a_breakpoint_is_switched_off_and_on() -> None:
    """Off, it stays in the list and stops nothing."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        await desk.press("B")
        await desk.type("orders.py:86")
        await desk.press("enter", "end", "space", "c")
        assert desk.place == Place(23)
        assert any("○ orders.py:86" in row for row in desk.pane("watches"))
        await desk.press("space", "C")
        assert desk.debugger.deck.session.view().site.line == 86


async def test_an_event_is_a_pattern_for_a_breakpoint() -> None:
    """On the list of events, the key sets one on events like this; they are marked."""
    async with debugging("orders_completed.json") as desk:
        await desk.press("m", "b", "<", "c")
        assert desk.place == Place(5)
        assert "activity:" in desk.status and "reserve" in desk.status
        await desk.press("e")
        assert [row[:3].split() for row in desk.pane("events") if row.startswith("●")] == [["●", "5"]]


async def test_watches_follow_the_playhead() -> None:
    """They hold what the expression is here; what is no expression, or raises, is said."""
    async with debugging("orders_completed.json", workflows=ORDERS, at="7") as desk:
        await desk.press("w")
        await desk.type("self.stage.upper() + str(order.total)")
        await desk.press("enter")
        assert any("'CHARGING5000'" in row for row in desk.pane("watches"))
        await desk.press("m", "m")
        assert any(row.startswith("●") and "'SHIPPING5000'" in row for row in desk.pane("watches"))
        await desk.press("w")
        await desk.type("self.stage = 1")
        await desk.press("enter")
        assert "a statement does more than look" in desk.status
        await desk.press("w")
        await desk.type("self.nothing_like_it")
        await desk.press("enter")
        assert any("AttributeError" in row for row in desk.pane("watches"))


async def test_a_logpoint_says_what_a_print_would_have_said() -> None:
    """Every time the line ran, whether before the playhead or after it; and one can go there."""
    async with debugging("orders_completed.json", workflows=ORDERS, at="13") as desk:
        await desk.press("2", "l")
        await desk.type('f"{order.id} costs {order.total}"')
        await desk.press("enter")
        said = [row for row in desk.pane("watches") if "A-1 costs 5000" in row]
        assert len(said) == 1
        await desk.press("end", "up", "enter")
        assert desk.place.step


async def test_without_code_breakpoints_on_lines_say_why_they_stop_nothing() -> None:
    """They stay for when there is code, and events stop all the same."""
    async with debugging("orders_completed.json") as desk:
        await desk.press("B")
        await desk.type("orders.py:86")
        await desk.press("enter", "c")
        assert desk.place == Place(23)
        assert any("no code" in row for row in desk.pane("watches"))


async def test_breakpoints_are_there_again_the_next_time(tmp_path: Path) -> None:
    """For whoever debugs in the same directory; a file that was spoilt meanwhile is said, and costs nothing else."""
    async with debugging("orders_completed.json") as desk:
        await desk.press("m", "b", "w")
        await desk.type("self.stage")
        await desk.press("enter")
    async with debugging("orders_completed.json") as desk:
        await desk.press("6")
        assert any("self.stage" in row for row in desk.pane("watches"))
        assert any("type:ActivityTaskScheduled" in row for row in desk.pane("watches"))
    (tmp_path / "playhead" / "debug.json").write_text("{")
    async with debugging("orders_completed.json") as desk:
        await desk.press("m", "b")
        assert "debug.json: it cannot be read" in desk.status
