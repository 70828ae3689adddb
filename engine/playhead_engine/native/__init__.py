"""The native runtime: workflow code written with `playhead_engine.workflow`, on a deterministic event loop of our own.

    runtime   makes an instance for each run of the classes it was given
    instance  takes activations, applies their jobs, lets the code run until everything waits
    run       what one run holds: its commands so far, what it waits for, its time, its randomness
    loop      the event loop; `operation` what is awaited on it and only a server can end
    calls     `activities`, `timers`, `children`, `external`, `nexus`, `properties`, `patches`: what code asks for
    handlers  signals, updates and queries

The order in which it runs things, and so the order of commands, is that of Temporal's Python SDK turn by turn, since
histories recorded with that SDK are replayed on it. It must not know histories, verdicts, clocks or I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playhead_engine.native.runtime import NativeRuntime

__all__ = ["NativeRuntime"]


def __getattr__(name: str) -> Any:
    if name == "NativeRuntime":
        from playhead_engine.native.runtime import NativeRuntime

        return NativeRuntime
    raise AttributeError(f"module {__name__} has no attribute {name}")
