"""The whole difference between what was recorded and what the code does now, row by row.

`align` tries attempts (see `attempt`) until the cheapest explanation of the whole history is found, or until the time
it may take is up; the rows say what they say either way, and how far they reach. What the differences come from is for
`causes` to say.
"""

from __future__ import annotations

import heapq
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count

from playhead.diagnosis.attempt import Attempt
from playhead.diagnosis.choices import Asked
from playhead.diagnosis.code import Code
from playhead.diagnosis.outcomes import Outcomes
from playhead.diagnosis.recorded import RecordedSteps
from playhead.diagnosis.steps import (
    ENDS,
    Step,
    StepKind,
    differing_fields,
    has_other_id,
    is_renumbered,
)
from playhead_engine.call_site import CallSite
from playhead_engine.history import HistoryEvent


class Change(StrEnum):
    """How a step of the code differs from the recorded ones."""

    ADDED = "added"  # the code asks for it, and it was never recorded
    REMOVED = "removed"  # it was recorded, and the code does not ask for it
    REORDERED = "reordered"  # both do, in another order
    RENAMED = "renamed"  # in the place of a recorded step stands one of the same kind and another name
    OTHER_KIND = "other kind"  # in the place of a recorded step stands one of another kind
    OTHER_ID = "other id"  # only its id is another
    ENDS_EARLIER = "ends earlier"  # it was recorded after the code now comes to its end
    GOES_ON_LONGER = "goes on longer"  # the code asks for it after the recorded run had come to its end
    PATCH_MISSING = "patch missing"  # the run passed a patch, and the code that still has it does not pass it here
    PATCH_REMOVED = "patch removed"  # the run passed a patch that the code does not know
    DEPRECATED_TOO_EARLY = "deprecated too early"  # the code deprecates a patch that this run never passed


@dataclass(frozen=True, slots=True)
class Row:
    """A recorded step and the code's beside it, or one of them alone.

    Attributes:
        recorded: What was recorded; None where the code does something new.
        now: What the code asks for; None where it asks for nothing.
        change: How they differ; None where a replay would not mind.
        fields: Names of the fields that differ, where both sides are of one type.
        is_guessed: What came of the code's step is a guess, for it was never recorded.
        place: Which of the code's steps it is, from 0; None where the code does not ask for it.
    """

    recorded: Step | None
    now: Step | None
    change: Change | None = None
    fields: tuple[str, ...] = ()
    is_guessed: bool = False
    place: int | None = None

    @property
    def event_id(self) -> int | None:
        """The recorded event."""
        return self.recorded.event.event_id if self.recorded is not None and self.recorded.event is not None else None

    @property
    def site(self) -> CallSite | None:
        """The line of the code that asks."""
        return self.now.site if self.now is not None else None


@dataclass(frozen=True, slots=True)
class Alignment:
    """Both sides, row by row.

    Attributes:
        rows: In the order of the recording, with what is new in between.
        reached: Id of the last event that was compared.
        stopped: Why the rest was not compared; empty if all was.
        is_cheapest: Whether no simpler explanation exists; False if the search ran out of time.
        attempts: How often the code was run to find it.
    """

    rows: tuple[Row, ...]
    reached: int
    stopped: str = ""
    is_cheapest: bool = True
    attempts: int = 1

    def differences(self) -> list[int]:
        """Numbers of the rows that differ, from 0."""
        return [number for number, row in enumerate(self.rows) if row.change is not None]

    def between(self, number: int) -> tuple[Row | None, Row | None]:
        """The nearest rows before and after one that both sides have and that have a line in the code of today."""
        before = (row for row in reversed(self.rows[:number]) if row.recorded is not None and row.site is not None)
        after = (row for row in self.rows[number + 1 :] if row.recorded is not None and row.site is not None)
        return next(before, None), next(after, None)


def align(
    events: Sequence[HistoryEvent],
    workflow_id: str,
    run_id: str,
    code: Code,
    outcomes: Outcomes,
    *,
    seconds: float = 5.0,
    most_attempts: int = 60,
) -> Alignment:
    """Lay the code's steps beside the recorded ones.

    Args:
        events: The history.
        workflow_id: Id of the workflow.
        run_id: Id of the run.
        code: The code of today.
        outcomes: Guesses for what was never recorded.
        seconds: How long to look for a simpler explanation; the first attempt may take as long as it takes.
        most_attempts: How often to run the code at most.
    """
    deadline = time.monotonic() + seconds
    recorded = RecordedSteps(events)
    waiting: list[tuple[float, int, tuple[int, ...], int, int]] = [(0.0, 0, (), 0, -1)]
    number = count(1)
    best: Attempt | None = None
    attempts = 0
    while waiting and attempts < most_attempts:
        if best is not None and (waiting[0][0] >= best.price or time.monotonic() > deadline):
            break
        _, _, known, index, option = heapq.heappop(waiting)
        choices = (*known[:index], option) if option >= 0 else ()
        limit, until = (best.price, deadline) if best is not None else (float("inf"), float("inf"))
        attempts += 1
        with code.instance(run_id) as instance:
            attempt = Attempt(recorded, workflow_id, instance, code.profile, outcomes, choices, limit, until)
            attempt.run()
        taken = tuple(point.taken for point in attempt.points)
        for index in range(len(choices), len(attempt.points)):
            point = attempt.points[index]
            for option, price in enumerate(point.prices):
                if option != point.taken:
                    heapq.heappush(waiting, (point.price_before + price, next(number), taken, index, option))
        if not attempt.is_cut_short and (best is None or attempt.price < best.price):
            best = attempt
    assert best is not None
    is_cheapest = not waiting or waiting[0][0] >= best.price
    return Alignment(_rows(recorded, best), best.reached, best.stopped, is_cheapest, attempts)


