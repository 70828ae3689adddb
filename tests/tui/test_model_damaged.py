"""Histories that somebody damaged: whatever still can be read can be shown, searched, drawn and exported."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from playhead.readers import UnreadableHistory, read_history
from playhead_engine.history import History
from playhead_tui.model.decoded import Decoder, raw_lines
from playhead_tui.model.exports import event_json, prefix
from playhead_tui.model.filter import Filter
from playhead_tui.model.groups import FlatRows, GroupedRows, Groups, row_line
from playhead_tui.model.outline import Outline, branch_line
from playhead_tui.model.overview import Course, Overview
from playhead_tui.model.search import Search, Texts
from playhead_tui.model.what_if import activities_to_change
from tests.replay.mangling import VALUES

FIXTURES = Path(__file__).parents[2] / "fixtures" / "temporal"
NAMES = ("saga_compensated", "approval_updated", "newsletter_v2", "exchange_backoff")


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_history_is_shown_as_far_as_it_can_be_read(name: str) -> None:
    """One value anywhere becomes another; readers refuse many of these, and what they let through is shown."""
    shown = 0
    for seed in range(60):
        history = damaged(json.loads((FIXTURES / f"{name}.json").read_text()), Random(seed))
        if history is not None and history.events:
            look_at(history)
            shown += 1
    assert shown > 10


def damaged(document: object, random: Random) -> History | None:
    """A document in which one value is another; None if that is no history any more."""
    places: list[tuple[dict[str, object] | list[object], str | int]] = []

    def walk(part: object) -> None:
        if isinstance(part, dict | list):
            for key in part if isinstance(part, dict) else range(len(part)):
                places.append((part, key))
                walk(part[key])

    walk(document)
    part, key = random.choice(places)
    part[key] = random.choice(VALUES)
    try:
        return read_history(json.dumps(document).encode())
    except UnreadableHistory:
        return None


def look_at(history: History) -> None:
    """Everything that panes show of it, in every way."""
    groups = Groups(history)
    decoder, texts, course = Decoder(groups), Texts(groups), Course(groups)
    grouped = GroupedRows(groups)
    grouped.fold_all(unfold=True)
    for rows in (FlatRows(groups), grouped):
        assert all(row_line(rows[index], groups, 3) for index in range(len(rows)))
    for event in history:
        outline = Outline(decoder.nodes(event))
        for _ in range(3):
            for index in range(len(outline) - 1, -1, -1):
                outline.fold(index, unfold=True)
        for branch in outline.rows:
            branch_line(branch)
            assert isinstance(branch.node.copied, str)
        assert raw_lines(event)
        assert event_json(event)
        activities_to_change(groups, event.event_id)
    assert prefix(history, history.events[-1].event_id).json
    for text in ("e", "E", "is:retried", "longer:1s", "after:1s", "activity:"):
        assert Search(texts, Filter(text)).advance()
    for width in (1, 30, 100):
        overview = Overview(course, width)
        overview.ruler(1)
        for lane in range(len(overview.lanes)):
            overview.line(lane, 1)
