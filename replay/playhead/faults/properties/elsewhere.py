"""Runs replay in processes where the hashes of strings are others, as they are in every process of a real worker.

A fault plan cannot show this: a crash in a trial brings up another engine, but not another Python. So each history is
handed to processes that are kept for it, and replayed there.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import orjson

from playhead.faults.properties.property import Property, PropertyBroken
from playhead.faults.reproduction import name_from_outside
from playhead_engine.history import History

if TYPE_CHECKING:
    from playhead.faults.programs import Program
    from playhead.faults.trial import Trial

_NAME: Final = "replays in other processes"


def replays_in_other_processes(hash_seeds: Sequence[int] = (1, 2, 3)) -> Property:
    """Every run replays in other processes. Nothing that is made from the order of a set of strings does.

    What a run asks for must be the same, arguments included, which is more than a replay minds. Of runs that differ in
    nothing but times one is replayed. The program has to be a global of a module or a file, so that another process can
    import it.

    Args:
        hash_seeds: `PYTHONHASHSEED` of each process. They are started at the first trial, and end with this one.
    """
    elsewhere: dict[tuple[str, int], _Elsewhere] = {}
    known: dict[bytes, str] = {}

    def replayed(trial: Trial[Any], history: History, deployed: int) -> str:
        for seed in hash_seeds:
            key = trial.program.name, seed
            if key not in elsewhere:
                elsewhere[key] = _Elsewhere(trial.program, seed)
            problem = elsewhere[key].replay(history.id, history.to_json(), deployed)
            if problem:
                return f"with PYTHONHASHSEED={seed}\n{problem}"
        return ""

    def check(trial: Trial[Any]) -> None:
        deployed = sum(fault.strike == "deploy" for fault in trial.struck)
        for history in trial.histories:
            shape = _shape(trial.program.name, history, deployed)
            if shape not in known:
                known[shape] = replayed(trial, history, deployed)
            if known[shape]:
                raise PropertyBroken(_NAME, known[shape])

    return Property(_NAME, check)


def _shape(name: str, history: History, deployed: int) -> bytes:
    """What runs have in common that differ in nothing but when things happened: one of them stands for all."""
    events = [(event.KIND, event.attributes) for event in history.events]
    return blake2b(orjson.dumps([name, history.id, deployed, events]), digest_size=16).digest()


class _Elsewhere:
    """A process that replays histories, until this one ends."""

    def __init__(self, program: Program[Any], hash_seed: int) -> None:
        name = name_from_outside(program)
        if name is None:
            raise TypeError(
                f"{_NAME}: {program.name} cannot be imported by another process: make it a global of its module"
            )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "playhead.faults.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        )
        atexit.register(self._close)
        self._say([name, sys.path])

    def replay(self, workflow_id: str, history: bytes, deployed: int) -> str:
        """What a replay comes to, in words; nothing where it agrees.

        Raises:
            RuntimeError: The process has ended; what it said stands on standard error.
        """
        said = self._say([workflow_id, history.decode(), deployed])
        if said is None:
            raise RuntimeError(f"{_NAME}: the process that was to replay {workflow_id} has ended")
        return str(said)

    def _say(self, request: Any) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(orjson.dumps(request) + b"\n")
            stdin.flush()
        except BrokenPipeError:
            return None
        line = stdout.readline()
        return orjson.loads(line) if line else None

    def _close(self) -> None:
        with self._process as process:
            process.kill()
