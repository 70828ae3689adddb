"""Keeps Python's cyclic garbage collector from walking a large run again and again, while somebody waits for a key.

There are millions of objects in the longest runs, all of them there to stay, and hardly a cycle; going through them
takes most of a second each time.
"""

from __future__ import annotations

import gc
from typing import Final

from playhead_tui.model.run import Run

_LARGE: Final = 10_000
"""Events from which on it is felt."""


def spare_collector(run: Run) -> None:
    """Take everything that there is now for there to stay. What a replay before left behind may go first."""
    if len(run) >= _LARGE:
        gc.unfreeze()
        gc.freeze()
