"""A verdict in words, for a terminal or for a machine.

Renderings only: what is said here stands in the verdict already. Nothing in this module replays, reads or exits.
"""

from __future__ import annotations

from typing import Any

from playhead.divergence import Divergence, DivergenceKind, Side, command_side
from playhead.places import place
from playhead.terminal import PLAIN, Style
from playhead.values import plain, short
from playhead.verdict import Agrees, CodeRaised, CodeUnfinished, Diverges, NeedsValue, NotReplayable, Verdict
from playhead_engine.call_site import CallSite
from playhead_engine.history import History
from playhead_engine.profile import Profile

# What a reader wants to see first of an event; the rest only where it differs.
_TELLING = (
    "activityType",
    "workflowType",
    "activityId",
    "workflowId",
    "timerId",
    "signalName",
    "markerName",
    "patch",
    "service",
    "operation",
    "startToFireTimeout",
    "workflowExecution",
    "result",
    "failure",
)


def report(
    name: str,
    history: History | None,
    verdict: Verdict,
    *,
    profile: Profile | None = None,
    style: Style = PLAIN,
    width: int = 120,
) -> str:
    """A verdict in a few lines of text, without a closing line break.

    Args:
        name: How to call the history.
        history: The history, if it could be read.
        verdict: What the replay came to.
        profile: Whose rules it went by; a divergence says so.
        style: Colours, or none.
        width: Columns to write to.
    """
    match verdict:
        case Agrees():
            lines = _agrees(name, history, verdict, style)
        case Diverges():
            at = f" at event {verdict.divergence.event_id}" if verdict.divergence.event_id else ""
            lines = [f"{name}: {style('diverges', 'red', 'bold')}{at}"]
            lines += _divergence(verdict.divergence, style, width)
            lines += [] if profile is None else [f"  {'rules':<8}  {profile.name}"]
            lines += _about_temporal(verdict) + _warnings(verdict, style)
        case CodeRaised():
            lines = [f"{name}: {style('code raised', 'red', 'bold')}{_after(verdict.event_id)}"]
            lines.append(f"  {verdict.error_type}: {verdict.message}")
            lines += [f"  {'from':<8}  {_indented(cause, 12)}" for cause in verdict.causes]
            lines += _at(verdict.site, style)
            if verdict.is_recorded:
                lines.append(
                    "  The history ends with a workflow task that failed: the run is stuck on an error already."
                )
            lines += _about_temporal(verdict) + _warnings(verdict, style)
        case CodeUnfinished():
            lines = [f"{name}: {style('code unfinished', 'red', 'bold')}{_after(verdict.event_id)}"]
            lines.append(f"  {verdict.message}")
            lines += _at(verdict.site, style)
        case NeedsValue():
            lines = [f"{name}: {style('needs a value', 'yellow', 'bold')}{_after(verdict.event_id)}"]
            lines.append(f"  {str(verdict)[:1].upper()}{str(verdict)[1:]}")
            lines += _at(verdict.site, style)
            lines += about_value(verdict)
        case NotReplayable():
            lines = [f"{name}: {style(_name(history, verdict), 'yellow', 'bold')}", f"  {verdict.reason}"]
    return "\n".join(lines)


def headline(history: History | None, verdict: Verdict) -> str:
    """A verdict in a few words: `diverges at event 11`."""
    match verdict:
        case Agrees():
            extent = "" if history is None or history.is_complete else ", open run"
            return f"agrees ({verdict.events} events{extent})"
        case Diverges():
            return f"diverges at event {verdict.divergence.event_id}"
        case CodeRaised() | CodeUnfinished() | NeedsValue():
            return f"{label(verdict)} after event {verdict.event_id}"
        case NotReplayable():
            return _name(history, verdict)


