"""States that must be reached: what no single run has to do, and a suite that never does it proves little.

    refunded = faults.sometimes("a customer is refunded")
    ...
    refunded(trial.error is not None)

Under pytest, what was never reached is reported at the end, and fails a session in which every test ran; see
`pytest_plugin.reached`. Elsewhere `check_reached` says so. This module only counts.

It must not be used in workflow code: that is run again on replay, and Temporal's sandbox gives it a module of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from playhead.places import place
from playhead_engine.call_site import caller
from playhead_engine.record import frozen_record


class NeverReached(AssertionError):
    """States that must be reached were not.

    Attributes:
        states: What they are called, and where they were asked for.
    """

    def __init__(self, states: tuple[Reach, ...]) -> None:
        super().__init__(states)
        self.states = states

    def __str__(self) -> str:
        return "\n".join(map(str, self.states))


@frozen_record
class Reach:
    """How often a state was reached.

    Attributes:
        name: What it is called.
        place: Where in the code it was first asked for, as `file:line`.
        asked: How often it was looked for.
        reached: How often it was there.
    """

    name: str
    place: str
    asked: int
    reached: int

    def __str__(self) -> str:
        looked = f"asked for {self.asked} times" if self.asked else "never even asked for"
        return f"never reached: {self.name} ({self.place}, {looked})"


class Sometimes:
    """A state that must be reached somewhere in a suite. Calling it says whether it is reached now."""

    def __init__(self, name: str, place: str) -> None:
        self._name = name
        self._place = place
        self._asked = self._reached = 0

    def __call__(self, condition: object = True) -> bool:
        """Look for it.

        Args:
            condition: Whether it is there now.

        Returns:
            The same, as a bool.
        """
        self._asked += 1
        self._reached += bool(condition)
        return bool(condition)

    @property
    def reach(self) -> Reach:
        """How often it was reached so far."""
        return Reach(self._name, self._place, self._asked, self._reached)


_known: Final[dict[str, Sometimes]] = {}


def sometimes(name: str, condition: object = None) -> Sometimes:
    """A state that must be reached somewhere in the suite.

    Write it at the top of a module of tests, where it counts from its import on, and call what you get wherever the
    state may be there; or give the condition at once, where code comes by that is always run.

    Args:
        name: What to call it; the same name means the same state.
        condition: Whether it is there now; None only says that it must be reached.
    """
    if name not in _known:
        site = caller()
        _known[name] = Sometimes(name, place(site) if site is not None else "?")
    if condition is not None:
        _known[name](condition)
    return _known[name]


def reaches() -> tuple[Reach, ...]:
    """How often each state was reached in this process."""
    return tuple([one.reach for one in _known.values()])


def summed(reaches: Iterable[Reach]) -> tuple[Reach, ...]:
    """How often each state was reached in all processes of a suite."""
    total: dict[str, Reach] = {}
    for one in reaches:
        known = total.get(one.name, Reach(one.name, one.place, 0, 0))
        total[one.name] = Reach(one.name, known.place, known.asked + one.asked, known.reached + one.reached)
    return tuple(total.values())


def check_reached() -> None:
    """Fail unless every state was reached that must be; for suites that are not run by pytest.

    Raises:
        NeverReached: Some were not.
    """
    missed = tuple([one for one in reaches() if not one.reached])
    if missed:
        raise NeverReached(missed)
