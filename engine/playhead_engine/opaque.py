"""Stand-ins for values that cannot be read here: encrypted ones, most of all, where the key is elsewhere.

Most workflow code hands most of its values on without a look at them. So a value that no converter can read is stood in
for by an `Opaque`: it can be kept, passed on, awaited past, and have attributes and items taken, which are stand-ins in
turn. Whatever needs the value itself (whether it is true, what it equals, its text, its length, its type) ends the
replay there, since nobody knows how the code goes on; `StandIns` notes the first place that did.

What ends it is a `LookedInside`, which `except Exception` does not catch and no runtime makes a failure of. Code that
catches it all the same gains nothing: the place is noted, and the replayer looks there first.

This module knows neither histories nor converters; `payload` and `reason` come from those who could not read a value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from types import FrameType, TracebackType
from typing import Any, Final, NoReturn, Self, TypeVar, cast

from playhead_engine.call_site import CallSite, is_library
from playhead_engine.record import record

_T = TypeVar("_T")

STANDARD_ENCODINGS: Final = frozenset(
    {b"json/plain", b"json/protobuf", b"binary/null", b"binary/plain", b"binary/protobuf"}
)
"""Encodings that every SDK reads. What cannot be read in one of these is damaged, and not encrypted."""


class LookedInside(KeyboardInterrupt):
    """The code needs a value that nobody could read.

    A KeyboardInterrupt, since asyncio lets those through at once, where it would keep another exception as the result
    of one task and go on with the others.
    """


class UnreadableValue(TypeError):
    """A stand-in was asked for its value by something that is not the code of a workflow task."""


@record
class Unread:
    """A value that could not be read.

    Attributes:
        payload: It as it was: with `metadata`, a mapping of bytes, and `data`.
        reason: Why a codec could not decode it; empty if no codec tried.
    """

    payload: Any
    reason: str

    @property
    def encoding(self) -> str:
        """How it is encoded, by its own account; empty if it does not say."""
        return bytes(self.payload.metadata.get("encoding", b"")).decode(errors="replace")


@record
class Look:
    """Somebody looked inside.

    Attributes:
        value: The value.
        path: What was taken from it before: `.items[0]`; empty for the value itself.
        use: What was done with it, as the rest of a sentence that begins with "the code"; `{}` stands for it.
        site: The line of the user's that did it; None if no line of the user's was running.
    """

    value: Unread
    path: str
    use: str
    site: CallSite | None


class StandIns:
    """All stand-ins of one replay.

    Attributes:
        given: The values that were stood in for, in the order in which the code was given them.
        look: The first look inside that the code took; None while it took none.
    """

    def __init__(self) -> None:
        self.given: list[Unread] = []
        self.look: Look | None = None
        self._reasons: dict[bytes, str] = {}
        self._is_watching = False

    def watch(self, step: Callable[[], _T]) -> _T:
        """Let workflow code run; what it looks into is noted, and ends it.

        Args:
            step: Runs it.

        Returns:
            What `step` returns.

        Raises:
            LookedInside: It looked.
        """
        self._is_watching = True
        try:
            return step()
        finally:
            self._is_watching = False

    @contextmanager
    def converting(self) -> Generator[None]:
        """A converter runs in this block: it must not find a value in a stand-in, but that is no doing of the code."""
        was_watching, self._is_watching = self._is_watching, False
        try:
            yield
        finally:
            self._is_watching = was_watching

    def stand_in(self, payload: Any) -> Opaque:
        """What the code is given for a payload that cannot be read."""
        value = Unread(payload, self._reasons.get(payload.data, ""))
        self.given.append(value)
        return Opaque(_Inside(self, value, "", {}))

    def not_decoded(self, payload: Any, error: Exception) -> None:
        """A codec could not decode a payload."""
        self._reasons[payload.data] = f"{type(error).__name__}: {error}".removesuffix(": ")

    def came_encoded(self, payload: Any) -> bool:
        """Whether a payload is that of a value that was stood in for: it left a codec already."""
        return any(one.payload.data == payload.data for one in self.given)

    def looked(self, inside: _Inside, use: str) -> NoReturn:
        """Somebody wants the value.

        Raises:
            LookedInside: Workflow code does.
            UnreadableValue: Somebody else does.
        """
        if not self._is_watching:
            raise UnreadableValue(f"{inside} cannot be read here")
        if self.look is None:
            self.look = Look(inside.value, inside.path, use, _user_line(sys._getframe(1)))
        raise LookedInside(f"the code {use.replace('{}', str(inside))}, which cannot be read here")

    def blame(self, error: BaseException) -> None:
        """Take an error of the code for a look, if it comes of a stand-in where something else was expected.

        Functions written in C look at the type of what they are given without asking the object, and say so: "expected
        str instance, Opaque found". A library may say it in words of its own.
        """
        cause: BaseException | None = error
        while self.given and self.look is None and cause is not None:
            held = _given_to_library(cause)
            if held is None and Opaque.__name__ in str(cause):
                held = next(_held_on_the_way(cause.__traceback__), None)
                held = Opaque(_Inside(self, self.given[-1], "", {})) if held is None else held
            if held is None:
                cause = cause.__cause__
                continue
            inside = _inside_of(held)
            use = f"gives {{}} to something that raises {type(cause).__name__}: {cause}".partition("\n")[0]
            frames = _frames(cause.__traceback__)
            if frames and _SDK in frames[-1].f_code.co_filename.replace("\\", "/"):
                use = _ASKS  # a field of the message that the command becomes
            self.look = Look(inside.value, inside.path, use, _raising_line(cause.__traceback__))

    def blame_request(self, request: Any, site: CallSite | None) -> None:
        """Take something that the code asks for for a look, if it is to say a value that nobody knows.

        Args:
            request: What it asks for: any nesting of records, mappings and lists.
            site: The line that asks.
        """
        held = next(_within(request), None) if self.given and self.look is None else None
        if held is not None:
            inside = _inside_of(held)
            self.look = Look(inside.value, inside.path, _ASKS, site)


@record
class _Inside:
    """What is known of a stand-in.

    Attributes:
        stand_ins: Those of its replay.
        value: The value it stands for, or for a part of.
        path: Which part.
        set: Attributes (`.name`) and items (`[key]`) that the code has set or taken.
    """

    stand_ins: StandIns
    value: Unread
    path: str
    set: dict[str, Any]

    def part(self, step: str) -> Any:
        """An attribute or an item: a stand-in, unless the code has set it. The same one each time."""
        if step not in self.set:
            self.set[step] = Opaque(_Inside(self.stand_ins, self.value, self.path + step, {}))
        return self.set[step]

    def __str__(self) -> str:
        return f"<a value in {self.value.encoding or 'an unknown encoding'}>{self.path}"


class Opaque:
    """Stands for a value that cannot be read. See the module."""

    __slots__ = ("__inside", "__weakref__")

    def __init__(self, inside: _Inside) -> None:
        object.__setattr__(self, "_Opaque__inside", inside)

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Asked by `isinstance` and class patterns, once they have seen that it is none of their own."""
        if _asks_for_itself(sys._getframe(1)):
            inside = _inside_of(self)
            inside.stand_ins.looked(inside, "asks of which type {} is")
        return Opaque

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # a protocol that somebody tries, not something of the value's
        return _inside_of(self).part(f".{name}")

    def __setattr__(self, name: str, value: Any) -> None:
        _inside_of(self).set[f".{name}"] = value

    def __getitem__(self, key: Any) -> Any:
        return _inside_of(self).part(f"[{key!r}]")

    def __setitem__(self, key: Any, value: Any) -> None:
        _inside_of(self).set[f"[{key!r}]"] = value

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: Any) -> Self:
        return self

    def __repr__(self) -> str:
        inside = _inside_of(self)
        if inside.stand_ins._is_watching and _asks_for_itself(sys._getframe(1)):
            inside.stand_ins.looked(inside, "makes text of {}")
        return str(inside)

    def __bool__(self) -> bool:
        inside = _inside_of(self)
        if not _is_displayed(sys._getframe(1)):
            inside.stand_ins.looked(inside, "asks whether {} is true")
        return True  # as a log wants to know of its arguments

    def __str__(self) -> str:
        return _text(self)

    def __format__(self, _spec: str) -> str:
        return _text(self)


