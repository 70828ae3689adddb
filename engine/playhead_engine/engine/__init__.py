"""The engine: runs workflows in memory or on disk, on a virtual or the real clock.

`Engine` is all there is to it for users; `core` says how it is made.
"""

from __future__ import annotations

from playhead_engine.engine.engine import Engine

__all__ = ["Engine"]
