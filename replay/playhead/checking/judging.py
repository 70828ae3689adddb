"""From a verdict to a judgement: what a process that replays has to say of a history before it forgets it.

Everything that reports need is worked out here, since the objects that it is worked out of stay in this process.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playhead.checking.judgement import Explanation, Judgement, Kind, Site, seen_from
from playhead.checking.reach import is_users
from playhead.readers import UnreadableHistory, read_history
from playhead.rendering import as_json, headline, label, report
from playhead.replayer import Replayer, unreadable
from playhead.verdict import Agrees, CodeRaised, Diverges, NotReplayable, Verdict
from playhead_engine.call_site import CallSite
from playhead_engine.history import History

_WIDTH = 120
_SECONDS_TO_EXPLAIN = 2.0


class CannotJudge(Exception):
    """A history cannot be judged for a reason that has nothing to do with it: its values cannot be decoded."""


class Judging:
    """Judges histories by replaying them.

    Attributes:
        folder: The project's folder.
    """

    def __init__(self, replayer: Replayer, folder: str, decoded: Callable[[History], History] | None = None) -> None:
        """Judge by this replayer.

        Args:
            replayer: Replays.
            folder: The project's folder, which files are named as seen from.
            decoded: Decodes the values of each history first; raises ValueError if it cannot.
        """
        self.folder = folder
        self._replayer = replayer
        self._decoded = decoded

    def judge(self, path: str) -> Judgement:
        """What a history comes to.

        Raises:
            CannotJudge: Its values cannot be decoded.
        """
        try:
            history = self._read(path)
        except UnreadableHistory as error:
            return Judgement(Kind.UNREADABLE, "unreadable", (f"  {unreadable(error).reason}",))
        return self._judgement(path, history, self._replayer.replay(history, workflow_id=_known_as(path, history)))

    def explain(self, path: str) -> Explanation | None:
        """What a diagnosis finds; None if the history does not diverge.

        Raises:
            CannotJudge: Its values cannot be decoded.
        """
        # It takes as long to import as a hundred histories take to replay, and most checks need none of it.
        from playhead.diagnosis.document import document
        from playhead.diagnosis.markdown import diagnosis_markdown
        from playhead.diagnosis.text import diagnosis_text

        history = self._read(path)
        diagnosis = self._replayer.diagnose(history, workflow_id=_known_as(path, history), seconds=_SECONDS_TO_EXPLAIN)
        if not isinstance(diagnosis.verdict, Diverges):
            return None
        markdown = diagnosis_markdown(path, history, diagnosis).partition("\n")[2]
        return Explanation(
            diagnosis_text(diagnosis, width=_WIDTH),
            markdown.strip("\n"),
            tuple(cause.text for cause in diagnosis.causes),
            self._relative(document(diagnosis)),
        )

    def _read(self, path: str) -> History:
        history = read_history(path)
        if self._decoded is None:
            return history
        try:
            return self._decoded(history)
        except ValueError as error:
            raise CannotJudge(str(error)) from error

    def _judgement(self, path: str, history: History, verdict: Verdict) -> Judgement:
        profile = self._replayer.profile
        said = report(path, history, verdict, profile=profile, width=_WIDTH).split("\n")
        shown = as_json("", history, verdict, profile=profile, runtime=self._replayer.runtime_of(history.workflow_type))
        del shown["history"]
        warnings = verdict.warnings if isinstance(verdict, Agrees | Diverges | CodeRaised) else ()
        return Judgement(
            kind=Kind(label(verdict)),
            headline=headline(history, verdict),
            lines=(*said[1:], *(f"  note: {remark}" for remark in history.remarks)),
            event_id=shown.get("event_id", 0),
            site=self._site(_blamed(verdict)),
            workflow_type=history.workflow_type,
            workflow_id=history.id,
            run_id=history.run_id,
            events=len(history),
            temporal=verdict.temporal,
            warnings=tuple(warning.text for warning in warnings),
            document=self._relative(shown),
        )

    def _site(self, site: CallSite | None) -> Site | None:
        return None if site is None else Site(self._shown(site.file), site.line, site.function)

    def _shown(self, file: str) -> str:
        return seen_from(self.folder, file) if is_users(file) else file

    def _relative(self, value: Any) -> Any:
        """A document in which files are named as seen from the project's folder."""
        if isinstance(value, list):
            return [self._relative(one) for one in value]
        if not isinstance(value, dict):
            return value
        made = {key: self._relative(one) for key, one in value.items()}
        if isinstance(made.get("file"), str) and made.get("line") is not None:
            made["file"] = self._shown(made["file"])
        return made


def _known_as(path: str, history: History) -> str:
    return history.id or Path(path).stem


def _blamed(verdict: Verdict) -> CallSite | None:
    """The line that a report is to point at: the one that asks for something else, or that waits instead of asking."""
    match verdict:
        case Diverges(divergence=divergence):
            return divergence.site or next((site for _, site in divergence.waits if site is not None), None)
        case Agrees() | NotReplayable():
            return None
        case _:
            return verdict.site
