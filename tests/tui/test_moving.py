"""Keys move the playhead, forwards and backwards, and everything that is shown goes along."""

from __future__ import annotations

from playhead_tui.model.place import Place
from tests.tui.desk import debugging

ORDERS = ["examples.orders"]


async def test_the_debugger_opens_at_what_is_wrong() -> None:
    """Whoever opens a stuck run looks at the line that raises."""
    async with debugging("orders_stuck.json", workflows=ORDERS) as desk:
        assert desk.place == Place(19)
        assert "code raised after event 19" in desk.status
        assert any("▶" in line and "order.voucher * 100 // order.total" in line for line in desk.lines)


async def test_a_run_that_agrees_opens_at_its_beginning() -> None:
    """There is nothing to jump to, so one begins where the run did."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        assert desk.place == Place(1)
        assert "agrees (23 events)" in desk.status


async def test_small_letters_go_forwards_and_capitals_back() -> None:
    """Event by event, workflow task by workflow task, command by command."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        for key, reached in [("e", 2), ("t", 3), ("m", 5), ("m", 11), ("M", 5), ("T", 3), ("E", 2), ("E", 1)]:
            await desk.press(key)
            assert desk.place == Place(reached), key


async def test_there_is_a_word_at_both_ends() -> None:
    """A key that leads nowhere says so, and leaves everything as it is."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        await desk.press("E")
        assert "no event before this" in desk.status
        await desk.press(">", "m")
        assert desk.place == Place(23)
        assert "no command after this" in desk.status


async def test_lines_are_stepped_over_into_and_out_of() -> None:
    """`n` stays in the function, `s` goes into what it calls, `r` comes back out; capitals do the same backwards."""
    async with debugging("orders_stuck.json", workflows=ORDERS, at="orders.py:86") as desk:
        assert desk.debugger.deck.session.view().site.line == 86
        await desk.press("s")
        assert desk.debugger.deck.session.view().site.line == 33  # Order.total
        await desk.press("N", "S")
        assert desk.debugger.deck.session.view().site.line == 85
        await desk.press("n", "s")
        assert desk.debugger.deck.session.view().site.line == 33
        await desk.press("R")
        assert desk.debugger.deck.session.view().site.line == 86


async def test_keys_pressed_faster_than_lines_are_recorded_all_count() -> None:
    """Nobody waits for the first line to be known before pressing the next key."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        for _ in range(3):
            desk.strike("s")
        await desk.settled()
        assert desk.place.step == 3


async def test_variables_show_what_changed_since_the_last_place() -> None:
    """A value that is another is marked, and so is how many there are."""
    async with debugging("orders_completed.json", workflows=ORDERS, at="5") as desk:
        assert not any(row.startswith("●") for row in desk.pane("variables"))
        await desk.press("m")
        changed = [row for row in desk.pane("variables") if row.startswith("●")]
        assert [row.split() for row in changed] == [["●", "stage", "'charging'"]]


async def test_failures_and_retries_are_jumped_to() -> None:
    """From one to the next, and from the last to the first."""
    async with debugging("saga_compensated.json", workflows=["examples.temporal.saga"]) as desk:
        reached = []
        for key in ("f", "f", "f", "F"):
            await desk.press(key)
            reached.append(desk.place.event)
        assert reached == [19, 41, 19, 41]
        await desk.press("a")
        assert "Nothing was tried again" in desk.status


async def test_the_playhead_goes_back_to_where_it_was() -> None:
    """After a jump, one wants to be where one came from."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        await desk.press("m", "m", ">", "backspace", "backspace")
        assert desk.place == Place(5)


async def test_one_goes_to_whatever_one_can_name() -> None:
    """An event, a task, a command or a line; what there is not is said."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        for text, reached in [("7", 7), ("task:2", 9), ("command:-1", 23)]:
            await desk.press("g")
            await desk.type(text)
            await desk.press("enter")
            assert desk.place == Place(reached), text
        await desk.press("g")
        await desk.type("orders.py:86")
        await desk.press("enter")
        assert desk.place.step and desk.place.event == 15
        for text, said in [("99", "no event 99"), ("orders.py:1", "never reached"), ("nonsense", "is no mark")]:
            await desk.press("g")
            await desk.type(text)
            await desk.press("enter")
            assert said in desk.status


async def test_run_to_here_goes_to_the_line_at_the_cursor() -> None:
    """Forwards if the line runs again, else backwards to where it ran last."""
    async with debugging("orders_completed.json", workflows=ORDERS) as desk:
        await desk.press("2", "down", "down", "down", "h")
        assert desk.debugger.deck.session.view().site.line == 79
        await desk.press(">", "2", *["up"] * 20, "h")
        assert "never runs" in desk.status or desk.place.step


async def test_without_code_the_history_is_stepped_all_the_same() -> None:
    """Events, tasks, commands and failures need no code; lines do, and that is said."""
    async with debugging("orders_completed.json") as desk:
        await desk.press("e", "m", "t")
        assert desk.place == Place(9)
        await desk.press("n")
        assert "Without code there are no lines" in desk.status
        assert not any("Source" in line and "╭" in line for line in desk.lines)
