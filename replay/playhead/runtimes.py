"""Which runtime drives which class.

Workflow classes of both kinds are given in one list; what they were decorated with tells them apart. `temporalio` is
imported only if some of them need it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from playhead_engine.definitions import WORKFLOW
from playhead_engine.runtime import Runtime
from playhead_engine.temporal import is_of_temporal, is_temporal_workflow

if TYPE_CHECKING:
    from playhead_engine.engine.wire import Wire


class TemporalOptions(TypedDict, total=False):
    """How code written for `temporalio` is run; the names and defaults are those of `temporalio.worker.Replayer`.

    Attributes:
        interceptors: Worker interceptors, the outermost first.
        plugins: Worker plugins; they may change all other options.
        workflow_runner: Runs classes that want the sandbox; `UnsandboxedWorkflowRunner()` does without.
        unsandboxed_workflow_runner: Runs the others.
        failure_exception_types: Exceptions that fail a workflow and not its task. Native code heeds them, too.
        namespace: The namespace that the code is told. Native code heeds it, too.
        build_id: The build id that the code is told.
        header_codec_behavior: Whether headers go through the codec.
        debug_mode: Whether code may run as long as it likes, and breakpoints work.
    """

    interceptors: Sequence[Any]
    plugins: Sequence[Any]
    workflow_runner: Any
    unsandboxed_workflow_runner: Any
    failure_exception_types: Sequence[type[BaseException]]
    namespace: str
    build_id: str | None
    header_codec_behavior: Any
    debug_mode: bool


def classes_in(workflows: Iterable[type[Any]]) -> tuple[type[Any], ...]:
    """The classes that somebody gives, each once.

    Raises:
        ValueError: They are not in a list, or something in it is no class.
    """
    if isinstance(workflows, type | str):
        raise ValueError(f"workflow classes are given in a list, got {workflows!r}")
    classes = tuple(dict.fromkeys(workflows))
    for one in classes:
        if not isinstance(one, type):  # pyright: ignore[reportUnnecessaryIsInstance] - whatever the user gave
            raise ValueError(f"{one!r} is no workflow class" + (": give its class" if _is_made(one) else ""))
    return classes


def runtimes_of(
    workflows: Sequence[type[Any]],
    data_converter: Any,
    deadlock_timeout: float | None,
    options: TemporalOptions,
    *,
    task_queue_of_history: bool = False,
) -> tuple[Runtime, ...]:
    """A runtime for each kind of class.

    Args:
        workflows: The classes.
        data_converter: `temporalio`'s or the engine's; None for the default of each runtime.
        deadlock_timeout: How long code may run without waiting for anything, in seconds; None for ever.
        options: How code written for `temporalio` is run.
        task_queue_of_history: Whether that code is told the task queue of its run, for a run that is to go on, and not
            one named after the replay, as Temporal's Replayer does.

    Raises:
        ValueError: A class is no workflow, two have the same type, or an option is of no use to the code there is.
        RuntimeError: A class cannot be imported into the sandbox of `temporalio`.
    """
    from playhead_engine.converter import DataConverter

    native = [cls for cls in workflows if not is_temporal_workflow(cls)]
    temporal = [cls for cls in workflows if is_temporal_workflow(cls)]
    is_theirs = data_converter is not None and is_of_temporal(data_converter)
    is_ours = DataConverter in type(data_converter).__mro__
    if data_converter is not None and not is_theirs and not is_ours:
        raise ValueError(
            "a data converter must be a DataConverter of temporalio.converter, or of playhead_engine.converter for "
            f"native code, got {data_converter!r}"
        )
    if temporal and data_converter is not None and not is_theirs:
        raise ValueError(
            f"{temporal[0].__name__} is written for temporalio, so its data converter must be one of "
            f"temporalio.converter, not of {type(data_converter).__module__}"
        )
    runtimes: list[Runtime] = []
    if temporal or options.get("plugins"):
        from playhead_engine.temporal.runtime import TemporalRuntime

        runtimes.append(
            TemporalRuntime(
                temporal,
                data_converter=data_converter,
                deadlock_timeout=deadlock_timeout,
                task_queue_of_history=task_queue_of_history,
                **options,
            )
        )
    if native or not runtimes:
        from playhead_engine.native import NativeRuntime

        if is_theirs:
            from playhead_engine.temporal.converter import native_converter, sdk_converter

            data_converter = native_converter(sdk_converter(data_converter))
        runtime: Runtime = NativeRuntime(
            native,
            data_converter=data_converter,
            deadlock_timeout=deadlock_timeout,
            failure_exception_types=options.get("failure_exception_types", ()),
            namespace=options.get("namespace", "default"),
        )
        if data_converter is not None and data_converter.payload_codec is not None:
            from playhead_engine.engine.coded import CodedRuntime
            from playhead_engine.engine.wire import Wire

            runtime = CodedRuntime(runtime, Wire(data_converter))
        runtimes.append(runtime)
    both = [name for name in runtimes[0].workflow_types() if runtimes[-1].accepts(name)] if len(runtimes) > 1 else []
    if both:
        raise ValueError(f"two classes are of type {sorted(both)[0]}, one of temporalio and one native")
    return tuple(runtimes)


def wire_of(runtime: Runtime, data_converter: Any) -> Wire:
    """What turns values into payloads as the histories of a runtime hold them, and back.

    Args:
        runtime: One that `runtimes_of` made.
        data_converter: What it was given.
    """
    of_runtime = getattr(runtime, "data_converter", None)  # plugins may have changed it
    return wire_with(of_runtime if of_runtime is not None else data_converter)


def wire_with(data_converter: Any) -> Wire:
    """What turns values into payloads and back with a data converter: `temporalio`'s, the engine's, or the default one
    if None."""
    from playhead_engine.converter import DataConverter
    from playhead_engine.engine.wire import Wire

    if data_converter is not None and is_of_temporal(data_converter):
        from playhead_engine.temporal.converter import native_converter, sdk_converter

        data_converter = native_converter(sdk_converter(data_converter))
    return Wire(data_converter if data_converter is not None else DataConverter.default)


def _is_made(thing: object) -> bool:
    return is_temporal_workflow(type(thing)) or hasattr(type(thing), WORKFLOW)
