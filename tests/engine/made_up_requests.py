"""What made-up code asks for, and what becomes of each thing: one function a kind.

A function gives the commands and writes the events that record them. What follows later is a story that `made_up_runs`
tells on, a step whenever the world moves.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from playhead_engine.commands import (
    AcceptUpdate,
    ActivityCancellationType,
    CancelChildWorkflow,
    CancelSignalExternal,
    CancelTimer,
    ChildWorkflowCancellationType,
    CompleteUpdate,
    ModifyProperties,
    NexusCancellationType,
    RejectUpdate,
    RequestCancelActivity,
    RequestCancelLocalActivity,
    RequestCancelNexusOperation,
    SetPatchMarker,
    UpsertSearchAttributes,
)
from playhead_engine.messages import Failure, Json
from tests.engine import asking
from tests.engine.history_builder import seconds_of_event
from tests.engine.json_values import application_failure, cancellation, payload
from tests.engine.made_up_runs import Author, Ongoing

_NOT_REACHED = ("EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND", "NAMESPACE_NOT_FOUND", "UNSPECIFIED")
_NOT_STARTED = ("WORKFLOW_ALREADY_EXISTS", "NAMESPACE_NOT_FOUND", "INVALID_VERSIONING_OVERRIDE", "UNSPECIFIED")


def timer(run: Author) -> None:
    """Started; fires or is cancelled."""
    seq, history = run.number("timer"), run.history
    run.ask(asking.timer(seq))
    if run.maybe(0.05):
        run.ask(CancelTimer(seq))
        return
    started = history.timer_started(str(seq))

    def story(ongoing: Ongoing) -> Generator[None]:
        if not ongoing.is_cancelled:
            history.timer_fired(started)
        yield from ()

    def cancel() -> None:
        run.ask(CancelTimer(seq))
        history.timer_canceled(started)

    run.goes_on(story, cancel)


def activity(run: Author) -> None:
    """Scheduled; started; ends in one of four ways."""
    seq, history = run.number("activity"), run.history
    how = run.one_of(list(ActivityCancellationType))
    run.ask(asking.activity(seq, how=how))
    if run.maybe(0.05):
        run.ask(RequestCancelActivity(seq))
        run.maybe_next_activation()
        return
    scheduled = history.activity_scheduled(str(seq))

    def story(ongoing: Ongoing) -> Generator[None]:
        is_asked_to_stop = ongoing.is_cancelled and how is not ActivityCancellationType.ABANDON
        if run.maybe(0.1):
            history.activity_timed_out(scheduled, "SCHEDULE_TO_START")
        elif is_asked_to_stop and run.maybe(0.2):
            history.activity_canceled(scheduled)
        else:
            history.activity_started(scheduled)
            if run.maybe(0.3):
                yield
            if is_asked_to_stop and run.maybe(0.4):
                history.activity_canceled(scheduled, "stopped")
            elif run.maybe(0.7):
                history.activity_completed(scheduled, run.between(0, 9))
            elif run.maybe(0.5):
                history.activity_failed(scheduled)
            else:
                history.activity_timed_out(scheduled)

    def cancel() -> None:
        run.ask(RequestCancelActivity(seq))
        if how is not ActivityCancellationType.ABANDON:
            history.activity_cancel_requested(scheduled)
        if how is not ActivityCancellationType.WAIT_CANCELLATION_COMPLETED:
            run.maybe_next_activation()

    run.goes_on(story, cancel)


def child(run: Author) -> None:
    """Initiated; started; ends in one of five ways."""
    seq, history = run.number("child"), run.history
    how = run.one_of(list(ChildWorkflowCancellationType))
    run.ask(asking.child(seq, how=how))
    if run.maybe(0.05):
        run.ask(CancelChildWorkflow(seq, "never mind"))
        run.maybe_next_activation()
        return
    initiated = history.child_initiated(f"child-{seq}")

    def story(ongoing: Ongoing) -> Generator[None]:
        if run.maybe(0.15):
            history.child_not_started(initiated, run.one_of(_NOT_STARTED))
            return
        history.child_started(initiated)
        if run.maybe(0.7):
            yield
        if run.maybe(0.5):
            history.child_completed(initiated, 1)
        else:
            ends = [history.child_failed, history.child_canceled, history.child_timed_out, history.child_terminated]
            run.one_of(ends)(initiated)

    def cancel() -> None:
        run.ask(CancelChildWorkflow(seq, "enough"))
        if how is not ChildWorkflowCancellationType.ABANDON:
            _cancel_of_another(run, history.cancel_external_initiated(f"child-{seq}"))
        if how in (ChildWorkflowCancellationType.ABANDON, ChildWorkflowCancellationType.TRY_CANCEL):
            run.maybe_next_activation()

    run.goes_on(story, cancel)


def external_signal(run: Author) -> None:
    """Initiated; delivered or not."""
    seq, history = run.number("external signal"), run.history
    run.ask(asking.external_signal(seq))
    if run.maybe(0.1):
        run.ask(CancelSignalExternal(seq))
        run.maybe_next_activation()
        return
    initiated = history.signal_external_initiated()

    def story(ongoing: Ongoing) -> Generator[None]:
        if run.maybe(0.7):
            history.external_signaled(initiated)
        else:
            history.signal_external_failed(initiated, run.one_of([*_NOT_REACHED, "SIGNAL_COUNT_LIMIT_EXCEEDED"]))
        yield from ()

    run.goes_on(story, lambda: run.ask(CancelSignalExternal(seq)))


def external_cancel(run: Author) -> None:
    """Initiated; delivered or not."""
    run.ask(asking.external_cancel(run.number("external cancel")))
    _cancel_of_another(run, run.history.cancel_external_initiated())


def _cancel_of_another(run: Author, initiated: int) -> None:
    def story(ongoing: Ongoing) -> Generator[None]:
        if run.maybe(0.7):
            run.history.external_cancel_requested(initiated)
        else:
            run.history.cancel_external_failed(initiated, run.one_of(_NOT_REACHED))
        yield from ()

    run.goes_on(story)


def nexus_operation(run: Author) -> None:
    """Scheduled; perhaps started; ends in one of four ways. The answer to a cancel may come at any time."""
    seq, history = run.number("nexus"), run.history
    how = run.one_of(list(NexusCancellationType))
    run.ask(asking.nexus(seq, how=how))
    if run.maybe(0.05):
        run.ask(RequestCancelNexusOperation(seq))
        run.maybe_next_activation()
        return
    scheduled = history.nexus_scheduled()
    cancels: list[int] = []

    def story(ongoing: Ongoing) -> Generator[None]:
        if run.maybe(0.5):
            history.nexus_started(scheduled)
            yield
            if cancels and run.maybe(0.6):
                history.nexus_cancel_answered(cancels[0], well=run.maybe(0.6))
                yield
        if run.maybe(0.4):
            history.nexus_completed(scheduled, 3)
        else:
            run.one_of([history.nexus_failed, history.nexus_canceled, history.nexus_timed_out])(scheduled)
        if cancels and run.maybe(0.3):
            yield
            history.nexus_cancel_answered(cancels[0], well=run.maybe(0.6))

    def cancel() -> None:
        run.ask(RequestCancelNexusOperation(seq))
        if how is not NexusCancellationType.ABANDON:
            cancels.append(history.nexus_cancel_requested(scheduled))
        if how in (NexusCancellationType.ABANDON, NexusCancellationType.TRY_CANCEL):
            run.maybe_next_activation()

    run.goes_on(story, cancel)


def patch(run: Author) -> None:
    """Passed, for the first time or again."""
    patch_id, deprecated = f"patch-{run.between(1, 4)}", run.maybe(0.3)
    run.ask(SetPatchMarker(patch_id, deprecated))
    if patch_id in run.patches:
        return
    run.patches.append(patch_id)
    write = run.history.old_patch_marker if run.maybe(0.2) else run.history.patch_marker
    write(patch_id, deprecated=deprecated)
    if 2 in run.known_flags:
        run.history.change_version_upserted(*run.patches)


def search_attributes(run: Author) -> None:
    """Upserted, sometimes the one that core itself upserts."""
    name = run.one_of(["Colour", "TemporalChangeVersion"])
    run.ask(UpsertSearchAttributes({"searchAttributes": {"indexedFields": {name: payload("red")}}}))
    run.history.search_attributes_upserted(**{name: "red"})


def memo(run: Author) -> None:
    """Changed."""
    run.ask(ModifyProperties({"upsertedMemo": {"fields": {"note": payload(1)}}}))
    run.history.properties_modified(note=1)


def local_activities(run: Author) -> None:
    """A few at once, which end in any order, in the same activation or in later ones of the task."""
    seqs = [run.number("activity") for _ in range(run.between(1, 3))]
    for seq in seqs:
        run.ask(asking.local_activity(seq, how=run.one_of(list(ActivityCancellationType))))
        if run.maybe(0.1):
            run.ask(RequestCancelLocalActivity(seq))
    says_when = run.maybe(0.6)  # since core 1.34
    for seq in run.shuffled(seqs):
        _local_activity_ends(run, seq, run.activations_of_task if says_when else None)
        if says_when:
            run.maybe_next_activation()
    run.maybe_next_activation()


def _local_activity_ends(run: Author, seq: int, activation: int | None) -> None:
    failure: Failure | None = None
    data: Json = {} if activation is None else {"activation_index": activation}
    match run.between(0, 9):
        case 0:
            failure = application_failure("no luck")
        case 1:
            failure = application_failure("try later")
            data["backoff"] = {"seconds": 70, "nanos": 1}
        case 2:
            failure = cancellation()
        case 3:
            failure = {"message": "wrapped", "cause": cancellation()}
    if run.maybe(0.5):
        data["complete_time"] = seconds_of_event(run.history.last_id + run.between(-2, 20))
    if run.maybe(0.5):
        data["original_schedule_time"] = seconds_of_event(2)
    run.history.local_activity_marker(seq, "found", failure=failure, **data)


def late_local_activity(run: Author) -> None:
    """Asked for in one task, its end recorded in a later one."""
    seq = run.number("activity")
    run.ask(asking.local_activity(seq, how=run.one_of(list(ActivityCancellationType))))

    def cancel() -> None:
        if run.maybe(0.3):
            run.ask(RequestCancelLocalActivity(seq))
        _local_activity_ends(run, seq, run.one_of([None, run.activations_of_task]))

    def story(ongoing: Ongoing) -> Generator[None]:
        while not ongoing.is_cancelled:
            yield

    run.goes_on(story, cancel)


def update(run: Author) -> None:
    """Accepted or completed; those that were admitted come first."""
    if run.admitted:
        _accept(run, run.admitted.pop(0))
    elif run.accepted and run.maybe(0.4):
        _complete(run, *run.accepted.pop(0))
    else:
        _accept(run, f"update-{run.number('update')}")


def _accept(run: Author, update_id: str) -> None:
    run.ask(AcceptUpdate(update_id))
    came_with = run.task_starts[-1] if run.maybe(0.9) else run.one_of(run.task_starts)
    accepted = run.history.update_accepted(update_id, "rename", 1, sequencing_id=came_with - 1)
    if run.maybe(0.5):
        _complete(run, update_id, accepted)
    else:
        run.accepted.append((update_id, accepted))


def _complete(run: Author, update_id: str, accepted: int) -> None:
    well = run.maybe(0.7)
    run.ask(CompleteUpdate(update_id, payload(1)) if well else RejectUpdate(update_id, application_failure("no")))
    run.history.update_completed(accepted, 1)


def cancel_something(run: Author) -> None:
    """One of the things that were asked for in earlier tasks and go on."""
    old = [thing for thing in run.ongoing if thing.task < run.tasks and not thing.is_cancelled]
    things = [(thing, thing.cancel) for thing in old if thing.cancel is not None]
    if things:
        thing, cancel = run.one_of(things)
        thing.is_cancelled = True
        cancel()


REQUESTS: list[Callable[[Author], None]] = [
    *[timer] * 4,
    *[activity] * 5,
    *[child] * 3,
    *[patch] * 3,
    *[update] * 3,
    *[local_activities] * 3,
    *[cancel_something] * 4,
    *[nexus_operation] * 2,
    late_local_activity,
    external_signal,
    external_cancel,
    search_attributes,
    memo,
]
"""As often as code asks for them."""