def as_json(
    name: str, history: History | None, verdict: Verdict, *, profile: Profile | None = None, runtime: str = ""
) -> dict[str, Any]:
    """A verdict for a machine: `history`, `verdict`, and what belongs to that verdict.

    Args:
        name: How to call the history.
        history: The history, if it could be read.
        verdict: What the replay came to.
        profile: The release whose rules it went by.
        runtime: What drove the code, with its version; empty if nothing did.
    """
    shown: dict[str, Any] = {"history": name, "verdict": _name(history, verdict)}
    if profile is not None:
        shown["profile"] = profile.name
    if history is not None:
        shown["runtime"] = runtime or None
        shown["temporal"] = verdict.temporal
        shown["workflow_type"] = history.workflow_type
        shown["workflow_id"] = history.id
        shown["run_id"] = history.run_id
        shown["events"] = len(history)
    match verdict:
        case Agrees():
            shown["next_commands"] = [command_json(command) for command in verdict.next_commands]
            shown["warnings"] = _warnings_json(verdict)
        case Diverges():
            divergence = verdict.divergence
            shown["event_id"] = divergence.event_id
            shown["kind"] = divergence.kind.value
            shown["recorded"] = _side_json(divergence.recorded)
            shown["now"] = _side_json(divergence.now)
            shown["differing_fields"] = divergence.differing_fields()
            shown["message"] = divergence.message
            shown["waits"] = [{"for": words, **site_json(site)} for words, site in divergence.waits]
            shown["warnings"] = _warnings_json(verdict)
            shown |= site_json(divergence.site)
        case CodeRaised():
            shown["event_id"] = verdict.event_id
            shown["error_type"] = verdict.error_type
            shown["message"] = verdict.message
            shown["causes"] = list(verdict.causes)
            shown["traceback"] = verdict.traceback
            shown["warnings"] = _warnings_json(verdict)
            shown |= site_json(verdict.site)
        case CodeUnfinished():
            shown["event_id"] = verdict.event_id
            shown["message"] = verdict.message
            shown |= site_json(verdict.site)
        case NeedsValue():
            shown["event_id"] = verdict.event_id
            shown["message"] = str(verdict)
            shown["value"] = verdict.value
            shown["value_event_id"] = verdict.value_event_id
            shown["path"] = verdict.path
            shown["encoding"] = verdict.encoding
            shown["reason"] = verdict.reason
            shown |= site_json(verdict.site)
        case NotReplayable():
            shown["event_id"] = verdict.event_id
            shown["reason"] = verdict.reason
    return shown


def _name(history: History | None, verdict: Verdict) -> str:
    return "unreadable" if history is None and isinstance(verdict, NotReplayable) else label(verdict)


def label(verdict: Verdict) -> str:
    """The verdict's name in reports: `agrees`, `diverges`, `code raised`, `code unfinished`, `needs a value`, `not
    replayable`."""
    match verdict:
        case Agrees():
            return "agrees"
        case Diverges():
            return "diverges"
        case CodeRaised():
            return "code raised"
        case CodeUnfinished():
            return "code unfinished"
        case NeedsValue():
            return "needs a value"
        case NotReplayable():
            return "not replayable"


def _agrees(name: str, history: History | None, verdict: Agrees, style: Style) -> list[str]:
    extent = "" if history is None or history.is_complete else ", open run"
    lines = [f"{name}: {style('agrees', 'green', 'bold')} ({verdict.events} events{extent})"]
    for command in verdict.next_commands:
        side, site = command_side(command), getattr(command, "site", None)
        where = f"  {style(place(site), 'blue')}" if site is not None else ""
        lines.append(f"  next  {side.kind}  {telling(side, 60)}{where}")
    return lines + _warnings(verdict, style)


def _warnings(verdict: Agrees | Diverges | CodeRaised, style: Style) -> list[str]:
    return [f"  {style('warning', 'yellow')}: {warning.text}" for warning in verdict.warnings]