def is_stand_in(value: object) -> bool:
    """Whether a value is a stand-in; asking it does not count as a look."""
    return type(value) is Opaque


def unread_of(value: Any) -> Unread | None:
    """What a stand-in stands for as a whole; None for a part of it, and for one that the code has changed."""
    inside = _inside_of(value)
    is_changed = any(not is_stand_in(part) for part in inside.set.values())
    return None if inside.path or is_changed else inside.value


def part_of(value: Any, step: str) -> Any:
    """A part of a stand-in, as the code would take it.

    Args:
        value: The stand-in.
        step: `.name` or `[key]`.
    """
    return _inside_of(value).part(step)


# Converting


def read(
    payloads: Sequence[Any],
    hints: Sequence[Any] | None,
    convert: Callable[[Sequence[Any], Any], list[Any]],
    known: Iterable[bytes],
    stand_ins: StandIns,
) -> list[Any]:
    """The values of payloads, with stand-ins for those that the user's converter cannot read.

    Args:
        payloads: The payloads.
        hints: The types that are wanted.
        convert: The user's converter.
        known: Encodings that it says it reads, if it does say so.
        stand_ins: Those of this replay.

    Raises:
        Exception: A payload in an encoding that is known cannot be converted.
    """
    try:
        return convert(payloads, hints)
    except Exception:
        if not any(is_foreign(payload, known) for payload in payloads):
            raise
    values: list[Any] = []
    for index, payload in enumerate(payloads):
        try:
            values += convert([payload], None if hints is None else [hints[index]])
        except Exception:
            if not is_foreign(payload, known):
                raise
            values.append(stand_ins.stand_in(payload))
    return values


