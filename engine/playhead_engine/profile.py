"""Which release of Temporal's core a replay goes by.

What core makes of the same history and the same commands has changed between releases. All of them agree on most
rules, and those are simply how the machines work; the few on which the supported releases differ are the fields of a
`Profile`. Nothing else in this package may decide anything by a version.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Profile:
    """What Temporal's core does in one minor release of `temporalio`.

    Attributes:
        name: The release, as reports call it.
        groups_local_activities: The marker of a local activity may say in which activation of its workflow task the
            activity ended, and the code is told then. Without this, the code is told as soon as it has asked.
        checks_nexus_operations: Service and operation of a nexus operation are compared with the recording, if that
            says so or ends with them.
        forgives_pause_before_start: A workflow task may fail before it was started, because the run was paused.
        note: What a reader should know about the choice of this profile: nothing, or a sentence. It makes no difference
            to the rules.
    """

    name: str
    groups_local_activities: bool = True
    checks_nexus_operations: bool = True
    forgives_pause_before_start: bool = True
    note: str = field(default="", compare=False)


_OF_RELEASE: Final[dict[tuple[int, int], Profile]] = {
    (1, 35): Profile("temporalio 1.35"),
    (1, 34): Profile("temporalio 1.34", checks_nexus_operations=False, forgives_pause_before_start=False),
    (1, 33): Profile(
        "temporalio 1.33",
        groups_local_activities=False,
        checks_nexus_operations=False,
        forgives_pause_before_start=False,
    ),
}
PROFILES: Final = tuple(_OF_RELEASE.values())
"""Those there are, the newest first."""

LATEST: Final = PROFILES[0]
"""What the engine itself goes by."""


class UnsupportedRelease(ValueError):
    """There is no profile for a release, or none of such a name."""


def profile_of_version(installed: str) -> Profile:
    """The profile for a version of `temporalio`.

    Args:
        installed: The version, such as `1.34.0`.

    Returns:
        That of its minor release. A release that is newer than all of them gets the newest, with a note.

    Raises:
        UnsupportedRelease: It is older than all of them, or no version.
    """
    release = _release(installed)
    if release is None:
        raise UnsupportedRelease(f"{installed!r} is no version of temporalio; one looks like 1.34.0.")
    if release > max(_OF_RELEASE):
        note = f"temporalio {installed} may differ from {LATEST.name}, the newest rules there are."
        return replace(LATEST, note=note)
    profile = _OF_RELEASE.get(release)
    if profile is None:
        raise UnsupportedRelease(
            f"temporalio {installed} is older than the releases whose rules are known: {_names()}. "
            "Install one of these, or ask for the rules of one."
        )
    return profile


def profile_named(name: str) -> Profile:
    """The profile that somebody asks for.

    Args:
        name: As in `temporalio-1.34`; a space will do for the hyphen.

    Raises:
        UnsupportedRelease: There is none of that name; the message lists those there are.
    """
    for profile in PROFILES:
        if name.strip().lower().replace(" ", "-") == profile.name.replace(" ", "-"):
            return profile
    raise UnsupportedRelease(f"There is no profile {name!r}. There are: {_names()}.")


def installed_profile() -> Profile:
    """The profile for the `temporalio` that is installed; the newest if none is.

    Raises:
        UnsupportedRelease: The one that is installed is too old.
    """
    from importlib.metadata import version  # it costs more than the rest of this package

    installed = _installed(version)
    return LATEST if installed is None else profile_of_version(installed)


@cache
def _installed(version: Callable[[str], str]) -> str | None:
    """The version of `temporalio`; None if there is none. Read once, since it takes as long as a short replay."""
    from importlib.metadata import PackageNotFoundError

    try:
        return version("temporalio")
    except PackageNotFoundError:
        return None


def _release(installed: str) -> tuple[int, int] | None:
    numbers = re.match(r"(\d+)\.(\d+)", installed)
    return (int(numbers[1]), int(numbers[2])) if numbers else None


def _names() -> str:
    return ", ".join(profile.name.replace(" ", "-") for profile in PROFILES)
