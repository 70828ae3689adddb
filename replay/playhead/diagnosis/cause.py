"""What a difference may come from, as data.

A cause says how sure it is and what it rests on. Where nothing is known there is no cause: reports then say the plain
facts of the rows, and nobody is told a guess as if it were known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from playhead_engine.call_site import CallSite

if TYPE_CHECKING:
    from playhead.diagnosis.alignment import Alignment
    from playhead.diagnosis.source import Source
    from playhead.diagnosis.suspects import Suspect
    from playhead_engine.history import History


class Confidence(StrEnum):
    """How sure a cause is."""

    CERTAIN = "certain"  # it follows from the rows, or was computed
    LIKELY = "likely"  # the source shows something that would do it
    POSSIBLE = "possible"  # the source shows something that may do it


@dataclass(frozen=True, slots=True)
class Cause:
    """Why some rows differ.

    Attributes:
        text: One sentence.
        confidence: How sure it is.
        evidence: What it rests on, a short sentence each.
        rows: Numbers of the rows that it explains, from 0.
        file: The file it speaks of; empty if it speaks of none.
        line: The line in it, 0 if it speaks of none.
        suspect: The piece of source that is another thing on every replay, where that is the cause.
        words: How many words of the run's random numbers are drawn more than were, where that is the cause.
    """

    text: str
    confidence: Confidence
    evidence: tuple[str, ...]
    rows: tuple[int, ...]
    file: str = ""
    line: int = 0
    suspect: Suspect | None = None
    words: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """All that a cause can be found from.

    Attributes:
        history: What was recorded.
        alignment: Both sides.
        source: The module of the workflow class, where it can be read.
        waits: What the code waits for where it stopped: in words, and the line that waits.
        seed: Where the run's random numbers come from.
    """

    history: History
    alignment: Alignment
    source: Source | None
    waits: tuple[tuple[str, CallSite | None], ...]
    seed: int
