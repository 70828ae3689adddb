"""Asks Temporal's own Replayer for its verdict, in a process that can be ended.

It is the fallback where our runtime cannot drive the installed SDK, and the second opinion where somebody wants one. It
knows less than ours: neither the line of code that asks for something, nor what was asked for, nor what comes next. On
some histories that no server writes it never comes back, because its core has stopped with a panic; such a process is
killed. This module must not import `temporalio`: only the process does.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from types import TracebackType
from typing import IO, Any, Final

import orjson

from playhead.importing import CodeNotLoaded
from playhead.loading import CodeNames
from playhead.temporal_core.answers import verdict_of
from playhead.verdict import NotReplayable, Verdict, no_code_for
from playhead_engine.history import History

DEFAULT_TIMEOUT: Final = 20.0
"""Seconds that one history may take, before the time that its events take."""

_SECONDS_PER_EVENT: Final = 0.005  # ten times what the Replayer takes on a slow machine
_SECONDS_TO_LOAD: Final = 120.0


class TemporalCore:
    """Temporal's Replayer, beside the code that the user named.

    Use it as a context manager, or close it: a process waits behind it.

    Example:
        >>> with TemporalCore(CodeNames(workflows=("examples.temporal.orders",))) as core:
        ...     verdict = core.replay(read_history("fixtures/temporal/orders_completed.json"))
    """

    profile: None = None
    """It has no rules of ours."""

    def __init__(self, names: CodeNames, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Load the code.

        Args:
            names: The code, which the other process imports for itself.
            timeout: How long one history may take, in seconds; large ones are given more.

        Raises:
            CodeNotLoaded: The code cannot be loaded, none of it is written for `temporalio`, or that is not installed.
        """
        self._names = names
        self._timeout = timeout
        self._process = _Process(names)
        self._version: str = self._process.hello["version"]
        self._types: tuple[str, ...] = tuple(self._process.hello["types"])
        self._is_dynamic: bool = self._process.hello["is_dynamic"]

    def workflow_types(self) -> list[str]:
        """The types there is code for, sorted."""
        return sorted(self._types)

    def accepts(self, workflow_type: str) -> bool:
        """Whether there is code for a type."""
        return self._is_dynamic or workflow_type in self._types

    def runtime_of(self, workflow_type: str) -> str:
        """How reports call it; empty for a type that there is no code for."""
        return f"temporal-core (temporalio {self._version})" if self.accepts(workflow_type) else ""

    def replay(self, history: History, *, workflow_id: str | None = None) -> Verdict:
        """Replay one history.

        Args:
            history: The history.
            workflow_id: The id to replay under; by default the one the history holds.

        Returns:
            What Temporal's Replayer makes of it, as far as that says something.
        """
        if history.problems:
            return NotReplayable("; ".join(history.problems))
        if not self.accepts(history.workflow_type):
            return no_code_for(history.workflow_type, self.workflow_types())
        if self._process.is_gone:
            self._process = _Process(self._names)
        limit = self._timeout + len(history) * _SECONDS_PER_EVENT
        request = {"workflow_id": workflow_id or history.id or "workflow", "history": history.to_json().decode()}
        answer = self._process.ask(request, limit)
        if answer is None:
            ended_by_itself = self._process.is_gone
            said = self._process.kill()
            if ended_by_itself:
                return NotReplayable(f"The process of Temporal's Replayer ended by itself. It said last: {said}")
            return NotReplayable(
                f"Temporal's Replayer did not come back within {limit:.0f} seconds. On a history that no server writes "
                "it never does, because its core has stopped: --runtime temporal says what is wrong with it.",
                temporal="hangs",
            )
        return verdict_of(history, answer)

    def close(self) -> None:
        """End the process."""
        self._process.kill()

    def __enter__(self) -> TemporalCore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        self.close()


class _Process:
    """One process with the user's code and Temporal's Replayer in it."""

    def __init__(self, names: CodeNames) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        # It finds modules where this process finds them, and runs as a program of its own: forked, the threads of
        # Temporal's core and of the user's libraries would be missing.
        path = os.pathsep.join(filter(None, sys.path))
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "playhead.temporal_core.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._answers: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, args=(self._popen.stdout,), daemon=True).start()
        hello = self.ask(asdict(names), _SECONDS_TO_LOAD)
        if hello is None or "problem" in hello:
            was_slow = not self.is_gone
            said = self.kill()
            slow = f"The code was not loaded within {_SECONDS_TO_LOAD:g} seconds."
            raise CodeNotLoaded(hello["problem"] if hello is not None else slow if was_slow else said)
        self.hello: dict[str, Any] = hello

    @property
    def is_gone(self) -> bool:
        """Whether it has ended."""
        return self._popen.poll() is not None

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Send a request and wait for its answer; None if there is none in time, or the process ended."""
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(orjson.dumps(request) + b"\n")
            self._popen.stdin.flush()
            answer = self._answers.get(timeout=seconds)
        except (queue.Empty, BrokenPipeError):
            return None
        if not answer:
            self._popen.wait()
            return None
        found: dict[str, Any] = orjson.loads(answer)
        return found

    def kill(self) -> str:
        """End it, whatever it is doing; returns the last line that it wrote for people."""
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        if self._said.closed:
            return ""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        self._said.close()
        for pipe in (self._popen.stdin, self._popen.stdout):
            # What was not read yet is of no interest to a process that has ended.
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
        return lines[-1] if lines else "nothing"

    def _read(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            self._answers.put(line)
        self._answers.put(b"")
