"""What if? Something else is to happen from a mark on, said as data, so that a screen can put it together.

A `WhatIf` is a question about a run: what is left of the recording, what happens there instead, how what is asked for
later ends, which code goes on. `futures` answers it. Values are plain JSON here; they become payloads, by the user's
converter, when the question is answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, TypeAlias, assert_never

import orjson

from playhead.grouping import Group
from playhead.hotfix.answers import Answers, Fails, Gives, InTurn, error_of
from playhead.hotfix.edits import Cancel, Edit, EndActivity, Signal
from playhead.values import plain
from playhead_engine.record import record
from playhead_tui.model.groups import Groups, only


class BadQuestion(ValueError):
    """What is to happen cannot be understood, or cannot happen; the text says why."""


@record
class Returns:
    """It gives something back.

    Attributes:
        value: What; plain JSON.
    """

    value: Any

    def __str__(self) -> str:
        return f"returns {orjson.dumps(self.value).decode()}"


@record
class Raises:
    """It fails.

    Attributes:
        error: `NoSeats: none left`, or a message alone.
        is_retried: Whether it is tried again, if its retry policy allows for that.
    """

    error: str
    is_retried: bool = False

    def __str__(self) -> str:
        return f"fails with {self.error}"


Outcome: TypeAlias = Returns | Raises


@record
class ActivityEnds:
    """An activity that is under way ends, for good.

    Attributes:
        activity: Its type.
        scheduled_id: The event that scheduled it.
        outcome: How it ends.
    """

    activity: str
    scheduled_id: int
    outcome: Outcome

    def __str__(self) -> str:
        return f"activity {self.activity} {self.outcome}"


@record
class SignalComes:
    """A signal is received.

    Attributes:
        name: Its name.
        args: Its arguments; plain JSON.
    """

    name: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        given = ", ".join(orjson.dumps(arg).decode() for arg in self.args)
        return f"signal {self.name}({given}) comes"


@record
class CancelComes:
    """Somebody asks the run to cancel itself."""

    def __str__(self) -> str:
        return "somebody asks to cancel"


Happening: TypeAlias = ActivityEnds | SignalComes | CancelComes


@record
class Answer:
    """How something that is asked for from then on ends.

    Attributes:
        name: The type of the activity or of the child workflow.
        outcomes: How: the first time, the second time, and so on; the last one goes on for ever.
        is_child: Whether it is a child workflow.
    """

    name: str
    outcomes: tuple[Outcome, ...]
    is_child: bool = False

    def __str__(self) -> str:
        return f"{self.name} {', then '.join(map(str, self.outcomes))}"


@record
class WhatIf:
    """The question. A change makes another one.

    Attributes:
        at: The first event that is open again: it does not happen, and what came after unfolds anew. None for the end
            of an open run, or where one that has ended was ended.
        happens: What happens there, before anything else.
        answers: How what is asked for later ends. What is not among them ends as it was recorded, if it was.
        invents: Whether what nobody knows the end of gives back null, instead of being asked about.
        workflows: The code that goes on, as on a command line: modules, files; empty for the code that there is.
    """

    at: int | None = None
    happens: tuple[Happening, ...] = ()
    answers: tuple[Answer, ...] = ()
    invents: bool = False
    workflows: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = [*map(str, self.happens), *map(str, self.answers)]
        if self.workflows:
            said.append(f"{', '.join(self.workflows)} goes on")
        where = f" at event {self.at}" if self.at is not None else ""
        return f"{'; '.join(said) or 'it goes on'}{where}"

    def also(self, happening: Happening) -> WhatIf:
        """With something more that happens; in the place of what was to come of the same activity."""
        left = [one for one in self.happens if not _is_of_same(one, happening)]
        return replace(self, happens=(*left, happening))

    def answered(self, answer: Answer) -> WhatIf:
        """With an answer; in the place of another about the same."""
        left = [one for one in self.answers if (one.name, one.is_child) != (answer.name, answer.is_child)]
        return replace(self, answers=(*left, answer))

    # -- As `playhead.hotfix` has it -----------------------------------------------------------------------------------

    def edits(self) -> list[Edit]:
        """What happens at the mark."""
        return [_edit(one) for one in self.happens]

    def given(self) -> Answers:
        """How things end."""
        activities, children = (
            {one.name: InTurn(tuple(map(_answer, one.outcomes))) for one in self.answers if one.is_child is is_child}
            for is_child in (False, True)
        )
        return Answers(activities, children, anything=self.invents)

    # -- As a session keeps it -----------------------------------------------------------------------------------------

    def as_data(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "at": self.at,
            "happens": [_happening_data(one) for one in self.happens],
            "answers": [
                {"name": one.name, "child": one.is_child, "outcomes": list(map(_outcome_data, one.outcomes))}
                for one in self.answers
            ],
            "invents": self.invents,
            "workflows": list(self.workflows),
        }

    @classmethod
    def of_data(cls, data: Any) -> WhatIf:
        """From JSON.

        Raises:
            BadQuestion: It is none.
        """
        try:
            return cls(
                None if data.get("at") is None else int(data["at"]),
                tuple(_happening_of(one) for one in data.get("happens", ())),
                tuple(
                    Answer(str(one["name"]), tuple(map(_outcome_of, one["outcomes"])), bool(one.get("child")))
                    for one in data.get("answers", ())
                ),
                bool(data.get("invents")),
                tuple(map(str, data.get("workflows", ()))),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadQuestion(f"this is no question that was kept: {type(error).__name__}: {error}") from None


# -- Putting a question together ---------------------------------------------------------------------------------------


def after(groups: Groups, event_id: int) -> WhatIf:
    """What if something happened right after an event."""
    following = next((event.event_id for event in groups.history.events if event.event_id > event_id), None)
    return WhatIf(following)


def activities_to_change(groups: Groups, event_id: int) -> list[Group]:
    """The activities that were under way after an event or ended with it, the one of that event first."""
    found = [
        group
        for group in groups.groups
        if group.kind in _ACTIVITIES and group.first_id <= event_id and (group.last_id >= event_id or _is_open(group))
    ]
    found.sort(key=lambda group: event_id not in [event.event_id for event in group.events])
    return found


def changed(group: Group, outcome: Outcome) -> WhatIf:
    """What if an activity had ended in another way, when it ended.

    A local activity has no time between its beginning and its end. From where it ran on, all of its type end so.

    Raises:
        BadQuestion: It is no activity.
    """
    if group.kind == "local activity":
        return WhatIf(group.first_id, answers=(Answer(group.title, (outcome,)),))
    if group.kind != "activity":
        raise BadQuestion(f"only what comes of an activity can be changed, not of {group.kind} {group.title}".rstrip())
    at = None if _is_open(group) else group.last_id
    return WhatIf(at, (ActivityEnds(group.title, group.first_id, outcome),))


def signals_known(groups: Groups, handlers: Iterable[str] = ()) -> list[str]:
    """Names of the signals that the run received, and of those that the code takes."""
    received = (group.title for group in groups.groups if group.kind == "signal")
    return list(dict.fromkeys([*received, *handlers]))


def result_of(group: Group) -> str:
    """What an activity gave back, as a user would write it, to be changed; empty where there is none, or a long one."""
    value = plain(only(group.detail)) if group.outcome == "completed" else None
    text = "" if value is None else orjson.dumps(value, default=str).decode()
    return text if len(text) <= _LONGEST_GIVEN else ""


def value_of(text: str) -> Any:
    """A value as a user writes it: JSON; what is none is taken for a text.

    Raises:
        BadQuestion: It begins like JSON, and is none.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if text.strip()[:1] in _LIKE_JSON:
            raise BadQuestion(f"this is not JSON: {error}") from None
        return text


