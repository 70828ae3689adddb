"""The process that replays: it loads the code once, and says of each history that it is told what came of it.

A line is a JSON object. The first request names the code; the answer takes stock of it, or says why it cannot be
loaded. Each further one names a history, and is answered before the next is looked at, so that whoever asks knows which
history a silent process is busy with. The process ends when its input does.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import orjson

from playhead.checking.inventory import Inventory, inventory_of
from playhead.checking.judgement import Site, seen_from
from playhead.checking.judging import CannotJudge, Judging
from playhead.checking.reach import Roots, is_users, user_folders
from playhead.checking.relocation import relocate
from playhead.cli.judges import of_kind
from playhead.loading import Code, CodeNames, CodeNotLoaded, is_dynamic, load_code, run_function_of, type_of
from playhead.replayer import Replayer
from playhead_engine.call_site import definition_line
from playhead_engine.guards import NondeterministicCall
from playhead_engine.profile import profile_named
from playhead_engine.temporal import is_temporal_workflow


def main() -> None:
    """Answer until there are no more requests."""
    # Workflow code prints, and so do libraries: only answers may go where answers are expected.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def answer(content: dict[str, Any]) -> None:
        answers.write(orjson.dumps(content) + b"\n")
        answers.flush()

    # What keeps workflow code from going on is told in the report, in words.
    for name in ("playhead_engine", "temporalio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    requests = sys.stdin.buffer
    given = orjson.loads(requests.readline())
    if given["moved"] is not None:
        relocate(*given["moved"])
    noted = _NotedImports()
    sys.meta_path.insert(0, noted)
    try:
        judging, inventory, note = _load(given)
    except (CodeNotLoaded, NondeterministicCall, OSError, RuntimeError, ValueError) as error:
        answer({"problem": str(error)})
        return
    answer({"inventory": inventory, "note": note})
    noted.forget()
    for line in requests:
        request = orjson.loads(line)
        begun = time.monotonic()
        try:
            if request["explains"]:
                answer({"explanation": judging.explain(request["path"])})
                continue
            judgement = judging.judge(request["path"])
        except CannotJudge as error:
            answer({"problem": str(error)})
            continue
        answer({"judgement": judgement, "imported": noted.files(judging.folder), "seconds": time.monotonic() - begun})


def _load(given: dict[str, Any]) -> tuple[Judging, Inventory | None, str]:
    names: dict[str, Any] = {name: tuple(it) if isinstance(it, list) else it for name, it in given["code"].items()}
    code = load_code(CodeNames(**names))
    chosen = of_kind(code, given["runtime"])
    profile = profile_named(given["profile"]) if given["profile"] is not None else None
    replayer = Replayer(chosen, profile=profile, **code.options.as_keywords())
    decoded = None
    if given["endpoint"] is not None:
        from playhead.codec_endpoint import CodecEndpoint

        decoded = CodecEndpoint(**given["endpoint"]).decoded
    # Only now is there anything of the SDK's here, if the code is written for it.
    if any(map(is_temporal_workflow, chosen)):
        from playhead_engine.temporal.sdk.sandbox import make_cheap

        make_cheap()
    inventory = _inventory(code, chosen, names["worker"], given["folder"]) if given["takes_stock"] else None
    return Judging(replayer, given["folder"], decoded), inventory, replayer.profile.note


def _inventory(code: Code, chosen: Sequence[type[Any]], worker: str | None, folder: str) -> Inventory:
    module = (worker or "").partition(":")[0]
    if module.endswith(".py"):
        path = os.path.realpath(module)
        module = next((n for n, m in sys.modules.items() if os.path.realpath(_file_of(m) or ".") == path), module)

    def site_of(workflow: type[Any]) -> Site | None:
        line = definition_line(run_function_of(workflow))
        return Site(seen_from(folder, line.file), line.line, line.function) if line and is_users(line.file) else None

    return inventory_of(
        chosen,
        code.options.as_keywords().values(),
        module or None,
        folder,
        type_of=lambda one: "" if is_dynamic(one) else type_of(one),
        site_of=site_of,
    )


class _NotedImports:
    """Notes which modules are imported, also by a sandbox that imports everything anew for each run. It finds none."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._known: dict[str, str | None] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Note a name, and leave it to others to find it."""
        self._names.add(name)
        return None

    def forget(self) -> None:
        """Forget what was imported up to now."""
        self._names.clear()

    def files(self, folder: str) -> list[str]:
        """The user's files that were imported since this was last asked, as seen from the project's folder."""
        if not self._names:
            return []
        names, self._names = self._names, set()
        new = [name for name in names if name not in self._known]
        if new:
            roots = Roots(user_folders(sys.path))
            for name in new:
                file = _file_of(sys.modules.get(name)) or roots.find(name)
                self._known[name] = seen_from(folder, file) if file is not None and is_users(file) else None
        return sorted({file for name in names if (file := self._known[name]) is not None})


def _file_of(module: ModuleType | None) -> str | None:
    return getattr(module, "__file__", None)


if __name__ == "__main__":
    main()
    # The user's code may have left threads behind that never end.
    sys.stdout.flush()
    os._exit(0)
