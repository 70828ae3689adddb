"""`[tool.playhead]` in `pyproject.toml`: what a project does not want to say again on every command line.

The nearest such file counts, from the current directory upward, and paths in it are relative to it. This module reads
and checks; it imports no code and looks for no histories before somebody asks for them.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from playhead.allowances import Allowances, BadAllowance, allowances
from playhead.code_names import CodeNames
from playhead_engine.record import record

RuntimeName: TypeAlias = Literal["auto", "native", "temporal", "temporal-core"]
"""What drives workflow code: whatever fits each class, only our own, only the SDK's, or Temporal's own Replayer."""

RUNTIMES: Final[tuple[str, ...]] = get_args(RuntimeName)


class BadConfiguration(ValueError):
    """`[tool.playhead]` cannot be used; the text says which key, what was expected and what is there."""


@record
class Configuration:
    """What a project says of itself.

    Attributes:
        code: The names of its code.
        histories: Files, folders and globs, as they stand there.
        runtime: What drives its workflow code.
        profile: The release whose rules a replay goes by; None for that of the SDK that is installed.
        codec_endpoint: Where the server is that decodes values; None if none is to be asked.
        allowed: The breaks that it knows of and lives with for a while.
        baselines: The folder of the histories that its own tests record; None if they record none.
        watch: Queries and expressions whose values are kept beside each history.
        debug: What the debugger is to be like; checked where that is known.
        path: The file that says so; None if there is none.
    """

    code: CodeNames = CodeNames()
    histories: tuple[str, ...] = ()
    runtime: RuntimeName = "auto"
    profile: str | None = None
    codec_endpoint: str | None = None
    allowed: Allowances = Allowances()
    baselines: Path | None = None
    watch: tuple[str, ...] = ()
    debug: Mapping[str, Any] = field(default_factory=dict[str, Any])
    path: Path | None = None

    def history_paths(self) -> list[Path]:
        """The files and folders that `histories` means, in its order; a glob's matches are sorted. Behind them the
        folder of baselines, once there are some.

        Raises:
            BadConfiguration: An entry matches nothing, which must not pass for success.
        """
        found: dict[Path, None] = {}
        for entry in self.histories:
            folder = self.path.parent if self.path is not None else Path.cwd()
            matches = _matches(folder, entry)
            if not matches:
                raise BadConfiguration(f"{_place(self.path)}: histories: nothing matches {entry!r} below {folder}.")
            found.update(dict.fromkeys(matches))
        if self.baselines is not None and self.baselines.is_dir() and any(self.baselines.iterdir()):
            found[self.baselines] = None
        return [path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path for path in found]


def find_configuration(start: Path | None = None) -> Configuration:
    """The configuration of the project that a directory belongs to; an empty one if there is none.

    Args:
        start: The directory; the current one if not given.

    Raises:
        BadConfiguration: The nearest file that has the table cannot be used.
    """
    folder = (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        path = candidate / "pyproject.toml"
        if path.is_file():
            table = _table(path)
            if table is not None:
                return _checked(path, table)
    return Configuration()


def _table(path: Path) -> Any:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path} is no TOML: {error}") from None
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}") from None
    tools = document.get("tool")
    return tools.get("playhead") if isinstance(tools, dict) else None


def _checked(path: Path, table: Any) -> Configuration:
    if not isinstance(table, dict):
        raise BadConfiguration(f"{_place(path)} is to be a table, and is {_said(table)}.")
    known = [*_EXPECTED, "allow"]
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(known)}."
            raise BadConfiguration(f"{_place(path)}: there is no key {key!r}; {hint}")
    values: dict[str, Any] = {}
    try:
        allowed = allowances(table.get("allow", []), path.parent)
    except BadAllowance as error:
        raise BadConfiguration(f"{_place(path)}: allow: {error}.") from None
    for key, value in ((key, value) for key, value in table.items() if key != "allow"):
        expected, accept = _EXPECTED[key]
        values[key] = accept(value)
        if values[key] is None:
            raise BadConfiguration(f"{_place(path)}: {key} is to be {expected}, and is {_said(value)}.")
    folders = values.pop("python_path", (".",))
    code = {key: value for key, value in values.items() if key in CodeNames.__dataclass_fields__}
    return Configuration(
        code=CodeNames(
            **{key: _anchored(path.parent, value) if key in _MAY_BE_FILES else value for key, value in code.items()},
            python_path=tuple(str((path.parent / folder).resolve()) for folder in folders),
        ),
        histories=values.get("histories", ()),
        runtime=values.get("runtime", "auto"),
        profile=values.get("profile"),
        codec_endpoint=values.get("codec_endpoint"),
        allowed=allowed,
        baselines=(path.parent / values["baselines"]).resolve() if "baselines" in values else None,
        watch=values.get("watch", ()),
        debug=values.get("debug", {}),
        path=path,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Any) -> tuple[str, ...] | None:
    """A list of strings; one alone will do as well."""
    if isinstance(value, str):
        value = [value]
    return tuple(value) if isinstance(value, list) and value and all(map(_text, value)) else None


def _object(value: Any) -> str | None:
    return value if isinstance(value, str) and _names_object(value) else None


def _objects(value: Any) -> tuple[str, ...] | None:
    found = _texts(value)
    return found if found is not None and all(map(_names_object, found)) else None


def _names_object(text: str) -> bool:
    module, colon, name = text.partition(":")
    return bool(module and colon and name)


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _any_table(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _runtime(value: Any) -> str | None:
    return value if value in RUNTIMES else None


_EXPECTED: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "workflows": ("a list of modules, package.module:Class or files", _texts),
    "worker": ("a module, package.module:function or a file", _text),
    "histories": ("a list of files, folders and globs", _texts),
    "data_converter": ("package.module:name of a data converter", _object),
    "codec_endpoint": ("the URL of a codec server", _text),
    "interceptors": ("a list of package.module:name", _objects),
    "plugins": ("a list of package.module:name", _objects),
    "failure_exception_types": ("a list of package.module:Class or builtin exceptions", _texts),
    "runtime": (f"one of {', '.join(RUNTIMES)}", _runtime),
    "profile": ("a release, as in temporalio-1.34", _text),
    "sandboxed": ("true or false", _truth),
    "namespace": ("a string", _text),
    "baselines": ("a folder", _text),
    "watch": ("a list of queries and expressions, such as status() and self.stage", _texts),
    "python_path": ("a list of folders", _texts),
    "debug": ("a table", _any_table),
}

_MAY_BE_FILES: Final = ("workflows", "worker")


def _anchored(folder: Path, value: Any) -> Any:
    """Names of files made independent of where the command is given; dotted names as they are."""
    if isinstance(value, tuple):
        return tuple(_anchored(folder, one) for one in value)
    name, colon, rest = value.partition(":")
    return f"{(folder / name).resolve()}{colon}{rest}" if name.endswith(".py") else value


def _matches(folder: Path, entry: str) -> list[Path]:
    path = Path(entry)
    if not any(character in entry for character in "*?["):
        return [folder / path] if (folder / path).exists() else []
    anchor = Path(path.anchor) if path.is_absolute() else folder
    return sorted(anchor.glob(str(path.relative_to(path.anchor)) if path.is_absolute() else entry))


def _place(path: Path | None) -> str:
    return f"[tool.playhead] in {path}"


def _said(value: Any) -> str:
    kinds = {str: "the string", bool: "the boolean", int: "the number", float: "the number", list: "the list"}
    shown = {True: "true", False: "false"}.get(value) if isinstance(value, bool) else repr(value)
    return f"{kinds.get(type(value), 'the table' if isinstance(value, dict) else 'the value')} {shown}"
