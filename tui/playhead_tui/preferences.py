"""What users want the debugger to be like: its theme and its keys.

From `[tool.playhead.debug]` of the project, and over that from the user's own `debug.toml`, in the folder in which
programs keep their configuration.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from textual.keys import _character_to_key
from textual.theme import BUILTIN_THEMES

from playhead.configuration import BadConfiguration, Configuration
from playhead_engine.record import record
from playhead_tui.keys import APP_KEYS, KEYS, ROW_KEYS, WHAT_IF_KEYS, Key

_TOGETHER: Final = (*KEYS, *APP_KEYS, *ROW_KEYS)
"""What is bound at the same time, so that no key may mean two of them."""

_THEMES: Final = {"dark": "textual-dark", "light": "textual-light"}


@record
class Preferences:
    """See the module.

    Attributes:
        theme: Name of a theme of Textual's; None for the default.
        keys: What takes the place of the default keys, by the names in `keys`.
    """

    theme: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict[str, str])


def preferences_of(project: Configuration) -> Preferences:
    """What the project and the user want.

    Raises:
        BadConfiguration: One of them wants something that there is not.
    """
    wanted = _checked(f"[tool.playhead.debug] in {project.path}", project.debug)
    own = own_file()
    if not own.is_file():
        return wanted
    try:
        document = tomllib.loads(own.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{own} is no TOML: {error}") from None
    except OSError as error:
        raise BadConfiguration(f"{own} cannot be read: {error.strerror}") from None
    user = _checked(str(own), document)
    return Preferences(user.theme or wanted.theme, _without_clashes(str(own), {**wanted.keys, **user.keys}))


def own_file() -> Path:
    """Where the user's own preferences are, if there are any."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "playhead" / "debug.toml"


def _checked(place: str, table: Mapping[str, Any]) -> Preferences:
    for key in table:
        if key not in ("theme", "keys"):
            raise BadConfiguration(f"{place}: there is no key {key!r}; the keys are theme and keys.")
    theme, keys = table.get("theme"), table.get("keys", {})
    if theme is not None:
        theme = _THEMES.get(str(theme), str(theme))
        if theme not in BUILTIN_THEMES:
            raise BadConfiguration(f"{place}: there is no theme {theme!r}; there are {', '.join(_known_themes())}.")
    if not isinstance(keys, dict):
        raise BadConfiguration(f"{place}: keys is to be a table, as in keys = {{next-event = 'ctrl+n'}}.")
    known = [key.id for key in (*_TOGETHER, *WHAT_IF_KEYS)]
    for name, value in keys.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
            raise BadConfiguration(f"{place}: keys: there is nothing called {name!r}; {hint}")
        if not isinstance(value, str) or not all(part.strip() for part in value.split(",")):
            raise BadConfiguration(f"{place}: keys: {name} is to be a key, or several with commas between them.")
    return Preferences(theme, _without_clashes(place, keys))


def _without_clashes(place: str, keys: Mapping[str, str]) -> Mapping[str, str]:
    """The same keys.

    Raises:
        BadConfiguration: One of them has a meaning already, which it would take away.
    """
    for table in (_TOGETHER, (*WHAT_IF_KEYS, *APP_KEYS, *ROW_KEYS)):
        _check_clashes(place, table, keys)
    return keys


def _check_clashes(place: str, table: Iterable[Key], keys: Mapping[str, str]) -> None:
    """See to it that no key means two things on one screen."""
    bound: dict[str, str] = {}
    for key in table:
        for part in keys.get(key.id, key.keys).split(","):
            name = part.strip()
            name = _character_to_key(name) if len(name) == 1 else name
            other = bound.setdefault(name, key.id)
            if other != key.id:
                raise BadConfiguration(
                    f"{place}: keys: {part.strip()} stands for {other} and for {key.id}; give one of them another key."
                )


def _known_themes() -> list[str]:
    return [*_THEMES, *sorted(BUILTIN_THEMES)]
