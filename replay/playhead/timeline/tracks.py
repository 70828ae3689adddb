"""Tracks: values over the course of a run, each kept only where it changed.

Positions are numbers of frames. A track is written from the beginning to the end, once; what was written last for a
position counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from playhead.timeline.capture import Capture
from playhead.timeline.value import Value

_T = TypeVar("_T")


class Track(Generic[_T]):
    """One thing over time; None where there is none."""

    __slots__ = ("_positions", "_values")

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._values: list[_T | None] = []

    @property
    def last(self) -> _T | None:
        """As it was written last."""
        return self._values[-1] if self._values else None

    def note(self, position: int, value: _T | None) -> None:
        """From a position on, it is this."""
        if self._values and self._values[-1] is value:
            return
        if self._positions and self._positions[-1] == position:
            self._values[-1] = value
        else:
            self._positions.append(position)
            self._values.append(value)

    def at(self, position: int) -> _T | None:
        """As it was there."""
        index = bisect_right(self._positions, position)
        return self._values[index - 1] if index else None

    def changed_at(self, position: int) -> bool:
        """Whether it was written there."""
        index = bisect_right(self._positions, position)
        return index > 0 and self._positions[index - 1] == position

    def __iter__(self) -> Iterator[tuple[int, _T | None]]:
        """Where it changed, and to what."""
        return zip(self._positions, self._values, strict=True)


class Scope:
    """The variables of one function, or the attributes of one object."""

    __slots__ = ("_here", "tracks")

    def __init__(self) -> None:
        self.tracks: dict[str, Track[Value]] = {}
        self._here = 0

    def note(self, position: int, variables: Mapping[str, Any], capture: Capture) -> None:
        """Capture what the variables hold at a position; those that are not among them are gone."""
        tracks = self.tracks
        here = 0
        for name, value in variables.items():
            track = tracks.get(name)
            if track is None:
                track = tracks[name] = Track()
            track.note(position, capture.of(value, track.last))
            here += 1
        if here < self._here or here < len(tracks):
            for name, track in tracks.items():
                if name not in variables:
                    track.note(position, None)
        self._here = here

    def at(self, position: int) -> dict[str, Value]:
        """The variables there were, and what they held."""
        found: dict[str, Value] = {}
        for name, track in self.tracks.items():
            value = track.at(position)
            if value is not None:
                found[name] = value
        return found

    def changed_at(self, position: int) -> dict[str, Value]:
        """The variables that came to hold something else there."""
        found: dict[str, Value] = {}
        for name, track in self.tracks.items():
            value = track.at(position) if track.changed_at(position) else None
            if value is not None:
                found[name] = value
        return found
