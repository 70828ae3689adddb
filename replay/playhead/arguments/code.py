"""What commands may be told of workflow code and of the values in histories, the same for all of them."""

from __future__ import annotations

import argparse


def add_code_options(command: argparse.ArgumentParser) -> None:
    """What a command may be told of workflow code; each option is a key of [tool.playhead] as well."""
    code = command.add_argument_group("the workflow code", "Each of these may stand in [tool.playhead] as well.")
    code.add_argument(
        "--workflows",
        "-w",
        action="append",
        metavar="MODULE[:CLASS]",
        help="the workflow code: package.module, package.module:Class or a file; may be repeated",
    )
    code.add_argument(
        "--worker",
        metavar="MODULE[:FUNCTION]",
        help="take workflows and options from the Worker that this function makes; main if none is named",
    )
    code.add_argument("--data-converter", metavar="MODULE:NAME", help="a data converter, or what makes one")
    code.add_argument("--interceptor", action="append", metavar="MODULE:NAME", help="a worker interceptor; repeatable")
    code.add_argument("--plugin", action="append", metavar="MODULE:NAME", help="a worker plugin; repeatable")
    code.add_argument("--unsandboxed", action="store_true", help="run workflows outside of Temporal's sandbox")
    code.add_argument("--namespace", metavar="NAME", help="the namespace that the code is told")
    code.add_argument(
        "--runtime",
        choices=("auto", "native", "temporal", "temporal-core"),
        help="what drives the code: what fits each class (auto), only one kind, or Temporal's own Replayer",
    )


def add_codec_options(command: argparse.ArgumentParser) -> None:
    """How values get decoded that a codec encoded; named as in Temporal's own command line."""
    command.add_argument(
        "--codec-endpoint",
        metavar="URL",
        help="have a codec server decode the values of each history first; {namespace} in the URL is filled in",
    )
    command.add_argument("--codec-auth", metavar="VALUE", help="what to send to it as the Authorization header")
