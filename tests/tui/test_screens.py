"""What the debugger looks like, at two widths, letter by letter.

PLAYHEAD_REWRITE_GOLDEN=1 writes the expected screens anew; look at the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.desk import debugging

SCREENS = Path(__file__).parent / "screens"
REWRITE = bool(os.environ.get("PLAYHEAD_REWRITE_GOLDEN"))
SCROLL_BARS = dict.fromkeys(map(ord, "▁▂▃▄▅▆▇"), " ")
SIZES = ((80, 24), (140, 40))

CASES = {
    "stuck": ("orders_stuck.json", ["examples.orders"], []),
    "diverged": ("orders_completed.json", ["examples.orders_broken"], ["7"]),
    "grouped": ("saga_compensated.json", [], ["f", "u", "right"]),
    "watched": ("orders_completed.json", ["examples.orders"], ["m", "m", "b", "w", *"order.total", "enter"]),
    "idle": ("onboarding_year.json", ["examples.onboarding"], ["t", "t", "t", "5"]),
    "keys": ("orders_completed.json", [], ["?"]),
}


@pytest.mark.parametrize("name", CASES)
async def test_the_screen_is_as_it_was(name: str) -> None:
    """Each case is a history, the code, and the keys that were pressed."""
    history, workflows, keys = CASES[name]
    async with debugging(history, workflows=workflows, size=SIZES[0]) as desk:
        await desk.press(*keys)
        for columns, lines in SIZES:
            await desk.resize(columns, lines)
            compare(desk.text, f"{name}-{columns}x{lines}.txt")


def compare(text: str, name: str) -> None:
    """Hold a screen against the one that is expected; where the ends of the scroll bars are is Textual's business."""
    text = text.translate(SCROLL_BARS)
    file = SCREENS / name
    if REWRITE:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()
