"""Where a report points: a file as the service that shows it knows it, from the root of the repository, and a line.

A line in somebody else's package is in no repository. There, and where nothing is known of a line, the workflow class
is what to look at, and without one the history.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator

from playhead.checking.judgement import Site, seen_from
from playhead.checking.outcome import Check, Outcome, Place, Standing
from playhead_engine.record import record


@record
class Location:
    """A line of a file.

    Attributes:
        path: As seen from the root of the repository, with slashes; absolute if it is not in there.
        line: Counted from 1.
    """

    path: str
    line: int = 1


def root_of_repository(folder: str) -> str:
    """The folder that services see files from: as they say, as git says, or the project's own.

    Args:
        folder: The project's folder.
    """
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        said = os.environ.get(name)
        if said and _is_inside(folder, said):
            return os.path.realpath(said)
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"], cwd=folder, capture_output=True, text=True, check=False
        )
    except OSError:
        return folder
    return done.stdout.strip() or folder


def location_of(outcome: Outcome, check: Check, root: str) -> Location:
    """Where to point at for a history.

    Args:
        outcome: The history.
        check: The check that it is part of.
        root: The root of the repository.
    """
    judgement = outcome.judgement
    sites = [judgement.site] if judgement.kind.is_verdict else []
    sites += [one.site for one in check.classes if judgement.workflow_type and one.type == judgement.workflow_type]
    return next(_of_sites(sites, check.folder, root), Location(seen_in(root, outcome.history)))


def location_of_site(site: Site | None, check: Check, root: str) -> Location | None:
    """Where to point at for a line of code; None if it is not in the repository."""
    return next(_of_sites([site], check.folder, root), None)


def seen_in(root: str, file: str) -> str:
    """A file as seen from the root; as it is, if it is not below that."""
    path = os.path.abspath(file)
    return seen_from(root, path) if _is_inside(path, root) else path.replace(os.sep, "/")


def fingerprint(place: Place) -> str:
    """What stays the same of a break when lines move: how, in which workflow, and at which step it breaks."""
    judgement = place.first.judgement
    site = judgement.site
    document = judgement.document or {}
    parts = [judgement.kind, judgement.workflow_type, site.file if site else "", site.function if site else ""]
    parts += [str((document.get(side) or {}).get("type", "")) for side in ("recorded", "now")]
    parts += [] if judgement.kind.is_verdict and site is not None else [place.first.history]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def titled(place: Place) -> str:
    """What happens at a place, in a few words: `diverges at event 11`, or `diverges (6 histories)`."""
    count, judgement = len(place.outcomes), place.first.judgement
    return judgement.headline if count == 1 else f"{judgement.kind.value} ({count} histories)"


def failing(check: Check) -> list[Outcome]:
    """The histories for which the check fails."""
    return [*check.of(Standing.BREAKS), *check.of(Standing.UNCHECKED)]


def _of_sites(sites: list[Site | None], folder: str, root: str) -> Iterator[Location]:
    for site in sites:
        if site is not None:
            path = os.path.normpath(os.path.join(folder, site.file))
            if _is_inside(path, root):
                yield Location(seen_from(os.path.realpath(root), os.path.realpath(path)), site.line)


def _is_inside(path: str, folder: str) -> bool:
    return (os.path.realpath(path) + os.sep).startswith(os.path.realpath(folder) + os.sep)
