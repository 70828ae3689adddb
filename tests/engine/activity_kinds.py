"""The two ways to write an activity: ours, and that of Temporal's own SDK. What holds for one holds for the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeVar, cast, overload

import pytest
import temporalio.activity
import temporalio.common
import temporalio.exceptions

import playhead_engine.common
import playhead_engine.exceptions
from playhead_engine import activity as native_activity

_F = TypeVar("_F", bound=Callable[..., Any])


class ActivityModule(Protocol):
    """What both modules named `activity` have, as far as types care."""

    @overload
    def defn(self, fn: _F) -> _F: ...

    @overload
    def defn(
        self, *, name: str = ..., dynamic: bool = ..., no_thread_cancel_exception: bool = ...
    ) -> Callable[[_F], _F]: ...

    def raise_complete_async(self) -> NoReturn:
        """Somebody else will report the end."""

    def __getattr__(self, name: str) -> Any: ...


@dataclass(frozen=True)
class Kind:
    """One way to write an activity.

    Attributes:
        name: How it is called.
        activity: The module with `defn`, `info` and so on.
        errors: The module with the errors.
        common: The module with `RawValue` and so on.
    """

    name: str
    activity: ActivityModule
    errors: Any
    common: Any


NATIVE = Kind("native", cast(ActivityModule, native_activity), playhead_engine.exceptions, playhead_engine.common)
TEMPORAL = Kind("temporalio", cast(ActivityModule, temporalio.activity), temporalio.exceptions, temporalio.common)


@pytest.fixture(params=[NATIVE, TEMPORAL], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind in turn."""
    kind: Kind = request.param
    return kind
