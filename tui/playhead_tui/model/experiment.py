"""An experiment: a question about the run at the playhead, put together choice by choice, and the future it leads to.

It says what can be chosen, and what each choice makes of the question; it asks nobody and shows nothing. `unfold`
replays, so whoever must not wait has it done by somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from playhead.configuration import Configuration
from playhead.grouping import Group
from playhead.hotfix.future import AwaitsAnswer, Future
from playhead.hotfix.respondent import Question
from playhead.hotfix.text import question_text
from playhead.loading import signal_names
from playhead.replayer import Replayer
from playhead.values import plain
from playhead_engine.record import record
from playhead_tui.model import opening
from playhead_tui.model.code import Code
from playhead_tui.model.futures import unfold
from playhead_tui.model.groups import Groups
from playhead_tui.model.ink import Line
from playhead_tui.model.opening import CannotOpen
from playhead_tui.model.what_if import (
    ActivityEnds,
    Answer,
    BadQuestion,
    CancelComes,
    Outcome,
    Raises,
    Returns,
    SignalComes,
    WhatIf,
    activities_to_change,
    after,
    args_of,
    changed,
    signals_known,
    value_of,
)


def _nothing(text: str) -> WhatIf:
    raise BadQuestion("there is nothing to choose here")


@record
class Choice:
    """Something that can be chosen.

    Attributes:
        line: What it says.
        chosen: The question that comes of it, with the text that was asked for; raises `BadQuestion` for one that means
            nothing.
        asks: What text is asked for; empty if none is.
        example: What the text may look like.
        given: The text to begin with.
        removed: The question without it; None for what is not a part of it.
    """

    line: Line
    chosen: Callable[[str], WhatIf] = _nothing
    asks: str = ""
    example: str = ""
    given: str = ""
    removed: WhatIf | None = None


class Experiment:
    """See the module.

    Attributes:
        groups: Of the history.
        event_id: The event after which something is to be otherwise.
        question: What is asked so far.
        replayer: Of the code that goes on; None while there is none.
        future: What would come of the question; None before it was asked, and where nothing can come of it.
    """

    def __init__(
        self,
        groups: Groups,
        event_id: int,
        project: Configuration,
        replayer: Replayer | None = None,
        workflow_id: str | None = None,
    ) -> None:
        """
        Args:
            groups: Of the history.
            event_id: The event after which something is to be otherwise.
            project: Where the code is, and how it is run.
            replayer: Of that code, if it is loaded.
            workflow_id: The workflow id, where the history does not hold it.
        """
        self.groups = groups
        self.event_id = event_id
        self.question = after(groups, event_id)
        self.replayer = replayer
        self.future: Future | None = None
        self._project = project
        self._own = replayer
        self._workflow_id = workflow_id
        self._codes: dict[tuple[str, ...], Code] = {}

    def unfold(self) -> None:
        """Work out the future.

        Raises:
            BadQuestion: What is asked cannot be.
            CannotOpen: The code that is to go on cannot be used.
        """
        self.future = None
        self.replayer = self._replayer()
        with opening.in_words():
            self.future = unfold(self.question, self.groups.history, self.replayer, self._workflow_id)

    def _replayer(self) -> Replayer:
        """Of the code that is to go on: other code is loaded anew every time, so that it may be edited meanwhile."""
        workflows = self.question.workflows
        if not workflows:
            if self._own is None:
                raise CannotOpen("Without code nothing goes on: choose some.")
            return self._own
        code = self._codes.get(workflows)
        if code is None:
            names = replace(self._project.code, workflows=workflows)
            code = self._codes[workflows] = Code(replace(self._project, code=names))
        with opening.in_words():
            return code.load()

    # -- What can be chosen --------------------------------------------------------------------------------------------

    def choices(self) -> list[Choice]:
        """What is chosen already, what is asked for now, and what can be chosen."""
        return [*self._chosen(), *self._asked(), *self._possible()]

    def _chosen(self) -> Iterator[Choice]:
        question = self.question
        for number, happening in enumerate(question.happens):
            left = (*question.happens[:number], *question.happens[number + 1 :])
            yield _part(str(happening), replace(question, happens=left))
        for number, answer in enumerate(question.answers):
            kept = (*question.answers[:number], *question.answers[number + 1 :])
            yield _part(str(answer), replace(question, answers=kept))
        if question.workflows:
            yield _part(f"{', '.join(question.workflows)} goes on", replace(question, workflows=()))
        if question.invents:
            yield _part("what nobody knows gives back null", replace(question, invents=False))

    def _asked(self) -> Iterator[Choice]:
        """What the future waits for."""
        if self.future is None or not isinstance(self.future.ending, AwaitsAnswer):
            return
        for asked in {(one.kind, one.name): one for one in self.future.ending.questions}.values():
            line: Line = [("? ", "caution"), (f"say what comes of {question_text(asked, 40)}", "caution")]
            yield Choice(line, self._answering(asked), f"{asked.name} returns", _RESULT)
            line = [("? ", "caution"), (f"let {asked.kind} {asked.name} fail", "caution")]
            yield Choice(line, self._failing(asked), f"{asked.name} fails with", _ERROR)

    def _possible(self) -> Iterator[Choice]:
        for group in activities_to_change(self.groups, self.event_id)[:_MOST_ACTIVITIES]:
            name = f"{group.title} #{group.identity}" if group.identity else group.title
            given = _json_of(group)
            yield _option(
                f"change the result of {name}", self._ending(group, _returned), f"{group.title} returns", _RESULT, given
            )
            yield _option(f"make {name} fail", self._ending(group, _raised), f"{group.title} fails with", _ERROR)
        for signal in self._signals():
            yield _option(f"send the signal {signal}", self._signalling(signal), f"{signal} with", _ARGUMENTS)
        yield _option("send a signal", self._signalling(""), "signal", "its name, and after a space its arguments")
        if CancelComes() not in self.question.happens:
            yield _option("ask it to cancel", lambda _: self.question.also(CancelComes()))
        yield _option("let other code go on: a hotfix", self._swapping, "code", "app.hotfix, app/hotfix.py or a:Class")
        if not self.question.invents:
            yield _option("let what nobody knows give back null", lambda _: replace(self.question, invents=True))

    def _signals(self) -> list[str]:
        code = self.replayer.code_for(self.groups.history) if self.replayer is not None else None
        handlers = signal_names(code.cls) if code is not None and code.cls is not None else []
        return signals_known(self.groups, handlers)[:_MOST_SIGNALS]

    # -- What comes of a choice ----------------------------------------------------------------------------------------

    def _answering(self, asked: Question) -> Callable[[str], WhatIf]:
        return lambda text: self.question.answered(Answer(asked.name, (_returned(text),), asked.kind != "activity"))

    def _failing(self, asked: Question) -> Callable[[str], WhatIf]:
        return lambda text: self.question.answered(Answer(asked.name, (_raised(text),), asked.kind != "activity"))

    def _ending(self, group: Group, outcome_of: Callable[[str], Outcome]) -> Callable[[str], WhatIf]:
        """An activity ends otherwise, when it ended; what else happens, happens then."""

        def chosen(text: str) -> WhatIf:
            change = changed(group, outcome_of(text))
            question = replace(self.question, at=change.at)
            for happening in change.happens:
                left = [one for one in question.happens if not isinstance(one, ActivityEnds)]
                question = replace(question, happens=tuple(left)).also(happening)
            for answer in change.answers:
                question = question.answered(answer)
            return question

        return chosen

    def _signalling(self, name: str) -> Callable[[str], WhatIf]:
        def chosen(text: str) -> WhatIf:
            signal, given = (name, text) if name else text.strip().partition(" ")[::2]
            if not signal:
                raise BadQuestion("a signal has a name")
            return self.question.also(SignalComes(signal, args_of(given)))

        return chosen

    def _swapping(self, text: str) -> WhatIf:
        return replace(self.question, workflows=tuple(text.replace(",", " ").split()))


_RESULT = 'JSON, such as {"tracking": 1} or null, or a text'
_ERROR = "NoSeats: none left"
_ARGUMENTS = 'nothing, one JSON value, or several: *["Ada", 3]'
_MOST_ACTIVITIES = 20
_MOST_SIGNALS = 20


def _part(text: str, removed: WhatIf) -> Choice:
    line: Line = [("● ", "changed"), (text, "name"), ("  delete to take it back", "dim")]
    return Choice(line, removed=removed)


def _option(text: str, chosen: Callable[[str], WhatIf], asks: str = "", example: str = "", given: str = "") -> Choice:
    return Choice([("+ ", "dim"), (text, "plain")], chosen, asks, example, given)


def _returned(text: str) -> Outcome:
    return Returns(value_of(text))


def _raised(text: str) -> Outcome:
    if not text.strip():
        raise BadQuestion("an error is written as Type: message, or as a message alone")
    return Raises(text.strip())


def _json_of(group: Group) -> str:
    """What an activity gave back, to be edited; empty where that is long, or nothing."""
    value: Any = plain(group.detail) if group.outcome == "completed" else None
    if not isinstance(value, list) or len(value) != 1:
        return ""
    text = orjson.dumps(value[0], default=str).decode()
    return text if len(text) <= _LONGEST_GIVEN else ""


_LONGEST_GIVEN = 300
