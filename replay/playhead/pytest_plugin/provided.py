"""What the fixtures provide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from playhead.configuration import BadConfiguration
from playhead.doubles import Doubles, NotRecorded
from playhead.pytest_plugin.baselines import BadBaseline, Note, Run
from playhead.pytest_plugin.corpus import NoSuchHistory
from playhead.pytest_plugin.fixture_types import MakeEngine, Recorded
from playhead.pytest_plugin.project import NO_CODE, Histories
from playhead.pytest_plugin.session import session_of
from playhead.pytest_plugin.stash import AFTER, fail, note
from playhead.readers import UnreadableHistory
from playhead_engine import Engine, History

if TYPE_CHECKING:
    from playhead.replayer import Replayer


def provided_replayer(config: pytest.Config) -> Replayer:
    """See `fixtures.replayer`."""
    try:
        return session_of(config).project.replayer
    except NO_CODE as error:
        fail(error)


def provided_histories(config: pytest.Config) -> Mapping[str, History]:
    """See `fixtures.histories`."""
    session = session_of(config)
    found = Histories(session.project, session.corpus)
    try:
        len(found)
    except BadConfiguration as error:
        fail(error)
    return found


def provided_engines(config: pytest.Config) -> Iterator[MakeEngine]:
    """See `fixtures.workflow_engine`."""
    made: list[Engine] = []

    def make(
        workflows: Sequence[type[Any]] | None = None,
        activities: Sequence[Callable[..., Any]] | None = None,
        *,
        doubles: Doubles | None = None,
        **options: Any,
    ) -> Engine:
        options = {"seed": 0, **options}
        if workflows is None:
            try:
                code = session_of(config).project.code
            except NO_CODE as error:
                fail(error)
            workflows = code.workflows
            activities = code.activities if activities is None and doubles is None else activities
            given = code.options.as_keywords()
            known = ("data_converter", "interceptors", "plugins")
            options = {**{name: given[name] for name in known if name in given}, **options}
        if doubles is not None:
            engine = doubles.engine(workflows, activities or (), **options)
        else:
            engine = Engine(workflows=workflows, activities=activities or (), **options)
        made.append(engine)
        return engine

    yield make
    for engine in made:
        with engine:
            pass


def provided_doubles(request: pytest.FixtureRequest) -> Callable[..., Doubles]:
    """See `fixtures.doubles`."""
    session, made = session_of(request.config), list[Doubles]()

    def make(*histories: Any, **options: Any) -> Doubles:
        try:
            found = [one for history in histories for one in _sources(history)]
            doubles = Doubles(*found, **options)
        except (NoSuchHistory, UnreadableHistory, BadConfiguration) as error:
            fail(error)
        made.append(doubles)
        return doubles

    def _sources(history: Any) -> list[Any]:
        if not isinstance(history, str):
            return [history]
        return list(session.corpus.find(history, request.path.parent))

    def check() -> None:
        for doubles in made:
            try:
                doubles.check()
            except NotRecorded as error:
                fail(error)

    request.node.stash.setdefault(AFTER, []).append(check)
    return make


def provided_baselines(request: pytest.FixtureRequest) -> Recorded:
    """See `fixtures.recorded`."""
    item: pytest.Item = request.node
    return partial(_recorded, item)


def _recorded(item: pytest.Item, name: str, run: Run, *, values: bool = True) -> History:
    __tracebackhide__ = True

    def tell(done: Note) -> None:
        note(item, kind="baseline", path=done.path, what=done.what, lines=list(done.lines))

    baselines = session_of(item.config).baselines
    try:
        return baselines.hold(name, run, test=item.nodeid, values=values, tell=tell)
    except BadBaseline as error:
        failure = str(error)
    pytest.fail(failure)
