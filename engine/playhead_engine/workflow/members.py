"""What the decorators left on the methods of a class, and what is wrong with it.

The rules are those of Temporal's Python SDK, except that a class may be nested in another one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from playhead_engine.definitions import (
    DYNAMIC_CONFIG,
    INIT,
    QUERY,
    RUN,
    SIGNAL,
    UPDATE,
    HandlerDefinition,
    same_parameters,
)


class Members:
    """What a class has, to be made a workflow.

    Attributes:
        problems: What is wrong with it, as the ends of a sentence about it.
        run_fn: The run method.
        init_fn: `__init__`, if it takes the workflow's arguments.
        dynamic_config_fn: What configures a dynamic workflow.
        signals: Handlers by name; that of None is dynamic. Likewise `queries` and `updates`.
    """

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.problems: list[str] = []
        self.run_fn: Callable[..., Any] | None = None
        self.init_fn: Callable[..., Any] | None = None
        self.dynamic_config_fn: Callable[..., Any] | None = None
        self.signals: dict[str | None, HandlerDefinition] = {}
        self.queries: dict[str | None, HandlerDefinition] = {}
        self.updates: dict[str | None, HandlerDefinition] = {}
        self._handlers = (
            (SIGNAL, "signal", self.signals),
            (QUERY, "query", self.queries),
            (UPDATE, "update", self.updates),
        )
        for name, member in inspect.getmembers(cls):
            self._look_at(name, member)
        if self.run_fn is None and not self.problems:
            self.problems.append("it has no method decorated with @workflow.run")
        if self.init_fn and self.run_fn and not same_parameters(self.init_fn, self.run_fn):
            self.problems.append("the methods with @workflow.init and @workflow.run must take the same parameters")

    def _look_at(self, name: str, member: Any) -> None:
        if hasattr(member, RUN):
            if name not in self.cls.__dict__:
                self.problems.append(
                    f"@workflow.run method {name} must be defined on the class itself, not on a base class"
                )
            elif self.run_fn is not None:
                self.problems.append(
                    f"two methods are decorated with @workflow.run: {self.run_fn.__qualname__} and {name}"
                )
            else:
                self.run_fn = member
        elif name == "__init__" and hasattr(member, INIT):
            self.init_fn = member
        elif hasattr(member, DYNAMIC_CONFIG):
            if self.dynamic_config_fn is not None:
                self.problems.append("two methods are decorated with @workflow.dynamic_config")
            self.dynamic_config_fn = member
        for attribute, kind, handlers in self._handlers:
            definition: HandlerDefinition | None = getattr(member, attribute, None)
            if definition is None:
                continue
            if definition.name in handlers:
                self.problems.append(
                    f"two methods handle {kind} {definition.name or '<dynamic>'}: "
                    f"{handlers[definition.name].fn.__name__} and {name}"
                )
            elif definition.validator is not None and not same_parameters(definition.fn, definition.validator):
                self.problems.append(f"update {definition.name} and its validator must take the same parameters")
            else:
                handlers[definition.name] = definition

    def look_at_bases(self) -> None:
        """What a base class decorates, an override must decorate as well."""
        for base in self.cls.__mro__[1:]:
            for name, member in vars(base).items():
                override = getattr(self.cls, name, None)
                if hasattr(member, RUN) and not hasattr(override, RUN):
                    self.problems.append(f"{name} overrides a @workflow.run method of {base.__qualname__} undecorated")
                for attribute, kind, handlers in self._handlers:
                    definition: HandlerDefinition | None = getattr(member, attribute, None)
                    if definition is not None and definition.name not in handlers:
                        self.problems.append(
                            f"{name} overrides a @workflow.{kind} method of {base.__qualname__} undecorated"
                        )
