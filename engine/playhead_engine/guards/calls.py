"""The functions of the standard library that workflow code must not call, and the guards around them.

A guard replaces the function where it lives, once and for the whole process, and passes everything through as long as
no workflow code runs on the thread. Modules that got hold of a function before that (`from time import time`) are seen
to by `rebinding`. Classes written in C are changed in place: a stand-in for `datetime` in the user's modules would be
another type than the one that type hints, `type(value) is datetime` and pickles mean, and would miss every other way to
get at it.

Nothing here happens on import: a process that runs no workflow keeps its standard library as it is.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from playhead_engine.guards.presence import here
from playhead_engine.guards.refusal import ANOTHER_ANSWER, STARTING_A_THREAD, STOPS_THE_WORKER, Rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import ModuleType

_TIME = {
    "time": "use workflow.time()",
    "time_ns": "use workflow.time_ns()",
    "monotonic": "use workflow.time()",
    "monotonic_ns": "use workflow.time_ns()",
    "perf_counter": "use workflow.time()",
    "perf_counter_ns": "use workflow.time_ns()",
    "process_time": "use workflow.time()",
    "process_time_ns": "use workflow.time_ns()",
    "thread_time": "use workflow.time()",
    "thread_time_ns": "use workflow.time_ns()",
    "clock_gettime": "use workflow.time()",
    "clock_gettime_ns": "use workflow.time_ns()",
}
_TIME_UNLESS_GIVEN = {"localtime": 1, "gmtime": 1, "ctime": 1, "asctime": 1, "strftime": 2}
"""These ask the clock if they are called with fewer arguments."""

_ALWAYS = sys.maxsize

Replaced = dict[Any, Any]
"""Callables that were replaced, by equality, each with the one that stands there now."""


class Guard:
    """Stands where a function stood: refuses workflow code, and is the function to everybody else.

    Not a function itself, for it must not turn into a method where a class says `clock = time.monotonic`.
    """

    def __init__(self, original: Callable[..., Any], module: str, name: str, rule: Rule, unless_given: int) -> None:
        functools.update_wrapper(self, original)
        self.__module__ = module
        self.__qualname__ = name
        self._original = original
        self._rule = rule
        self._unless_given = unless_given

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if here.workflow is not None and len(args) < self._unless_given:
            self._rule.enforce(sys._getframe(1))
        return self._original(*args, **kwargs)

    def __reduce__(self) -> str:
        return self.__qualname__  # pickled by name, as the function was

    def __repr__(self) -> str:
        return f"<guarded {self._original!r}>"


def guard_standard_library() -> Replaced:
    """Put guards wherever there are none.

    Returns:
        What was replaced by this call; empty as a rule if it is not the first.
    """
    import _thread
    import os
    import random
    import threading
    import time
    import uuid

    _let_time_machine_look_first()
    replaced: Replaced = {}

    def guard(module: ModuleType, name: str, rule: Rule, unless_given: int = _ALWAYS) -> None:
        original = getattr(module, name, None)
        if original is not None and not isinstance(original, Guard):
            replaced[original] = Guard(original, module.__name__, name, rule, unless_given)
            setattr(module, name, replaced[original])

    for name, instead in _TIME.items():
        guard(time, name, Rule(f"time.{name}()", ANOTHER_ANSWER, instead, is_source=True))
    for name, given in _TIME_UNLESS_GIVEN.items():
        guard(time, name, Rule(f"time.{name}()", ANOTHER_ANSWER, "use workflow.now()"), given)
    guard(time, "sleep", Rule("time.sleep()", STOPS_THE_WORKER, "use await workflow.sleep()", through_libraries=True))

    if sys.version_info < (3, 12):  # later ones announce it to audit hooks
        guard(_thread, "start_new_thread", STARTING_A_THREAD)
        setattr(threading, "_start_new_thread", _thread.start_new_thread)  # noqa: B010 - it is private

    shared = vars(random)["_inst"]
    for name, function in list(vars(random).items()):
        if getattr(function, "__self__", None) is shared:
            method = "" if name in {"seed", "getstate", "setstate"} else f".{name}()"
            guard(random, name, Rule(f"random.{name}()", ANOTHER_ANSWER, f"use workflow.random(){method}"))
    _guard_unseeded(random.Random)

    for name in ("urandom", "getrandom"):
        guard(os, name, Rule(f"os.{name}()", ANOTHER_ANSWER, "use workflow.random().randbytes()", is_source=True))
    setattr(random, "_urandom", os.urandom)  # noqa: B010 - private; what SystemRandom, and with it `secrets`, draws on
    guard(uuid, "uuid1", Rule("uuid.uuid1()", ANOTHER_ANSWER, "use workflow.uuid4()"))  # the others need `os.urandom`

    datetime_class, date_class = _real_datetime_classes()
    for name in ("now", "utcnow"):
        replaced |= _guard_class_method(datetime_class, name)
    return replaced | _guard_class_method(date_class, "today")


def _let_time_machine_look_first() -> None:
    """Import time-machine's C half, if it is installed.

    When it is imported it takes what it finds as `time.time` for a function written in C without looking; finding a
    guard there it crashes the process.
    """
    from importlib import import_module
    from importlib.util import find_spec

    if "_time_machine" not in sys.modules and find_spec("_time_machine") is not None:
        import_module("_time_machine")


def _guard_unseeded(random_class: Any) -> None:
    """`random.Random()` takes its seed from the system; with a seed it is as good in a workflow as anywhere."""
    original = random_class.seed
    if hasattr(original, "__wrapped__"):
        return
    rule = Rule("random.Random() without a seed", ANOTHER_ANSWER, "use workflow.random()")

    @functools.wraps(original)
    def seed(self: Any, a: Any = None, version: int = 2) -> None:
        if a is None and here.workflow is not None:
            rule.enforce(sys._getframe(1))
        original(self, a, version)

    random_class.seed = seed


def _real_datetime_classes() -> tuple[type, type]:
    """`datetime` and `date` themselves, although a test may have put a fake in their place, which derives from them."""
    import datetime

    classes = {cls.__name__: cls for cls in datetime.datetime.__mro__ if cls.__module__ == "datetime"}
    return classes["datetime"], classes["date"]


def _guard_class_method(cls: type, name: str) -> Replaced:
    original = vars(cls)[name]
    if hasattr(original, "__wrapped__"):
        return {}
    bound = original.__get__(None, cls)
    warns_its_caller = name == "utcnow" and sys.version_info >= (3, 12)

    @functools.wraps(bound)
    def guarded(owner: Any, *args: Any, **kwargs: Any) -> Any:
        if here.workflow is not None:
            instead = "use workflow.now()" if hasattr(owner, "now") else "use workflow.now().date()"
            Rule(f"{owner.__name__}.{name}()", ANOTHER_ANSWER, instead).enforce(sys._getframe(1))
        if warns_its_caller:
            return _utcnow(owner)
        return original.__get__(None, owner)(*args, **kwargs)

    _set_class_attribute(cls, name, classmethod(guarded))
    return {bound: getattr(cls, name)}


def _utcnow(owner: type[datetime]) -> datetime:
    """As the original does it, which would blame the deprecated call on the guard's file and not on the caller's."""
    import warnings
    from datetime import UTC

    warnings.warn(
        "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. Use timezone-aware "
        "objects to represent datetimes in UTC: datetime.datetime.now(datetime.UTC).",
        DeprecationWarning,
        stacklevel=3,
    )
    return owner.now(UTC).replace(tzinfo=None)


def _set_class_attribute(cls: type, name: str, value: object) -> None:
    """Set an attribute of a class, of one written in C as well.

    CPython refuses that for classes in C to keep them alike in all interpreters of a process. It is safe where the
    value behaves as the one before did; the type's caches must be told.
    """
    try:
        setattr(cls, name, value)
    except TypeError:
        import ctypes
        import gc

        # The garbage collector knows the dictionary behind the read-only view that `vars` gives.
        for namespace in gc.get_referents(vars(cls)):
            namespace[name] = value
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))
