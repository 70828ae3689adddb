"""Thousands of damaged histories: each is read or refused, and nothing else happens, ever.

As many as `PLAYHEAD_FUZZ` says, else a few thousand. A failure names its seed, with which the same is done again.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from playhead.readers import UnreadableHistory, read_history
from playhead_engine.history import Event
from tests.replay import spellings
from tests.replay.mangling import mangled, mangled_bytes

BLOCK = 100
CASES = int(os.environ.get("PLAYHEAD_FUZZ", "4000"))
PATIENCE = 5.0  # seconds for one file, on a busy machine

PROPERTIES = [name for name in dir(Event) if not name.startswith("_")]


@pytest.fixture(scope="module")
def recordings(temporal_fixtures: Path) -> list[Any]:
    """Our own recordings, in all the ways in which people have histories."""
    documents = [json.loads(path.read_bytes()) for path in sorted(temporal_fixtures.glob("[!I]*.json"))]
    small = sorted(documents, key=lambda document: len(document["events"]))[: len(documents) // 2]
    return small + [spell(document) for spell in spellings.DOCUMENTS for document in small[::6]]


@pytest.fixture(scope="module")
def downloads(shared_histories: Path) -> list[bytes]:
    """Real files of others; the short ones, so that damage is not spread too thin."""
    paths = [path for path in (shared_histories / "temporal").glob("*/*") if path.suffix in (".json", ".gz", ".bin")]
    return [path.read_bytes() for path in sorted(paths) if path.stat().st_size < 30_000]


def read_or_refused(data: bytes, seed: int) -> str:
    """What became of some bytes: read, in which case everything about them can be used, or refused in words."""
    begun = time.monotonic()
    try:
        history = read_history(data)
    except UnreadableHistory as refusal:
        assert refusal.problem and refusal.problem.isprintable(), seed
        outcome = "refused"
    else:
        for event in history:
            for name in [*PROPERTIES, *vars(type(event))]:
                getattr(event, name)
        assert history.events, seed
        assert read_history(history.canonical_json()).events == history.events or history.problems, seed
        assert json.loads(history.to_json()) == history.document, seed
        str((history.id, history.run_id, history.workflow_type, history.closing_event, history.remarks))
        outcome = "read"
    assert time.monotonic() - begun < PATIENCE, seed
    return outcome


@pytest.mark.parametrize("first", range(0, CASES, BLOCK))
def test_a_damaged_recording_is_read_or_refused(recordings: list[Any], first: int) -> None:
    """Bytes that changed, values that changed, keys that changed, parts that are gone."""
    outcomes: set[str] = set()
    for seed in range(first, first + BLOCK):
        random = Random(seed)
        outcomes.add(read_or_refused(mangled(random.choice(recordings), random), seed))
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize("first", range(0, CASES // 2, BLOCK))
def test_a_damaged_download_is_read_or_refused(downloads: list[bytes], first: int) -> None:
    """The same with files of others, in every format there is."""
    outcomes: set[str] = set()
    for seed in range(first, first + BLOCK):
        random = Random(seed)
        outcomes.add(read_or_refused(mangled_bytes(random.choice(downloads), random), seed))
    assert outcomes == {"read", "refused"}