def args_of(text: str) -> tuple[Any, ...]:
    """Arguments as a user writes them: nothing, one value, or several in brackets after an asterisk: `*[1, 2]`.

    Raises:
        BadQuestion: They are none.
    """
    text = text.strip()
    if not text:
        return ()
    if not text.startswith("*"):
        return (value_of(text),)
    values = value_of(text[1:])
    if not isinstance(values, list):
        raise BadQuestion('several arguments are a list after an asterisk, such as *["Ada", 3]')
    return tuple(values)


_ACTIVITIES: Final = ("activity", "local activity")
_LONGEST_GIVEN: Final = 300
_LIKE_JSON: Final = tuple('{["')


def _is_open(group: Group) -> bool:
    return group.outcome == "open"


def _is_of_same(one: Happening, other: Happening) -> bool:
    return (
        isinstance(one, ActivityEnds) and isinstance(other, ActivityEnds) and one.scheduled_id == other.scheduled_id
    ) or (isinstance(one, CancelComes) and isinstance(other, CancelComes))


def _edit(happening: Happening) -> Edit:
    match happening:
        case ActivityEnds():
            return EndActivity(happening.activity, _answer(happening.outcome), happening.scheduled_id)
        case SignalComes():
            return Signal(happening.name, happening.args)
        case CancelComes():
            return Cancel()
        case _:
            assert_never(happening)


def _answer(outcome: Outcome) -> Gives | Fails:
    match outcome:
        case Returns(value):
            return Gives(value)
        case Raises(error, is_retried):
            return Fails(error_of(error, non_retryable=not is_retried))
        case _:
            assert_never(outcome)


def _happening_data(happening: Happening) -> dict[str, Any]:
    match happening:
        case ActivityEnds():
            said = {"activity": happening.activity, "scheduled": happening.scheduled_id}
            return {**said, "outcome": _outcome_data(happening.outcome)}
        case SignalComes():
            return {"signal": happening.name, "args": list(happening.args)}
        case CancelComes():
            return {"cancel": True}
        case _:
            assert_never(happening)


def _happening_of(data: Any) -> Happening:
    if "activity" in data:
        return ActivityEnds(str(data["activity"]), int(data["scheduled"]), _outcome_of(data["outcome"]))
    if "signal" in data:
        return SignalComes(str(data["signal"]), tuple(data.get("args", ())))
    if data.get("cancel") is True:
        return CancelComes()
    raise ValueError(f"nothing happens by {data!r}")


def _outcome_data(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Returns(value):
            return {"returns": value}
        case Raises(error, is_retried):
            return {"raises": error, **({"retried": True} if is_retried else {})}
        case _:
            assert_never(outcome)


def _outcome_of(data: Any) -> Outcome:
    return Raises(str(data["raises"]), bool(data.get("retried"))) if "raises" in data else Returns(data["returns"])