def write(
    values: Sequence[Any],
    convert: Callable[[Sequence[Any]], list[Any]],
    stand_ins: StandIns,
) -> list[Any]:
    """Values as payloads: a stand-in as the very payload it came from.

    What holds stand-ins, or is a part of one, cannot be encoded. Nothing compares what code hands on, so words are put
    in its place, for those who read what the code would do next.

    Raises:
        Exception: A value cannot be converted, and that is no fault of a stand-in.
    """
    if not any(map(is_stand_in, values)):
        try:
            with stand_ins.converting():
                return convert(values)
        except Exception as error:
            if not stand_ins.given or not _names_stand_in(error):
                raise
    payloads: list[Any] = []
    for value in values:
        unread = unread_of(value) if is_stand_in(value) else None
        if unread is not None:
            payloads.append(unread.payload)
            continue
        try:
            with stand_ins.converting():
                payloads += convert([str(_inside_of(value)) if is_stand_in(value) else value])
        except Exception as error:
            if not _names_stand_in(error):
                raise
            payloads += convert([f"<a {type(value).__name__} with values in it that cannot be read here>"])
    return payloads


def is_foreign(payload: Any, known: Iterable[bytes]) -> bool:
    """Whether a payload is in an encoding that nobody here says they read."""
    encoding = payload.metadata.get("encoding", b"")
    return encoding not in STANDARD_ENCODINGS and encoding not in known


def _names_stand_in(error: BaseException) -> bool:
    shown: BaseException | None = error
    while shown is not None:
        if isinstance(shown, UnreadableValue) or Opaque.__name__ in str(shown):
            return True
        shown = shown.__cause__ or shown.__context__
    return False


# Looking


_inside_of: Final[Callable[[Any], _Inside]] = Opaque.__dict__["_Opaque__inside"].__get__


def _text(opaque: Opaque) -> str:
    inside = _inside_of(opaque)
    if inside.stand_ins._is_watching and not _is_displayed(sys._getframe(2)):
        inside.stand_ins.looked(inside, "makes text of {}")
    return str(inside)


def _looking(use: str) -> Callable[..., Any]:
    def look(self: Opaque, *_others: Any, **_named: Any) -> NoReturn:
        inside = _inside_of(self)
        inside.stand_ins.looked(inside, use)

    return look


_ASKS = "asks for something that has to say {}"
_OPERATORS = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift"
_USES: Final[Mapping[str, str]] = {
    "compares {}": "eq ne lt le gt ge",
    "hashes {}": "hash",
    "asks how long {} is": "len",
    "iterates over {}": "iter next reversed aiter anext",
    "asks what is in {}": "contains",
    "calls {}": "call",
    "awaits {}": "await",
    "enters {}": "enter aenter",
    "deletes something of {}": "delattr delitem",
    "makes bytes of {}": "bytes fspath reduce_ex",
    "takes {} for a number": "int float complex index round trunc floor ceil neg pos abs invert",
    "calculates with {}": _OPERATORS + "".join(f" r{name} i{name}" for name in _OPERATORS.split()) + " divmod rdivmod",
}
for _use, _names in _USES.items():
    for _name in _names.split():
        setattr(Opaque, f"__{_name}__", _looking(_use))
