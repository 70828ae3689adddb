"""Answers: what activities, and child workflows there is no code for, are said to come to.

Data that the user gives, and how it is written down. Who is answered what in a preview is decided in `respondent`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, TypeAlias

import orjson

from playhead_engine.exceptions import ApplicationError
from playhead_engine.history import History
from playhead_engine.record import record

_ERROR: Final = "$error"
_SEQUENCE: Final = "$sequence"
_NON_RETRYABLE: Final = "$non_retryable"


class BadAnswer(ValueError):
    """An answer that nobody can make sense of; the text says what one looks like."""


@record
class Gives:
    """It returns a value."""

    value: Any


@record
class Fails:
    """It raises an error; whether it is tried again is for its retry policy to say, and for the error."""

    error: BaseException


@record
class AsRecorded:
    """It ends as histories say, whatever code there is for it. For child workflows."""


@record
class InTurn:
    """The first call is answered with the first of these, the next one with the next; the last goes on for ever.

    Attributes:
        answers: `Gives`, `Fails`, or values.
    """

    answers: tuple[Any, ...]


Answer: TypeAlias = Gives | Fails


@record
class Answers:
    """What activities and child workflows come to. The first of these that knows an answer gives it:

    real activities, the table, the function, what was recorded later in the same run, what other histories recorded of
    the same input, the same with any input, and `anything`.

    Attributes:
        table: By activity type: a value, an exception to raise, `Gives`, `Fails` or `InTurn` several of them.
        children: The same by workflow type, or `AsRecorded()`. They come before code there is for that type.
        function: Called with the activity type and its arguments (plain JSON values); returns a value, raises, or
            returns NotImplemented where it does not know.
        histories: Recordings to take answers from, with the names to call them by.
        real: Activities that are really run.
        anything: Answer None where nobody knows, instead of stopping there.
        exact: Take from histories only what was recorded of the same input.
    """

    table: Mapping[str, Any] = field(default_factory=dict[str, Any])
    children: Mapping[str, Any] = field(default_factory=dict[str, Any])
    function: Callable[..., Any] | None = None
    histories: Sequence[tuple[str, History]] = ()
    real: Sequence[Callable[..., Any]] = ()
    anything: bool = False
    exact: bool = False


def answers_of(value: Any) -> tuple[Answer, ...]:
    """What a value in a table stands for: one answer, or several in turn."""
    match value:
        case Gives() | Fails():
            return (value,)
        case InTurn(answers) if answers:
            return tuple(one for answer in answers for one in answers_of(answer))
        case InTurn():
            raise BadAnswer("answers in turn need at least one of them")
        case BaseException():
            return (Fails(value),)
        case _:
            return (Gives(value),)


def error_of(text: str, *, non_retryable: bool = False) -> ApplicationError:
    """An error as one writes it: `CardDeclined: no money`, or a message alone."""
    kind, colon, message = text.partition(":")
    if not colon or not kind.strip().isidentifier():
        return ApplicationError(text.strip(), non_retryable=non_retryable)
    return ApplicationError(message.strip(), type=kind.strip(), non_retryable=non_retryable)


def child_answer(text: str) -> tuple[str, Any]:
    """The same for a child workflow, whose type alone means that it ends as it is recorded.

    Raises:
        BadAnswer: What follows the type is not JSON.
    """
    return named_answer(text) if "=" in text else (text, AsRecorded())


def named_answer(text: str) -> tuple[str, Any]:
    """An answer as it stands on a command line: `ship={"tracking": 1}`.

    Raises:
        BadAnswer: It has no name, or what follows is not JSON.
    """
    name, equals, written = text.partition("=")
    if not equals or not name:
        raise BadAnswer(f"an answer is NAME=JSON, such as ship='{{\"tracking\": 1}}', not {text!r}")
    try:
        value = orjson.loads(written)
    except orjson.JSONDecodeError as error:
        raise BadAnswer(f"what {name} answers is not JSON: {error}. Text needs quotes: {name}='\"text\"'") from None
    return name, from_json(value, name)


def from_json(value: Any, name: str) -> Any:
    """A value of a table that was written as JSON: `{"$error": "Type: message"}`, `{"$sequence": [...]}`, or itself.

    Args:
        value: What was written.
        name: Of what it is the answer, for messages.

    Raises:
        BadAnswer: A word with a dollar sign that means nothing, or one that means something else.
    """
    if not isinstance(value, dict) or not any(key.startswith("$") for key in value):
        return value
    if _ERROR in value and set(value) <= {_ERROR, _NON_RETRYABLE} and isinstance(value[_ERROR], str):
        return error_of(value[_ERROR], non_retryable=bool(value.get(_NON_RETRYABLE)))
    if set(value) == {_SEQUENCE} and isinstance(value[_SEQUENCE], list) and value[_SEQUENCE]:
        return InTurn(tuple(from_json(one, name) for one in value[_SEQUENCE]))
    raise BadAnswer(
        f'the answer of {name} is none that we know: write a value, {{"$error": "Type: message"}} (with '
        '"$non_retryable": true where that is meant), or {"$sequence": [first, second]}'
    )
