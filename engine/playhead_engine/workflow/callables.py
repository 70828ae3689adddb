"""Objects that can be called, for the types of activities that are classes with `__call__`."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

_P_contra = TypeVar("_P_contra", contravariant=True)
_R_co = TypeVar("_R_co", covariant=True)


class TakesNothing(Protocol[_R_co]):
    """Called without arguments."""

    def __call__(self) -> _R_co:
        """Call it."""
        ...


class TakesOne(Protocol[_P_contra, _R_co]):
    """Called with one argument."""

    def __call__(self, arg: _P_contra, /) -> _R_co:
        """Call it."""
        ...


class TakesAny(Protocol[_R_co]):
    """Called with any arguments."""

    def __call__(self, *args: Any, **kwargs: Any) -> _R_co:
        """Call it."""
        ...
