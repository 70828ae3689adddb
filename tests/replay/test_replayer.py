"""The replayer as a library: verdicts are data, and nothing that went wrong looks fine."""

from __future__ import annotations

import asyncio
import json
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import playhead
from playhead import (
    Agrees,
    CodeRaised,
    Diverges,
    NoHistories,
    NotReplayable,
    Replayer,
    ReplayFailed,
    UnreadableHistory,
    read_history,
)
from playhead.divergence import DivergenceKind
from playhead_engine import workflow
from playhead_engine.history import History
from playhead_engine.profile import PROFILES
from tests.engine.history_builder import HistoryBuilder

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"
SOON = timedelta(seconds=10)


def fixture_events(name: str) -> list[dict[str, Any]]:
    """The events of a recording, to be cut or changed."""
    events: list[dict[str, Any]] = json.loads((FIXTURES / name).read_text())["events"]
    return events


def cut(name: str, count: int) -> History:
    """The first events of a recording: the run as it was then."""
    return History.from_events(fixture_events(name)[:count], "order-A-1")


async def fulfil(given: Any, *activities: str) -> None:
    """Ask for activities, one after the other."""
    for name in activities:
        await workflow.execute_activity(name, given, start_to_close_timeout=SOON)


class Unspeakable(Exception):
    """Has no text to give."""

    def __str__(self) -> str:
        raise LookupError("what was it")


@workflow.defn(name="OrderFulfilment")
class RaisesTheUnspeakable:
    """Fails its first workflow task."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Raise."""
        raise Unspeakable


@workflow.defn(name="OrderFulfilment")
class Order:
    """Does what was recorded."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Fulfil the order."""
        await fulfil(given, "reserve", "charge", "ship")


@workflow.defn(name="OrderFulfilment")
class Renamed:
    """Calls the second activity by another name."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Fulfil the order."""
        await fulfil(given, "reserve", "bill", "ship")


@workflow.defn(name="OrderFulfilment")
class EndsEarlier:
    """Never ships."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Fulfil some of the order."""
        await fulfil(given, "reserve", "charge")


@workflow.defn(name="OrderFulfilment")
class Waits:
    """Waits for nothing in particular."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Wait."""
        await workflow.wait_condition(lambda: False)


def burst() -> None:
    """Fail in a way that no workflow recovers from."""
    raise ZeroDivisionError("no")


@workflow.defn(name="OrderFulfilment")
class Bursts:
    """Raises when everything is done."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Fulfil the order and fail."""
        await fulfil(given, "reserve", "charge", "ship")
        burst()


@workflow.defn(name="OrderFulfilment")
class AsksForTwo:
    """Asks for one activity more than was recorded, in the same task."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Begin to fulfil the order."""
        await asyncio.gather(fulfil(given, "reserve"), fulfil(given, "gift-wrap"))


@workflow.defn
class Greeting:
    """Has nothing to do."""

    @workflow.run
    async def run(self) -> None:
        """Return."""


@workflow.defn(name="OrderFulfilment")
class Spins:
    """Never hands control back."""

    @workflow.run
    async def run(self, given: Any) -> None:
        """Spin."""
        while True:
            pass


def test_code_that_does_what_was_recorded_agrees() -> None:
    """A verdict on unchanged code is `Agrees`, with the number of events replayed."""
    verdict = Replayer([Order]).replay(FIXTURES / "orders_completed.json")
    assert verdict == Agrees(events=23)


def test_a_renamed_activity_is_shown_as_recorded_and_now() -> None:
    """An activity with another name diverges at its event, with both names and the line that asks."""
    verdict = Replayer([Renamed]).replay(FIXTURES / "orders_completed.json")
    assert isinstance(verdict, Diverges)
    divergence = verdict.divergence
    assert (divergence.event_id, divergence.kind) == (11, DivergenceKind.DIFFERENT_FIELDS)
    assert divergence.recorded is not None
    assert divergence.now is not None
    assert divergence.recorded.fields["activityType"] == {"name": "charge"}
    assert divergence.now.fields["activityType"] == {"name": "bill"}
    assert "activityType" in divergence.differing_fields()
    assert divergence.site is not None
    assert Path(divergence.site.file) == Path(__file__)


