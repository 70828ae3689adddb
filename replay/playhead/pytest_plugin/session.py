"""One pytest session: what the user said, and what came of it for the plugin.

It is made in every session that has anything to do with histories, so it loads what replays them only when somebody
wants that.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from playhead.configuration import BadConfiguration, Configuration, find_configuration
from playhead.history_files import looks_like_history
from playhead.pytest_plugin.corpus import Corpus
from playhead.pytest_plugin.folders import project_folders
from playhead.pytest_plugin.stash import SESSION
from playhead.terminal import set_message_width

if TYPE_CHECKING:
    from playhead.pytest_plugin.baselines import Baselines
    from playhead.pytest_plugin.project import Project
    from playhead.replayer import Replayer

WIDTH: Final = "playhead_width"
"""Where xdist tells its workers how wide the terminal is."""


class ReplaySession:
    """See the module.

    Attributes:
        config: Of pytest.
        corpus: All histories of the project.
        meant: Those that the command line means; None until it has been looked at.
        update: Whether baselines and states are to be written.
        is_everything: Whether the command line names no tests, so that all there are run.
        today: What day it is, for allowances.
    """

    def __init__(self, config: pytest.Config) -> None:
        """
        Raises:
            pytest.UsageError: `[tool.playhead]` cannot be used.
        """
        self.config = config
        try:
            configuration = _configuration(config)
        except BadConfiguration as error:
            raise pytest.UsageError(str(error)) from None
        self.corpus = Corpus(configuration, config.rootpath)
        self.meant: Corpus | None = None
        self.update = bool(config.getoption("playhead_update"))
        self.today = date.today()
        self.is_everything = False
        self._replayers: dict[tuple[type[Any], ...], Replayer] = {}

    @property
    def configuration(self) -> Configuration:
        """What the project says of itself."""
        return self.corpus.configuration

    @cached_property
    def project(self) -> Project:
        """The project with its code."""
        from playhead.pytest_plugin.project import Project

        corpus = self.meant if self.meant is not None else self.corpus
        return Project(corpus, codec_auth=self.config.getoption("playhead_codec_auth"))

    @property
    def has_project(self) -> bool:
        """Whether anybody has asked for it."""
        return "project" in vars(self)

    @cached_property
    def baselines(self) -> Baselines:
        """The histories that its tests record."""
        from playhead.pytest_plugin.baselines import Baselines

        keep = bool(self.config.getoption("playhead_keep"))
        return Baselines(self.configuration.baselines, update=self.update, keep=keep)

    @property
    def is_strict(self) -> bool:
        """Whether other arguments, timeouts and results count as breaks."""
        return bool(self.config.getoption("playhead_strict") or self.config.getini("playhead_strict"))

    @property
    def requires_coverage(self) -> bool:
        """Whether a workflow of which there is no history fails the session."""
        return bool(
            self.config.getoption("playhead_require_coverage") or self.config.getini("playhead_require_coverage")
        )

    @property
    def always_replays(self) -> bool:
        """Whether every run that a test makes is to be replayed."""
        return bool(self.config.getoption("playhead_always_replay") or self.config.getini("playhead_always_replay"))

    @property
    def width(self) -> int:
        """Columns of the terminal; with xdist, of the one that the user looks at."""
        handed_over: dict[str, Any] = getattr(self.config, "workerinput", {})
        if WIDTH in handed_over:
            return int(handed_over[WIDTH])
        if not self.config.pluginmanager.hasplugin("terminalreporter"):
            return 100
        return self.config.get_terminal_writer().fullwidth

    def replayer_of(self, workflows: tuple[type[Any], ...]) -> Replayer:
        """What replays histories with these classes, or with the code of the project if there are none.

        Raises:
            Exception: As `Project.replayer` and `Replayer`.
        """
        if not workflows:
            return self.project.replayer
        if workflows not in self._replayers:
            from playhead.replayer import Replayer

            self._replayers[workflows] = Replayer(workflows)
        return self._replayers[workflows]

    # What the command line means

    def take_up(self) -> None:
        """Find out which histories are to be collected, and have pytest come by all of them.

        Raises:
            pytest.UsageError: There should be histories, and there are none; or there is no code for them.
        """
        config, arguments = self.config, self._arguments()
        self.is_everything = arguments is None
        set_message_width(self.width - 12)  # pytest puts the name of an error before its message
        try:
            if config.getoption("playhead_histories") is not None:
                self.meant = self.corpus
            else:
                self.meant = self.corpus.meant_by(arguments)
            if not self.meant.files:
                return
            if arguments is None or self.meant is self.corpus:
                named = [Path(config.invocation_params.dir, argument).resolve() for argument in _paths(config.args)]
                config.args += [str(path) for path in self.meant.beyond(named)]
            code = self.configuration.code
            if not code.workflows and code.worker is None:
                self.project.code  # noqa: B018 - says what is missing
        except BadConfiguration as error:
            raise pytest.UsageError(str(error)) from None

    def means(self, path: Path, *, is_named: bool) -> bool:
        """Whether a file is to be collected as a history.

        Args:
            path: The file.
            is_named: Whether the user named it on the command line.
        """
        if self.meant is None:
            return False
        code = self.configuration.code
        is_wanted = is_named and bool(code.workflows or code.worker) and looks_like_history(path)
        return is_wanted or path.resolve() in self.meant.known_files

    def _arguments(self) -> list[Path] | None:
        """The files and folders that the user named; None if everything is meant."""
        config = self.config
        invoked, named = config.invocation_params.dir.resolve(), list(_paths(config.args))
        if config.args_source is config.ArgsSource.TESTPATHS:
            return None
        folders = {config.rootpath.resolve(), self.corpus.folder}
        if config.args_source is config.ArgsSource.INVOCATION_DIR and invoked in folders:
            return None
        return [Path(invoked, argument).resolve() for argument in named]


def session_of(config: pytest.Config) -> ReplaySession:
    """The plugin's part of a session; made when it is first asked for.

    Raises:
        pytest.UsageError: `[tool.playhead]` cannot be used.
    """
    if SESSION not in config.stash:
        config.stash[SESSION] = ReplaySession(config)
    return config.stash[SESSION]


def _paths(arguments: list[str]) -> list[str]:
    return [argument.partition("::")[0] for argument in arguments]


def _configuration(config: pytest.Config) -> Configuration:
    """What the project says of itself, and above it pytest's configuration, and above that the command line."""
    found_in = (find_configuration(folder) for folder in (next(project_folders(config)), config.rootpath))
    configuration = next((one for one in found_in if one.path is not None), Configuration())
    histories, workflows, worker = configuration.histories, configuration.code.workflows, configuration.code.worker
    for folder, said in (
        (config.rootpath, config.getini),
        (config.invocation_params.dir, config.getoption),
    ):
        found: Any = said("playhead_histories")
        histories = tuple(str(Path(folder, one)) for one in found) if found else histories
        if said("playhead_workflows") or said("playhead_worker"):
            found = said("playhead_workflows")
            workflows = tuple(_anchored(folder, one) for one in found) if found else ()
            found = said("playhead_worker")
            worker = _anchored(folder, found) if found else worker
    python_path = configuration.code.python_path or (str(config.rootpath),)
    code = replace(configuration.code, workflows=workflows, worker=worker, python_path=python_path)
    return replace(configuration, histories=histories, code=code)


def _anchored(folder: Path, name: str) -> str:
    """The name of a file made independent of the current directory; a dotted name as it is."""
    file, colon, rest = name.partition(":")
    return f"{Path(folder, file).resolve()}{colon}{rest}" if file.endswith(".py") else name
