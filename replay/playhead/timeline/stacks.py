"""Where a suspended coroutine is: the user's frames in it, from the outermost to the innermost.

A coroutine knows what it awaits, so the chain can be walked without running anything. What asyncio and the SDKs put in
between is passed over, and so are the wrappers that C code puts around coroutines and asynchronous generators.
"""

from __future__ import annotations

import gc
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType, TracebackType
from typing import Any

from playhead_engine.call_site import library_files

_LONGEST_CHAIN = 500
_WRAPPERS = frozenset({"async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "anext_awaitable"})


def is_users(filename: str) -> bool:
    """Whether a file is one that the user wants to see: not Python's, not this package's, not an SDK's."""
    return not library_files[filename] and filename != "<string>"


def user_frames(coroutine: Any) -> list[FrameType]:
    """The user's frames of a suspended coroutine, the outermost first."""
    found: list[FrameType] = []
    for _ in range(_LONGEST_CHAIN):
        frame: FrameType | None
        if type(coroutine) is CoroutineType:
            frame, awaited = coroutine.cr_frame, coroutine.cr_await
        elif type(coroutine) is GeneratorType:
            frame, awaited = coroutine.gi_frame, coroutine.gi_yieldfrom
        elif type(coroutine) is AsyncGeneratorType:
            frame, awaited = coroutine.ag_frame, coroutine.ag_await
        elif type(coroutine).__name__ in _WRAPPERS:
            frame, awaited = None, _wrapped(coroutine)
        else:
            break
        if frame is not None:
            filename = frame.f_code.co_filename
            if is_users(filename):
                found.append(frame)
        if awaited is None:
            break
        coroutine = awaited
    return found


def _wrapped(wrapper: Any) -> Any:
    """What is in a wrapper that has no attribute for it."""
    suspended = (CoroutineType, GeneratorType, AsyncGeneratorType)
    return next((one for one in gc.get_referents(wrapper) if type(one) in suspended), None)


def raised_frames(traceback: TracebackType | None) -> list[tuple[FrameType, int]]:
    """The user's frames that an error went through, the outermost first, each with the instruction it was at."""
    found: list[tuple[FrameType, int]] = []
    while traceback is not None:
        if is_users(traceback.tb_frame.f_code.co_filename):
            found.append((traceback.tb_frame, traceback.tb_lasti))
        traceback = traceback.tb_next
    return found
