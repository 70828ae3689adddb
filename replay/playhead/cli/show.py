"""`playhead show`: look at a history without any code."""

from __future__ import annotations

import argparse
import sys

import orjson

from playhead.cli import complain
from playhead.codec_endpoint import codec_endpoint
from playhead.grouping import Group, grouped
from playhead.readers import UnreadableHistory, read_history
from playhead.terminal import Style, style_of, width_of
from playhead.values import plain, short, summary
from playhead_engine.convert import time_json
from playhead_engine.history import History, HistoryEvent


def main(arguments: argparse.Namespace) -> int:
    """Show a history; returns the exit code."""
    try:
        history = read_history(arguments.history)
        endpoint = codec_endpoint(arguments.codec_endpoint, arguments.codec_auth, arguments.namespace)
        if endpoint is not None:
            history = endpoint.decoded(history)
        chosen = _chosen(history, arguments)
    except (UnreadableHistory, ValueError) as error:
        return complain(error)
    if not chosen:
        return complain("no event of the history is of that kind")
    style, width = style_of(sys.stdout), width_of(sys.stdout)
    if arguments.json:
        if arguments.type or arguments.grep or arguments.events:
            document = {"events": [event.raw for event in chosen]}
            sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
        else:
            sys.stdout.write(history.to_json(indent=True).decode() + "\n")
        return 0
    _print_title(history, style)
    if arguments.group:
        ids = {event.event_id for event in chosen}
        for group in grouped(history):
            if ids.intersection(event.event_id for event in group.events):
                _print_group(group, style, width)
    else:
        for event in chosen:
            _print_event(event, style, width, is_full=arguments.full)
    return 0


def _chosen(history: History, arguments: argparse.Namespace) -> list[HistoryEvent]:
    events = list(history.events)
    if arguments.events:
        first, last = _range(arguments.events)
        events = [event for event in events if first <= event.event_id <= last]
    if arguments.type:
        wanted = [name.lower().replace("_", "") for name in arguments.type]
        events = [event for event in events if any(name in event.type_name.lower() for name in wanted)]
    if arguments.grep:
        text = arguments.grep.lower()
        events = [
            event
            for event in events
            if text in event.type_name.lower() or text in orjson.dumps(plain(event.attributes)).decode().lower()
        ]
    return events


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    try:
        if not dash:
            return int(first), int(first)
        chosen = int(first or 1), int(last or 2**31)
        if chosen[0] > chosen[1]:
            raise ValueError
        return chosen
    except ValueError:
        raise ValueError(f"--events takes ids such as 7, 7-12, 7- or -12, not {text!r}") from None


def _print_title(history: History, style: Style) -> None:
    closing = history.closing_event
    ended = closing.type_name if closing is not None else "open"
    parts = [style(history.workflow_type or "unknown workflow type", "bold"), history.id or "unknown workflow id"]
    print("  ".join(part for part in [*parts, history.run_id, f"{len(history)} events", ended] if part))
    for sentence in (*history.problems, *history.remarks):
        print(f"  {style('note', 'yellow')}: {sentence}")


def _print_event(event: HistoryEvent, style: Style, width: int, *, is_full: bool) -> None:
    head = f"{event.event_id:>6}  {_clock(event)}  {event.type_name:<34}"
    if not is_full:
        print(f"{style(head, *_colour(event))}  {summary(event, max(20, width - len(head) - 2))}".rstrip())
        return
    print(style(head.rstrip(), *_colour(event)))
    text = orjson.dumps(plain(event.attributes), option=orjson.OPT_INDENT_2, default=str).decode()
    print("\n".join(f"{'':8}{line}" for line in text.splitlines()))


def _print_group(group: Group, style: Style, width: int) -> None:
    ids = _ids(group)
    head = f"{ids:>12}  {group.kind:<16}"
    line = f"{head}  {group.title}"
    if group.outcome:
        line += f"  {style(group.outcome, _outcome_colour(group.outcome))}"
    if group.duration_ns:
        line += style(f"  {group.duration_ns / 1e9:.3f}s", "dim")
    print(line)
    details = short(group.detail, max(20, width - 32)) if group.detail is not None else ""
    if details:
        print(f"{'':32}{style(details, 'dim')}")


def _ids(group: Group) -> str:
    first, last = group.events[0].event_id, group.events[-1].event_id
    return str(first) if first == last else f"{first}-{last}"


def _outcome_colour(outcome: str) -> str:
    if outcome in ("completed", "fired", "delivered", "accepted"):
        return "green"
    return "yellow" if outcome in ("open", "cancelled") else "red"


def _clock(event: HistoryEvent) -> str:
    return time_json(event.time_ns)[:23].replace("T", " ").rstrip("Z").ljust(23, "0") if event.time_ns else " " * 23


def _colour(event: HistoryEvent) -> tuple[str, ...]:
    kind = event.KIND
    if "FAILED" in kind or "TIMED_OUT" in kind or "TERMINATED" in kind:
        return ("red",)
    if "CANCEL" in kind:
        return ("yellow",)
    return ("dim",) if kind.startswith("WORKFLOW_TASK_") else ()
