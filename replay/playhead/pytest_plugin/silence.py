"""Silence of those who run workflow code, while histories are replayed.

What keeps code from going on, and what it forgets to look at, they log as they would in production. In a test it is
told in the report, in words, or was told when the run was made.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

_LOGGERS: Final = ("playhead_engine", "temporalio")


@contextmanager
def silenced() -> Generator[None]:
    """Nothing that the engine or the SDK logs is heard."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
