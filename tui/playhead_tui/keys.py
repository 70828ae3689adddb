"""The keys, in one table: what is bound, what the help screen and the palette show, and what users can remap.

A small letter goes forwards, its capital backwards. `F` keys are those of graphical debugger, letters those of `pdb`,
as far as they fit a run that is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

from textual.binding import Binding
from textual.screen import Screen

from playhead_engine.record import record

Group: TypeAlias = Literal["Step", "Jump", "Breakpoints", "Look", "Do", "What if", "Rows", "Window"]


@record
class Key:
    """What a key does.

    Attributes:
        id: Its name, by which it is remapped.
        keys: The keys, as Textual calls them, with commas in between.
        action: What Textual is to do.
        says: What it does, in words.
        group: Where the help screen shows it.
        short: What the footer calls it; empty if it is not there.
        asks: Whether it asks for a text, of which the very next key is a part.
    """

    id: str
    keys: str
    action: str
    says: str
    group: Group
    short: str = ""
    asks: bool = False


KEYS: Final = (
    Key("next-event", "e", "step('event')", "Go to the next event", "Step", "event"),
    Key("previous-event", "E", "step('event', False)", "Go back to the event before", "Step"),
    Key("next-task", "t", "step('workflow task')", "Go to the next workflow task", "Step", "task"),
    Key("previous-task", "T", "step('workflow task', False)", "Go back to the workflow task before", "Step"),
    Key("next-command", "m", "step('command')", "Go to the next command", "Step", "command"),
    Key("previous-command", "M", "step('command', False)", "Go back to the command before", "Step"),
    Key(
        "next-line", "n,f10", "walk('over')", "Step over: the next line of this function or its callers", "Step", "line"
    ),
    Key("previous-line", "N,shift+f10", "walk('over', False)", "Step back over", "Step"),
    Key("step-into", "s,f11", "walk('into')", "Step into: the very next line", "Step", "into"),
    Key("step-back", "S", "walk('into', False)", "Step back: the very line before", "Step"),
    Key("step-out", "r,shift+f11", "walk('out')", "Step out: on to the caller's next line", "Step"),
    Key("step-out-back", "R", "walk('out', False)", "Step back out: to the line that called", "Step"),
    Key("continue", "c,f5", "continue", "Go on to the next breakpoint", "Step", "continue"),
    Key("continue-back", "C,shift+f5", "continue(False)", "Go back to the breakpoint before", "Step"),
    Key("run-here", "h,f4", "run_here", "Run to here: the row at the cursor, forwards, else backwards", "Step"),
    Key("first-event", "less_than_sign,ctrl+home", "edge(False)", "Go to the beginning", "Jump"),
    Key("last-event", "greater_than_sign,ctrl+end", "edge", "Go to the end", "Jump"),
    Key("divergence", "d", "wrong", "Go where code and history part, or where the code fails", "Jump", "divergence"),
    Key(
        "next-failure",
        "f",
        "jump('failure')",
        "Go to the next failure; behind the last, to the first",
        "Jump",
        "failure",
    ),
    Key("previous-failure", "F", "jump('failure', False)", "Go back to the failure before", "Jump"),
    Key("next-retry", "a", "jump('retry')", "Go to the next retry: what was tried again", "Jump"),
    Key("previous-retry", "A", "jump('retry', False)", "Go back to the retry before", "Jump"),
    Key("go-to", "g", "go_to", "Go to an event, task:3, command:2 or orders.py:42", "Jump", asks=True),
    Key("go-back", "backspace,ctrl+o", "back", "Go back to where the playhead was", "Jump"),
    Key(
        "breakpoint",
        "b,f9",
        "toggle_breakpoint",
        "Set or clear a breakpoint on the row at the cursor",
        "Breakpoints",
        "break",
    ),
    Key(
        "breakpoints",
        "B",
        "breakpoints",
        "Set a breakpoint that is written: activity:ship, orders.py:86 if total > 5, when ..., change ...",
        "Breakpoints",
        asks=True,
    ),
    Key("watch", "w", "watch", "Watch an expression", "Breakpoints", asks=True),
    Key(
        "logpoint",
        "l",
        "logpoint",
        "Log an expression whenever the line at the cursor is reached",
        "Breakpoints",
        asks=True,
    ),
    Key("search", "slash", "search", "Search as you type", "Look", "search", asks=True),
    Key("next-match", "f3,right_square_bracket", "match", "Go to the next match", "Look"),
    Key("previous-match", "shift+f3,left_square_bracket", "match(False)", "Go back to the match before", "Look"),
    Key("filter", "ampersand,backslash", "filter", "Show only the events that match, as you type", "Look", asks=True),
    Key("clear", "escape", "clear", "Clear the search and the filter", "Look"),
    Key("group", "u", "group", "Show events grouped by what belongs together, or one by one", "Look", "group"),
    Key("raw", "v", "raw", "Show the event as raw JSON, or decoded", "Look"),
    Key("copy", "y", "copy", "Copy the value at the cursor", "Do"),
    Key("edit", "o", "edit", "Open the line in $EDITOR", "Do", "editor"),
    Key("export", "x", "export", "Export the event, or the history up to here", "Do"),
    Key("what-if", "i,W", "what_if", "What if: change what happens here, and see what follows", "Do", "what if"),
    Key("reload", "ctrl+r", "reload", "Load code and history anew, and stay here", "Do"),
    Key("zoom", "z", "zoom", "Show this pane alone, or all of them", "Window"),
    Key("pane-1", "1", "pane('events')", "The events", "Window"),
    Key("pane-2", "2", "pane('source')", "The source", "Window"),
    Key("pane-3", "3", "pane('variables')", "The variables", "Window"),
    Key("pane-4", "4", "pane('detail')", "The event, decoded", "Window"),
    Key("pane-5", "5", "pane('tree')", "The tree of calls and awaits", "Window"),
    Key("pane-6", "6", "pane('watches')", "Watches and logpoints", "Window"),
    Key("pane-7", "7", "pane('divergence')", "What differs, and why", "Window"),
    Key("pane-8", "8", "pane('overview')", "The timeline", "Window"),
    Key("histories", "H", "histories", "Choose another history", "Window"),
    Key("help", "question_mark,f1", "help", "Show all keys", "Window", "help"),
)


WHAT_IF_KEYS: Final = (
    Key("what-if-debug", "d", "debug", "Debug the future as if it had been recorded", "What if", "debug the future"),
    Key("what-if-save", "x", "save", "Save the future as a history", "What if", "save as a history", asks=True),
    Key("what-if-test", "t", "test", "Save the future as a regression test", "What if", "save as a test", asks=True),
    Key("what-if-copy", "y", "copy", "Copy the row at the cursor", "What if"),
    Key("what-if-help", "question_mark,f1", "help", "Show all keys", "What if", "help"),
    Key("what-if-leave", "escape", "leave", "Go back to the recording", "What if", "back"),
)
"""What works while somebody asks what if; see `screens.what_if`."""


APP_KEYS: Final = (
    Key("palette", "colon", "command_palette", "Find a command by its name", "Window"),
    Key("theme", "ctrl+t", "light_or_dark", "Light or dark", "Window"),
    Key("quit", "q,ctrl+q", "quit", "Leave the debugger", "Window"),
)
"""What works on every screen."""

ROW_KEYS: Final = (
    Key("row-up", "up,k", "move(-1)", "One row up", "Rows"),
    Key("row-down", "down,j", "move(1)", "One row down", "Rows"),
    Key("row-page-up", "pageup", "page(-1)", "One screen up", "Rows"),
    Key("row-page-down", "pagedown", "page(1)", "One screen down", "Rows"),
    Key("row-first", "home", "end(-1)", "To the first row", "Rows"),
    Key("row-last", "end", "end(1)", "To the last row", "Rows"),
    Key("row-fold", "left", "fold(False)", "Fold, or scroll to the left", "Rows"),
    Key("row-unfold", "right", "fold(True)", "Unfold, or scroll to the right", "Rows"),
    Key("row-choose", "enter", "choose", "Unfold, show in full, or go there", "Rows"),
    Key("row-switch", "space", "switch", "Switch a breakpoint on or off", "Rows"),
    Key("row-remove", "delete", "remove", "Remove a breakpoint, a watch or a logpoint", "Rows"),
)
"""What works in every pane that has rows."""


def bindings(keys: Iterable[Key] = KEYS) -> list[Binding]:
    """Textual's bindings for keys of the table."""
    return [
        # What asks comes before the widgets: a key that is pressed right after it must not find the focus elsewhere.
        Binding(key.keys, key.action, key.short or key.says, tooltip=key.says, id=key.id, priority=key.asks)
        for key in keys
    ]


def keys_in_use(screen: Screen[Any]) -> dict[str, list[str]]:
    """The keys that are bound on a screen, as people call them, by the names of what they do."""
    found: dict[str, list[str]] = {}
    for _, binding, is_enabled, _ in screen.active_bindings.values():
        if binding.id and is_enabled:
            found.setdefault(binding.id, []).append(screen.app.get_key_display(binding))
    return found
