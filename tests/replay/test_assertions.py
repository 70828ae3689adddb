"""`assert_replays`: a replay as an assertion."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from examples import orders, orders_broken, saga
from temporalio.client import WorkflowHistory

from playhead import Agrees, Diverges, Replayer, ReplayFailed, UnreadableHistory, assert_replays, read_history
from tests.replay.project import ORDER


def test_it_takes_a_history_in_every_form() -> None:
    """A path, as text or not, bytes, a history of ours, and one that a Temporal client fetched."""
    data = ORDER.read_bytes()
    for history in (
        ORDER,
        str(ORDER),
        data,
        read_history(ORDER),
        WorkflowHistory.from_json("order-A-1", data.decode()),
    ):
        verdict = assert_replays(history, orders.OrderFulfilment)
        assert verdict == Agrees(23)


def test_a_history_that_a_client_fetched_brings_its_workflow_id() -> None:
    """Its events need not know it, so that everything in the history that depends on it is right."""
    fetched = WorkflowHistory.from_json("another-id", ORDER.read_text())
    recording = Replayer([orders.OrderFulfilment]).record(fetched)
    assert recording.history.workflow_id == "another-id"


def test_it_fails_with_the_diagnosis() -> None:
    """An assertion that failed: where, what, and why; it keeps its verdict, and survives pickling."""
    with pytest.raises(ReplayFailed) as failed:
        assert_replays(ORDER, orders_broken.OrderFulfilment)
    text = str(failed.value)
    assert f"{ORDER}: diverges at event 11" in text
    assert "  at        examples/orders_broken.py:88 in OrderFulfilment.run" in text
    assert "added: A new step at line 88" in text
    assert isinstance(failed.value, AssertionError)
    again = pickle.loads(pickle.dumps(failed.value))
    assert isinstance(again.verdict, Diverges)
    assert str(again) == text


def test_the_code_may_be_a_choice_or_a_replayer() -> None:
    """Several classes, of which the history's type chooses one; or a replayer with its options."""
    assert_replays(ORDER, saga.TripBooking, orders.OrderFulfilment)
    assert_replays(ORDER, replayer=Replayer([orders.OrderFulfilment]))
    with pytest.raises(TypeError, match="takes a history and either workflow classes or replayer="):
        assert_replays(ORDER)
    with pytest.raises(TypeError, match="takes a history and either workflow classes or replayer="):
        assert_replays(ORDER, orders.OrderFulfilment, replayer=Replayer([orders.OrderFulfilment]))


def test_what_is_no_history_is_said(tmp_path: Path) -> None:
    """It is no failure of the code, and does not look like one."""
    (tmp_path / "cut.json").write_bytes(ORDER.read_bytes()[:3000])
    with pytest.raises(UnreadableHistory, match="truncated"):
        assert_replays(tmp_path / "cut.json", orders.OrderFulfilment)
