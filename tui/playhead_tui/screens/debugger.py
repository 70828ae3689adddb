"""The debugger itself: the panes around one session."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer

from playhead_tui import messages
from playhead_tui.model import opening
from playhead_tui.model.errands import Errands
from playhead_tui.model.opening import CannotOpen, Progress, Target
from playhead_tui.model.place import Place, Unit
from playhead_tui.model.run import Run
from playhead_tui.model.session import Session
from playhead_tui.model.sources import Sources
from playhead_tui.widgets.detail import Detail
from playhead_tui.widgets.event_list import EventList
from playhead_tui.widgets.pane import Pane
from playhead_tui.widgets.source import SourceView
from playhead_tui.widgets.status import Status
from playhead_tui.widgets.variables import Variables


class DebuggerScreen(Screen[None]):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,f10", "step('line')", "Next line", id="next-line"),
        Binding("N,shift+f10", "step('line', False)", "Previous line", show=False, id="previous-line"),
        Binding("e", "step('event')", "Next event", id="next-event"),
        Binding("E", "step('event', False)", "Previous event", show=False, id="previous-event"),
        Binding("t", "step('workflow task')", "Next task", id="next-task"),
        Binding("T", "step('workflow task', False)", "Previous task", show=False, id="previous-task"),
        Binding("m", "step('command')", "Next command", id="next-command"),
        Binding("M", "step('command', False)", "Previous command", show=False, id="previous-command"),
    ]

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target
        self._errands = Errands()
        self._sources = Sources()
        self._session: Session | None = None
        self._progress = Progress()

    def compose(self) -> ComposeResult:
        """The panes."""
        with Horizontal(id="panes"):
            yield EventList(id="events")
            with Vertical(id="right"):
                yield SourceView(self._sources, id="source")
                with Horizontal(id="lower"):
                    yield Variables(id="variables")
                    yield Detail(id="detail")
        yield Status(id="status")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to open."""
        self._open()

    @work(exclusive=True, group="open")
    async def _open(self) -> None:
        target, status = self._target, self.query_one(Status)
        name = str(target.path)
        status.working(f"reading {name}")
        try:
            history = await self._errands.run(opening.read, target)
        except CannotOpen as error:
            self.app.exit(return_code=2, message=f"playhead: {error}")
            return
        self._session = Session(Run(name, history))
        self._show()
        if target.has_code:
            status.working("replaying", lambda: self._progress.part)
            await self._replay()
        status.rest()

    async def _replay(self) -> None:
        assert self._session is not None
        target, run = self._target, self._session.run
        try:
            replayer = await self._errands.run(opening.replayer, target)
            recording = await self._errands.run(opening.recording, target, run.history, replayer, self._progress)
        except CannotOpen as error:
            self._session.replace(Run(run.name, run.history, None, str(error)))
        else:
            self._session.replace(Run(run.name, run.history, recording))
            if self._session.since is None:
                self._session.place = self._session.run.begins
        self._show()

    def _show(self) -> None:
        """Show the view to everyone; at once what is at hand, and what must be worked out when it is."""
        session = self._session
        if session is None:
            return
        if session.is_at_hand:
            self._tell(session)
        else:
            self._work_out(session)

    def _tell(self, session: Session) -> None:
        view = session.view()
        for pane in self.query("*").results():
            if isinstance(pane, Pane):
                pane.look(view)

    @work(exclusive=True, group="state")
    async def _work_out(self, session: Session) -> None:
        glance = session.glance()
        for pane in self.query("*").results():
            if isinstance(pane, Pane):
                pane.look(glance)
        status = self.query_one(Status)
        status.working("replaying to here")
        await self._errands.run(session.view)
        status.rest()
        self._tell(session)

    def on_go(self, message: messages.Go) -> None:
        """A widget wants the playhead elsewhere."""
        self._go(message.place)

    def on_show_line(self, message: messages.ShowLine) -> None:
        """A widget wants a line to be shown."""
        self.query_one(SourceView).show_line(message.file, message.line)

    def _go(self, place: Place) -> None:
        if self._session is not None and self._session.go(place):
            self._show()

    @work(exclusive=True, group="step")
    async def action_step(self, unit: str, forward: bool = True) -> None:
        """Go on, or back, by one of something."""
        session = self._session
        if session is None:
            return
        kind = Unit(unit)
        status = self.query_one(Status)
        if kind is Unit.LINE:
            if session.run.recording is None:
                status.say("Without code there are no lines to step through.")
                return
            if not session.run.has_steps:
                status.working("recording every line")
                await self._errands.run(lambda: session.run.steps)
                status.rest()
        place = session.step(kind, forward=forward)
        if place is None:
            status.say(f"There is no {kind} {'after' if forward else 'before'} this.")
            return
        self._go(place)