def test_an_activity_that_is_gone_diverges_where_it_was_recorded() -> None:
    """Code that ends earlier than it did meets the recorded activity with its end."""
    verdict = Replayer([EndsEarlier]).replay(FIXTURES / "orders_completed.json")
    assert isinstance(verdict, Diverges)
    assert verdict.divergence.event_id == 17
    assert verdict.divergence.kind is DivergenceKind.DIFFERENT_KIND
    assert verdict.divergence.now is not None
    assert verdict.divergence.now.kind == "WorkflowExecutionCompleted"


def test_code_that_asks_for_nothing_where_something_was_recorded_diverges() -> None:
    """A recorded end that no command meets is a divergence: the code still waits."""

    verdict = Replayer([Waits]).replay(FIXTURES / "orders_completed.json")
    assert isinstance(verdict, Diverges)
    assert (verdict.divergence.event_id, verdict.divergence.kind) == (5, DivergenceKind.MISSING)


def test_code_that_raises_is_never_fine() -> None:
    """Where the code now raises, the verdict says what and where, although Temporal's Replayer lets the last task
    pass."""

    open_run = cut("orders_completed.json", 21)
    verdict = Replayer([Bursts]).replay(open_run)
    assert isinstance(verdict, CodeRaised)
    assert (verdict.error_type, verdict.message, verdict.temporal) == ("ZeroDivisionError", "no", "ok")
    assert verdict.site is not None
    assert verdict.site.function.endswith("burst")
    assert "burst" in verdict.traceback
    assert "playhead_engine" not in verdict.traceback


def test_an_error_that_raises_when_it_is_asked_for_its_text() -> None:
    """What the run failed with is said all the same."""
    verdict = Replayer([RaisesTheUnspeakable]).replay(FIXTURES / "orders_completed.json")
    assert isinstance(verdict, CodeRaised)
    assert verdict.error_type == "Unspeakable"
    assert verdict.message == "(its text cannot be had: LookupError in its __str__)"


def test_more_commands_than_the_last_recorded_task_made_diverge() -> None:
    """Code that asks for one thing more at the end of an open run is caught; Temporal's Replayer passes it."""

    verdict = Replayer([AsksForTwo]).replay(cut("orders_completed.json", 5))
    assert isinstance(verdict, Diverges)
    assert verdict.temporal == "ok"
    assert verdict.divergence.kind is DivergenceKind.UNRECORDED
    assert verdict.divergence.now is not None
    assert verdict.divergence.now.fields["activityType"] == {"name": "gift-wrap"}


def test_a_history_that_stops_at_a_completed_task_warns_about_what_it_does_not_show() -> None:
    """A file that ends before it says what the last task asked for agrees, with a warning."""
    verdict = Replayer([Order]).replay(cut("orders_completed.json", 4))
    assert isinstance(verdict, Agrees)
    assert [warning.event_id for warning in verdict.warnings] == [4]


@pytest.mark.parametrize("count", range(3, 24))
def test_every_prefix_of_a_recording_agrees(count: int) -> None:
    """A run agrees with its code at every moment of its life, not at its end only."""
    verdict = Replayer([Order]).replay(cut("orders_completed.json", count))
    assert isinstance(verdict, Agrees), verdict


def test_the_next_commands_of_an_open_run_are_shown() -> None:
    """Where an open history ends with something the code was not told yet, the verdict holds what the code asks for."""
    verdict = Replayer([Order]).replay(cut("orders_completed.json", 7))
    assert isinstance(verdict, Agrees)
    assert [command.attributes["activityType"]["name"] for command in verdict.next_commands] == ["charge"]  # type: ignore[union-attr]


