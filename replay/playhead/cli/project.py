"""What a command line says of a project, over what the project says of itself."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playhead.codec_endpoint import codec_endpoint
from playhead.configuration import BadConfiguration, Configuration, find_configuration
from playhead.readers import read_history
from playhead.replayer import history_files
from playhead_engine.history import History


def project_of(arguments: argparse.Namespace, *, needs_code: bool = True) -> Configuration:
    """The configuration that a command is to work with.

    An option takes the place of the key of its name. Whoever names a worker wants its workflows, so that `--worker`
    alone takes the place of `workflows` too.

    Args:
        arguments: Of the command.
        needs_code: Whether the command is of no use without code.

    Raises:
        BadConfiguration: `[tool.playhead]` cannot be used, or nobody names any code.
    """
    project = find_configuration()
    code = project.code
    if arguments.workflows or arguments.worker:
        code = replace(code, workflows=tuple(arguments.workflows or ()), worker=arguments.worker or code.worker)
    if arguments.data_converter:
        code = replace(code, data_converter=arguments.data_converter)
    if arguments.interceptor:
        code = replace(code, interceptors=tuple(arguments.interceptor))
    if arguments.plugin:
        code = replace(code, plugins=tuple(arguments.plugin))
    if arguments.unsandboxed:
        code = replace(code, sandboxed=False)
    if arguments.namespace:
        code = replace(code, namespace=arguments.namespace)
    if needs_code and not code.workflows and code.worker is None:
        where = f"{project.path} names none" if project.path is not None else "there is no pyproject.toml that does it"
        raise BadConfiguration(
            "Name the workflow code, with --workflows package.module or --worker package.module, or with one of these "
            f"as a key of [tool.playhead] in pyproject.toml ({where})."
        )
    return replace(
        project,
        code=code,
        runtime=arguments.runtime or project.runtime,
        profile=arguments.profile or project.profile,
        codec_endpoint=getattr(arguments, "codec_endpoint", None) or project.codec_endpoint,
    )


def reader_of(project: Configuration, arguments: argparse.Namespace) -> Callable[[str | os.PathLike[str]], History]:
    """What reads the histories of a command: as they are, or decoded by the codec server that the user names.

    The reader raises `UnreadableHistory` and `CodecUnavailable`.

    Raises:
        CodecUnavailable: The server is no URL, or there is something to send to it and no server.
    """
    endpoint = codec_endpoint(project.codec_endpoint, arguments.codec_auth, project.code.namespace)
    if endpoint is None:
        return read_history
    return lambda source: endpoint.decoded(read_history(source))


def history_files_of(paths: list[Path]) -> list[Path]:
    """The history files that are named, directly or by their directory.

    Raises:
        ValueError: A directory holds none, which must not pass for success.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = history_files(path)
            if not found:
                raise ValueError(f"{path} holds no history files (*.json, *.json.gz, *.bin, *.pb): nothing was checked")
            files += found
        else:
            files.append(path)
    return files
