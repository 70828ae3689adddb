"""What a Temporal worker is made of besides its workflows: everything that has a say in how their code is replayed.

It comes from a worker that was recorded, or from objects that the user names; what is named wins. Nothing here knows
where the names were written.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from typing import Any, Final

from playhead.importing import EXTRA, CodeNotLoaded, look_up
from playhead.stand_ins import RecordedWorker
from playhead_engine.converter import DataConverter
from playhead_engine.record import record

# What the user may name besides a worker.
_KEYS: Final = {
    "data_converter": "data_converter",
    "interceptors": "interceptors",
    "plugins": "plugins",
    "failure_exception_types": "failure_exception_types",
    "workflow_runner": "sandboxed",
    "namespace": "namespace",
}


@record
class WorkerOptions:
    """How workflow code is run; None and empty stand for the defaults of the runtime that runs it.

    Attributes:
        data_converter: Turns payloads into values and back; `temporalio`'s, or the engine's for native code.
        interceptors: Worker interceptors, the outermost first.
        plugins: Worker plugins.
        workflow_runner: What runs workflows; the sandbox if None.
        unsandboxed_workflow_runner: What runs workflows that opted out of the sandbox.
        failure_exception_types: Exceptions that fail a workflow instead of its task.
        namespace: The namespace.
        build_id: The build id of the worker.
        header_codec_behavior: Whether headers go through the codec.
        debug_mode: Whether code may block as long as it likes.
    """

    data_converter: Any = None
    interceptors: tuple[Any, ...] = ()
    plugins: tuple[Any, ...] = ()
    workflow_runner: Any = None
    unsandboxed_workflow_runner: Any = None
    failure_exception_types: tuple[type[BaseException], ...] = ()
    namespace: str | None = None
    build_id: str | None = None
    header_codec_behavior: Any = None
    debug_mode: bool = False

    def as_keywords(self) -> dict[str, Any]:
        """Those that are not the default, as keyword arguments of `Replayer`."""
        default = WorkerOptions()
        names = self.__dataclass_fields__
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(default, name)}


def options_of(worker: RecordedWorker) -> WorkerOptions:
    """What a worker was given, directly and by its client, as `temporalio.worker.Replayer` is to be given it."""
    import temporalio.converter
    import temporalio.worker

    client, given = worker.client.config(), worker.arguments
    for plugin in client["plugins"]:
        # A plugin of both kinds sees to the replayer itself; one of the client alone has its say only here.
        if not isinstance(plugin, temporalio.worker.Plugin):
            client = plugin.configure_client(client)
    converter = client["data_converter"]
    runner, unsandboxed = given["workflow_runner"], given["unsandboxed_workflow_runner"]
    return WorkerOptions(
        data_converter=None if converter is temporalio.converter.DataConverter.default else converter,
        interceptors=(*_worker_interceptors(client["interceptors"]), *given["interceptors"]),
        plugins=worker.plugins,
        workflow_runner=None if runner is _default_of("workflow_runner") else runner,
        unsandboxed_workflow_runner=None if unsandboxed is _default_of("unsandboxed_workflow_runner") else unsandboxed,
        failure_exception_types=tuple(given["workflow_failure_exception_types"]),
        namespace=client["namespace"],
        build_id=given["build_id"],
        header_codec_behavior=client["header_codec_behavior"],
        debug_mode=given["debug_mode"],
    )


def common_options(shown: str, workers: list[RecordedWorker], *, named: Container[str] = ()) -> WorkerOptions:
    """The options of several workers of one module.

    Args:
        shown: How the user named them.
        workers: At least one.
        named: Keys that the user names besides; there the workers may differ.

    Raises:
        CodeNotLoaded: They differ; one replayer could not do as both of them do.
    """
    first = options_of(workers[0])
    for other in workers[1:]:
        options = options_of(other)
        for name in WorkerOptions.__dataclass_fields__:
            one, two = getattr(first, name), getattr(options, name)
            key = _KEYS.get(name, "")
            # Nothing that a replay compares depends on a build id.
            if name != "build_id" and key not in named and not _alike(one, two):
                say = f", or say with {key} in [tool.playhead] which it is" if key else ""
                raise CodeNotLoaded(
                    f"The workers of {shown} differ in {name}: {_short(one)} on task queue {workers[0].task_queue!r}, "
                    f"{_short(two)} on task queue {other.task_queue!r}. Name a function that makes only one of "
                    f"them{say}."
                )
    return first


def with_named(
    options: WorkerOptions,
    *,
    data_converter: str | None = None,
    interceptors: Iterable[str] = (),
    plugins: Iterable[str] = (),
    failure_exception_types: Iterable[str] = (),
    sandboxed: bool | None = None,
    namespace: str | None = None,
) -> WorkerOptions:
    """The options with what the user names in the place of what was there.

    Args:
        options: What was there.
        data_converter: `package.module:name` of a data converter, or of something that makes one without arguments.
        interceptors: The same of worker interceptors.
        plugins: The same of worker plugins.
        failure_exception_types: `package.module:Class`, or the name of a builtin exception.
        sandboxed: Whether workflows run in Temporal's sandbox.
        namespace: The namespace.

    Raises:
        CodeNotLoaded: Something is not there, or is something else.
    """
    if data_converter is not None:
        options = replace(options, data_converter=_made(data_converter, "data_converter", _is_data_converter))
    if named := tuple(_made(name, "interceptors", _is_interceptor) for name in interceptors):
        options = replace(options, interceptors=named)
    if named := tuple(_made(name, "plugins", _is_plugin) for name in plugins):
        options = replace(options, plugins=named)
    if types := tuple(_exception_type(name) for name in failure_exception_types):
        options = replace(options, failure_exception_types=types)
    if sandboxed is not None:
        options = replace(options, workflow_runner=None if sandboxed else _unsandboxed())
    if namespace is not None:
        options = replace(options, namespace=namespace)
    return options


def _worker_interceptors(interceptors: Iterable[Any]) -> list[Any]:
    import temporalio.worker

    return [one for one in interceptors if isinstance(one, temporalio.worker.Interceptor)]


def _default_of(name: str) -> Any:
    import temporalio.worker

    return inspect.signature(temporalio.worker.Worker.__init__).parameters[name].default


def _unsandboxed() -> Any:
    try:
        from temporalio.worker import UnsandboxedWorkflowRunner
    except ModuleNotFoundError:
        raise CodeNotLoaded(f"Only `temporalio` has a sandbox to leave, and it is not installed. {EXTRA}.") from None
    return UnsandboxedWorkflowRunner()


def _alike(one: Any, other: Any) -> bool:
    """Whether two workers were given the same; objects made anew for each worker are told apart by their types."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other) or (type(one) is type(other) and not isinstance(one, str | bool | type))


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_short, value))})" if value else "none"
    if value is None:
        return "the default"
    if isinstance(value, str | bool):
        return repr(value)
    return value.__name__ if isinstance(value, type) else type(value).__name__