def test_a_type_without_code_is_not_replayable_and_the_types_are_listed() -> None:
    """A history of an unknown workflow type is no success; the message names the types there are."""
    verdict = Replayer([Order]).replay(FIXTURES / "pizza_open.json")
    assert isinstance(verdict, NotReplayable)
    assert "'PizzaOrder'" in verdict.reason
    assert "OrderFulfilment" in verdict.reason


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "no events"), (1, "only its first event")],
)
def test_a_history_on_which_temporal_hangs_is_refused_in_words(count: int, words: str) -> None:
    """Histories that no server writes, on which Temporal's Replayer never returns, get a clear answer."""
    events = fixture_events("orders_completed.json")[:count]
    verdict = Replayer([Order]).replay(History.from_events(events, "w"))
    assert isinstance(verdict, NotReplayable)


def test_an_event_after_the_end_is_refused_in_words() -> None:
    """Nothing can happen after a run has ended; such a history is named as illegal."""
    events = fixture_events("orders_completed.json")
    late = {**events[1], "eventId": "24"}
    verdict = Replayer([Order]).replay(History.from_events([*events, late], "w"))
    assert isinstance(verdict, NotReplayable)
    assert (verdict.temporal, verdict.event_id) == ("ok", 24)
    assert "after the run ended" in verdict.reason


def test_no_histories_are_an_error(tmp_path: Path) -> None:
    """Replaying nothing never looks like success."""
    replayer = Replayer([Order])
    with pytest.raises(NoHistories):
        list(replayer.replay_all([]))
    with pytest.raises(NoHistories, match="nothing was checked"):
        list(replayer.replay_directory(tmp_path))
    with pytest.raises(NotADirectoryError):
        list(replayer.replay_directory(tmp_path / "missing"))


def test_a_directory_is_replayed_file_by_file(tmp_path: Path) -> None:
    """Each history of a directory has its own verdict, and a file that is none is named."""
    (tmp_path / "good.json").write_bytes((FIXTURES / "orders_completed.json").read_bytes())
    (tmp_path / "bad.json").write_text("{}")
    results = list(Replayer([Order]).replay_directory(tmp_path))
    assert [Path(result.name).name for result in results] == ["bad.json", "good.json"]
    assert isinstance(results[0].verdict, NotReplayable)
    assert results[0].history is None
    assert isinstance(results[1].verdict, Agrees)


def test_an_exception_is_raised_only_when_asked_for() -> None:
    """`raise_on_failure` raises an error that says what `report` says, and survives pickling."""
    replayer = Replayer([Renamed])
    with pytest.raises(ReplayFailed, match="diverges at event 11") as caught:
        replayer.replay(FIXTURES / "orders_completed.json", raise_on_failure=True)
    assert isinstance(caught.value.verdict, Diverges)
    assert "activityType=bill" in str(caught.value)
    assert isinstance(caught.value, AssertionError)


def test_the_rules_are_those_of_the_release_that_is_asked_for() -> None:
    """A run that was paused before its first workflow task had started is replayed by releases that know of such."""
    built = HistoryBuilder()
    built.task_scheduled()
    built.task_failed("WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED")
    built.task()
    built.completed()
    for profile in PROFILES:
        replayer = Replayer([Greeting], profile=profile)
        assert replayer.profile is profile
        verdict = replayer.replay(History.from_events(built.events, "greeting-1"))
        assert isinstance(verdict, Agrees) == profile.forgives_pause_before_start, verdict


def test_a_refusal_survives_pickling() -> None:
    """Errors cross process boundaries with their fields."""
    with pytest.raises(UnreadableHistory) as caught:
        read_history(b"{}")
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_two_classes_of_one_type_are_refused() -> None:
    """A replayer does not choose between two classes of the same type."""
    with pytest.raises(ValueError, match="OrderFulfilment"):
        Replayer([Order, Renamed])


def test_a_workflow_that_never_yields_is_stopped_and_named() -> None:
    """Code that spins inside a workflow task ends in a verdict, not in a hang."""

    verdict = Replayer([Spins], deadlock_timeout=0.3).replay(FIXTURES / "orders_completed.json")
    assert isinstance(verdict, playhead.CodeUnfinished)
    assert "OrderFulfilment" in verdict.message
    assert "test_replayer.py" in verdict.message


def test_names_are_there_without_importing_anything() -> None:
    """Every public name resolves, and a wrong one is an AttributeError."""
    for name in playhead.__all__:
        assert getattr(playhead, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        playhead.nonsense  # noqa: B018
