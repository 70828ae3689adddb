"""Names of workflow code: what is written down of it, and can be handed to another process.

Nothing is loaded here, nor anything that loads; `loading` does.
"""

from __future__ import annotations

from playhead_engine.record import record


@record
class CodeNames:
    """Names of everything that makes up the code; plain data, as it stands on a command line or in a file.

    Attributes:
        workflows: `package.module`, `package.module:Class`, `package.module:LIST` or a Python file, with or without a
            name in it.
        worker: `package.module`, `package.module:function` or a Python file of a function that makes a Temporal worker.
        activities: Modules with more activities, and perhaps more workflows.
        data_converter: `package.module:name` of a data converter.
        interceptors: The same of worker interceptors.
        plugins: The same of worker plugins.
        failure_exception_types: The same of exception classes, or names of builtin ones.
        sandboxed: Whether workflows run in Temporal's sandbox; None if nothing is said of it.
        namespace: The namespace.
        python_path: Folders in which modules are looked for first.
    """

    workflows: tuple[str, ...] = ()
    worker: str | None = None
    activities: tuple[str, ...] = ()
    data_converter: str | None = None
    interceptors: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    failure_exception_types: tuple[str, ...] = ()
    sandboxed: bool | None = None
    namespace: str | None = None
    python_path: tuple[str, ...] = ()
