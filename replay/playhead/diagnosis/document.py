"""A diagnosis for machines: JSON, as `diagnosis.schema.json` beside this module describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from playhead.diagnosis.alignment import Alignment
from playhead.diagnosis.cause import Cause
from playhead.diagnosis.diagnosis import Diagnosis
from playhead.diagnosis.fix import Fix
from playhead.diagnosis.steps import Step
from playhead.values import plain
from playhead.verdict import ReplayWarning
from playhead_engine.call_site import CallSite

SCHEMA: Final = Path(__file__).parent / "diagnosis.schema.json"
"""The JSON Schema of what `document` gives."""


def document(diagnosis: Diagnosis, fix: Fix | None = None) -> dict[str, Any]:
    """The diagnosis as JSON values: the rows that differ, causes, warnings, and the fix if there is one."""
    alignment = diagnosis.alignment
    return {
        "rows": len(alignment.rows),
        "reached": alignment.reached,
        "stopped": alignment.stopped or None,
        "is_cheapest": alignment.is_cheapest,
        "differences": [_row(alignment, number) for number in alignment.differences()],
        "causes": [_cause(cause) for cause in diagnosis.causes],
        "warnings": [_warning(warning) for warning in diagnosis.cautions],
        "fix": _fix(fix) if fix is not None else None,
    }


def _row(alignment: Alignment, number: int) -> dict[str, Any]:
    row = alignment.rows[number]
    before, after = alignment.between(number)
    return {
        "row": number,
        "change": row.change.value if row.change is not None else None,
        "event_id": row.event_id,
        "recorded": _step(row.recorded),
        "now": _step(row.now),
        "differing_fields": list(row.fields),
        "is_guessed": row.is_guessed,
        "site": _site(row.site),
        "after": _site(before.site if before is not None else None),
        "before": _site(after.site if after is not None else None),
    }


def _step(step: Step | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {
        "kind": step.kind.value,
        "name": step.name,
        "id": step.id,
        "type": step.side.kind,
        "fields": plain(step.side.fields),
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "text": cause.text,
        "confidence": cause.confidence.value,
        "evidence": list(cause.evidence),
        "rows": list(cause.rows),
        "file": cause.file or None,
        "line": cause.line or None,
    }


def _warning(warning: ReplayWarning) -> dict[str, Any]:
    return {"text": warning.text, "event_id": warning.event_id, "site": _site(warning.site)}


def _fix(fix: Fix) -> dict[str, Any]:
    proof = fix.proof
    return {
        "file": fix.file or None,
        "patch_id": fix.patch_id or None,
        "diff": fix.diff or None,
        "notes": list(fix.notes),
        "is_proved": fix.is_proved,
        "replay_agrees": proof.replay_agrees if proof is not None else None,
        "takes_new_path": proof.takes_new_path if proof is not None else None,
        "problem": (proof.problem or None) if proof is not None else None,
        "reason": fix.reason or None,
    }


def _site(site: CallSite | None) -> dict[str, Any] | None:
    return {"file": site.file, "line": site.line, "function": site.function} if site is not None else None
