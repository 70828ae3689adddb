"""The rules and Temporal's own core, held together on made-up runs: same activations, same verdict, same words.

A few hundred runs each time, or as many as `PLAYHEAD_FUZZ` says. The rules are those of the release that is installed;
`scripts/releases.py` installs one after the other. A difference is reported with the seed of the run, and
cut down to the shortest history and the fewest commands that still differ.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from playhead_engine.history import event_from_json
from playhead_engine.matching import InvalidHistory
from playhead_engine.profile import installed_profile
from playhead_engine.tasks import outline
from tests.engine.agreement import difference_from_core
from tests.engine.json_values import attributes_of
from tests.engine.made_up_runs import MadeUpRun
from tests.engine.mutations import run_of_seed
from tests.engine.scripted_run import replay

_RUNS = int(os.environ.get("PLAYHEAD_FUZZ", "600"))
_BLOCK = 50


@pytest.mark.parametrize("first", range(0, _RUNS, _BLOCK))
def test_made_up_runs_are_judged_as_core_judges_them(first: int) -> None:
    """Whatever a history holds and whatever the code does, the code is told what core tells it, and judged alike."""
    refused = 0
    for seed in range(first, min(first + _BLOCK, _RUNS)):
        run = run_of_seed(seed)
        refused += _is_refused(run)
        if _difference(run) is not None:
            least = _cut_down(run)
            pytest.fail(f"seed {seed}: {_difference(least)}\n\n{_told(least)}")
    assert refused <= _BLOCK / 10, "hardly any of these histories is so broken that it cannot be replayed at all"


def _is_refused(run: MadeUpRun) -> bool:
    try:
        outline([event_from_json(event) for event in run.events])
    except InvalidHistory:
        return True
    return False


def _difference(run: MadeUpRun) -> str | None:
    if _is_refused(run):
        return None  # core hangs on these
    ours = replay([event_from_json(event) for event in run.events], run.script(), installed_profile())
    return difference_from_core(run.events, run.script(), ours)


# Reports


def _cut_down(run: MadeUpRun) -> MadeUpRun:
    for length in range(2, len(run.events)):
        shorter = replace(run, events=run.events[:length])
        if _difference(shorter) is not None:
            run = shorter
            break
    for smaller in _with_a_command_less(run):
        if _difference(smaller) is not None:
            return _cut_down(smaller)
    return run


def _with_a_command_less(run: MadeUpRun) -> Iterator[MadeUpRun]:
    for task, answers in run.answers.items():
        for index, answer in enumerate(answers):
            for position in range(len(answer)):
                smaller = copy.deepcopy(run)
                del smaller.answers[task][index][position]
                yield smaller


def _told(run: MadeUpRun) -> str:
    lines: list[str] = []
    for event in run.events:
        lines.append(f"{event['eventId']:>4} {event['eventType'].removeprefix('EVENT_TYPE_')} {attributes_of(event)}")
        lines += [f"       > {answer}" for answer in run.answers.get(int(event["eventId"]), ())]
    return "\n".join(lines) + (
        f"\n     the code fails on activation {run.fails_at}" if run.fails_at is not None else ""
    )
