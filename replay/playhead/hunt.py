"""Hunts for hidden causes of nondeterminism: replays a history under other circumstances, and names what differs.

Code may depend on what no history records and no reader sees: the order of a set, the address of an object, what an
earlier run left in a module, whether somebody asked a query. Such code replays well here and breaks elsewhere, hours
later. So the same replay is done again, in a process of its own for each variation, and what the code asks for is
compared: kind, fields and line. This module starts the processes and compares; what runs in them is `cli.hunted`.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson

from playhead.diagnosis.source import Function, source_of
from playhead.diagnosis.suspects import suspects
from playhead.loading import CodeNames
from playhead.places import shown_path
from playhead_engine.history import History
from playhead_engine.record import record

_TIMEOUT_SECONDS: Final = 600


@record
class Variation:
    """Circumstances under which a history is replayed.

    Attributes:
        name: What is varied, in words.
        cause: What it means if the code then asks for something else, and what to do.
        mode: What the process does: one of `cli.hunted.MODES`.
        environment: Variables of the process's environment.
    """

    name: str
    cause: str
    mode: str = "plain"
    environment: tuple[tuple[str, str], ...] = ()


_SET_ORDER: Final = (
    "The order of a set, or of something made from one, is another in every process, since the hashes of strings are. "
    "Iterate over sorted(...), or over a list or dict instead."
)
BASELINE: Final = Variation("hash seed 0, in a process of its own", "", environment=(("PYTHONHASHSEED", "0"),))
AGAIN: Final = Variation(
    "nothing else, once more in a new process",
    "It differs from process to process with nothing varied, as the addresses of objects do: look for a set of objects "
    "without a `__hash__` of their own, `id()`, the default `repr`, the process id, or the clock of the machine.",
    environment=BASELINE.environment,
)
VARIATIONS: Final = (
    AGAIN,
    *(Variation(f"hash seed {n}", _SET_ORDER, environment=(("PYTHONHASHSEED", str(n)),)) for n in (1, 2, 3, 4)),
    Variation(
        "objects at other addresses",
        "Something is ordered, or chosen, by where objects lie in memory: a set of objects without a `__hash__` of "
        "their own, `id()`, or the default `repr`. Use a list, or a key that belongs to the data.",
        "addresses",
        BASELINE.environment,
    ),
    Variation(
        "a process that has replayed it before",
        "Something outlives the run: a module's variable, a class attribute, a cache. Keep it in the workflow object.",
        "warm",
        BASELINE.environment,
    ),
    Variation(
        "no cache: every workflow task replayed from the start",
        "What the code does depends on what other runs in the process did meanwhile: a module's variable, a class "
        "attribute, a cache. Keep it in the workflow object.",
        "uncached",
        BASELINE.environment,
    ),
    Variation(
        "queries asked after every workflow task",
        "A query handler changes the run, or uses up something the run needs, such as a random number. "
        "A query must only look.",
        "queried",
        BASELINE.environment,
    ),
    Variation(
        "the sets that asyncio.wait gives in another order",
        "`asyncio.wait` gives sets, and their order is unspecified. `workflow.wait` gives lists in a fixed order.",
        "shuffled",
        BASELINE.environment,
    ),
    Variation(
        "another time zone",
        "Something is converted to local time. Convert to a time zone that is named, such as UTC.",
        environment=(*BASELINE.environment, ("TZ", "Asia/Kolkata")),
    ),
)


@record
class Finding:
    """What came of one variation.

    Attributes:
        variation: The circumstances.
        task: Number of the workflow task in which the code asked for something else; 0 if it did not.
        expected: What it asked for under the first circumstances there: `type`, `fields`, `file`, `line`, and in
            `stack` the lines that called it; None if nothing.
        found: What it asked for under these.
        problem: Why nothing can be compared; empty if it can.
        verdicts: What the two replays came to, if not the same.
        is_told_apart: Whether the circumstances are to blame; not if the code does other things without them, too.
    """

    variation: Variation
    task: int = 0
    expected: dict[str, Any] | None = None
    found: dict[str, Any] | None = None
    problem: str = ""
    verdicts: tuple[str, str] | None = None
    is_told_apart: bool = True

    def suspects(self) -> list[str]:
        """What in the conditions and loops around the two commands may have another value each time, as sentences."""
        sites = [site for one in (self.expected, self.found) if one is not None for site in one["stack"]]
        return list(dict.fromkeys(text for site in sites for text in _suspects_at(site["file"], site["line"])))

    @property
    def differs(self) -> bool:
        """Whether the circumstances matter to the code."""
        return bool(self.task or self.problem or self.verdicts)

    def differing_fields(self) -> list[str]:
        """Names of the fields of the two commands that are not equal."""
        one = (self.expected or {}).get("fields") or {}
        other = (self.found or {}).get("fields") or {}
        return [name for name in {**one, **other} if one.get(name) != other.get(name)]


class HuntFailed(Exception):
    """The history could not even be replayed once; the message says why."""


def hunt(
    code: CodeNames,
    history: History | str | os.PathLike[str],
    *,
    workflow_id: str | None = None,
    runtime: str = "auto",
    profile: str | None = None,
    variations: Sequence[Variation] | None = None,
) -> list[Finding]:
    """Replay a history under other circumstances.

    Args:
        code: Where the workflow code is; each process loads it for itself.
        history: The history, or the path of its file.
        workflow_id: The id to replay under.
        runtime: What is to drive the code: `auto`, `native` or `temporal`.
        profile: The release of Temporal's core whose rules apply; None for the one that is installed.
        variations: The circumstances; all that are known by default.

    Returns:
        What came of each variation, in order.

    Raises:
        HuntFailed: The history cannot be replayed with that code at all.
    """
    if isinstance(history, History):
        with TemporaryDirectory(prefix="playhead-hunt-") as directory:
            path = Path(directory, "history.json")
            path.write_bytes(history.canonical_json())
            known_as = workflow_id or history.id
            return hunt(code, path, workflow_id=known_as, runtime=runtime, profile=profile, variations=variations)
    variations = VARIATIONS if variations is None else variations
    request = {
        "code": {field.name: getattr(code, field.name) for field in fields(code)},
        "history": os.fspath(history),
        "workflow_id": workflow_id,
        "runtime": runtime,
        "profile": profile,
    }
    baseline = _replayed(request, BASELINE)
    if isinstance(baseline, str):
        raise HuntFailed(baseline)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        replays = pool.map(partial(_replayed, request), variations)
        findings = [_compared(variation, baseline, found) for variation, found in zip(variations, replays, strict=True)]
    differs_anyway = any(finding.variation is AGAIN and finding.differs for finding in findings)
    return [replace(one, is_told_apart=not differs_anyway or one.variation is AGAIN) for one in findings]


def _replayed(request: dict[str, Any], variation: Variation) -> dict[str, Any] | str:
    """What a process of its own says of the replay: a verdict and commands; or in words why it says nothing."""
    environment = {**os.environ, **dict(variation.environment)}
    given = orjson.dumps({**request, "mode": variation.mode, "path": sys.path})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "playhead.cli.hunted"],
            input=given,
            capture_output=True,
            env=environment,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the replay did not end within {_TIMEOUT_SECONDS} s"
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return said[-1] if said else f"the process ended with {done.returncode} and said nothing"
    answer: dict[str, Any] = orjson.loads(lines[-1])
    return answer


def _compared(variation: Variation, baseline: dict[str, Any], found: dict[str, Any] | str) -> Finding:
    if isinstance(found, str):
        return Finding(variation, problem=found)
    verdicts = None if baseline["verdict"] == found["verdict"] else (baseline["verdict"], found["verdict"])
    ours, theirs = baseline["commands"], found["commands"]
    for index in range(max(len(ours), len(theirs))):
        one = ours[index] if index < len(ours) else None
        other = theirs[index] if index < len(theirs) else None
        if not _same(one, other):
            task = max(command["task"] for command in (one, other) if command is not None)
            return Finding(variation, task, one, other, verdicts=verdicts)
    return Finding(variation, verdicts=verdicts)


def _same(one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Whether two commands are the same, whoever called the line that asks for them."""
    if one is None or other is None:
        return one is other
    return all(one[name] == other[name] for name in one if name != "stack")


def _suspects_at(file: str, line: int) -> Iterator[str]:
    source = source_of(file)
    for condition in source.conditions(line) if source is not None else ():
        assert source is not None
        function = next((node for node in source.chain(condition.node) if isinstance(node, Function)), None)
        is_iterated = isinstance(condition.node, ast.For | ast.AsyncFor | ast.comprehension)
        for suspect in suspects(source, condition.expression, function, is_iterated=is_iterated):
            yield f"`{suspect.text}` at {shown_path(file)}:{suspect.line} {suspect.why}; use {suspect.instead} instead"
