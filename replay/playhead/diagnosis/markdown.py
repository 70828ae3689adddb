"""A diagnosis in Markdown, fit for a comment on a pull request: a table, the causes, the patch folded away."""

from __future__ import annotations

from playhead.diagnosis.diagnosis import Diagnosis
from playhead.diagnosis.fix import Fix
from playhead.diagnosis.text import cell, proof_sentence, reach, shown_rows
from playhead.places import place
from playhead.rendering import headline
from playhead_engine.history import History


def diagnosis_markdown(name: str, history: History | None, diagnosis: Diagnosis, fix: Fix | None = None) -> str:
    """The diagnosis as a section of a Markdown document, without a closing line break.

    Args:
        name: How to call the history.
        history: The history, if it could be read.
        diagnosis: What to show.
        fix: The fix, if one was asked for.
    """
    lines = [f"### {_code(name)}: {headline(history, diagnosis.verdict)}"]
    alignment = diagnosis.alignment
    if alignment.differences():
        lines += ["", "| event | recorded | now | line | |", "|--:|---|---|---|---|"]
        for item in shown_rows(alignment):
            if isinstance(item, tuple):
                count = item[1] - item[0] + 1
                lines.append(f"| | *{count} equal step{'s' if count > 1 else ''}* | | | |")
                continue
            row = alignment.rows[item]
            where = _code(place(row.site)) if row.site is not None else ""
            change = f"**{row.change.value}**" if row.change is not None else ""
            recorded, now = _escaped(cell(row.recorded, row)), _escaped(cell(row.now, row))
            lines.append(f"| {row.event_id or ''} | {recorded} | {now} | {where} | {change} |")
    for cause in diagnosis.causes:
        changes = dict.fromkeys(str(alignment.rows[number].change) for number in cause.rows)
        hedge = "" if cause.confidence == "certain" else f" *({cause.confidence.value})*"
        lines += ["", f"**{', '.join(changes)}**: {cause.text}{hedge}"]
        lines += [f"- {sentence}" for sentence in cause.evidence]
    if diagnosis.cautions:
        lines.append("")
        lines += [f"> warning: event {caution.event_id}: {_escaped(caution.text)}" for caution in diagnosis.cautions]
    for note in reach(alignment):
        lines += ["", f"*{note}*"]
    if fix is not None:
        lines += ["", *_fix(fix)]
    return "\n".join(lines)


def _fix(fix: Fix) -> list[str]:
    if fix.reason:
        return [f"No patch: {fix.reason}."]
    lines = ["<details><summary>Patch</summary>", "", "```diff", fix.diff.rstrip("\n"), "```", "", "</details>", ""]
    return [*lines, proof_sentence(fix), *(f"- {note}" for note in fix.notes)]


def _code(text: str) -> str:
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