def _rows(steps: RecordedSteps, attempt: Attempt) -> tuple[Row, ...]:
    recorded = [event_id for event_id in steps.up_to(attempt.reached) if event_id not in attempt.passed]
    met = {asked.event.event_id: asked for asked in attempt.asked if asked.event is not None}
    met |= {event_id: asked for event_id, asked in attempt.in_place_of.items() if event_id not in met}
    paired = set(map(id, met.values()))
    new = [a for a in attempt.unmet() if not a.step.belongs_to_patch and id(a) not in paired]
    in_order = _in_order([met[event_id] for event_id in recorded if event_id in met])
    rows: list[Row] = []
    waiting = iter(sorted(new, key=lambda asked: asked.order))
    following = next(waiting, None)
    for event_id in recorded:
        step, asked = steps.step(event_id), met.get(event_id)
        if asked is not None and asked.order in in_order:
            while following is not None and following.order < asked.order:
                rows.append(_new(following))
                following = next(waiting, None)
        rows.append(_row(step, asked, asked is not None and asked.order in in_order))
    while following is not None:
        rows.append(_new(following))
        following = next(waiting, None)
    return tuple(_with_ends(_with_numbers(rows)))


def _new(asked: Asked) -> Row:
    return Row(None, asked.step, Change.ADDED, is_guessed=asked.is_guessed, place=asked.order)


def _row(step: Step, asked: Asked | None, is_in_order: bool) -> Row:
    if asked is None:
        return Row(step, None, Change.PATCH_REMOVED if step.kind is StepKind.PATCH else Change.REMOVED)
    now = asked.step
    fields = differing_fields(step, now)
    guessed, place = asked.has_own_result or asked.is_guessed, asked.order
    if step.kind is not now.kind:
        return Row(step, now, Change.OTHER_KIND, fields, guessed, place)
    if not is_in_order:
        return Row(step, now, Change.REORDERED, fields, guessed, place)
    if step.key != now.key:
        return Row(step, now, Change.RENAMED, fields, guessed, place)
    return Row(step, now, Change.OTHER_ID if has_other_id(step, now) else None, fields, guessed, place)


def _with_numbers(rows: list[Row]) -> list[Row]:
    """Other default numbers follow from any difference before them; without one they are a difference themselves."""
    for number, row in enumerate(rows):
        if row.change is not None:
            break
        if row.recorded is not None and row.now is not None and is_renumbered(row.recorded, row.now):
            rows[number] = replace(row, change=Change.OTHER_ID)
            break
    return rows


def _with_ends(rows: list[Row]) -> list[Row]:
    """What only one side does just before the end of the other is another end, not another middle."""
    end = next((n for n, row in enumerate(rows) if row.recorded is not None and row.recorded.kind in ENDS), len(rows))
    begin = end
    while begin > 0 and rows[begin - 1].change in (Change.ADDED, Change.REMOVED):
        begin -= 1
    changes = {row.change for row in rows[begin:end]}
    code_ends = any(row.now is not None and row.now.kind in ENDS for row in rows[begin:])
    if changes == {Change.REMOVED} and code_ends:
        change = Change.ENDS_EARLIER
    elif changes == {Change.ADDED} and end < len(rows):
        change = Change.GOES_ON_LONGER
    else:
        return rows
    return [*rows[:begin], *(replace(row, change=change) for row in rows[begin:end]), *rows[end:]]


def _in_order(asked: list[Asked]) -> set[int]:
    """The orders of the steps that have not moved. Where a patch and a step changed places, the patch has moved."""
    steps = _longest_in_order([one for one in asked if not one.step.belongs_to_patch])
    before = [one.order for one in asked if one.order in steps]
    kept = set(steps)
    for place, one in enumerate(asked):
        if one.step.belongs_to_patch:
            earlier = [other.order for other in asked[:place] if other.order in steps]
            later = [other.order for other in asked[place:] if other.order in steps]
            if max(earlier, default=-1) < one.order < min(later, default=len(before) + one.order + 1):
                kept.add(one.order)
    return kept


def _longest_in_order(asked: list[Asked]) -> set[int]:
    """The orders of the longest part of some steps that the code asks for in the order of the recording."""
    ends: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, one in enumerate(asked):
        at = bisect_left(ends, one.order)
        before.append(places[at - 1] if at else -1)
        if at == len(ends):
            ends.append(one.order)
            places.append(place)
        else:
            ends[at], places[at] = one.order, place
    kept: set[int] = set()
    place = places[-1] if places else -1
    while place >= 0:
        kept.add(asked[place].order)
        place = before[place]
    return kept
