"""Makes the pictures of the debugger that the README shows, from recorded histories.

    python scripts/pictures.py

Each picture is a history, the code, and keys that are pressed; what is on the screen then is exported by Textual, as a
drawing in which every letter is text.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.pilot import Pilot

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
sys.path[:0] = [str(ROOT)]

from playhead.configuration import Configuration  # noqa: E402 - the code in the repository is to be found first
from playhead.loading import CodeNames  # noqa: E402
from playhead_tui.app import Debugger  # noqa: E402
from playhead_tui.model.code import Code  # noqa: E402
from playhead_tui.model.opening import Target  # noqa: E402
from playhead_tui.model.shelf import from_files  # noqa: E402
from playhead_tui.widgets.status import Status  # noqa: E402

_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)

SCENES: dict[str, tuple[str, str, tuple[int, int], Sequence[str]]] = {
    "debugger": (
        "orders_stuck.json",
        "examples.orders",
        (132, 38),
        ["w", *"order.total", "enter", "2", "N"],
    ),
    "divergence": ("orders_completed.json", "examples.orders_broken", (132, 38), ["7", "z"]),
    "timeline": ("onboarding_year.json", "examples.onboarding", (132, 38), ["u", "m", "m", "m", "5"]),
    "what-if": (
        "saga_booked.json",
        "examples.saga",
        (132, 32),
        ["g", *"13", "enter", "i", "down", "enter", *"NoSeats: none left", "enter", "end", "enter"],
    ),
}


async def settled(app: Debugger, pilot: Pilot[None]) -> None:
    """Wait until nothing is being worked out."""
    await pilot.pause(0.05)
    while any(status.is_busy for status in app.screen.query(Status)):
        await pilot.pause(0.02)
    await pilot.pause(0.05)


async def picture(history: str, workflows: str, size: tuple[int, int], keys: Sequence[str]) -> str:
    """One picture, as SVG."""
    code = Code(Configuration(code=CodeNames(workflows=(workflows,))))
    path = Path("fixtures") / "temporal" / history
    app = Debugger([Target(item, code) for item in from_files([path])])
    async with app.run_test(size=size) as pilot:
        await settled(app, pilot)
        for key in keys:
            await pilot.press({" ": "space", ".": "full_stop", ":": "colon"}.get(key, key))
            await settled(app, pilot)
        drawn = app.export_screenshot(title=f"playhead debug {path} --workflows {workflows}")
    return _FONTS.sub("", drawn)  # whoever looks at the README is not to fetch anything from elsewhere


def main() -> None:
    """Make all of them."""
    os.chdir(ROOT)
    os.environ.pop("NO_COLOR", None)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as nobody:  # without anybody's own keys and breakpoints
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            os.environ[name] = nobody
        for name, scene in SCENES.items():
            (PICTURES / f"{name}.svg").write_text(asyncio.run(picture(*scene)))
            print(f"docs/pictures/{name}.svg")


if __name__ == "__main__":
    main()
