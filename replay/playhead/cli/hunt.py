"""`playhead replay --hunt`: look for what the code depends on, though no history records it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import orjson

from playhead.cli import complain
from playhead.cli.project import history_files_of, project_of, reader_of
from playhead.codec_endpoint import CodecUnavailable
from playhead.hunt import Finding, HuntFailed, hunt
from playhead.places import shown_path
from playhead.readers import UnreadableHistory
from playhead.terminal import Style, style_of


def main(arguments: argparse.Namespace) -> int:
    """Hunt in every history; 2 if one could not be replayed at all, 1 if anything was found, else 0."""
    try:
        project = project_of(arguments)
        read = reader_of(project, arguments)
        files = history_files_of([Path(name) for name in arguments.histories] or project.history_paths())
    except (OSError, ValueError) as error:
        return complain(error)
    if not files:
        return complain("Name a history, or a directory of them, or `histories` in [tool.playhead].")
    if arguments.workflow_id is not None and len(files) > 1:
        return complain("--workflow-id goes with one history")
    style = style_of(sys.stdout)
    code = 0
    for path in files:
        try:
            history = read(path)
            findings = hunt(
                project.code,
                history,
                workflow_id=arguments.workflow_id or history.id or path.stem,
                runtime=project.runtime,
                profile=project.profile,
            )
        except (HuntFailed, UnreadableHistory, CodecUnavailable) as error:
            code = complain(error)
            continue
        found = any(finding.differs for finding in findings)
        code = max(code, 1 if found else 0)
        if arguments.json:
            sys.stdout.write(orjson.dumps(as_json(str(path), findings)).decode() + "\n")
        elif found or not arguments.quiet:
            print("\n".join(text(str(path), findings, style)))
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
        if finding.is_told_apart:
            lines.append(f"  {'cause':<9}  {finding.variation.cause}")
        else:
            lines.append(f"  {'cause':<9}  perhaps the same as above: it differs with nothing varied, too")
        lines += [f"  {'look at':<9}  {suspect}" for suspect in finding.suspects()]
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
                "cause": finding.variation.cause if finding.differs and finding.is_told_apart else None,
                "suspects": finding.suspects() if finding.differs else [],
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
    places = [f"{shown_path(site['file'])}:{site['line']}" for site in command["stack"]]
    where = f"  {places[0]}" if places else ""
    callers = f", called from {', '.join(places[1:])}" if places[1:] else ""
    return f"{command['type']}  {values}{where}{callers}"


def _short(value: Any) -> str:
    written = value if isinstance(value, str) else orjson.dumps(value).decode()
    return written if len(written) <= 80 else written[:79] + "…"
