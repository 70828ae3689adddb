"""Runs can be taken up anew at any moment, and looking at them changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playhead.faults.properties.property import Property, PropertyBroken
from playhead.prefixes import is_sound, replay_prefixes
from playhead.rendering import report
from playhead.timeline.asking import ask, queries_of
from playhead.values import failure_text, short
from playhead.verdict import NotReplayable, Verdict
from playhead_engine.history import History
from playhead_engine.runtime import TaskCompleted

if TYPE_CHECKING:
    from playhead.faults.trial import Trial
    from playhead.replayer import Replayer

_PREFIXES: Final = "every prefix replays"
_QUERIES: Final = "queries change nothing"
_CACHE: Final = "same result without cache"


def every_prefix_replays() -> Property:
    """Every run replays, whole and from every moment at which a worker might have had to take it up anew."""

    def check(trial: Trial[Any]) -> None:
        replayer = trial.replayer
        for history in trial.histories:
            _see(_PREFIXES, history, len(history), replayer.replay(history), replayer)
            for prefix in replay_prefixes(replayer, history):
                _see(_PREFIXES, history, prefix.events, prefix.verdict, replayer)

    return Property(_PREFIXES, check, holds_always=True)


def queries_change_nothing() -> Property:
    """Every run replays just the same with every query asked after every workflow task. Queries that need arguments
    are asked without, and may refuse."""

    def check(trial: Trial[Any]) -> None:
        replayer = trial.replayer
        for history in trial.histories:
            _see(_QUERIES, history, len(history), _queried(replayer, history), replayer)

    return Property(_QUERIES, check, holds_always=True)


def same_without_cache() -> Property:
    """Every workflow ends in the same way where it is replayed from its beginning for each workflow task.

    The program is run a second time for it. Another result means that the code keeps something outside of the run, or
    that it does something else on replay.
    """

    def check(trial: Trial[Any]) -> None:
        cached = _outcomes(trial)
        uncached = _outcomes(trial.program.again(trial, max_cached_workflows=0))
        for name in cached.keys() | uncached.keys():
            one, other = cached.get(name, "never begun"), uncached.get(name, "never begun")
            if one != other:
                raise PropertyBroken(_CACHE, f"{name}\n  with     {one}\n  without  {other}")

    return Property(_CACHE, check, runs_again=True)


def _queried(replayer: Replayer, history: History) -> Verdict:
    passage = replayer.begin(history, history.id)
    if isinstance(passage, NotReplayable):
        return passage
    try:
        names: list[str] | None = None
        while passage.advance():
            if isinstance(passage.completion, TaskCompleted) and not passage.machines.has_more_to_tell:
                names = queries_of(passage) if names is None else names
                for name in ("__stack_trace", *names):
                    changed = ask(passage, name, ()).changed
                    if changed:
                        raise PropertyBroken(_QUERIES, f"query {name} of {history.id}: {', '.join(changed)}")
        return passage.finish()
    finally:
        passage.close()


def _see(name: str, history: History, events: int, verdict: Verdict, replayer: Replayer) -> None:
    if is_sound(verdict):
        return
    whole = len(history)
    title = history.id if events == whole else f"{history.id}, taken up after {events} of {whole} events"
    raise PropertyBroken(name, report(title, history, verdict, profile=replayer.profile))


def _outcomes(trial: Trial[Any]) -> dict[str, str]:
    """How each run ended, in words that say nothing of time."""
    found: dict[str, str] = {}
    for history in trial.histories:
        earlier = sum(name.partition(", run ")[0] == history.id for name in found)
        name = f"{history.id}, run {earlier + 1}"
        closing = history.closing_event
        if closing is None:
            found[name] = "still open"
            continue
        attributes = closing.attributes
        detail = failure_text(attributes["failure"]) if attributes.get("failure") else short(attributes.get("result"))
        found[name] = f"{closing.type_name} {detail}"
    return found
