"""A check as JUnit XML, in the form that Jenkins gave it: one test case for each history.

What breaks is a failure, what could not be checked an error; what broke before or is allowed is skipped, with the
reason. A service that shows it need know nothing of replays.
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from playhead.checking.location import location_of
from playhead.checking.outcome import Check, Outcome, Standing
from playhead.checking.text import reason

# What XML 1.0 cannot say, not even by a reference.
_UNSPEAKABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(check: Check, root: str) -> bytes:
    """The document.

    Args:
        check: What to show.
        root: The root of the repository.
    """
    counts = {
        "tests": len(check.outcomes),
        "failures": len(check.of(Standing.BREAKS)),
        "errors": len(check.of(Standing.UNCHECKED)),
    }
    totals = {name: str(number) for name, number in counts.items()} | {"time": f"{check.seconds:.3f}"}
    suites = Element("testsuites", {"name": "playhead", **totals})
    skipped = len(check.of(Standing.OLD)) + len(check.of(Standing.ALLOWED))
    suite = SubElement(suites, "testsuite", {"name": "playhead check", **totals, "skipped": str(skipped)})
    for outcome in check.outcomes:
        _add_case(suite, outcome, check, root)
    indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(suites, encoding="unicode")}\n'.encode()


def _add_case(suite: Element, outcome: Outcome, check: Check, root: str) -> None:
    judgement = outcome.judgement
    case = SubElement(
        suite,
        "testcase",
        {
            "classname": _said(judgement.workflow_type or "unreadable"),
            "name": _said(outcome.history),
            "time": f"{outcome.seconds:.3f}",
        },
    )
    why = reason(outcome)
    headline = _said(f"{judgement.headline}, {why}" if why else judgement.headline)
    match outcome.standing:
        case Standing.AGREES:
            return
        case Standing.OLD | Standing.ALLOWED:
            SubElement(case, "skipped", {"message": headline})
        case Standing.BREAKS | Standing.UNCHECKED:
            kind = "failure" if outcome.standing is Standing.BREAKS else "error"
            location = location_of(outcome, check, root)
            text = [f"{location.path}:{location.line}", *judgement.lines]
            if judgement.explanation is not None:
                text += ["", judgement.explanation.text]
            SubElement(case, kind, {"message": headline, "type": judgement.kind.value}).text = _said("\n".join(text))


def _said(text: str) -> str:
    return _UNSPEAKABLE.sub("\ufffd", text)
