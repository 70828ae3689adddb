"""What Temporal's own Replayer says, as one of our verdicts.

It says little: an exception with the text of its core, which prints a structure of Rust. What that text names is taken
out of it, and what it does not name is left empty; nothing is guessed. Pure functions, which import no SDK.
"""

from __future__ import annotations

import re
from typing import Final

from playhead.divergence import Divergence, DivergenceKind
from playhead.verdict import Agrees, CodeRaised, CodeUnfinished, Diverges, NotReplayable, TemporalVerdict, Verdict
from playhead_engine.call_site import CallSite, elsewhere, is_library
from playhead_engine.history import History

_TEXT: Final = r'"((?:[^"\\]|\\.)*)"'
_MESSAGE: Final = re.compile(rf"\bmessage: {_TEXT}", re.DOTALL)
_STACK: Final = re.compile(rf"\bstack_trace: {_TEXT}", re.DOTALL)
_TYPE: Final = re.compile(rf"\br#type: {_TEXT}", re.DOTALL)
_EVENT: Final = re.compile(r"\b(?:HistoryEvent|EventInfo)\s?[({]\s?(?:id|event_id): (\d+)|, event id: (\d+)")
_FRAME: Final = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>.+)')
_ESCAPE: Final = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}

_NONDETERMINISM: Final = "[TMPRL1100] Nondeterminism error: "
_FATAL: Final = "Fatal error in workflow machines: "
_DEADLOCK: Final = "[TMPRL1101]"

# What the reason of an eviction is, in the RuntimeError that the Replayer raises for it.
_UNSPECIFIED: Final = "0"
_BY_LANGUAGE: Final = "4"


def verdict_of(history: History, answer: dict[str, str]) -> Verdict:
    """The verdict behind an answer of the process.

    Args:
        history: The history that was replayed.
        answer: Its outcome, `ok`, `nondeterminism`, `error` or `unreadable`, and the text of the exception.
    """
    if answer["outcome"] == "ok":
        return Agrees(len(history.events))
    text = answer["message"]
    if answer["outcome"] == "unreadable":
        return NotReplayable(f"Temporal's SDK cannot read this history: {text}")
    message = _found(_MESSAGE, text) or text
    if answer["outcome"] == "nondeterminism":
        return Diverges(_divergence(history, message), "nondeterminism")
    reason, _, _ = text.partition(":")
    if message.startswith(_DEADLOCK):
        # The stack of a thread is given innermost first.
        return CodeUnfinished(message, 0, _innermost(_frames(text)[:1]))
    if message.startswith((_FATAL, _NONDETERMINISM)):
        if reason == _UNSPECIFIED:  # before the code was told of anything
            return NotReplayable(message, _event_id(message), "error")
        return Diverges(_divergence(history, message), "error")
    if reason == _BY_LANGUAGE:
        frames = _frames(text)
        return CodeRaised(_error_type(text), message, 0, _innermost(frames), _as_text(frames, text))
    return NotReplayable(message, _event_id(message), "error")


def agree(ours: Verdict, theirs: Verdict) -> bool:
    """Whether our verdict foresees what Temporal's Replayer says, down to the event where that names one.

    What Temporal overlooks on purpose is no difference: `temporal` of a verdict says so.
    """
    expected: TemporalVerdict = ours.temporal
    if expected != theirs.temporal:
        return False
    if isinstance(ours, Diverges) and isinstance(theirs, Diverges) and theirs.divergence.event_id:
        return ours.divergence.event_id == theirs.divergence.event_id
    return True


def _divergence(history: History, message: str) -> Divergence:
    event_id = _event_id(message)
    event = next((event for event in history.events if event.event_id == event_id), None)
    return Divergence(_kind(message), event_id, None, None, None, message, event)


def _kind(message: str) -> DivergenceKind:
    if message.startswith(_FATAL):
        return DivergenceKind.IMPOSSIBLE
    if "No command scheduled for event" in message or "no corresponding change command" in message:
        return DivergenceKind.MISSING
    if "does not handle" in message:
        return DivergenceKind.DIFFERENT_KIND
    if "does not match" in message:
        return DivergenceKind.DIFFERENT_FIELDS
    return DivergenceKind.IMPOSSIBLE


def _event_id(message: str) -> int:
    """The event that a text names, 0 if it names none."""
    found = _EVENT.search(message)
    return int(found[1] or found[2]) if found is not None else 0


def _error_type(text: str) -> str:
    """The class of the outermost exception, whose description comes last; causes come before."""
    _, found, information = text.rpartition("failure_info: Some(")
    if not found:
        return "Exception"
    return _found(_TYPE, information) or information.partition("(")[0].removesuffix("FailureInfo") + "Error"


def _frames(text: str) -> list[tuple[str, int, str]]:
    """The user's frames in a stack trace: file, line, function."""
    stack = _found(_STACK, text)
    frames = [(frame["file"], int(frame["line"]), frame["function"]) for frame in _FRAME.finditer(stack)]
    return [frame for frame in frames if not is_library(frame[0]) and "site-packages" not in frame[0]]


def _innermost(frames: list[tuple[str, int, str]]) -> CallSite | None:
    if not frames:
        return None
    file, line, function = frames[-1]
    return elsewhere(file, function, line)


def _as_text(frames: list[tuple[str, int, str]], text: str) -> str:
    lines = [f'  File "{file}", line {line}, in {function}\n' for file, line, function in frames]
    return "".join(["Traceback (most recent call last):\n", *lines, f"{_error_type(text)}: {_found(_MESSAGE, text)}\n"])


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return _ESCAPE.sub(_unescaped, found[1]) if found is not None else ""


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _ESCAPED.get(found[2], found[2])
