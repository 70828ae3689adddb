"""`@pytest.mark.playhead(...)`: which histories a test is about, with which code, and what they are to come to.

@pytest.mark.playhead("orders_completed.json", OrderFulfilment)
def test_the_order_is_charged_before_it_is_packed(replay):
    assert replay.at(event=7).query("status") == "charging"
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from playhead.configuration import BadConfiguration
from playhead.explanation import explain
from playhead.places import shown_path
from playhead.pytest_plugin.corpus import NoSuchHistory
from playhead.pytest_plugin.expectations import (
    Allowed,
    BadExpectation,
    Expectation,
    Met,
    Unmet,
    expectation_of,
    outcome_of,
)
from playhead.pytest_plugin.project import NO_CODE
from playhead.pytest_plugin.session import ReplaySession, session_of
from playhead.pytest_plugin.stash import BEFORE, fail, note
from playhead.pytest_plugin.states import unmet
from playhead.readers import UnreadableHistory
from playhead.sources import workflow_id_of
from playhead.verdict import NotReplayable

if TYPE_CHECKING:
    from playhead.timeline.recording import Recording

HISTORY = "playhead_history"
"""The fixture that brings a test one of the histories that it is marked with."""


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Have a test run once for each history that it is marked with.

    Raises:
        pytest.Collector.CollectError: It is marked with histories that are not there, or takes none.
    """
    definition = metafunc.definition
    names = _histories(definition)
    if not names:
        return
    if HISTORY not in metafunc.fixturenames:
        raise pytest.Collector.CollectError(
            f"{definition.nodeid} is marked with histories and does not take the fixture `replay`, so nothing would be "
            "replayed."
        )
    session = session_of(metafunc.config)
    try:
        found = [path for name in names for path in session.corpus.find(name, definition.path.parent)]
    except (NoSuchHistory, BadConfiguration) as error:
        raise pytest.Collector.CollectError(f"{definition.nodeid}: {error}") from None
    paths = list(dict.fromkeys(path.resolve() for path in found))
    if len(paths) > 1:
        metafunc.parametrize(HISTORY, paths, ids=_ids(paths), indirect=True)


def history_of_test(request: pytest.FixtureRequest) -> Path:
    """The file of the history that a test is run with."""
    if hasattr(request, "param"):
        return Path(request.param)
    item = request.node
    names = _histories(item)
    if not names:
        fail(
            "Say which history to replay, and the code unless [tool.playhead] does: "
            '@pytest.mark.playhead("orders.json", OrderFulfilment)'
        )
    return session_of(request.config).corpus.find(names[0], item.path.parent)[0]


def replayed(request: pytest.FixtureRequest, path: Path) -> Iterator[Recording]:
    """Replay a history for a test, and record. If it does not come to what is expected, the test fails, or is expected
    to, before its function runs."""
    item: pytest.Item = request.node
    session = session_of(request.config)
    expectation = expected_of(item, session)
    workflows = tuple(dict.fromkeys(one for marker in item.iter_markers("playhead") for one in _classes(marker)))
    try:
        replayer = session.replayer_of(workflows)
        history = session.project.read(path)
    except (*NO_CODE, UnreadableHistory) as error:
        fail(error)
    known_as = workflow_id_of(path, history)
    verdict = replayer.replay(history, workflow_id=known_as)
    note(item, kind="covers", workflow=history.workflow_type)
    explanation = explain(
        shown_path(str(path)), history, verdict, replayer, workflow_id=known_as, is_strict=expectation.strict
    )
    if isinstance(verdict, NotReplayable):
        fail(explanation.text(width=session.width))
    outcome = outcome_of(expectation, explanation, session.configuration.allowed, path, session.today)
    recording = replayer.record(history, workflow_id=known_as, queries=list(expectation.queries))
    try:
        if isinstance(outcome, Met) and (wrong := unmet(recording, expectation.at)):
            outcome = Unmet(wrong[0], explanation, "\n  ".join(wrong))
        if not isinstance(outcome, Met):
            item.stash.setdefault(BEFORE, []).append(partial(_end, item, outcome))
        yield recording
    finally:
        recording.close()


def _end(item: pytest.Item, outcome: Allowed | Unmet) -> None:
    if isinstance(outcome, Allowed):
        note_allowed(item, outcome)
        pytest.xfail(outcome.reason)
        outcome = Unmet(outcome.reason, outcome.explanation)  # with --runxfail
    fail(outcome.text(width=session_of(item.config).width))


def expected_of(item: pytest.Item, session: ReplaySession) -> Expectation:
    """What markers say of a test; what a closer one says goes before what one further away does."""
    keywords: dict[str, Any] = {"strict": True} if session.is_strict else {}
    for marker in reversed(list(item.iter_markers("playhead"))):
        keywords |= marker.kwargs
    try:
        return expectation_of(keywords)
    except BadExpectation as error:
        fail(error)


def note_allowed(item: pytest.Item, outcome: Allowed) -> None:
    """Say that a break was let pass, and why."""
    entries = session_of(item.config).configuration.allowed.entries
    number = entries.index(outcome.entry) if outcome.entry is not None else None
    note(item, kind="allowed", name=outcome.explanation.name, reason=outcome.reason, entry=number)


def _histories(node: pytest.Item) -> list[str | os.PathLike[str]]:
    for marker in node.iter_markers("playhead"):
        found = [one for one in marker.args if isinstance(one, str | os.PathLike)]
        if found:
            return found
    return []


def _classes(marker: pytest.Mark) -> list[type[Any]]:
    return [one for one in marker.args if isinstance(one, type)]


def _ids(paths: list[Path]) -> list[str]:
    """Names that tell the histories apart."""
    stems = [path.name.partition(".")[0] for path in paths]
    return (
        stems
        if len(set(stems)) == len(stems)
        else [f"{path.parent.name}-{path.name.partition('.')[0]}" for path in paths]
    )
