"""What can go wrong where: the kinds of fault points, and what may strike at each.

This is the whole list; the engine, the text of a plan and whoever makes plans up read it from here. It must not know
how a strike is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "start", "signal", "update", "cancel", "task", "activity", "local", "timer", "delivery", "commit", "clock"
]
"""Where something can go wrong. `NAMED_AFTER` says what the points of each kind are named after."""

Strike: TypeAlias = Literal[
    "crash-before",
    "crash-after",
    "deploy",
    "error",
    "evict",
    "fail",
    "fail-after",
    "fail-for-good",
    "jump",
    "late",
    "lose",
    "lose-heartbeats",
    "lose-worker",
    "reorder",
    "slow",
    "time-out",
    "torn",
    "twice",
]
"""What goes wrong. `MEANING` says it in words, `STRIKES` says where it can."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

NAMED_AFTER: Final[Mapping[Kind, str]] = {
    "start": "type of the workflow that a client starts",
    "signal": "name of the signal that a client sends",
    "update": "name of the update",
    "cancel": "id of the workflow that is asked to cancel",
    "task": "type of the workflow whose task it is",
    "activity": "type of the activity",
    "local": "type of the local activity",
    "timer": "type of the workflow that starts the timer",
    "delivery": "what a workflow sends to another: name of the signal, type of the child workflow, or cancel",
    "commit": "type of the last event in it, such as ActivityTaskScheduled; Pending where it holds no event",
    "clock": "nothing: they are all named *",
}
"""What the points of a kind are named after. Those of one name are numbered from 1, in the order of the run."""

HAVE_ATTEMPTS: Final[frozenset[Kind]] = frozenset({"activity", "local"})
"""Kinds whose points have attempts: `activity charge 2.1` is the first attempt of the second call."""

_CRASHES: Final[tuple[Strike, ...]] = ("crash-before", "crash-after")
_ASKED: Final[tuple[Strike, ...]] = ("late", "reorder", "twice")

STRIKES: Final[Mapping[Kind, tuple[Strike, ...]]] = {
    "start": ("late", "reorder"),
    "signal": _ASKED,
    "update": _ASKED,
    "cancel": _ASKED,
    "task": (*_CRASHES, "evict", "lose", "lose-worker", "deploy"),
    "activity": (
        *_CRASHES,
        "fail",
        "fail-after",
        "fail-for-good",
        "time-out",
        "lose",
        "twice",
        "slow",
        "lose-heartbeats",
        "lose-worker",
    ),
    "local": (*_CRASHES, "fail", "fail-after", "fail-for-good", "time-out", "lose", "slow", "lose-worker"),
    "timer": ("late",),
    "delivery": ("late", "reorder"),
    "commit": (*_CRASHES, "error", "torn"),
    "clock": ("jump",),
}
"""What may strike at a point of each kind."""

NEEDS_TIME: Final[frozenset[Strike]] = frozenset({"jump", "late", "slow"})
"""Strikes that say for how long. `TAKES_TIME` are those that may."""

_MAY_TAKE_TIME: Final[frozenset[Strike]] = frozenset({"crash-before", "crash-after", "error", "torn", "deploy"})
TAKES_TIME: Final = NEEDS_TIME | _MAY_TAKE_TIME

MEANING: Final[Mapping[Strike, str]] = {
    "crash-before": "The engine's process ends just before; a new one takes over what the store holds, at once or "
    "after the time given. Clients ask again whatever they have no answer to, and nothing is done twice by that.",
    "crash-after": "The same, just after: a commit is safe and nothing that follows from it was done; a workflow task "
    "or an attempt ran, and nobody heard of it.",
    "deploy": "The process ends before the task, and the next one has the code of the next deploy.",
    "error": "The store says that it cannot write: nothing of the commit is there, the engine stops, and a new process "
    "takes over.",
    "evict": "The workflow code falls out of the cache, and is brought back by replaying its history.",
    "fail": "The attempt fails before its code runs; it may be tried again.",
    "fail-after": "The attempt fails when its code has run; it may be tried again.",
    "fail-for-good": "The attempt fails before its code runs, with an error that is not to be tried again.",
    "jump": "The clock jumps further than it was to go: whatever is due in between is late.",
    "late": "A request, a delivery or a timer comes later by the time given.",
    "lose": "The code runs, and nobody hears of it: an attempt, or a workflow task, times out, and is tried again "
    "where its retry policy lets it. A local activity is lost together with the workflow task that it runs in.",
    "lose-heartbeats": "Nobody hears the heartbeats of the attempt.",
    "lose-worker": "As `lose`; and with it all workflow code in memory and all attempts under way, of all workflows.",
    "reorder": "A request or a delivery comes after everything else that happens at this instant.",
    "slow": "The code runs, and its end is heard of later by the time given, without heartbeats in between.",
    "time-out": "The code never runs, and nobody says so: the attempt times out.",
    "torn": "The process ends in the middle of writing. Of the commit nothing may be there.",
    "twice": "A request comes twice, as when a client asks again because it heard nothing: a signal and an update that "
    "was given no id are then two. An attempt stalls before its code runs until it has timed out; then its code runs "
    "beside that of the next attempt, and nobody hears of it.",
}
"""What each strike does, in the words of the reports and of the documentation."""
