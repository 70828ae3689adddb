"""Playhead's engine: histories, the workflow API, runtimes, a server and its stores.

Everything public is reached from here, and imported when it is first asked for: `from playhead_engine import workflow`
loads no engine, and `from playhead_engine import History` no workflow API.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playhead_engine import activity, common, converter, exceptions, workflow
    from playhead_engine.engine import Engine
    from playhead_engine.history import History
    from playhead_engine.native import NativeRuntime

__all__ = ["Engine", "History", "NativeRuntime", "activity", "common", "converter", "exceptions", "workflow"]

_CLASSES = {
    "Engine": "playhead_engine.engine",
    "History": "playhead_engine.history",
    "NativeRuntime": "playhead_engine.native",
}


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        value = getattr(import_module(_CLASSES[name]), name)
    elif name in __all__:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
