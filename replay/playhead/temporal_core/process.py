"""The process in which Temporal's own Replayer runs: requests come on standard input, answers go to standard output.

A line is a JSON object. The first request names the code; the answer says which workflow types there are. Each further
one is a history. Nobody needs to say goodbye: the process ends when its input does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.metadata import version
from typing import Any

import orjson

from playhead.importing import EXTRA
from playhead.loading import Code, CodeNames, CodeNotLoaded, load_code
from playhead_engine.temporal import is_temporal_workflow, temporal_workflow


def main() -> None:
    """Answer until there are no more requests."""
    # Workflow code prints, and so does Temporal's core: only answers may go where answers are expected.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def answer(content: dict[str, Any]) -> None:
        answers.write(orjson.dumps(content) + b"\n")
        answers.flush()

    requests = sys.stdin.buffer
    try:
        code = _load(orjson.loads(requests.readline()))
        replayer = _replayer(code)
    except (CodeNotLoaded, ValueError) as error:
        answer({"problem": str(error)})
        return
    answer(_hello(replayer))
    for line in requests:
        answer(asyncio.run(_replay(replayer, orjson.loads(line))))


def _load(names: dict[str, Any]) -> Code:
    given: dict[str, Any] = {name: tuple(it) if isinstance(it, list) else it for name, it in names.items()}
    code = load_code(CodeNames(**given))
    if code.workflows and not any(map(is_temporal_workflow, code.workflows)):
        raise CodeNotLoaded(
            "Temporal's own Replayer replays code written for `temporalio`, and "
            f"{', '.join(one.__name__ for one in code.workflows)} is written for `playhead_engine`."
        )
    return code


def _replayer(code: Code) -> Any:
    try:
        from temporalio.converter import DataConverter
        from temporalio.worker import Replayer
    except ModuleNotFoundError:
        raise CodeNotLoaded(
            f"Temporal's own Replayer is part of `temporalio`, which is not installed. {EXTRA}."
        ) from None
    given = code.options.as_keywords()
    if not isinstance(given.get("data_converter", DataConverter.default), DataConverter):
        raise CodeNotLoaded("Temporal's own Replayer takes a data converter of `temporalio`, not of `playhead_engine`.")
    if "failure_exception_types" in given:
        given["workflow_failure_exception_types"] = given.pop("failure_exception_types")
    return Replayer(workflows=[one for one in code.workflows if is_temporal_workflow(one)], **given)


def _hello(replayer: Any) -> dict[str, Any]:
    classes = replayer.config(active_config=True)["workflows"]
    names = [temporal_workflow(one).name for one in classes]
    return {
        "version": version("temporalio"),
        "types": [name for name in names if name is not None],
        "is_dynamic": None in names,
    }


async def _replay(replayer: Any, request: dict[str, str]) -> dict[str, str]:
    from google.protobuf.json_format import ParseError
    from temporalio.client import WorkflowHistory
    from temporalio.workflow import NondeterminismError

    try:
        history = WorkflowHistory.from_json(request["workflow_id"], request["history"])
    except ParseError as error:
        return {"outcome": "unreadable", "message": str(error)}
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    failure = result.replay_failure
    if failure is None:
        return {"outcome": "ok", "message": ""}
    kind = "nondeterminism" if isinstance(failure, NondeterminismError) else "error"
    return {"outcome": kind, "message": str(failure)}


if __name__ == "__main__":
    main()
    # A Replayer that failed may leave threads behind that never end.
    sys.stdout.flush()
    os._exit(0)
