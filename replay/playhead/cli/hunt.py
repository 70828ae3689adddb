"""`playhead replay --hunt`: look for what the code depends on, though no history records it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import orjson

from playhead.cli import complain
from playhead.cli.project import project_of
from playhead.hunt import Finding, HuntFailed, hunt
from playhead.terminal import Style, style_of


def main(arguments: argparse.Namespace) -> int:
    """Hunt in every history; 1 if anything was found, else 0."""
    style = style_of(sys.stdout)
    code = 0
    try:
        project = project_of(arguments)
        histories = arguments.histories or [str(path) for path in project.history_paths()]
    except ValueError as error:
        return complain(error)
    if not histories:
        return complain("Name a history, or `histories` in [tool.playhead].")
    for history in histories:
        try:
            findings = hunt(
                project.code,
                history,
                workflow_id=arguments.workflow_id,
                runtime=project.runtime,
                profile=project.profile,
            )
        except HuntFailed as error:
            return complain(error)
        found = any(finding.differs for finding in findings)
        code = max(code, 1 if found else 0)
        if arguments.json:
            sys.stdout.write(orjson.dumps(as_json(history, findings)).decode() + "\n")
        elif found or not arguments.quiet:
            print("\n".join(text(history, findings, style)))
    return code


def text(history: str, findings: list[Finding], style: Style) -> list[str]:
    """What was found, in lines."""
    found = [finding for finding in findings if finding.differs]
    if not found:
        return [f"{history}: {style('the same', 'green', 'bold')} under {len(findings)} variations"]
    lines: list[str] = []
    for finding in found:
        where = f" in workflow task {finding.task}" if finding.task else ""
        lines.append(f"{history}: {style('differs', 'red', 'bold')}{where} with {finding.variation.name}")
        if finding.problem:
            lines.append(f"  {finding.problem}")
        if finding.task:
            lines.append(f"  {'otherwise':<9}  {_command(finding.expected, finding)}")
            lines.append(f"  {'then':<9}  {_command(finding.found, finding)}")
        if finding.verdicts is not None:
            lines.append(f"  {'verdict':<9}  {finding.verdicts[0]}, then {finding.verdicts[1]}")
        lines.append(f"  {'cause':<9}  {finding.variation.cause}")
    return lines


def as_json(history: str, findings: list[Finding]) -> dict[str, Any]:
    """What came of each variation, for a machine."""
    return {
        "history": history,
        "differs": any(finding.differs for finding in findings),
        "variations": [
            {
                "name": finding.variation.name,
                "differs": finding.differs,
                "task": finding.task or None,
                "expected": finding.expected,
                "found": finding.found,
                "differing_fields": finding.differing_fields(),
                "verdicts": finding.verdicts,
                "problem": finding.problem or None,
                "cause": finding.variation.cause if finding.differs else None,
            }
            for finding in findings
        ],
    }


def _command(command: dict[str, Any] | None, finding: Finding) -> str:
    if command is None:
        return "nothing"
    fields = command["fields"]
    telling = [name for name in ("activityType", "workflowType", "timerId") if name in fields]
    shown = dict.fromkeys([*telling, *finding.differing_fields()])
    values = "  ".join(f"{name}={_short(fields[name])}" for name in shown if name in fields)
    where = f"  {command['file']}:{command['line']}" if command["file"] else ""
    return f"{command['type']}  {values}{where}"


def _short(value: Any) -> str:
    written = value if isinstance(value, str) else orjson.dumps(value).decode()
    return written if len(written) <= 80 else written[:79] + "…"