def about_value(verdict: NeedsValue) -> list[str]:
    agreed = "  All that the code asked for up to there agrees with the history."
    what = f"It is {verdict.encoding}" if verdict.encoding else "It names no encoding"
    if verdict.reason:
        return [agreed, f"  {what}, and the codec that was given raised {verdict.reason}. Is it the right key?"]
    return [
        agreed,
        f"  {what}, which no converter or codec in use reads.",
        "  Name one that does: --data-converter package.module:name, --worker, or `data_converter` in [tool.playhead].",
    ]


def _after(event_id: int) -> str:
    return f" after event {event_id}" if event_id else ""


def _divergence(divergence: Divergence, style: Style, width: int) -> list[str]:
    recorded, now = divergence.recorded, divergence.now
    if recorded is None and now is None:
        return [f"  {divergence.message}", *_at(divergence.site, style)]  # nobody knows more of it
    left = recorded.kind if recorded is not None else "nothing: the history ends here"
    right = now.kind if now is not None else "nothing"
    pad = max(len(left), len(right))
    room = max(20, width - pad - 16)
    if recorded is not None and now is not None and recorded.kind == now.kind:
        fields = divergence.differing_fields()
        left_text, right_text = _differing(recorded, fields, room), _differing(now, fields, room)
    else:
        left_text = telling(recorded, room) if recorded is not None else ""
        right_text = telling(now, room) if now is not None else ""
    lines = [
        f"  {'recorded':<8}  {style(f'{left:<{pad}}', 'green')}  {left_text}".rstrip(),
        f"  {'now':<8}  {style(f'{right:<{pad}}', 'red')}  {right_text}".rstrip(),
    ]
    lines += _at(divergence.site, style)
    for words, site in divergence.waits:
        where = f" at {style(place(site), 'blue')} in {site.function}" if site is not None else ""
        lines.append(f"  {'waits':<8}  for {words}{where}")
    if divergence.kind is DivergenceKind.IMPOSSIBLE:
        lines.append(f"  {divergence.message}")
    return lines


def _differing(side: Side, fields: list[str], room: int) -> str:
    """The fields that differ; an ellipsis stands for those that are equal."""
    shown = [f"{name}={short(side.fields[name], room)}" if name in side.fields else f"no {name}" for name in fields]
    is_whole = set(fields) >= set(side.fields)
    return "  ".join(shown + ([] if is_whole else ["…"]))


def telling(side: Side, room: int) -> str:
    """What a reader wants to see first of an event or a command: its type, its ids."""
    names = [name for name in _TELLING if name in side.fields]
    return "  ".join(f"{name}={short(side.fields[name], room)}" for name in names[:3])


def _at(site: CallSite | None, style: Style) -> list[str]:
    if site is None:
        return []
    function = f" in {site.function}" if site.function else ""
    return [f"  {'at':<8}  {style(place(site), 'blue')}{function}"]


def _indented(text: str, columns: int) -> str:
    """A text of several lines, all but the first one moved to the right."""
    return text.strip().replace("\n", "\n" + " " * columns)


def _about_temporal(verdict: Diverges | CodeRaised) -> list[str]:
    if verdict.temporal != "ok":
        return []
    return ["  Temporal's own Replayer passes this: it does not look at what the code does at the end of an open run."]


def _warnings_json(verdict: Agrees | Diverges | CodeRaised) -> list[dict[str, Any]]:
    return [{"text": w.text, "event_id": w.event_id, **site_json(w.site)} for w in verdict.warnings]


def _side_json(side: Side | None) -> dict[str, Any] | None:
    return None if side is None else {"type": side.kind, "fields": plain(side.fields)}


def command_json(command: Any) -> dict[str, Any]:
    """A command for a machine."""
    side = command_side(command)
    return {"type": side.kind, "fields": plain(side.fields), **site_json(getattr(command, "site", None))}


def site_json(site: CallSite | None) -> dict[str, Any]:
    """A line of code for a machine; its fields are null where there is none."""
    if site is None:
        return {"file": None, "line": None, "function": None}
    return {"file": site.file, "line": site.line, "function": site.function}