def _made(name: str, key: str, accepts: Callable[[Any], str]) -> Any:
    """The object that is named, or what it makes if it is a class or a function."""
    found = look_up(name)
    if inspect.isclass(found) or inspect.isroutine(found):
        try:
            found = found()
        except Exception as error:
            raise CodeNotLoaded(
                f"{key}: {name} is called without arguments, and raised {type(error).__name__}: {error}"
            ) from error
    expected = accepts(found)
    if expected:
        raise CodeNotLoaded(f"{key}: {name} is {_article(type(found).__name__)}, not {expected}.")
    return found


def _is_data_converter(value: Any) -> str:
    kinds: tuple[type[Any], ...] = (DataConverter,)
    wrap = ""
    try:
        import temporalio.converter
    except ModuleNotFoundError:
        pass
    else:
        kinds = (DataConverter, temporalio.converter.DataConverter)
        if isinstance(value, temporalio.converter.PayloadCodec):
            wrap = ": put it into one, with DataConverter(payload_codec=...)"
        elif isinstance(value, temporalio.converter.PayloadConverter):
            wrap = ": put its class into one, with DataConverter(payload_converter_class=...)"
    return "" if isinstance(value, kinds) else f"a DataConverter{wrap}"


def _is_interceptor(value: Any) -> str:
    from temporalio.worker import Interceptor

    return "" if isinstance(value, Interceptor) else "a temporalio.worker.Interceptor"


def _is_plugin(value: Any) -> str:
    from temporalio.worker import Plugin

    return "" if isinstance(value, Plugin) else "a temporalio.worker.Plugin"


def _exception_type(name: str) -> type[BaseException]:
    found = look_up(name) if ":" in name else getattr(builtins, name, None)
    if inspect.isclass(found) and issubclass(found, BaseException):
        return found
    raise CodeNotLoaded(
        f"failure_exception_types: {name} is no exception class; name one as package.module:Class, or a builtin one."
    )


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
