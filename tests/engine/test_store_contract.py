"""What every store promises, held against both, and against somebody who looks on while another writes."""

from __future__ import annotations

import pickle
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from playhead_engine.stores import RunWrite, Store, StoreError
from playhead_engine.stores.disk import DiskStore
from playhead_engine.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from playhead_engine.messages import Json


class LookedOn:
    """One process writes, another reads."""

    def __init__(self, path: Path) -> None:
        self._owner = DiskStore(path)
        self._onlooker = DiskStore(path, read_only=True)
        self.events = self._onlooker.events
        self.summary = self._onlooker.summary
        self.pending = self._onlooker.pending
        self.summaries = self._onlooker.summaries

    def commit(self, writes: Sequence[RunWrite]) -> None:
        self._owner.commit(writes)

    def close(self) -> None:
        self._owner.close()
        self._onlooker.close()


@pytest.fixture(params=["memory", "disk", "disk, looked on"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store
    match request.param:
        case "memory":
            made = MemoryStore()
        case "disk":
            made = DiskStore(tmp_path / "store", synchronous="NORMAL")
        case _:
            made = LookedOn(tmp_path / "store")
    yield made
    made.close()


def event(event_id: int, **attributes: Any) -> Json:
    return {"eventId": str(event_id), "eventType": "EVENT_TYPE_MARKER_RECORDED", "attributes": attributes}


def events(first: int, last: int) -> tuple[Json, ...]:
    return tuple(event(event_id) for event_id in range(first, last + 1))


def started(run_id: str, count: int = 1, *, pending: Json | None = None) -> RunWrite:
    """The first write of a run."""
    return RunWrite(run_id, 1, events(1, count), {"runId": run_id, "status": "RUNNING"}, pending)


def contents(store: Store, *run_ids: str) -> Json:
    """All that can be read of some runs."""
    return {
        "summaries": list(store.summaries()),
        **{run_id: [store.events(run_id), store.summary(run_id), store.pending(run_id)] for run_id in run_ids},
    }


def test_events_come_back_in_the_order_in_which_they_were_appended(store: Store) -> None:
    """A run's events come back whole and in order, however many commits they came in."""
    store.commit([started("run", 3)])
    for first in range(4, 204, 2):
        store.commit([RunWrite("run", first, events(first, first + 1))])
    assert store.events("run") == list(events(1, 203))


def test_an_unknown_run_has_nothing(store: Store) -> None:
    """A run that was never written has no events, no summary and no pending record, whatever its name is."""
    store.commit([started("known")])
    for run_id in ["unknown", "", "known/", "know", "known0", "known/0000000001", "%", "_nown", "\ud800", "a\x00b"]:
        assert (store.events(run_id), store.summary(run_id), store.pending(run_id)) == ([], None, {})


def test_runs_do_not_mix(store: Store) -> None:
    """Runs whose names begin with each other keep their own events, summaries and pending records."""
    run_ids = ["a", "a0", "a-1", "ab", "A", "a.", "a ", "ä", "a0000000001", "pending", "run", "playhead-store", "🎬"]
    for count, run_id in enumerate(run_ids, 1):
        store.commit([started(run_id, count, pending={"of": run_id})])
    for count, run_id in enumerate(run_ids, 1):
        assert store.events(run_id) == list(events(1, count))
        assert store.summary(run_id) == {"runId": run_id, "status": "RUNNING"}
        assert store.pending(run_id) == {"of": run_id}


def test_a_summary_stays_until_it_is_replaced(store: Store) -> None:
    """A summary is replaced as a whole, alone or beside events, and stays where a write gives none."""
    store.commit([started("run")])
    store.commit([RunWrite("run", 2, events(2, 2))])
    assert store.summary("run") == {"runId": "run", "status": "RUNNING"}
    store.commit([RunWrite("run", summary={"memo": 1})])
    assert store.summary("run") == {"memo": 1}
    store.commit([RunWrite("run", 3, events(3, 3), {"status": "COMPLETED"})])
    assert store.summary("run") == {"status": "COMPLETED"}
    store.commit([RunWrite("run", summary={})])
    assert store.summary("run") == {}


def test_summaries_come_in_the_order_in_which_runs_were_first_written(store: Store) -> None:
    """Each run has one summary, the newest, at the place where the run was first written."""
    store.commit([started("zebra"), started("ant")])
    store.commit([started("mole")])
    store.commit([RunWrite("zebra", 2, events(2, 2), {"runId": "zebra", "status": "COMPLETED", "memo": "x" * 5000})])
    store.commit([RunWrite("ant", pending={"attempt": 1})])
    assert [(summary["runId"], summary["status"]) for summary in store.summaries()] == [
        ("zebra", "COMPLETED"),
        ("ant", "RUNNING"),
        ("mole", "RUNNING"),
    ]


def test_summaries_are_those_of_the_call(store: Store) -> None:
    """What is written while somebody goes through the summaries does not change what he sees."""
    store.commit([started("first"), started("second")])
    summaries = store.summaries()
    assert next(summaries)["runId"] == "first"
    store.commit([started("third"), RunWrite("second", summary={"runId": "changed"})])
    assert [summary["runId"] for summary in summaries] == ["second"]


def test_a_pending_record_stays_until_it_is_replaced_or_removed(store: Store) -> None:
    """The newest pending record is in force, whether it came with events or alone; an empty one removes it."""
    steps: list[tuple[RunWrite, Json]] = [
        (started("run"), {}),
        (RunWrite("run", pending={"alone": 1}), {"alone": 1}),
        (RunWrite("run", pending={"alone": 2}), {"alone": 2}),
        (RunWrite("run", 2, events(2, 4), pending={"with": 4}), {"with": 4}),
        (RunWrite("run", 5, events(5, 5)), {"with": 4}),
        (RunWrite("run", 6, events(6, 6)), {"with": 4}),
        (RunWrite("run", pending={"alone": 6}), {"alone": 6}),
        (RunWrite("run", 7, events(7, 9)), {"alone": 6}),
        (RunWrite("run", summary={"status": "same"}), {"alone": 6}),
        (RunWrite("run", 10, events(10, 10), pending={}), {}),
        (RunWrite("run", 11, events(11, 11)), {}),
        (RunWrite("run", pending={"alone": 11}), {"alone": 11}),
        (RunWrite("run", pending={}), {}),
        (RunWrite("run", 12, events(12, 12), {"status": "new"}, {"with": 12}), {"with": 12}),
    ]
    for write, expected in steps:
        store.commit([write])
        assert store.pending("run") == expected, write
        store.events("run")  # whether they are read first makes no difference
        assert store.pending("run") == expected, write
    assert store.events("run") == list(events(1, 12))


def test_one_run_may_be_written_twice_in_one_commit(store: Store) -> None:
    """Two changes of one run that are committed together take effect in their order."""
    store.commit(
        [
            started("run", 2, pending={"n": 1}),
            RunWrite("run", 3, events(3, 5), pending={"n": 2}),
            RunWrite("run", pending={"n": 3}),
            RunWrite("run", 6, events(6, 6), {"status": "COMPLETED"}),
        ]
    )
    assert contents(store, "run") == {
        "summaries": [{"status": "COMPLETED"}],
        "run": [list(events(1, 6)), {"status": "COMPLETED"}, {"n": 3}],
    }


def test_an_empty_commit_changes_nothing(store: Store) -> None:
    """Nothing to write is not an error."""
    store.commit([started("run")])
    before = contents(store, "run")
    store.commit([])
    store.commit([RunWrite("run")])
    assert contents(store, "run") == before


REFUSED: dict[str, tuple[RunWrite, str]] = {
    "a gap": (RunWrite("run", 5, events(5, 5)), "run run: event 5 can not follow event 3"),
    "an event again": (RunWrite("run", 3, events(3, 4)), "run run: event 3 can not follow event 3"),
    "no first id": (RunWrite("run", events=events(4, 4)), "run run: event 0 can not follow event 3"),
    "a new run from 2": (RunWrite("new", 2, events(2, 2), {}), "run new: event 2 can not follow event 0"),
    "no summary": (RunWrite("new", 1, events(1, 1)), "run new is new, and was given no summary"),
    "a slash": (RunWrite("ru/n", 1, events(1, 1), {}), "'ru/n' can not be a run id"),
    "no name": (RunWrite("", 1, events(1, 1), {}), "'' can not be a run id"),
    "half a character": (RunWrite("\ud800", 1, events(1, 1), {}), r"'\ud800' can not be a run id"),
    "a set": (RunWrite("run", 4, (event(4), event(5, bad={1}))), "run run: event 5 can not be written as JSON"),
    "broken text": (RunWrite("run", 4, (event(4, bad="\ud800"),)), "run run: event 4 can not be written as JSON"),
    "a huge number": (RunWrite("run", summary={"bad": 2**64}), "run run: the summary can not be written as JSON"),
    "bytes": (RunWrite("run", pending={"bad": b""}), "run run: the pending record can not be written as JSON"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_commit_is_accepted_whole_or_not_at_all(store: Store, case: str) -> None:
    """One bad write among good ones is named, nothing of the commit is there, and the store goes on."""
    bad, message = REFUSED[case]
    store.commit([started("run", 3, pending={"n": 1})])
    before = contents(store, "run", "other", "new")
    with pytest.raises(StoreError) as caught:
        store.commit([started("other"), RunWrite("run", summary={"status": "changed"}, pending={"n": 2}), bad])
    assert message in str(caught.value)
    assert contents(store, "run", "other", "new") == before
    store.commit([started("other"), RunWrite("run", 4, events(4, 4))])
    assert store.events("run") == list(events(1, 4))


def test_what_was_committed_can_not_be_changed_from_outside(store: Store) -> None:
    """Objects that were handed over, and objects that were read, are the caller's: changing them changes no run."""
    write = started("run", 2, pending={"list": [1]})
    store.commit([write])
    before = contents(store, "run")
    for shared in (write, RunWrite("", 0, tuple(store.events("run")), store.summary("run"), store.pending("run"))):
        shared.events[0]["attributes"]["new"] = 1
        assert shared.summary is not None
        assert shared.pending is not None
        shared.summary["status"] = "CHANGED"
        shared.pending["list"].append(2)
    assert contents(store, "run") == before


def test_values_of_any_size_and_any_text_come_back_equal(store: Store) -> None:
    """A megabyte in one event, every kind of character, deep nesting and the extremes of numbers are kept exactly."""
    deep: Json = {}
    for _ in range(100):
        deep = {"deeper": [deep]}
    text = "".join(map(chr, [*range(0x300), 0x2028, 0xFFFF, 0x1F3AC]))
    values = ["x" * 1_000_000, "y" * 32_768, text, "", deep, 2**63 - 1, -(2**63), 1.5e300, None, True, [], {}]
    kept = tuple(event(index, value=value) for index, value in enumerate(values, 1))
    store.commit([RunWrite("run", 1, kept, {"big": "z" * 200_000, text: text}, {"big": "p" * 100_000})])
    assert contents(store, "run") == {
        "summaries": [{"big": "z" * 200_000, text: text}],
        "run": [list(kept), {"big": "z" * 200_000, text: text}, {"big": "p" * 100_000}],
    }


def test_a_closed_store_refuses_everything(store: Store) -> None:
    """After closing each use says so; closing once more does nothing."""
    store.commit([started("run")])
    store.close()
    store.close()
    uses = [
        lambda: store.commit([]),
        lambda: store.events("run"),
        lambda: store.summary("run"),
        lambda: store.pending("run"),
        store.summaries,
    ]
    for use in uses:
        with pytest.raises(StoreError, match="the store is closed"):
            use()


def in_a_thread(use: Callable[[], object]) -> None:
    """Do it in another thread, and raise here what it raises there."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(use).result()


def test_a_second_thread_is_refused(store: Store) -> None:
    """A store that one thread uses refuses any other thread, and stays usable in the first."""
    store.commit([started("run")])
    store.events("run")
    uses = [lambda: store.commit([started("other")]), lambda: store.events("run"), store.summaries, store.close]
    for use in uses:
        with pytest.raises(StoreError, match="another thread uses the store"):
            in_a_thread(use)
    store.commit([RunWrite("run", 2, events(2, 2))])
    assert store.events("run") == list(events(1, 2))


def test_a_store_may_be_opened_in_one_thread_and_used_in_another(store: Store) -> None:
    """A store belongs to the first thread that uses it, not to the one that opened it."""

    def use() -> None:
        store.commit([started("run")])
        store.commit([RunWrite("run", 2, events(2, 2))])
        assert store.events("run") == list(events(1, 2))
        store.close()

    in_a_thread(use)


def test_a_store_error_can_cross_a_process_boundary() -> None:
    """A pickled StoreError keeps its fields and its text."""
    error = StoreError("/somewhere", "the store is damaged", "Restore it")
    again = pickle.loads(pickle.dumps(error))
    assert (again.path, again.problem, again.advice) == ("/somewhere", "the store is damaged", "Restore it")
    assert str(again) == str(error) == "/somewhere: the store is damaged. Restore it"


RUN_IDS = ["a", "a0", "b", "🎬"]
RECORDS = st.dictionaries(st.text(max_size=3), st.integers(-5, 5) | st.text(max_size=3), max_size=2)


class Plain:
    """The contract in the plainest form: a dict of what each run has."""

    def __init__(self) -> None:
        self.runs: dict[str, Json] = {}

    def commit(self, writes: Sequence[RunWrite]) -> bool:
        """Returns whether it is accepted."""
        runs = {run_id: dict(run) for run_id, run in self.runs.items()}
        for write in writes:
            if write.run_id not in runs and write.summary is None:
                return False
            run = runs.setdefault(write.run_id, {"events": [], "summary": {}, "pending": {}})
            if write.events and write.first_event_id != len(run["events"]) + 1:
                return False
            run["events"] = [*run["events"], *write.events]
            run["summary"] = run["summary"] if write.summary is None else write.summary
            run["pending"] = run["pending"] if write.pending is None else write.pending
        self.runs = runs
        return True


class StoresAgree(RuleBasedStateMachine):
    """Both stores, an onlooker and the plain model get the same commits, good and bad; the disk store is closed and
    opened again between them."""

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp())
        self.plain = Plain()
        self.memory = MemoryStore()
        self.disk = DiskStore(self.path, synchronous="NORMAL")
        self.onlooker = DiskStore(self.path, read_only=True)

    def teardown(self) -> None:
        self.disk.close()
        self.onlooker.close()
        shutil.rmtree(self.path)

    @rule(data=st.data(), count=st.integers(1, 4))
    def commit(self, data: st.DataObject, count: int) -> None:
        sizes = {run_id: len(run["events"]) for run_id, run in self.plain.runs.items()}
        writes: list[RunWrite] = []
        for _ in range(count):
            run_id = data.draw(st.sampled_from(RUN_IDS))
            size = sizes.get(run_id, 0)
            first = size + 1 + data.draw(st.sampled_from([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1]))
            added = events(first, first + data.draw(st.integers(0, 3)) - 1)
            summary = data.draw(RECORDS if run_id not in sizes else st.none() | RECORDS)
            writes.append(RunWrite(run_id, first, added, summary, data.draw(st.none() | RECORDS)))
            sizes[run_id] = size + len(added)
        accepted = self.plain.commit(writes)
        for store in (self.memory, self.disk):
            try:
                store.commit(writes)
            except StoreError:
                assert not accepted
            else:
                assert accepted

    @rule()
    def open_again(self) -> None:
        self.disk.close()
        self.disk = DiskStore(self.path, synchronous="NORMAL")

    @rule()
    def look_again(self) -> None:
        self.onlooker.close()
        self.onlooker = DiskStore(self.path, read_only=True)

    @invariant()
    def all_agree(self) -> None:
        expected = {
            "summaries": [run["summary"] for run in self.plain.runs.values()],
            **{run_id: [run["events"], run["summary"], run["pending"]] for run_id, run in self.plain.runs.items()},
        }
        for store in (self.memory, self.disk, self.onlooker):
            assert contents(store, *self.plain.runs) == expected


TestStoresAgree = StoresAgree.TestCase
TestStoresAgree.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
