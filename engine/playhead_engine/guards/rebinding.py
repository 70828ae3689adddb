"""Callables that the user's modules got hold of before they were guarded.

`from time import time`, `field(default_factory=datetime.now)` and `def run(clock=time.monotonic)` keep the callable
itself, wherever it came from. This module puts the guard in its place: in the globals of the user's modules, in the
attributes of their classes, and in the defaults and closures of their functions. It must not touch anything but those
callables.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from playhead_engine.guards.origin import namespace_of, user_modules

if TYPE_CHECKING:
    from playhead_engine.guards.calls import Replaced

_CALLABLES = (BuiltinFunctionType, FunctionType, MethodType)


def rebind(replaced: Replaced) -> None:
    """Put guards into the user's modules.

    Args:
        replaced: What was replaced so far, by what.
    """
    for module in user_modules():
        namespace = namespace_of(module)
        for name, value in list(namespace.items()):
            if _is_replaced(value, replaced):
                namespace[name] = replaced[value]
            elif isinstance(value, type) and value.__module__ == module.__name__:
                _rebind_class(value, replaced)
            elif type(value) is FunctionType and value.__globals__ is namespace:
                _rebind_function(value, replaced)


def _rebind_class(cls: type, replaced: Replaced) -> None:
    for name, value in list(vars(cls).items()):
        function = getattr(value, "__func__", value) if isinstance(value, (staticmethod, classmethod)) else value
        if _is_replaced(value, replaced):
            setattr(cls, name, replaced[value])
        elif type(function) is FunctionType:
            # The `__init__` that dataclasses generate keeps default factories in its closure.
            _rebind_function(function, replaced)


def _rebind_function(function: FunctionType, replaced: Replaced) -> None:
    defaults, keyword_defaults = function.__defaults__ or (), function.__kwdefaults__ or {}
    if any(_is_replaced(value, replaced) for value in defaults):
        function.__defaults__ = tuple(replaced[value] if _is_replaced(value, replaced) else value for value in defaults)
    for name, value in keyword_defaults.items():
        if _is_replaced(value, replaced):
            keyword_defaults[name] = replaced[value]
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # nothing was assigned to that variable yet
            continue
        if _is_replaced(value, replaced):
            cell.cell_contents = replaced[value]


def _is_replaced(value: Any, replaced: Replaced) -> bool:
    # By type first: asking a dictionary runs `__hash__` and `__eq__` of whatever a module may hold.
    return type(value) in _CALLABLES and value in replaced
