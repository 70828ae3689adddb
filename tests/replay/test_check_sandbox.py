"""The shorter ways that a check takes through the SDK's sandbox lead to the same end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytest.importorskip("temporalio.worker")

# In a process of its own, since nothing takes the shorter ways back.
PROGRAM = """
import builtins, json, logging, sys
from examples.temporal import orders, saga
from playhead import Replayer
from playhead.rendering import as_json
from playhead_engine.temporal.sdk.sandbox import make_cheap
from tests.replay import sandboxed_workflows as sandboxed

logging.getLogger("playhead_engine").addHandler(logging.NullHandler())
before = dict(vars(builtins))

def verdicts():
    replayer = Replayer([orders.OrderFulfilment, saga.TripBooking])
    for one in replayer.replay_directory("fixtures/temporal"):
        yield as_json(one.name, one.history, one.verdict)
    for workflow in sandboxed.WORKFLOWS:
        yield as_json(workflow.__name__, None, Replayer([workflow]).replay(sandboxed.HISTORY))
        assert {name for name, it in vars(builtins).items() if before.get(name) is not it} <= {"_"}

usual = list(verdicts())
make_cheap()
cheap = list(verdicts())
print(json.dumps([usual, cheap]))
"""


def test_the_verdicts_are_the_same() -> None:
    """On every recording, and on code that the sandbox stops; afterwards the builtins are what they were."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    usual, cheap = json.loads(done.stdout.splitlines()[-1])
    assert cheap == usual
    made_up = {one["history"]: one["verdict"] for one in usual[-3:]}
    assert made_up == {"OpensAFile": "code raised", "AsksTheClock": "code raised", "AsksForTypes": "agrees"}
