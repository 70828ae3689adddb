"""A check as SARIF 2.1.0, for services that show findings at lines of code: one result for each line that breaks.

What broke before has the state that the format has for it, and what is allowed is suppressed with its reason, so that
neither becomes an alert.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final
from urllib.parse import quote

from playhead.checking.judgement import Kind
from playhead.checking.location import Location, fingerprint, location_of, seen_in
from playhead.checking.outcome import Check, Place, Standing, places
from playhead.checking.text import about_allowance, others

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME: Final = "https://github.com/playhead/playhead"
_MOST_RELATED: Final = 20

_RULES: Final = {
    Kind.DIVERGES: "The code does something else than was recorded.",
    Kind.CODE_RAISED: "The code fails a workflow task, so that a run with this history is stuck.",
    Kind.CODE_UNFINISHED: "The code does not come to rest in a workflow task.",
    Kind.NEEDS_VALUE: "The code looks into a value that cannot be read.",
    Kind.NOT_REPLAYABLE: "There is no code for a history, or no server writes such a history.",
    Kind.UNREADABLE: "A file cannot be read as a history.",
    Kind.TIMED_OUT: "The replay of a history does not end.",
    Kind.PROCESS_ENDED: "The replay of a history ends its process.",
    Kind.AGREES: "The replay of a history comes with warnings.",
}


def sarif_log(check: Check, root: str) -> dict[str, Any]:
    """The log.

    Args:
        check: What to show.
        root: The root of the repository.
    """
    standings = (Standing.BREAKS, Standing.UNCHECKED, Standing.OLD, Standing.ALLOWED)
    shown = [(standing, place) for standing in standings for place in places(check.of(standing))]
    kinds = [kind for kind in _RULES if any(place.first.judgement.kind is kind for _, place in shown)]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Playhead",
                        "version": version("playhead"),
                        "informationUri": _HOME,
                        "rules": [_rule(kind) for kind in kinds],
                    }
                },
                "automationDetails": {"id": "playhead/check/"},
                "invocations": [{"executionSuccessful": not check.of(Standing.UNCHECKED) and not check.skipped}],
                "columnKind": "unicodeCodePoints",
                "results": [_result(standing, place, check, root, kinds) for standing, place in shown],
            }
        ],
    }


def _rule(kind: Kind) -> dict[str, Any]:
    return {
        "id": _rule_id(kind),
        "name": kind.value.title().replace(" ", ""),
        "shortDescription": {"text": _RULES[kind]},
        "fullDescription": {"text": _RULES[kind]},
        "help": {
            "text": "playhead replay HISTORY shows the whole difference, and playhead replay HISTORY --fix a patch."
        },
        "defaultConfiguration": {"level": "error"},
    }


def _result(standing: Standing, place: Place, check: Check, root: str, kinds: list[Kind]) -> dict[str, Any]:
    first = place.first
    judgement = first.judgement
    also = others(place)
    text = f"{first.history}: {judgement.headline}. {judgement.summary}" + (f" {also}." if also else "")
    fails = standing in (Standing.BREAKS, Standing.UNCHECKED)
    result: dict[str, Any] = {
        "ruleId": _rule_id(judgement.kind),
        "ruleIndex": kinds.index(judgement.kind),
        "level": "error" if fails else "note",
        "message": {"text": text},
        "locations": [_location(location_of(first, check, root))],
        "relatedLocations": [
            _location(Location(seen_in(root, one.history))) | {"message": {"text": one.judgement.headline}}
            for one in place.outcomes[:_MOST_RELATED]
        ],
        "partialFingerprints": {"playheadPlace/v1": fingerprint(place)},
        "properties": {"histories": [one.history for one in place.outcomes], "workflowType": judgement.workflow_type},
    }
    if check.base is not None and not check.base.problem:
        result["baselineState"] = "unchanged" if standing is Standing.OLD else "new"
    if standing is Standing.ALLOWED and first.allowance is not None:
        result["suppressions"] = [{"kind": "external", "justification": about_allowance(first.allowance, holds=True)}]
    return result


def _location(location: Location) -> dict[str, Any]:
    absolute = location.path.startswith("/")
    artifact = {"uri": ("file://" if absolute else "") + quote(location.path)}
    if not absolute:
        artifact["uriBaseId"] = "%SRCROOT%"
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": location.line}}}


def _rule_id(kind: Kind) -> str:
    return f"playhead/{kind.value.replace(' ', '-')}"
