"""The call and await tree: what the run is in the middle of, and what each of it waits for.

A branch for each coroutine (the run method, handlers, tasks), its functions from the outermost to the innermost, and
below these what it waits for, with the event that asked for it and, since the run is over, the one that will end it.
Made from what was captured; nothing here replays. Which coroutine waits for what is not recorded, and is worked out
from the lines: what cannot be told stands by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from playhead.places import place
from playhead.timeline.recording import Recording
from playhead.timeline.snapshot import Coroutine, Snapshot
from playhead.timeline.telling import waiting_text
from playhead_engine.call_site import CallSite
from playhead_engine.record import record
from playhead_engine.runtime import Waiting
from playhead_tui.model.groups import state_text, title_text
from playhead_tui.model.ink import Ink
from playhead_tui.model.outline import Node
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run
from playhead_tui.model.spans import span_text

_MOST: Final = 500
"""How many coroutines are shown; a run may have thousands, and each looks like the next."""


def await_tree(run: Run, here: Place, state: Snapshot | None) -> list[Node]:
    """The topmost nodes of the tree.

    Args:
        run: The run.
        here: Where the playhead stands.
        state: What the run looked like there; None if that is not known.
    """
    if state is None:
        why = "without code, nothing is known of it" if run.recording is None else "the replay did not come so far"
        return [Node("", why, "dim")]
    if not state.coroutines and not state.waits:
        return [Node("", "nothing is under way: the code has come to its end", "dim")]
    waits = _Waits(run, here)
    claimed = claims(state.coroutines, state.waits)
    nodes = [
        _coroutine(coroutine, claimed.of[number], waits) for number, coroutine in enumerate(state.coroutines[:_MOST])
    ]
    left = len(state.coroutines) - _MOST
    if left > 0:
        nodes.append(Node("", f"… {left:,} more", "dim"))
    if claimed.left:
        label = "under way besides" if nodes else "under way"
        nodes.append(Node(label, "", "dim", _each(waits.node, claimed.left), is_open=True))
    if here.step:
        nodes.append(Node("", "what else waits is known between workflow tasks", "dim"))
    return nodes


@record
class Claims:
    """Which coroutine waits for what.

    Attributes:
        of: What each coroutine waits for, in the order of the coroutines.
        left: What none of them seems to wait for: it was begun, and is awaited later or never.
    """

    of: tuple[tuple[Waiting, ...], ...]
    left: tuple[Waiting, ...]


def claims(coroutines: Sequence[Coroutine], waits: Sequence[Waiting]) -> Claims:
    """Work out from the lines which coroutine waits for what.

    First a coroutine takes what was asked for on the line at which it stands. Of several at the same line each takes
    one, in the order in which they were made and asked. Then one that stands elsewhere takes what its function asked
    for before: it was begun on one line and is awaited on another.
    """
    left = list(waits)
    found: list[list[Waiting]] = [[] for _ in coroutines]
    at_line: dict[tuple[str, int], list[int]] = {}
    for number, coroutine in enumerate(coroutines):
        if coroutine.stack:
            site = coroutine.stack[-1].site
            at_line.setdefault((site.file, site.line), []).append(number)
    for (file, line), numbers in at_line.items():
        there = [wait for wait in left if any((site.file, site.line) == (file, line) for site in _stack(wait))]
        for at, wait in enumerate(there):
            found[numbers[min(at, len(numbers) - 1)]].append(wait)
        left = _without(left, there)
    for number, coroutine in enumerate(coroutines):
        if coroutine.stack and not found[number]:
            inner = coroutine.stack[-1].site
            found[number] = [wait for wait in left if any(_is_of(site, inner) for site in _stack(wait))]
            left = _without(left, found[number])
    return Claims(tuple(map(tuple, found)), tuple(left))


def _stack(wait: Waiting) -> list[CallSite]:
    return wait.site.stack() if wait.site is not None else []


def _is_of(site: CallSite, inner: CallSite) -> bool:
    """Whether a position is in the function in which another is, or in what is written in it: a lambda, a generator."""
    if site.file != inner.file:
        return False
    if site.function.startswith("<"):  # one that was made by the interpreter is known by its last name alone
        lines = [line for _, _, line in inner.code.co_lines() if line is not None]
        return min(lines, default=0) <= site.line <= max(lines, default=0)
    return f"{site.function}.".startswith(f"{inner.function}.")


def _without(waits: list[Waiting], taken: list[Waiting]) -> list[Waiting]:
    gone = set(map(id, taken))
    return [wait for wait in waits if id(wait) not in gone]


class _Waits:
    """Makes the nodes of what is waited for."""

    def __init__(self, run: Run, here: Place) -> None:
        self._run = run
        self._here = here
        self._now_ns = run.event(here.event).time_ns

    def node(self, wait: Waiting) -> Node:
        """One thing that is waited for: since when, and how it will end."""
        event_id = self._event_of(wait, self._run.recording)
        text, links = waiting_text(wait), list[Node]()
        if event_id:
            asked, group = self._run.event(event_id), self._run.groups.of(event_id)
            if group.kind == "timer":
                text = f"timer of {title_text(group)}"
            if self._now_ns > asked.time_ns:
                text += f", for {span_text(self._now_ns - asked.time_ns)}"
            links.append(Node("asked for", f"event {event_id}", "number", event_id=event_id, site=wait.site))
            if group.outcome == "open":
                links.append(Node("ends", "never, as far as it is recorded", "caution"))
            else:
                end = f"event {group.last_id}, {state_text(group.outcome)}"
                links.append(Node("ends", end, "number", event_id=group.last_id))
        if wait.site is not None:
            links.append(Node("asked at", f"{place(wait.site)} in {wait.site.function}", "function", site=wait.site))
        parts = (lambda: links) if links else None
        return Node("waits for", text, "await", parts, event_id=event_id, site=wait.site)

    def _event_of(self, wait: Waiting, recording: Recording | None) -> int:
        """The event that records that it was asked for; 0 if it is not in the history."""
        event_id = recording.asked.get((wait.kind, wait.seq), 0) if recording is not None else 0
        return event_id if event_id in self._run.groups else 0


def _coroutine(coroutine: Coroutine, waits: Sequence[Waiting], of: _Waits) -> Node:
    """A coroutine: its functions, each below the one that called it, and at the bottom what it waits for."""
    nodes = [of.node(wait) for wait in waits]
    for frame in reversed(coroutine.stack):
        nodes = [_function(frame.site, nodes)]
    ink: Ink = "bad" if coroutine.name.startswith("raised ") else "title"
    return Node(coroutine.name, "", ink, _given(nodes), site=_innermost(coroutine), is_open=True)


def _function(site: CallSite, below: list[Node]) -> Node:
    function = site.function.replace(".<locals>", "")
    return Node(function, place(site), "function", _given(below), site=site, is_open=True)


def _innermost(coroutine: Coroutine) -> CallSite | None:
    return coroutine.stack[-1].site if coroutine.stack else None


def _given(nodes: list[Node]) -> Callable[[], Sequence[Node]] | None:
    return (lambda: nodes) if nodes else None


def _each(make: Callable[[Waiting], Node], waits: Sequence[Waiting]) -> Callable[[], Sequence[Node]]:
    def parts() -> list[Node]:
        return list(_bounded(make, waits))

    return parts


def _bounded(make: Callable[[Waiting], Node], waits: Sequence[Waiting]) -> Iterator[Node]:
    yield from map(make, waits[:_MOST])
    if len(waits) > _MOST:
        yield Node("", f"… {len(waits) - _MOST:,} more", "dim")
