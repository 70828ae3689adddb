"""What a command line says of a project, over what the project says of itself."""

from __future__ import annotations

import argparse
from dataclasses import replace

from playhead.configuration import BadConfiguration, Configuration, find_configuration


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