cast(Any, Mapping).register(Opaque)  # so that `case {"key": ...}` asks it how long it is, instead of passing it by

_EDGE: Final = StandIns.watch.__code__
_SDK: Final = "/site-packages/temporalio/"
_INSTALLED: Final = ("/site-packages/", "/dist-packages/")
_ASK_FOR_OTHERS: Final = ("abc.py", "typing.py", "functools.py", "<frozen abc>", "<frozen functools>", "<string>")
_DISPLAY: Final = ("/logging/__init__.py", "/traceback.py", "/reprlib.py", "/pdb.py", "/bdb.py")


def _is_of_library(file: str) -> bool:
    return is_library(file) or file.startswith("<") or any(part in file.replace("\\", "/") for part in _INSTALLED)


def _asks_for_itself(frame: FrameType | None) -> bool:
    """Whether user code asks, and not a library that goes through whatever it is given."""
    while frame is not None and frame.f_code.co_filename.endswith(_ASK_FOR_OTHERS):
        frame = frame.f_back
    return frame is not None and not _is_of_library(frame.f_code.co_filename)


def _is_displayed(frame: FrameType | None) -> bool:
    """Whether the text is for people: a log or a debugger shows it, and the code goes on all the same."""
    while frame is not None and _is_of_library(frame.f_code.co_filename):
        if frame.f_code.co_filename.replace("\\", "/").endswith(_DISPLAY):
            return True
        frame = frame.f_back
    return False


def _user_line(frame: FrameType | None) -> CallSite | None:
    """The innermost line that is not a library's; of libraries that are installed only if there is no other."""
    second: CallSite | None = None
    while frame is not None and frame.f_code is not _EDGE:
        file = frame.f_code.co_filename.replace("\\", "/")
        if not is_library(file) and not file.startswith("<"):
            if not any(part in file for part in _INSTALLED):
                return CallSite(frame.f_code, frame.f_lasti)
            if second is None and _SDK not in file:
                second = CallSite(frame.f_code, frame.f_lasti)
        frame = frame.f_back
    return second


def _raising_line(trace: TracebackType | None) -> CallSite | None:
    """The same in the traceback of an error."""
    site: CallSite | None = None
    while trace is not None:
        if not _is_of_library(trace.tb_frame.f_code.co_filename):
            site = CallSite(trace.tb_frame.f_code, trace.tb_lasti)
        trace = trace.tb_next
    return site


def _given_to_library(error: BaseException) -> Any | None:
    """A stand-in that was given to the function that raised, if that is a library's and did not expect its type."""
    if not isinstance(error, TypeError | AttributeError):
        return None
    frames = _frames(error.__traceback__)
    if not frames or not _is_of_library(frames[-1].f_code.co_filename):
        return None
    return next((held for value in frames[-1].f_locals.values() for held in _held_by(value)), None)


def _held_on_the_way(trace: TracebackType | None) -> Iterator[Any]:
    """Stand-ins in the variables of the functions that an error went through, the innermost first."""
    for frame in reversed(_frames(trace)):
        yield from (value for value in frame.f_locals.values() if is_stand_in(value))


def _held_by(value: Any) -> Iterator[Any]:
    """A value that is a stand-in, or the stand-ins among its attributes."""
    if is_stand_in(value):
        yield value
    else:
        yield from (held for held in getattr(value, "__dict__", {}).values() if is_stand_in(held))


def _within(request: Any) -> Iterator[Any]:
    if is_stand_in(request):
        yield request
    elif isinstance(request, Mapping):
        for value in request.values():
            yield from _within(value)
    elif isinstance(request, list | tuple):
        for value in request:
            yield from _within(value)
    elif is_dataclass(request) and not isinstance(request, type | CallSite):
        for field in fields(request):
            yield from _within(getattr(request, field.name))


def _frames(trace: TracebackType | None) -> list[FrameType]:
    frames: list[FrameType] = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    return frames
