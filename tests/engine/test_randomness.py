"""The seed of a run: a hash that must come out equal, bit for bit, wherever the run is replayed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import pytest

from playhead_engine.activation import InitializeWorkflow
from playhead_engine.randomness import seed_of_run, sip_hash_1_3
from tests.engine.checked_replay import replayed
from tests.engine.history_builder import HistoryBuilder


@pytest.mark.parametrize(
    ("run_id", "seed"),
    [
        ("", 3476900567878811119),
        ("r1", 535625006537917176),
        ("newrun", 17967220899985959293),
    ],
)
def test_seeds_are_what_temporals_core_derives(run_id: str, seed: int) -> None:
    """Numbers read off core once; they must never change."""
    assert seed_of_run(run_id) == seed


@pytest.mark.parametrize(
    "run_id", ["x", "seven..", "eight...", "nine....!", "8a2d5cbd-3b4c-4d4f-9a7b-0f2f6e3f9d11", "läuft-für-ümlaute"]
)
def test_core_agrees_on_run_ids_of_every_length(run_id: str) -> None:
    """The hash takes eight bytes at a time, so what is left over matters. (`replayed` asks core for its seed.)"""
    history = HistoryBuilder(run_id=run_id)
    history.task()
    job = replayed(history).told[0][0]
    assert isinstance(job, InitializeWorkflow)
    assert job.randomness_seed == seed_of_run(run_id)


@pytest.mark.skipif(sys.hash_info.algorithm != "siphash13", reason="this Python hashes strings in another way")
def test_the_hash_is_the_one_that_python_itself_uses() -> None:
    """Python hashes bytes with SipHash-1-3, too, and without a secret key if asked to: an independent witness."""
    chance = random.Random(20260101)
    samples = [chance.randbytes(length) for length in range(1, 200)]
    program = "import json, sys; print(json.dumps([hash(bytes.fromhex(text)) for text in json.load(sys.stdin)]))"
    python = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps([sample.hex() for sample in samples]),
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [sip_hash_1_3(sample) for sample in samples] == [value % 2**64 for value in json.loads(python.stdout)]
