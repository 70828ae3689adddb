"""A verdict explained: what differs and, where the code diverges, why. What a failed test shows."""

from __future__ import annotations

from playhead.diagnosis.text import diagnosis_text
from playhead.rendering import report
from playhead.replayer import Replayer
from playhead.terminal import PLAIN, Style
from playhead.verdict import Diverges, Verdict
from playhead_engine.history import History


def explanation(
    name: str,
    history: History,
    verdict: Verdict,
    replayer: Replayer,
    *,
    workflow_id: str | None = None,
    style: Style = PLAIN,
    width: int = 120,
) -> str:
    """The report on a replay, and its diagnosis, without a closing line break.

    Args:
        name: How to call the history.
        history: The history.
        verdict: What the replay came to.
        replayer: Who replayed it.
        workflow_id: The id that it was replayed under; by default the one the history holds.
        style: Colours, or none.
        width: Columns to write to.
    """
    text = report(name, history, verdict, profile=replayer.profile, style=style, width=width)
    if not isinstance(verdict, Diverges):
        return text
    diagnosis = replayer.diagnose(history, workflow_id=workflow_id, verdict=verdict)
    said = diagnosis_text(diagnosis, style=style, width=width)
    return f"{text}\n\n{said}" if said else text
