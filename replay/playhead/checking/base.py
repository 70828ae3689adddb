"""The code that a change is to be merged into: a checkout of its own, in a temporary place.

It is made by `git worktree`, beside the checkout that one works in, which it leaves alone; what is not committed there
is not in it. Nothing here runs any code of it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from playhead.checking.outcome import Base
from playhead.checking.relocation import moved
from playhead.code_names import CodeNames
from playhead.configuration import BadConfiguration, Configuration, find_configuration

_OF_ONE_CHECKOUT: Final = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_WORK_TREE")


class NoBase(ValueError):
    """There is nothing to compare with; the text says what is missing."""


def base_of(name: str) -> Base:
    """The commit to compare with: where the branch left the one that is named, or that one itself.

    Args:
        name: A branch, a tag or a commit.

    Raises:
        NoBase: There is none of this name, or no repository.
    """
    try:
        inside = _git("rev-parse", "--show-toplevel")
    except OSError as error:
        raise NoBase(f"--base needs git: {error.strerror}") from None
    if inside.returncode != 0:
        raise NoBase("--base needs a git repository, and there is none here.")
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found.returncode != 0:
        raise NoBase(
            f"There is no commit {name!r} here. Fetch it first (git fetch origin); in GitHub Actions, give "
            "actions/checkout `fetch-depth: 0`."
        )
    # Without enough history, as in a shallow clone, nobody knows where the branch left it.
    left = _git("merge-base", "HEAD", found.stdout.strip())
    return Base(name, (left if left.returncode == 0 else found).stdout.strip())


@contextmanager
def checked_out(base: Base) -> Generator[tuple[str, str]]:
    """The checkout that one works in, and one of the base, which is there for a while.

    Raises:
        NoBase: It cannot be made.
    """
    here = _git("rev-parse", "--show-toplevel").stdout.strip()
    with tempfile.TemporaryDirectory(prefix="playhead-base-") as folder:
        there = str(Path(folder).resolve() / "base")
        made = _git("worktree", "add", "--detach", "--force", there, base.commit)
        if made.returncode != 0:
            raise NoBase(f"{base.name} cannot be checked out: {_last_line(made.stderr)}")
        try:
            yield here, there
        finally:
            _git("worktree", "remove", "--force", there)


def configuration_there(project: Configuration, here: str, there: str) -> Configuration:
    """What the project says of itself in another checkout.

    Args:
        project: What is known of it here, by itself or because the caller said so.
        here: The folder of the checkout that one works in.
        there: The folder of the other one.

    Returns:
        What it says there, under what the caller said. One that names no code there was not configured yet, and what
        it says today takes the place of it.
    """
    code = replace(
        project.code,
        workflows=tuple(_moved_name(name, here, there) for name in project.code.workflows),
        worker=None if project.code.worker is None else _moved_name(project.code.worker, here, there),
        python_path=tuple(moved(folder, here, there) for folder in project.code.python_path),
    )
    if project.path is None:
        return replace(project, code=code)
    said = find_configuration(project.path.parent).code
    path = Path(moved(str(project.path), here, there))
    try:
        then = find_configuration(path.parent) if path.is_file() else Configuration()
    except BadConfiguration:
        then = Configuration()
    if then.path != path or (not then.code.workflows and then.code.worker is None):
        return replace(project, code=code, path=path)
    given = [name for name in CodeNames.__dataclass_fields__ if getattr(project.code, name) != getattr(said, name)]
    return replace(project, code=replace(then.code, **{name: getattr(code, name) for name in given}), path=path)


def _moved_name(name: str, here: str, there: str) -> str:
    """The name of a file with code, in the other checkout; a dotted name as it is."""
    path, colon, rest = name.partition(":")
    return f"{moved(path, here, there)}{colon}{rest}" if Path(path).is_absolute() else name


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    # In a hook, git says which checkout and which index it is about; a worktree has its own. Nor do the hooks of the
    # repository concern it, or files that would have to be fetched from elsewhere.
    environment = {name: value for name, value in os.environ.items() if name not in _OF_ONE_CHECKOUT}
    return subprocess.run(
        ["git", "-c", "core.hooksPath=/dev/null", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "GIT_LFS_SKIP_SMUDGE": "1"},
    )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "git does not say why"
