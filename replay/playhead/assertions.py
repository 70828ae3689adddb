"""`assert_replays`: a replay as an assertion, for any test framework."""

from __future__ import annotations

from typing import Any, Unpack

from playhead.explanation import explain
from playhead.replayer import Replayer
from playhead.runtimes import TemporalOptions
from playhead.sources import Source, history_of, name_of, workflow_id_of
from playhead.terminal import message_width
from playhead.verdict import Agrees, ReplayFailed


def assert_replays(
    history: Source,
    *workflows: type[Any],
    replayer: Replayer | None = None,
    workflow_id: str | None = None,
    data_converter: Any = None,
    **temporal: Unpack[TemporalOptions],
) -> Agrees:
    """Fail with a diagnosis unless the workflow code of today does what a history recorded.

        assert_replays("histories/order.json", OrderFulfilment)

    Args:
        history: The path of a file, a `History`, a `WorkflowHistory` of `temporalio.client`, or bytes.
        workflows: The workflow class; several, where the type of the history is to choose.
        replayer: Replays it, instead of one that is made of `workflows` and the options.
        workflow_id: The id to replay under; by default the one the history holds, else the name of its file.
        data_converter: As of `Replayer`.
        temporal: As of `Replayer`.

    Returns:
        The verdict, with what the code asks for at the end of an open run, and with warnings.

    Raises:
        ReplayFailed: It does something else, or raises; an AssertionError whose text is the diagnosis.
        UnreadableHistory: It is no history; the message says what it is instead.
        TypeError: There are both classes and a replayer, or neither.
    """
    __tracebackhide__ = True
    if bool(workflows) == (replayer is not None):
        raise TypeError("assert_replays takes a history and either workflow classes or replayer=")
    if replayer is None:
        replayer = Replayer(workflows, data_converter=data_converter, **temporal)
    read = history_of(history)
    known_as = workflow_id_of(history, read, workflow_id)
    verdict = replayer.replay(read, workflow_id=known_as)
    if isinstance(verdict, Agrees):
        return verdict
    name = name_of(history, read)
    explained = explain(name, read, verdict, replayer, workflow_id=known_as)
    raise ReplayFailed(name, verdict, explained.text(width=message_width()))
