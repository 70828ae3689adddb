"""Who gives the verdicts of a command: our replayer, or Temporal's own."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from typing import Any, Protocol

from playhead.configuration import BadConfiguration, Configuration
from playhead.loading import Code, CodeNames, CodeNotLoaded, load_code
from playhead.replayer import Replayer
from playhead.temporal_core import DEFAULT_TIMEOUT, TemporalCore
from playhead.verdict import Verdict
from playhead_engine.history import History
from playhead_engine.profile import Profile, profile_named
from playhead_engine.temporal import is_temporal_workflow


class Judge(Protocol):
    """Gives verdicts.

    Attributes:
        profile: The release of Temporal's core whose rules it applies; None where that is core itself.
    """

    @property
    def profile(self) -> Profile | None: ...

    def replay(self, history: History, /, *, workflow_id: str | None = None) -> Verdict:
        """The verdict on a history."""
        ...

    def accepts(self, workflow_type: str) -> bool:
        """Whether there is code for a type."""
        ...

    def runtime_of(self, workflow_type: str) -> str:
        """What drives the code of a type, with its version; empty if there is no code for it."""
        ...


def judges_of(project: Configuration, arguments: argparse.Namespace, stack: ExitStack) -> tuple[Judge, Judge | None]:
    """Load the code of a project.

    Args:
        project: Where its code is, and what is to drive it.
        arguments: Of the command.
        stack: Ends what has to be ended.

    Returns:
        Who gives the verdicts, and who gives a second opinion, if one is wanted.

    Raises:
        CodeNotLoaded: The code cannot be loaded, or is of another kind than the one that is wanted.
        ValueError: Two classes have the same type, or the options contradict each other.
        NondeterministicCall: The code of a class shows that it would break replay.
        RuntimeError: The SDK does not take a class, or we do not take the SDK.
    """
    timeout = arguments.core_timeout or DEFAULT_TIMEOUT
    if project.runtime == "temporal-core":
        if project.profile is not None:
            raise BadConfiguration("--runtime temporal-core goes by the rules of the temporalio that is installed.")
        if arguments.verify_with_core:
            raise BadConfiguration("--verify-with-core compares another runtime with --runtime temporal-core.")
        return stack.enter_context(TemporalCore(project.code, timeout=timeout)), None
    ours = replayer_of(project.code, project.runtime, project.profile)
    if not arguments.verify_with_core:
        return ours, None
    return ours, stack.enter_context(TemporalCore(project.code, timeout=timeout))


def replayer_of(names: CodeNames, runtime: str, profile: str | None) -> Replayer:
    """Load code, and make the replayer that runs it.

    Args:
        names: Where the code is.
        runtime: What is to drive it: `auto`, `native` or `temporal`.
        profile: The release whose rules apply, as the user names it; None for the one that is installed.

    Raises:
        BadConfiguration: The runtime is Temporal's own Replayer.
        Exception: As `judges_of`.
    """
    if runtime == "temporal-core":
        raise BadConfiguration("Temporal's own Replayer cannot be looked into: leave --runtime temporal-core out.")
    return replayer_with(load_code(names), runtime, profile)


def replayer_with(code: Code, runtime: str, profile: str | None) -> Replayer:
    """The replayer that runs code which is loaded already; the rest as `replayer_of`."""
    chosen = profile_named(profile) if profile is not None else None
    return Replayer(of_kind(code, runtime), profile=chosen, **code.options.as_keywords())


def of_kind(code: Code, runtime: str) -> list[type[Any]]:
    """The classes that a runtime can drive.

    Raises:
        CodeNotLoaded: There are classes, and it can drive none of them.
    """
    match runtime:
        case "native":
            chosen = [one for one in code.workflows if not is_temporal_workflow(one)]
        case "temporal":
            chosen = [one for one in code.workflows if is_temporal_workflow(one)]
        case _:
            return list(code.workflows)
    if not chosen and code.workflows:
        sdk, other = ("playhead_engine", "temporalio") if runtime == "native" else ("temporalio", "playhead_engine")
        names = ", ".join(one.__name__ for one in code.workflows)
        raise CodeNotLoaded(f"--runtime {runtime} runs code written for `{sdk}`, and {names} is written for `{other}`.")
    return chosen
