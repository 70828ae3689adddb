"""The activities an engine has code for, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from playhead_engine.definitions import ACTIVITY, ActivityDefinition
from playhead_engine.engine.attempts import Attempt
from playhead_engine.temporal import is_temporal_activity

if TYPE_CHECKING:
    from playhead_engine.temporal.activities import TemporalActivities

MakeAttempt: TypeAlias = Callable[..., Attempt]
"""Makes an attempt at one activity; takes what `Attempt` does from the runner on."""


class Registry:
    """The activities an engine has code for."""

    def __init__(
        self, activities: Sequence[Callable[..., Any]], temporal: Callable[[], TemporalActivities] | None = None
    ) -> None:
        """Register activities.

        Args:
            activities: Functions, methods of objects, or objects with `__call__`, decorated with `@activity.defn`, ours
                or that of `temporalio`.
            temporal: Makes what activities of `temporalio` have in common, if there are any.

        Raises:
            TypeError: One can be no activity.
            ValueError: One is not decorated, or two have the same name.
        """
        self._by_name: dict[str, MakeAttempt] = {}
        self._dynamic: MakeAttempt | None = None
        self._temporal = None if temporal is None or not any(map(is_temporal_activity, activities)) else temporal()
        for activity in activities:
            self._add(activity)

    def _add(self, activity: Callable[..., Any]) -> None:
        if isinstance(activity, type) and (hasattr(activity, ACTIVITY) or is_temporal_activity(activity)):
            raise TypeError(f"register an object of class {activity.__qualname__}, not the class")
        name, make = self._temporal_code(activity) or self._native_code(activity)
        if name is None:
            if self._dynamic is not None:
                raise ValueError("there are two dynamic activities; there can be one")
            self._dynamic = make
        elif name in self._by_name:
            raise ValueError(f"there are two activities named {name!r}")
        else:
            self._by_name[name] = make

    def _native_code(self, activity: Callable[..., Any]) -> tuple[str | None, MakeAttempt]:
        definition: ActivityDefinition | None = getattr(activity, ACTIVITY, None)
        if definition is None:
            if not callable(activity):
                raise TypeError(f"an activity must be callable, got {type(activity).__name__}: {activity!r}")
            raise ValueError(f"{activity!r} is no activity: decorate it with @activity.defn")
        return definition.name, partial(Attempt, definition, activity)

    def _temporal_code(self, activity: Callable[..., Any]) -> tuple[str | None, MakeAttempt] | None:
        if self._temporal is None or not is_temporal_activity(activity):
            return None
        return self._temporal.attempts_at(activity)

    def find(self, name: str) -> MakeAttempt | None:
        """What makes attempts at an activity; None if nobody has code for it."""
        return self._by_name.get(name, self._dynamic)

    def names(self) -> list[str]:
        """The names of all activities, sorted."""
        return sorted(self._by_name)
