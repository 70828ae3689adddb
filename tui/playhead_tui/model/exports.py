"""What is taken out of the debugger: an event, the history up to here, a future, a test that keeps one.

Makes texts and bytes, and writes them where the user says. Nothing is written over that was not written by the same
name on purpose.
"""

from __future__ import annotations

import keyword
import os
import re
from pathlib import Path
from typing import Final

import orjson

from playhead.hotfix.future import Future, Refused
from playhead.importing import FILE_MODULE
from playhead.rendering import headline
from playhead.replayer import Replayer
from playhead.verdict import Agrees
from playhead_engine.history import History, HistoryEvent
from playhead_engine.record import record
from playhead_engine.tasks import COMMAND_EVENTS
from playhead_tui.model.what_if import WhatIf

_WIDTH: Final = 120


class NotExported(Exception):
    """It cannot be written, or there is nothing to be written; the text says why."""


# -- Events and histories ----------------------------------------------------------------------------------------------


def event_json(event: HistoryEvent) -> bytes:
    """An event as it was recorded, over several lines."""
    return orjson.dumps(event.raw, option=orjson.OPT_INDENT_2) + b"\n"


@record
class Prefix:
    """The beginning of a history.

    Attributes:
        history: It, a legal history itself.
        note: A sentence, where it goes further than was asked for.
    """

    history: History
    note: str = ""

    @property
    def json(self) -> bytes:
        """As a file that `playhead` and Temporal's own tools read."""
        return self.history.canonical_json(indent=True) + b"\n"


def prefix(history: History, event_id: int) -> Prefix:
    """The history up to an event, and that event.

    What one workflow task did is recorded in one go, so an event in the middle of that takes the rest along: without
    it, code that does all of it would do more than was recorded. And a run has begun only with its first task.

    Args:
        history: The history.
        event_id: The last event that is wanted.
    """
    events = history.events
    asked = end = next((at for at, event in enumerate(events, 1) if event.event_id >= event_id), len(events))
    begun = next((at for at, event in enumerate(events, 1) if event.KIND == "WORKFLOW_TASK_SCHEDULED"), 0)
    if end < begun:
        end = begun
    elif end and (events[end - 1].KIND in COMMAND_EVENTS or events[end - 1].KIND == "WORKFLOW_TASK_COMPLETED"):
        while end < len(events) and events[end].KIND in COMMAND_EVENTS:
            end += 1
    if end == asked:
        return Prefix(History(events[:end], history.id))
    why = "before that no code had run" if end == begun else "what one workflow task did stays together"
    return Prefix(History(events[:end], history.id), f"It goes up to event {events[end - 1].event_id}: {why}.")


def name_for(history: History, what: str) -> str:
    """A file name for something about a run: `order-A-1.to-12.json` for `to-12`."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", history.id or history.workflow_type or "history").strip("-.")
    return f"{stem[:80] or 'history'}.{what}.json"


def write(path: str | os.PathLike[str], content: bytes, *, over: bool = False) -> Path:
    """Write a file.

    Args:
        path: Where.
        content: What.
        over: Whether a file that is there already may go.

    Returns:
        Where it is.

    Raises:
        NotExported: It cannot be written, or a file is there already.
    """
    target = Path(path).expanduser()
    try:
        with target.open("wb" if over else "xb") as file:
            file.write(content)
    except FileExistsError:
        raise NotExported(f"{target} is there already") from None
    except OSError as error:
        raise NotExported(f"{target} cannot be written: {error.strerror or error}") from None
    return target


# -- Futures -----------------------------------------------------------------------------------------------------------


def future_json(future: Future) -> bytes:
    """A future as a history: the recording up to the mark, and what would follow.

    Raises:
        NotExported: There is none.
    """
    if isinstance(future.ending, Refused):
        raise NotExported(f"there is no future to write: {headline(future.recorded, future.ending.verdict)}")
    return future.history.canonical_json(indent=True) + b"\n"


@record
class RegressionTest:
    """A test that fails when the code does something else than a future.

    Attributes:
        history: The future, as a file.
        source: A pytest file that replays it.
    """

    history: bytes
    source: bytes


def regression_test(question: WhatIf, future: Future, replayer: Replayer, history_name: str) -> RegressionTest:
    """The test that keeps a future.

    Args:
        question: What was otherwise.
        future: What came of it.
        replayer: Of the code that went on.
        history_name: What the file with the future is to be called; it is to lie beside the test.

    Raises:
        NotExported: The code does not replay it, or cannot be imported by a test.
    """
    content = future_json(future)
    verdict = replayer.replay(future.history, workflow_id=future.history.id or None)
    if not isinstance(verdict, Agrees):
        raise NotExported(f"a test of it would fail today: {headline(future.history, verdict)}")
    code = replayer.code_for(future.history)
    if code is None or code.cls is None:
        raise NotExported(f"no class of its own is {future.history.workflow_type}, and a test needs one to import")
    module, name = _importable(code.cls)
    return RegressionTest(content, _source(question, future, replayer, (module, name), history_name).encode())


def _importable(cls: type) -> tuple[str, str]:
    """The module and the name by which a test imports a class."""
    name = cls.__qualname__
    module = cls.__module__
    is_named = all(part.isidentifier() and not keyword.iskeyword(part) for part in module.split("."))
    if not is_named or module == "__main__" or module.startswith(FILE_MODULE):
        raise NotExported(f"{name} is in a file that has no name as a module, and no test can import it")
    return cls.__module__, name


def _source(question: WhatIf, future: Future, replayer: Replayer, cls: tuple[str, str], history_name: str) -> str:
    module, name = cls
    outer = name.partition(".")[0]
    workflow = future.recorded.workflow_type
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", f"{workflow} {_slug(question)}")
    test = re.sub(r"\W+|_+", "_", words).strip("_").lower()[:70].rstrip("_")
    file = history_name.replace("\\", "\\\\").replace('"', '\\"')
    sentence = _comment(f"What {workflow} does when this is so: {question}.")
    if replayer.has_options:
        # The project says how its code is run, with which converter and interceptors; the fixture runs it so.
        imports = ["from pathlib import Path", "", "from playhead import Replayer, assert_replays"]
        head, call = f"def test_{test}(replayer: Replayer) -> None:", "assert_replays(HISTORY, replayer=replayer)"
    else:
        first, second = sorted((f"from {module} import {outer}", "from playhead import assert_replays"), key=str.lower)
        imports = ["from pathlib import Path", "", first, second]
        head, call = f"def test_{test}() -> None:", f"assert_replays(HISTORY, {name})"
    return "\n".join(
        [
            f'"""{sentence}',
            "",
            "A future that `playhead debug` showed and somebody wanted to keep: the recording up to its mark, and what",
            "the code did from there on. It fails when the code does something else.",
            '"""',
            "",
            *imports,
            "",
            f'HISTORY = Path(__file__).with_name("{file}")',
            "",
            "",
            head,
            f'    """{sentence}"""',
            f"    {call}",
            "",
        ]
    )


def _slug(question: WhatIf) -> str:
    return str(question).partition(" at event ")[0]


def _comment(text: str) -> str:
    """A text that ends no docstring, in one line that is not too long."""
    text = text.replace("\\", "/").replace('"""', "'''").replace("\n", " ").replace('"', "'")
    return text if len(text) <= _WIDTH - 8 else f"{text[: _WIDTH - 10]}…."
