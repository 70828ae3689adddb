"""A check for machines: JSON, as `check.schema.json` beside this module describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from playhead.allowances import Allowance
from playhead.checking.judgement import Judgement, Site
from playhead.checking.outcome import Check, Outcome, Standing

SCHEMA: Final = Path(__file__).parent / "check.schema.json"
"""The JSON Schema of what `check_document` gives."""


def check_document(check: Check) -> dict[str, Any]:
    """The check as JSON values. Files are named as seen from the project's folder, histories as they were given."""
    return {
        "version": 1,
        "passes": check.passes,
        "counts": {standing.value: len(check.of(standing)) for standing in Standing},
        "known": sum(outcome.is_known for outcome in check.outcomes),
        "skipped": check.skipped,
        "seconds": round(check.seconds, 3),
        "base": None
        if check.base is None
        else {"name": check.base.name, "commit": check.base.commit, "problem": check.base.problem or None},
        "histories": [_history(outcome) for outcome in check.outcomes],
        "uncovered": [
            {"workflow_type": one.type, "class": one.name, "site": _site(one.site)} for one in check.uncovered
        ],
        "idle_allowances": [_allowance(allowance) for allowance in check.idle],
        "notes": list(check.notes),
    }


def _history(outcome: Outcome) -> dict[str, Any]:
    judgement = outcome.judgement
    return {
        "history": outcome.history,
        "standing": outcome.standing.value,
        **_judgement(judgement),
        "workflow_type": judgement.workflow_type or None,
        "workflow_id": judgement.workflow_id or None,
        "run_id": judgement.run_id or None,
        "events": judgement.events,
        "temporal": judgement.temporal or None,
        "warnings": list(judgement.warnings),
        "details": judgement.document,
        "diagnosis": judgement.explanation.document if judgement.explanation is not None else None,
        "allowance": _allowance(outcome.allowance) if outcome.allowance is not None else None,
        "before": _judgement(outcome.before) if outcome.before is not None else None,
        "is_known": outcome.is_known,
        "seconds": round(outcome.seconds, 6),
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "verdict": judgement.kind.value,
        "headline": judgement.headline,
        "summary": judgement.summary,
        "event_id": judgement.event_id or None,
        "site": _site(judgement.site),
    }


def _allowance(allowance: Allowance) -> dict[str, Any]:
    return {
        "history": allowance.history,
        "workflow": allowance.workflow,
        "event": allowance.event,
        "reason": allowance.reason,
        "until": allowance.until.isoformat(),
    }


def _site(site: Site | None) -> dict[str, Any] | None:
    return None if site is None else {"file": site.file, "line": site.line, "function": site.function}
