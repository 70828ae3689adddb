"""The deck: what the buttons of the debugger do to the playhead. It knows no keys and no widgets.

Whatever takes time runs as an errand, one after the other, and the deck goes on answering meanwhile: moving by events
needs only what is at hand. Whoever shows what the deck does is its `Front`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal, Protocol, TypeAlias

from playhead.replayer import Replayer
from playhead.timeline.marks import Line, NoSuchMark, mark_of
from playhead.verdict import Diverges
from playhead_tui.model import opening
from playhead_tui.model.breakpoints import Stops
from playhead_tui.model.errands import Errands
from playhead_tui.model.keeping import Keeper
from playhead_tui.model.lookout import Lookout
from playhead_tui.model.memory import spare_collector
from playhead_tui.model.opening import CannotOpen, Progress, Target
from playhead_tui.model.place import Place, Unit
from playhead_tui.model.run import Run, Way
from playhead_tui.model.session import Session
from playhead_tui.model.signpost import follow, signpost_to
from playhead_tui.model.sources import Sources
from playhead_tui.model.why import Why

Landmark: TypeAlias = Literal["failure", "retry"]


class Front(Protocol):
    """Who shows what the deck does."""

    def shown(self) -> None:
        """The view is another: `Deck.session` has it."""
        ...

    def said(self, text: str) -> None:
        """There is something to say about what the user just wanted."""
        ...

    def told(self) -> None:
        """There is something else to tell of breakpoints, logpoints and watches: `Deck.lookout` has it."""
        ...

    def busy(self, what: str, part: Callable[[], float] | None = None) -> AbstractContextManager[None]:
        """Something takes time, and how much of it is done."""
        ...


class Deck:
    """See the module.

    Attributes:
        target: What is debugged.
        sources: The source files.
        errands: Runs what takes time.
        lookout: Breakpoints, logpoints and watches.
        session: The session; only there once `open` has come to its end.
        replayer: What replays; None without code.
    """

    def __init__(self, target: Target, front: Front) -> None:
        self.target = target
        self.sources = Sources()
        self.errands = Errands()
        self.lookout = Lookout(self.errands, front.busy)
        self._keeper = Keeper()
        self.replayer: Replayer | None = None
        self._front = front
        self._session: Session | None = None
        self._looking: asyncio.Task[None] | None = None
        self._finding: asyncio.Task[None] | None = None
        self._lines = asyncio.Lock()
        self._loading = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    @property
    def session(self) -> Session:
        """The session."""
        assert self._session is not None, "nothing is open"
        return self._session

    @property
    def run(self) -> Run:
        """The run."""
        return self.session.run

    # -- Opening -------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Read the history and show it; then load the code and replay.

        Raises:
            CannotOpen: It is no history.
        """
        self.lookout.stops, problems = self._keeper.load()
        for problem in problems:
            self._front.said(problem)
        async with self._loading:
            with self._front.busy(f"reading {self.target.item.name}"):
                self._session = Session(await self.errands.run(opening.read, self.target))
            spare_collector(self.run)
            self._show()
            if self.target.code.is_named:
                await self._replay()

    async def reload(self) -> None:
        """Load code and history anew, and stay where the playhead is."""
        if not self.is_open:
            return
        async with self._loading:
            try:
                with self._front.busy(f"reading {self.target.item.name}"):
                    read = await self.errands.run(opening.read, self.target)
            except CannotOpen as error:
                self._front.said(str(error))
                return
            if read.history != self.run.history:
                self._replace(read)
            if self.target.code.is_named:
                await self._replay()
            else:
                self._show()

    async def reload_if_changed(self) -> None:
        """Load the code anew if it has changed on disk."""
        if self.is_open and not self._loading.locked() and self.target.code.has_changed():
            await self.reload()

    async def _replay(self) -> None:
        """Load the code, replay, and find the place again."""
        session, run, progress = self.session, self.run, Progress()
        is_first = run.recording is None and not run.problem
        try:
            with self._front.busy("loading the code"):
                self.replayer = await self.errands.run(opening.load, self.target)
            with self._front.busy("replaying", lambda: progress.part):
                recording = await self.errands.run(opening.recorded, self.target, run.history, self.replayer, progress)
        except CannotOpen as error:
            # What was recorded before is still true of the code as it was.
            self.session.replace(run.with_problem(str(error)), session.place)
            self._show()
            return
        signpost = signpost_to(session.place, run, self.sources)
        if signpost is not None:
            with self._front.busy("recording every line"):
                await self.errands.run(lambda: recording.steps)
        if run.recording is not None:
            await self.errands.run(run.recording.close)
        self.sources.forget()
        run = run.with_recording(recording, opening.wire(run.history, self.replayer))
        place = follow(signpost, run, self.sources) if signpost is not None else None
        if place is None:
            place = run.begins if is_first and session.since is None else Place(session.place.event)
        session.replace(run, place)
        spare_collector(run)
        self._show()
        if isinstance(run.verdict, Diverges):
            self._finding = asyncio.ensure_future(self._find_out_why(run))

    def _replace(self, run: Run) -> None:
        """Go on with another history of the run, as near as can be to where the playhead is."""
        self.session.replace(run, Place(run.event(self.session.place.event).event_id))

    async def _find_out_why(self, run: Run) -> None:
        """Find out what differs and why, and then what would help; each is shown as soon as it is known."""
        history, replayer, verdict = run.history, self.replayer, run.verdict
        assert replayer is not None and verdict is not None
        try:
            with self._front.busy("finding out why"):
                diagnosis = await self.errands.run(opening.diagnosed, self.target, history, replayer, verdict)
            run.why = Why(diagnosis)
            self._front.shown()
            with self._front.busy("trying a fix"):
                run.why = Why(diagnosis, await self.errands.run(opening.fixed, history, replayer, diagnosis))
            self._front.shown()
        except CannotOpen as error:
            self._front.said(str(error))

    # -- Showing -------------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        """Show what there is to see: at once, or as soon as it is worked out."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        self._front.shown()
        session = self.session
        self.lookout.ask(session.run, session.place, session.since, self._front.told)
        if not session.is_at_hand or not session.run.is_read(session.event):
            self._looking = asyncio.ensure_future(self._look(session, session.place))

    async def _look(self, session: Session, place: Place) -> None:
        if not session.run.is_read(session.event):
            with self._front.busy("decoding"):
                await self.errands.run(session.run.read, session.event)
            self._front.shown()
        if not session.is_at_hand:
            with self._front.busy("replaying to here"):
                state = await self.errands.run(session.run.snapshot, place)
            session.take(place, state)
            self._front.shown()

    # -- Moving --------------------------------------------------------------------------------------------------------

    def go(self, place: Place) -> None:
        """Put the playhead somewhere."""
        if self.is_open and self.session.go(place):
            self._show()

    def back(self) -> None:
        """Put the playhead where it was before."""
        if self.is_open and self.session.back():
            self._show()
        else:
            self._front.said("The playhead has not been anywhere else.")

    def edge(self, *, forward: bool = True) -> None:
        """Go to the end, or to the beginning."""
        if self.is_open:
            self.go(self.run.last if forward else self.run.first)

    def step(self, unit: Unit, *, forward: bool = True) -> None:
        """Go on, or back, by an event, a workflow task or a command."""
        if not self.is_open:
            return
        place = self.run.next(self.session.place, unit, forward=forward)
        if place is None:
            self._front.said(f"There is no {unit} {'after' if forward else 'before'} this.")
        else:
            self.go(place)

    def jump(self, landmark: Landmark, *, forward: bool = True) -> None:
        """Go to the next failure or retry, or to the one before; beyond the last, begin anew."""
        if not self.is_open:
            return
        run = self.run
        events = run.failures if landmark == "failure" else run.retries
        if not events:
            self._front.said("Nothing failed." if landmark == "failure" else "Nothing was tried again.")
            return
        place = run.nearest(self.session.place, events, forward=forward)
        self.go(place or Place(events[0 if forward else -1]))

    def wrong(self) -> None:
        """Go where code and history part, or where the code fails."""
        if not self.is_open:
            return
        if self.run.verdict is None:
            self._front.said("Without code there is nothing to differ from.")
        elif not self.run.wrong_at:
            self._front.said("The code does what was recorded.")
        else:
            self.go(Place(self.run.wrong_at))

    async def walk(self, way: Way, *, forward: bool = True) -> None:
        """Go on, or back, by a line."""
        if not await self._know_lines():
            return
        place = self.run.walk(self.session.place, way, forward=forward)
        if place is None:
            self._front.said(f"No line runs {'after' if forward else 'before'} this.")
        else:
            self.go(place)

    async def run_on(self, *, forward: bool = True) -> None:
        """Go on to the next breakpoint, or back to the one before; where there is none, to the end or the beginning."""
        if not self.is_open:
            return
        hit = await self.lookout.next(self.run, self.session.place, forward=forward)
        if hit is None:
            self.edge(forward=forward)
            self._front.said(f"No breakpoint {'after' if forward else 'before'} this.")
        else:
            self.go(hit.place)
            self._front.said(f"Stopped at {hit.breakpoint.trigger}")

    def set_stops(self, stops: Stops) -> None:
        """Have other breakpoints, logpoints and watches."""
        self.lookout.stops = stops
        problem = self._keeper.save(stops)
        if problem:
            self._front.said(problem)
        if self.is_open:
            self.lookout.ask(self.run, self.session.place, self.session.since, self._front.told)

    async def run_to(self, file: str, line: int) -> None:
        """Go to the next time a line runs; if it does not any more, back to the last time it did."""
        if not await self._know_lines():
            return
        here = self.session.place
        places = [
            self.run.place_of(step) for step in self.run.steps if step.site.line == line and step.site.file == file
        ]
        if not places:
            self._front.said(f"Line {line} never runs.")
            return
        self.go(next((place for place in places if here < place), places[-1]))

    async def go_to(self, text: str) -> None:
        """Go to a mark that the user names."""
        if not self.is_open:
            return
        try:
            mark = mark_of(text.strip())
            if "line" in mark:
                if await self._know_lines():
                    self.go(self._next_of(Line.of(mark["line"])))
            elif "task" in mark:
                self.go(Place(self._of(self.run.tasks, mark["task"], "workflow task")))
            elif "command" in mark:
                self.go(Place(self._of(self.run.commands, mark["command"], "command")))
            else:
                self.go(Place(self._of([event.event_id for event in self.run.history], mark.get("event", 0), "event")))
        except NoSuchMark as error:
            self._front.said(str(error))

    def _next_of(self, line: Line) -> Place:
        places = [self.run.place_of(step) for step in self.run.steps.hits(line)]
        return next((place for place in places if self.session.place < place), places[0])

    def _of(self, events: list[int], number: int, what: str) -> int:
        """The event of that number, from 1 or from the end."""
        position = number - 1 if number > 0 else len(events) + number
        if not 0 <= position < len(events):
            raise NoSuchMark(f"there is no {what} {number}: the history has {what}s 1 to {len(events)}")
        return events[position]

    async def _know_lines(self) -> bool:
        """See to it that the lines are known; says whether there are any."""
        if not self.is_open:
            return False
        if self.run.recording is None:
            self._front.said("Without code there are no lines.")
            return False
        async with self._lines:
            run = self.run
            if not run.has_steps:
                with self._front.busy("recording every line"):
                    await self.errands.run(lambda: run.steps)
        return True
