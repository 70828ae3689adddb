"""What the supported releases of Temporal's core made of the same runs: reads and writes the recording of it.

Only one release of `temporalio` can be installed at a time. What the others say was asked once, by
`scripts/releases.py`, of made-up runs that they judge differently and of some that they judge alike, and is kept in
`fixtures/temporal_core`. A run is kept whole, commands included, so that the recording does not depend on how runs are
made up today.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from pathlib import Path
from typing import Any, get_type_hints

from playhead_engine import commands
from playhead_engine.commands import Command
from playhead_engine.messages import Json
from tests.conftest import ROOT
from tests.engine.agreement import Judgement
from tests.engine.made_up_runs import MadeUpRun
from tests.engine.scripted_run import Verdict

RECORDING = ROOT / "fixtures" / "temporal_core" / "judgements.jsonl.gz"


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A run, and what each release made of it.

    Attributes:
        seed: What the run was made up from, at the time.
        run: The history and the commands.
        judgements: By the name of the release's profile.
    """

    seed: int
    run: MadeUpRun
    judgements: Mapping[str, Judgement]

    @property
    def is_judged_alike(self) -> bool:
        """Whether all releases say the same."""
        first, *others = self.judgements.values()
        return all(other == first for other in others)


def write(judged: Iterable[JudgedRun], path: Path = RECORDING) -> None:
    """Write a recording; the same runs and judgements give the same bytes."""
    lines = [json.dumps(_to_json(each), separators=(",", ":"), sort_keys=True) for each in judged]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


def read(path: Path = RECORDING) -> Iterator[JudgedRun]:
    """Read a recording, run by run."""
    for line in gzip.decompress(path.read_bytes()).splitlines():
        yield _from_json(json.loads(line))


def judgement_json(judgement: Judgement) -> Json:
    """A judgement as the recording holds it."""
    verdict = {"reason": judgement.verdict.reason, "text": judgement.verdict.text}
    return {**verdict, "activations": judgement.activations}


def judgement_from_json(written: Json) -> Judgement:
    """A judgement as it was recorded."""
    return Judgement(written["activations"], Verdict(written["reason"], written["text"]))


def _to_json(judged: JudgedRun) -> Json:
    run = judged.run
    said: list[Json] = []  # once, with the names of all who said it
    for name, judgement in judged.judgements.items():
        written = judgement_json(judgement)
        same = next((each for each in said if {**each, "releases": 0} == {**written, "releases": 0}), None)
        if same is None:
            said.append({**written, "releases": [name]})
        else:
            same["releases"].append(name)
    answers = {task: [[_command_json(c) for c in answer] for answer in given] for task, given in run.answers.items()}
    told: Json = {"seed": judged.seed, "events": run.events, "answers": answers, "judgements": said}
    return told if run.fails_at is None else {**told, "fails_at": run.fails_at}


def _from_json(written: Json) -> JudgedRun:
    answers = {
        int(task): [[_command(c) for c in answer] for answer in given] for task, given in written["answers"].items()
    }
    judgements = {name: judgement_from_json(said) for said in written["judgements"] for name in said["releases"]}
    return JudgedRun(written["seed"], MadeUpRun(written["events"], answers, written.get("fails_at")), judgements)


def _command_json(command: Command) -> Json:
    given = {each.name: getattr(command, each.name) for each in fields(command) if each.name != "site"}
    return {"command": type(command).__name__, **given}


def _command(written: Json) -> Command:
    kind: type[Any] = getattr(commands, written["command"])
    hints = get_type_hints(kind)
    given = {name: _as_enum(hints[name], value) for name, value in written.items() if name != "command"}
    command: Command = kind(**given)
    return command


def _as_enum(hint: Any, value: Any) -> Any:
    return hint(value) if isinstance(hint, type) and issubclass(hint, IntEnum) else value
