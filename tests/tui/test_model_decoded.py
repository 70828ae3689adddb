"""The selected event, decoded: values, failures and links, bounded and harmless, whatever is in the history."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from playhead import Replayer
from playhead.readers import UnreadableHistory, read_history
from playhead_engine.history import History
from playhead_tui.model.decoded import Decoder, raw_lines
from playhead_tui.model.groups import Groups
from playhead_tui.model.ink import text_of
from playhead_tui.model.outline import Branch, Node, Outline, branch_line
from playhead_tui.model.payloads import Payloads
from tests.engine.history_builder import HistoryBuilder
from tests.engine.json_values import payload

FIXTURES = Path(__file__).parents[2] / "fixtures"
OURS = sorted((FIXTURES / "temporal").glob("[a-z]*.json"))


def tree(history: History, event_id: int, payloads: Payloads | None = None) -> Outline:
    """The tree of an event."""
    return Outline(Decoder(Groups(history), payloads).nodes(history.event(event_id)))


def unfolded(outline: Outline, levels: int = 8) -> Outline:
    """The same with everything in it unfolded."""
    for _ in range(levels):
        for index in range(len(outline) - 1, -1, -1):
            outline.fold(index, unfold=True)
    return outline


def shown(outline: Outline) -> list[str]:
    """What is on the screen."""
    return [text_of(branch_line(branch)).rstrip() for branch in outline.rows]


def find(outline: Outline, label: str) -> Branch:
    """The first node of that name."""
    return next(branch for branch in outline.rows if branch.node.label == label)


def recorded(name: str) -> History:
    """One of our own histories."""
    return read_history(FIXTURES / f"{name}.json")


def builder_with(data: Any, **fields: Any) -> History:
    """A history whose activity gave that back, in JSON."""
    history = HistoryBuilder()
    history.task()
    scheduled = history.activity_scheduled()
    history.activity_started(scheduled)
    history.activity_completed(scheduled, data)
    return history.history()


def test_an_event_is_told_in_words() -> None:
    """Values, durations and times as one would say them, and empty fields not at all."""
    outline = tree(recorded("temporal/saga_compensated"), 17)
    lines = shown(outline)
    assert lines[0].strip() == "ActivityTaskScheduled"
    assert "  time  2026-11-21 01:31:22.202 UTC, 127 ms after the start" in lines
    assert "  activity type  book_car" in lines
    assert "▸ input  {'city': 'Venice', 'traveller': 'Ada'}" in lines
    assert "  start to close timeout  10 s" in lines
    assert not any("heartbeat timeout" in line for line in lines)  # it was recorded as 0s
    assert find(outline, "start to close timeout").node.copied == "10s"


def test_values_unfold_into_their_parts() -> None:
    """An object unfolds field by field, a list item by item, and folds again."""
    outline = tree(recorded("temporal/batch_parent"), 1)
    at = outline.rows.index(find(outline, "input"))
    assert outline.fold(at, unfold=True)
    assert outline.fold(at + 1, unfold=True)
    assert [line.strip() for line in shown(outline)[at : at + 6]] == [
        "▾ input  {'files': ['rows-12.csv', 'rows-30.csv', 'rows-7.csv'], 'name': 'monday'}",
        "▾ files  ['rows-12.csv', 'rows-30.csv', 'rows-7.csv']",
        "[0]  'rows-12.csv'",
        "[1]  'rows-30.csv'",
        "[2]  'rows-7.csv'",
        "name  'monday'",
    ]
    assert outline.parent_of(at + 3) == at + 1
    assert json.loads(outline[at].node.copied)["files"] == ["rows-12.csv", "rows-30.csv", "rows-7.csv"]
    before = len(outline)
    assert outline.fold(at, unfold=False)
    assert not outline.fold(at, unfold=False)
    assert len(outline) == before - 5


def test_what_was_unfolded_stays_so_at_the_next_event_of_the_same_shape() -> None:
    """Whoever looks into the input of one activity sees that of the next one unfolded, too."""
    history = recorded("temporal/saga_compensated")
    first = tree(history, 5)
    first.fold(first.rows.index(find(first, "input")), unfold=True)
    following = Outline(Decoder(Groups(history)).nodes(history.event(11)), first.folds)
    assert find(following, "input").is_open
    assert find(following, "traveller").node.text == "'Ada'"


def test_a_failure_is_a_chain_from_error_to_cause() -> None:
    """Each link with its type and message, its details and its stack trace, whose lines lead to the source."""
    outline = tree(recorded("temporal/saga_compensated"), 41)
    failure = find(outline, "failure")
    assert failure.node.text == (
        "TripCancelled: Ada stays at home <- activity: Activity task failed <- NoCars: no cars in Venice <- "
        "KeyError: 'Venice'"
    )
    chain = [(branch.node.label, branch.node.text) for branch in outline.rows if branch.path[:-1] == failure.path]
    assert chain == [
        ("error", "TripCancelled: Ada stays at home"),
        ("caused by", "activity: Activity task failed"),
        ("caused by", "NoCars: no cars in Venice"),
        ("caused by", "KeyError: 'Venice'"),
    ]
    sites = [branch.node.site for branch in unfolded(outline).rows if branch.node.site is not None]
    assert ("examples/temporal/saga.py", 90) in [(site.file, site.line) for site in sites]
    assert "Caused by NoCars: no cars in Venice" in failure.node.copied
    assert 'File "examples/temporal/saga.py", line 56' in failure.node.copied


def test_other_events_can_be_gone_to() -> None:
    """The event that scheduled it, and the others of the same activity."""
    history = recorded("temporal/saga_compensated")
    outline = tree(history, 19)
    assert find(outline, "scheduled event").node.event_id == 17
    company = find(outline, "belongs to")
    assert company.node.text == "activity book_car, failed"
    below = [branch.node.event_id for branch in outline.rows if branch.path[:-1] == company.path]
    assert below == [17, 18]
    alone = History(history.events[18:])
    assert find(tree(alone, 19), "scheduled event").node.text == "event 17, which is not here"


def test_an_encrypted_value_is_told_as_what_it_is() -> None:
    """Without a codec: its encoding and its size, and no guess at what is in it."""
    history = recorded("encrypted/orders_completed")
    text = find(tree(history, 1), "input").node.text
    assert text.startswith("<binary/encrypted, ")
    assert text.endswith(" bytes>")


def test_with_the_users_codec_an_encrypted_value_is_read() -> None:
    """And with the wrong key it says what the codec raised."""
    pytest.importorskip("cryptography")
    from examples.orders import OrderFulfilment

    from playhead_engine.converter import DataConverter
    from tests.replay.encryption import KEY, OTHER_KEY, NativeAes

    history = recorded("encrypted/orders_completed")

    def read(key: bytes) -> Node:
        converter = DataConverter(payload_codec=NativeAes(key))
        replayer = Replayer([OrderFulfilment], data_converter=converter)
        code = replayer.code_for(history)
        assert code is not None
        return find(tree(history, 1, Payloads(code.wire)), "input").node

    assert read(KEY).text.startswith("{'card': 'valid'")
    assert json.loads(read(KEY).copied)["card"] == "valid"
    assert read(OTHER_KEY).text.startswith("<binary/encrypted, ")
    assert "InvalidTag" in read(OTHER_KEY).text


def test_a_value_that_only_the_users_converter_reads_is_read_by_it_and_not_shown_by_it() -> None:
    """Another encoding goes to the converter; the object it makes is captured without calling its __repr__."""
    from playhead_engine.converter import CompositePayloadConverter, DataConverter, EncodingPayloadConverter
    from playhead_engine.engine.wire import Wire
    from playhead_engine.payload import Payload

    class Coin:
        def __init__(self, cents: int) -> None:
            self.cents = cents

        def __repr__(self) -> str:
            raise AssertionError("nobody may call this")

    class CoinConverter(EncodingPayloadConverter):
        encoding = "binary/coin"

        def to_payload(self, value: Any) -> Payload | None:
            return None

        def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
            return Coin(int(payload.data))

    class Converter(CompositePayloadConverter):
        def __init__(self) -> None:
            super().__init__(CoinConverter())

    history = HistoryBuilder()
    history.add("WORKFLOW_EXECUTION_SIGNALED", {"signalName": "pay", "input": {"payloads": [_coin(b"42")]}})
    parsed = history.history()
    with_code = Payloads(Wire(DataConverter(payload_converter_class=Converter)))
    assert find(tree(parsed, 2, with_code), "input").node.text == "Coin(cents=42)"
    assert find(tree(parsed, 2), "input").node.text == "<binary/coin, 2 bytes>"


def _coin(data: bytes) -> Any:
    encoding = base64.b64encode(b"binary/coin").decode()
    return {"metadata": {"encoding": encoding}, "data": base64.b64encode(data).decode()}


def test_control_characters_do_nothing() -> None:
    """A value that would clear the screen is shown, and clears nothing; a copy of it is what it was."""
    history = builder_with("\x1b[2J\u202eabc\nsecond line")
    outline = tree(history, 7)
    assert not any("\x1b" in line or "\u202e" in line or "\n" in line for line in shown(unfolded(outline)))
    assert find(outline, "result").node.copied == "\x1b[2J\u202eabc\nsecond line"


def test_a_value_of_a_megabyte_costs_a_line() -> None:
    """Its line is short and quick; unfolded it is cut, and says how much is missing; a copy has all of it."""
    long = builder_with({"rows": [f"row {number}" for number in range(100_000)]})
    begun = time.process_time()
    outline = tree(long, 7)
    assert time.process_time() - begun < 0.1
    result = find(outline, "result")
    assert len(result.node.text) <= 300
    rows = unfolded(outline, 2)
    assert len(rows) < 3_000
    assert any("99,000 more" in line for line in shown(rows))
    assert json.loads(result.node.copied)["rows"][99_999] == "row 99999"
    assert max(map(len, raw_lines(long.event(7)))) < 600
    assert any("characters" in line for line in raw_lines(long.event(7)))


def test_a_long_text_is_shown_by_its_lines() -> None:
    """A report of many lines in a string unfolds into them; a text without lines is cut into some."""
    report = tree(builder_with("first\nsecond\nthird"), 7)
    report.fold(report.rows.index(find(report, "result")), unfold=True)
    assert [line.strip() for line in shown(report) if line.startswith("    ")][:3] == ["first", "second", "third"]
    blob = tree(builder_with("x" * 100_000), 7)
    blob.fold(blob.rows.index(find(blob, "result")), unfold=True)
    assert any("80,000 more characters" in line for line in shown(blob))


def test_markers_of_core_tell_what_is_in_them() -> None:
    """The patch of a patch marker, the activity of a local activity's."""
    history = HistoryBuilder()
    history.task()
    patch = history.patch_marker("polite")
    local = history.local_activity_marker(1, "done")
    parsed = history.history()
    assert any("polite" in line for line in shown(unfolded(tree(parsed, patch))))
    assert any("lookup" in line for line in shown(unfolded(tree(parsed, local))))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_every_event_of_our_own_histories_unfolds(path: Path) -> None:
    """Nothing raises, every line fits a terminal, and the raw JSON is the recorded one."""
    history = read_history(path)
    decoder = Decoder(Groups(history))
    for event in history:
        outline = unfolded(Outline(decoder.nodes(event)))
        assert all(len(line) < 600 and line.isprintable() for line in shown(outline))
        assert json.loads("\n".join(raw_lines(event)))["eventId"] == event.raw["eventId"]


def test_histories_of_others_unfold(shared_histories: Path) -> None:
    """Real downloads with whatever people put into them."""
    read = 0
    for path in sorted((shared_histories / "temporal").rglob("*.json"))[:60]:
        try:
            history = read_history(path)
        except UnreadableHistory:
            continue
        decoder = Decoder(Groups(history))
        for event in history.events[:200]:
            assert all(line.isprintable() for line in shown(unfolded(Outline(decoder.nodes(event)), 4)))
        read += 1
    assert read > 20


def test_a_damaged_payload_is_shown_as_such() -> None:
    """What is no base64, or no JSON, is told in words."""
    history = HistoryBuilder()
    broken = {**payload("whole"), "data": base64.b64encode(b"{no json").decode()}
    history.add("WORKFLOW_EXECUTION_SIGNALED", {"signalName": "x", "input": {"payloads": [broken]}})
    history.add("WORKFLOW_EXECUTION_SIGNALED", {"signalName": "x", "input": {"payloads": [{**broken, "data": "$"}]}})
    parsed = history.history()
    assert find(tree(parsed, 2), "input").node.text.startswith("<json/plain, 8 bytes; JSONDecodeError: ")
    assert find(tree(parsed, 3), "input").node.text.startswith("<json/plain, ")
