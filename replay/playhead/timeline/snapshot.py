"""A snapshot: all that is captured of a run at one position.

`look` reads it off a run that stands between two activations; a recording gives the same from its tracks.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

from playhead.timeline.capture import Capture
from playhead.timeline.stacks import raised_frames, user_frames
from playhead.timeline.value import Value, same
from playhead_engine.call_site import CallSite
from playhead_engine.record import record
from playhead_engine.runtime import Completion, Inspectable, TaskFailed, Waiting


@record
class StackFrame:
    """A function of the user's that is in the middle of its code.

    Attributes:
        site: Where it is.
        locals: Its variables.
    """

    site: CallSite
    locals: dict[str, Value]


@record
class Coroutine:
    """One thing the run does beside others.

    Attributes:
        name: `run`, `signal: NAME`, `update: NAME`, what asyncio calls it; `raised ERROR` for the way of an error.
        stack: The user's functions in it, the outermost first.
    """

    name: str
    stack: tuple[StackFrame, ...]


@record
class Snapshot:
    """See the module.

    Attributes:
        attributes: Those of the workflow object.
        coroutines: All that are suspended, the run method first; before it the way of an error, if the code raised.
        waits: What the run waits for, and where it asked for it.
    """

    attributes: dict[str, Value]
    coroutines: tuple[Coroutine, ...]
    waits: tuple[Waiting, ...]

    @property
    def locals(self) -> dict[str, Value]:
        """The variables of the innermost function of the first coroutine."""
        stack = next((one.stack for one in self.coroutines if one.stack), ())
        return stack[-1].locals if stack else {}

    def variables(self) -> Iterator[tuple[str, Value]]:
        """Everything it holds by name: attributes as `self.NAME`, locals as `FUNCTION.NAME`.

        Locals of other coroutines than the first have the coroutine's name before them.
        """
        for name, value in self.attributes.items():
            yield f"self.{name}", value
        for number, coroutine in enumerate(self.coroutines):
            prefix = "" if number == 0 else f"[{coroutine.name}] "
            for frame in coroutine.stack:
                function = frame.site.function.rpartition(".")[2]
                for name, value in frame.locals.items():
                    yield f"{prefix}{function}.{name}", value


class Difference:
    """A variable that is not the same in two snapshots.

    Attributes:
        name: `self.total`, `run.order`, `run.order.items[2]`: as far down as the difference can be followed.
        before: What it was; None if it was not there.
        after: What it is.
    """

    __slots__ = ("after", "before", "name")

    def __init__(self, name: str, before: Value | None, after: Value | None) -> None:
        self.name = name
        self.before = before
        self.after = after

    def __str__(self) -> str:
        before = self.before.text() if self.before is not None else "(not there)"
        after = self.after.text() if self.after is not None else "(gone)"
        return f"{self.name}: {before} -> {after}"

    __repr__ = __str__


def differences(one: Snapshot, other: Snapshot) -> list[Difference]:
    """What differs between two snapshots, in the order of the second."""
    return list(_between(dict(one.variables()), dict(other.variables())))


def _between(before: dict[str, Value], after: dict[str, Value]) -> Iterator[Difference]:
    for name in [*after, *(name for name in before if name not in after)]:
        yield from _differences(name, before.get(name), after.get(name))


def _differences(name: str, before: Value | None, after: Value | None) -> Iterator[Difference]:
    if same(before, after):
        return
    if (
        before is None
        or after is None
        or before.kind != after.kind
        or before.type != after.type
        or before.kind not in ("object", "dict", "list")
        or (before.kind == "list" and before.size != after.size)
    ):
        yield Difference(name, before, after)
        return
    joint = "." if before.kind == "object" else ""
    deeper = _between(
        {f"{name}{joint}{child}": part for child, part in before.children()},
        {f"{name}{joint}{child}": part for child, part in after.children()},
    )
    found = list(deeper)
    yield from found or [Difference(name, before, after)]


RawStack = list[tuple[CallSite, dict[str, Any]]]

_sites: dict[tuple[int, int], CallSite] = {}
_MOST_SITES = 10_000


def site_of(code: CodeType, instruction: int) -> CallSite:
    """The position, the same object for the same position."""
    site = _sites.get((id(code), instruction))
    if site is None:
        if len(_sites) >= _MOST_SITES:
            _sites.clear()
        site = _sites[id(code), instruction] = CallSite(code, instruction)
    return site


def variables_of(frame: FrameType, workflow_object: Any) -> dict[str, Any]:
    """The variables of a frame, not captured yet; without the workflow object, whose attributes are told apart."""
    return {name: value for name, value in frame.f_locals.items() if value is not workflow_object}


def stacks(instance: Inspectable, completion: Completion | None) -> Iterator[tuple[str, int, RawStack]]:
    """The coroutines of a run, and the way of the error if its code raised: the name, an identity, the stack."""
    workflow_object = instance.workflow_object
    if isinstance(completion, TaskFailed):
        error = completion.error
        way = raised_frames(error.__traceback__)
        if way:
            stack = [(site_of(frame.f_code, at), variables_of(frame, workflow_object)) for frame, at in way]
            yield f"raised {type(error).__name__}", id(error), stack
    for suspended in instance.coroutines():
        stack = [
            (site_of(frame.f_code, frame.f_lasti), variables_of(frame, workflow_object))
            for frame in user_frames(suspended.coroutine)
        ]
        if stack:  # else it is one of the SDK's own
            yield suspended.name, id(suspended.coroutine), stack


def look(instance: Inspectable, completion: Completion | None, capture: Capture) -> Snapshot:
    """Capture a run as it stands."""
    return Snapshot(
        captured(capture.attributes(instance.workflow_object), capture),
        tuple(
            Coroutine(name, tuple(StackFrame(site, captured(variables, capture)) for site, variables in stack))
            for name, _, stack in stacks(instance, completion)
        ),
        tuple(instance.pending()),
    )


def captured(variables: dict[str, Any], capture: Capture) -> dict[str, Value]:
    """Variables by name."""
    return {name: capture.of(value) for name, value in variables.items()}
