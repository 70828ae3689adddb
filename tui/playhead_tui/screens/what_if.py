"""What if: something else happens at the playhead, and the new future unfolds beside the recorded one.

Every change of the question is answered at once. The answer can be debugged like a recording, and kept as a history or
as a regression test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from playhead.grouping import Group
from playhead.hotfix.future import AwaitsAnswer, Future
from playhead.loading import signal_names
from playhead_tui import messages
from playhead_tui.keys import WHAT_IF_KEYS, bindings, keys_in_use
from playhead_tui.model import opening
from playhead_tui.model.deck import Deck
from playhead_tui.model.exports import NotExported, future_json, name_for, regression_test, write
from playhead_tui.model.groups import title_text
from playhead_tui.model.opening import CannotOpen, Target
from playhead_tui.model.shelf import Item
from playhead_tui.model.what_if import (
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
    result_of,
    signals_known,
    value_of,
)
from playhead_tui.screens.help import HelpScreen
from playhead_tui.widgets.choices import Choice, Choices
from playhead_tui.widgets.future_pane import FuturePane
from playhead_tui.widgets.key_bar import KeyBar
from playhead_tui.widgets.prompt import Prompt
from playhead_tui.widgets.rows import INK_CLASSES, Rows
from playhead_tui.widgets.status import Status

Changed = Callable[[str], WhatIf]


class WhatIfScreen(Screen[messages.Go | messages.ShowLine | Target | None]):
    """See the module. It is left with where the user wants to go, or with a future to debug."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*INK_CLASSES}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(WHAT_IF_KEYS)]

    def __init__(self, deck: Deck) -> None:
        super().__init__()
        self._deck = deck
        self._run = deck.run
        self._event = deck.session.place.event
        self._question = after(self._run.groups, self._event)
        self._future: Future | None = None

    def compose(self) -> ComposeResult:
        """The question, and the answer."""
        yield Choices(title="What if", id="question-list")
        yield FuturePane(id="future")
        yield Prompt(id="prompt")
        yield Status(id="status")
        yield KeyBar(WHAT_IF_KEYS, id="keys")

    def on_mount(self) -> None:
        """Ask what would be if nothing were otherwise."""
        self.query_one(KeyBar).show_keys()
        self.query_one(Choices).focus()
        self._changed(self._question)

    # -- The question --------------------------------------------------------------------------------------------------

    def _changed(self, question: WhatIf) -> None:
        self._question = question
        self.query_one(Choices).offer(list(self._choices()))
        self._unfold(question)

    def _choices(self) -> Iterator[Choice]:
        question = self._question
        where = "at the end" if question.at is None else f"before event {question.at}"
        yield Choice([(f"{question}"[:200], "title")])
        for happening in question.happens:
            left = replace(question, happens=tuple(one for one in question.happens if one is not happening))
            yield self._part(f"{happening}, {where}", left)
        for answer in question.answers:
            left = replace(question, answers=tuple(one for one in question.answers if one is not answer))
            yield self._part(str(answer), left)
        if question.workflows:
            yield self._part(f"{', '.join(question.workflows)} goes on", replace(question, workflows=()))
        yield Choice([])
        future = self._future
        if future is not None and isinstance(future.ending, AwaitsAnswer):
            for name in dict.fromkeys(one.name for one in future.ending.questions):
                yield self._offer(f"answer {name}, which waits:", "returns …", self._answered(name, _returns), _VALUE)
                yield self._offer("", "fails with …", self._answered(name, _fails), _ERROR)
        for group in activities_to_change(self._run.groups, self._event):
            name = f"activity {title_text(group)} #{group.identity}"
            returned, failed = (self._ending(group, outcome) for outcome in (_returns, _fails))
            yield self._offer(name, "returns …", returned, _VALUE, result_of(group))
            yield self._offer("", "fails with …", failed, _ERROR)
        for signal in signals_known(self._run.groups, self._signals_taken):
            yield self._offer(f"signal {signal}", "comes, with …", self._signalling(signal), _ARGUMENTS)
        yield self._offer("a signal", "comes: NAME value …", self._any_signal, 'approve {"by": "Ada"}')
        yield Choice([("somebody asks to cancel", "plain")], lambda: self._changed(self._question.also(CancelComes())))
        yield self._offer("other code", "goes on: a module or a file …", self._with_code, "app.hotfix or app/hotfix.py")
        yield self._offer("later on, an activity", "returns: NAME=value …", self._later(_returns), 'ship="parcel-7"')
        yield self._offer("", "fails: NAME=error …", self._later(_fails), "ship=NoVan: none in the yard")
        said = "be asked about" if question.invents else "give back null"
        yield Choice(
            [(f"let what nobody knows {said}", "plain")],
            lambda: self._changed(replace(question, invents=not question.invents)),
        )

    def _part(self, text: str, left: WhatIf) -> Choice:
        """A part of the question, which can be taken out of it."""
        return Choice(
            [("● ", "changed"), (text, "changed"), ("  delete takes it out", "dim")], None, lambda: self._changed(left)
        )

    def _offer(self, what: str, how: str, read: Changed, example: str, given: str = "") -> Choice:
        """Something that can be asked, once a text has been given."""
        question = f"{what} {how}".strip(" …")
        return Choice(
            [(f"{what:<34} ", "plain"), (how, "name")], lambda: self._ask(question, read, example=example, given=given)
        )

    def _ask(self, question: str, read: Changed, *, example: str, given: str) -> None:
        self._go_on(self.query_one(Prompt).ask(question, example=example, given=given), read)

    @work(exclusive=True, group="prompt")
    async def _go_on(self, answer: Awaitable[str | None], read: Changed) -> None:
        text = await answer
        if text is None:
            return
        try:
            self._changed(read(text))
        except BadQuestion as error:
            self._say(str(error))

    def _with(self, other: WhatIf) -> WhatIf:
        """What another question asks, and the rest of this one as far as it can be asked at the same place."""
        question = self._question
        if other.at == question.at:
            for happening in other.happens:
                question = question.also(happening)
        else:
            question = replace(question, at=other.at, happens=other.happens)
        for answer in other.answers:
            question = question.answered(answer)
        return question

    @cached_property
    def _signals_taken(self) -> list[str]:
        """The signals that the code takes, whether the run got any or not."""
        replayer = self._deck.replayer
        code = replayer.code_for(self._run.history) if replayer is not None else None
        return signal_names(code.cls) if code is not None and code.cls is not None else []

    def _ending(self, group: Group, outcome: Callable[[str], Outcome]) -> Changed:
        return lambda text: self._with(changed(group, outcome(text)))

    def _signalling(self, name: str) -> Changed:
        return lambda text: self._signal(name, text)

    def _signal(self, name: str, text: str) -> WhatIf:
        return self._question.also(SignalComes(name, args_of(text)))

    def _any_signal(self, text: str) -> WhatIf:
        name, _, args = text.strip().partition(" ")
        if not name:
            raise BadQuestion("a signal has a name")
        return self._signal(name, args)

    def _answered(self, name: str, outcome: Callable[[str], Outcome]) -> Changed:
        return lambda text: self._question.answered(Answer(name, (outcome(text),)))

    def _later(self, outcome: Callable[[str], Outcome]) -> Changed:
        def read(text: str) -> WhatIf:
            name, equals, value = text.partition("=")
            if not equals or not name.strip():
                raise BadQuestion('write NAME=value, as in ship="parcel-7"')
            return self._question.answered(Answer(name.strip(), (outcome(value.strip()),)))

        return read

    def _with_code(self, text: str) -> WhatIf:
        return replace(self._question, workflows=tuple(text.split()))

    # -- The answer ----------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="unfold")
    async def _unfold(self, question: WhatIf) -> None:
        deck = self._deck
        try:
            with self.query_one(Status).busy("working out what would be"):
                self._future = await deck.errands.run(
                    opening.unfolded, deck.target, self._run.history, deck.replayer, question
                )
        except (BadQuestion, CannotOpen) as error:
            self._say(str(error))
            return
        self.query_one(FuturePane).unfold(self._future)
        self.query_one(Choices).offer(list(self._choices()))
        self._say(f"{question}")

    def on_go(self, message: messages.Go) -> None:
        """Go to something recorded."""
        self.dismiss(message)

    def on_show_line(self, message: messages.ShowLine) -> None:
        """Go to a line."""
        self.dismiss(message)

    def action_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(HelpScreen(keys_in_use(self)))

    def action_copy(self) -> None:
        """Copy the row at the cursor."""
        pane = self.focused
        text = pane.copied() if isinstance(pane, Rows) else ""
        if text:
            self.app.copy_to_clipboard(text)
            self._say(f"Copied: {text}")

    def action_leave(self) -> None:
        """Go back to the recording."""
        self.dismiss(None)

    def action_debug(self) -> None:
        """Debug the future as if it had been recorded."""
        future = self._future
        if future is None:
            return
        target = self._deck.target
        item = Item(f"what if {self._question}", lambda: future.history)
        self.dismiss(Target(item, opening.code_for(target, self._question), future.history.id or target.workflow_id))

    def action_save(self) -> None:
        """Ask where to write the future as a history, and write it."""
        if self._future is not None:
            self._write("Save the future as", name_for(self._run.history, "future"), self._save)

    def _save(self, name: str) -> str:
        assert self._future is not None
        return f"Written: {write(name, future_json(self._future))}"

    def action_test(self) -> None:
        """Ask where to write a regression test, and write it with its history beside it."""
        if self._future is not None:
            stem = name_for(self._run.history, "future").removesuffix(".json").replace(".", "_").replace("-", "_")
            self._write("Save a test as", f"test_{stem}.py", self._save_test)

    def _save_test(self, name: str) -> str:
        assert self._future is not None and self._deck.replayer is not None
        path = Path(name)
        history = path.with_suffix(".json")
        replayer = self._deck.replayer
        if self._question.workflows:
            replayer = opening.load_code(opening.code_for(self._deck.target, self._question))
        made = regression_test(self._question, self._future, replayer, history.name)
        write(history, made.history)
        return f"Written: {write(path, made.source)}, and its history beside it"

    def _write(self, question: str, name: str, writing: Callable[[str], str]) -> None:
        self._go_on_writing(self.query_one(Prompt).ask(question, given=name), writing)

    @work(exclusive=True, group="prompt")
    async def _go_on_writing(self, answer: Awaitable[str | None], writing: Callable[[str], str]) -> None:
        name = await answer
        if not name:
            return
        try:
            with self.query_one(Status).busy("writing"):
                said = await self._deck.errands.run(writing, name)
            self._say(said)
        except (CannotOpen, NotExported) as error:
            self._say(str(error))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does anything: while something is asked, letters are letters."""
        return not any(prompt.display for prompt in self.query(Prompt))

    def _say(self, text: str) -> None:
        self.query_one(Status).say(text)


_VALUE: Final = 'JSON, such as {"tracking": 1} or null; or a text'
_ERROR: Final = "NoSeats: none left"
_ARGUMENTS: Final = 'nothing, one JSON value, or several: *["Ada", 3]'


def _returns(text: str) -> Outcome:
    return Returns(value_of(text))


def _fails(text: str) -> Outcome:
    if not text.strip():
        raise BadQuestion("an error is written as Type: message, or as a message alone")
    return Raises(text)
