"""A verdict explained: what differs and, where the code diverges, why. What a failed test shows."""

from __future__ import annotations

from playhead.diagnosis.diagnosis import Diagnosis
from playhead.diagnosis.text import diagnosis_text
from playhead.rendering import headline, report
from playhead.replayer import Replayer
from playhead.terminal import PLAIN, Style
from playhead.verdict import Agrees, Diverges, Verdict
from playhead_engine.history import History
from playhead_engine.profile import Profile
from playhead_engine.record import record


@record
class Explanation:
    """See the module.

    Attributes:
        name: How the history is called.
        history: The history; None if it could not be read.
        verdict: What the replay came to.
        profile: The release whose rules it went by.
        diagnosis: Why, where the code diverges.
    """

    name: str
    history: History | None
    verdict: Verdict
    profile: Profile | None = None
    diagnosis: Diagnosis | None = None

    @property
    def has_warnings(self) -> bool:
        """Whether there is something that breaks nothing, and that the owner of the run may mind."""
        cautions = self.diagnosis.cautions if self.diagnosis is not None else ()
        return bool(cautions or getattr(self.verdict, "warnings", ()))

    def headline(self) -> str:
        """In a few words: `diverges at event 11`."""
        return headline(self.history, self.verdict)

    def text(self, *, style: Style = PLAIN, width: int = 120) -> str:
        """In full, without a closing line break.

        Args:
            style: Colours, or none.
            width: Columns to write to.
        """
        text = report(self.name, self.history, self.verdict, profile=self.profile, style=style, width=width)
        said = "" if self.diagnosis is None else diagnosis_text(self.diagnosis, style=style, width=width).strip("\n")
        return f"{text}\n\n{said}" if said else text


def explain(
    name: str,
    history: History,
    verdict: Verdict,
    replayer: Replayer,
    *,
    workflow_id: str | None = None,
    is_strict: bool = False,
) -> Explanation:
    """Find out what there is to say about a verdict.

    Args:
        name: How to call the history.
        history: The history.
        verdict: What its replay came to.
        replayer: Who replayed it.
        workflow_id: The id that it was replayed under; by default the one the history holds.
        is_strict: Whether to look for other arguments, timeouts and results, too, where nothing breaks.
    """
    diagnosis = None
    if isinstance(verdict, Diverges) or (is_strict and isinstance(verdict, Agrees)):
        diagnosis = replayer.diagnose(history, workflow_id=workflow_id, verdict=verdict)
    return Explanation(name, history, verdict, replayer.profile, diagnosis)
