"""What runs in each process of a hunt: one replay under some circumstances, and what the code asked for, as JSON.

Started by `hunt`, with a request on standard input; not meant for people.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from playhead.cli.recording import NotRecorded, passages
from playhead.loading import CodeNames
from playhead.passage import Passage
from playhead.rendering import as_json, command_json, label, site_json
from playhead.timeline.asking import ask, queries_of
from playhead_engine.call_site import CallSite, noting_callers
from playhead_engine.commands import Command
from playhead_engine.runtime import TaskCompleted

_MOST_TASKS_FROM_START: Final = 25
_Commands = dict[int, list[dict[str, Any]]]


def main() -> int:
    """Replay as the request says, and print one line of JSON."""
    request = orjson.loads(sys.stdin.buffer.read())
    sys.path[:] = request["path"]
    # Whatever the user's code prints must not get between the lines.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        names: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in request["code"].items()}
        code = CodeNames(**names)
        begin = passages(code, request["runtime"], request["profile"], request["history"], request["workflow_id"])
        with noting_callers():
            passage, commands = MODES[request["mode"]](begin)
    except NotRecorded as error:
        print(error, file=sys.stderr)
        return 2
    assert passage.verdict is not None
    told = as_json("", None, passage.verdict)
    verdict = label(passage.verdict)
    if told.get("event_id"):
        verdict += f" at event {told['event_id']}"
    found = [{"task": task, **command} for task in sorted(commands) for command in commands[task]]
    output.write(orjson.dumps({"verdict": verdict, "commands": found}) + b"\n")
    output.flush()
    return 0


def _plain(begin: Callable[[], Passage]) -> tuple[Passage, _Commands]:
    commands: _Commands = {}
    passage = begin()
    for task in _answered(passage):
        commands.setdefault(task, []).extend(_asked(passage))
    passage.close()
    return passage, commands


def _addresses(begin: Callable[[], Passage]) -> tuple[Passage, _Commands]:
    """After memory has been filled with holes, so that objects come to lie elsewhere, and in another order."""
    chance = random.Random(1)
    kept = [[bytearray(chance.randrange(16, 512)) for _ in range(64)] for _ in range(200)]
    for row in kept:
        chance.shuffle(row)
        del row[::2]
    found = _plain(begin)
    kept.clear()
    return found


def _warm(begin: Callable[[], Passage]) -> tuple[Passage, _Commands]:
    _plain(begin)
    return _plain(begin)


def _uncached(begin: Callable[[], Passage]) -> tuple[Passage, _Commands]:
    """Each workflow task by a run of its own, from the start; of a long run, some of them."""
    passage, commands = _plain(begin)
    tasks = sorted(commands)
    for task in tasks[:: max(1, len(tasks) // _MOST_TASKS_FROM_START)]:
        anew = begin()
        mine: list[dict[str, Any]] = []
        for number in _answered(anew):
            if number > task:
                break
            if number == task:
                mine += _asked(anew)
        anew.close()
        commands[task] = mine
    return passage, commands


def _queried(begin: Callable[[], Passage]) -> tuple[Passage, _Commands]:
    commands: _Commands = {}
    passage = begin()
    for task in _answered(passage):
        commands.setdefault(task, []).extend(_asked(passage))
        if isinstance(passage.completion, TaskCompleted) and not passage.machines.has_more_to_tell:
            for name in ("__stack_trace", *queries_of(passage)):
                ask(passage, name, ())
    passage.close()
    return passage, commands


def _shuffled(begin: Callable[[], Passage]) -> tuple[Passage, _Commands]:
    wait = asyncio.wait
    chance = random.Random(1)

    async def shuffling(*args: Any, **options: Any) -> tuple[set[Any], set[Any]]:
        done, pending = await wait(*args, **options)
        return _Shuffled(done, chance), _Shuffled(pending, chance)

    for module in (asyncio, asyncio.tasks):
        vars(module)["wait"] = shuffling  # for the rest of this process
    return _plain(begin)


class _Shuffled(set[Any]):
    """A set in an order that nobody expects: backwards, and then any."""

    def __init__(self, items: set[Any], chance: random.Random) -> None:
        super().__init__(items)
        self._order = list(items)[::-1]
        if len(self._order) > 2:
            chance.shuffle(self._order)

    def __iter__(self) -> Iterator[Any]:
        return iter([item for item in self._order if item in self])


MODES: Final[dict[str, Callable[[Callable[[], Passage]], tuple[Passage, _Commands]]]] = {
    "plain": _plain,
    "addresses": _addresses,
    "warm": _warm,
    "uncached": _uncached,
    "queried": _queried,
    "shuffled": _shuffled,
}


def _answered(passage: Passage) -> Iterator[int]:
    """Go through to the end; gives the number of the workflow task after each answer of the code."""
    while passage.advance():
        yield passage.task


def _asked(passage: Passage) -> list[dict[str, Any]]:
    completion = passage.completion
    return [_command(one) for one in completion.commands] if isinstance(completion, TaskCompleted) else []


def _command(command: Command) -> dict[str, Any]:
    site: CallSite | None = getattr(command, "site", None)
    return {**command_json(command), "stack": [site_json(one) for one in site.stack()] if site is not None else []}


if __name__ == "__main__":
    sys.exit(main())
