"""A project's code, and what its histories come to with it.

It knows nothing of pytest. Code is loaded when the first history is replayed, once; what goes wrong in that is said
again to everybody who asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Final

from playhead.cli.judges import Judge, replayer_with
from playhead.codec_endpoint import CodecEndpoint, codec_endpoint
from playhead.configuration import BadConfiguration
from playhead.explanation import Explanation, explain
from playhead.loading import Code, CodeNotLoaded, load_code
from playhead.places import shown_path
from playhead.pytest_plugin.corpus import Corpus
from playhead.readers import read_history
from playhead.replayer import Replayer
from playhead.sources import workflow_id_of
from playhead.temporal_core import DEFAULT_TIMEOUT, TemporalCore
from playhead_engine.guards import NondeterministicCall
from playhead_engine.history import History

NO_CODE: Final = (BadConfiguration, CodeNotLoaded, NondeterministicCall, OSError, RuntimeError, ValueError)
"""What can go wrong when code is loaded and a replayer made; each says in words what is wrong."""


class Project:
    """See the module.

    Attributes:
        corpus: Its histories.
        types: The workflow types of the histories that were looked at, by file.
    """

    def __init__(self, corpus: Corpus, *, codec_auth: str | None = None) -> None:
        """
        Args:
            corpus: Its histories, and what it says of itself.
            codec_auth: What to send to a codec server as `Authorization`.
        """
        self.corpus = corpus
        self.types: dict[Path, str] = {}
        self._configuration = corpus.configuration
        self._codec_auth = codec_auth
        self._stack = ExitStack()
        self._code: Code | None = None
        self._replayer: Replayer | None = None
        self._failure: Exception | None = None

    def close(self) -> None:
        """End what was begun."""
        self._stack.close()

    # Histories

    def read(self, path: Path) -> History:
        """A history, its values decoded if there is a server for that.

        Raises:
            UnreadableHistory: It is none.
            CodecUnavailable: The server cannot be asked.
        """
        history = read_history(path)
        self.types[path.resolve()] = history.workflow_type
        return history if self._endpoint is None else self._endpoint.decoded(history)

    @cached_property
    def _endpoint(self) -> CodecEndpoint | None:
        configuration = self._configuration
        return codec_endpoint(configuration.codec_endpoint, self._codec_auth, configuration.code.namespace)

    # Code

    @property
    def has_code(self) -> bool:
        """Whether the project says where its code is."""
        return bool(self._configuration.code.workflows) or self._configuration.code.worker is not None

    @property
    def code(self) -> Code:
        """The code of the project.

        Raises:
            BadConfiguration: It does not say where that is.
            CodeNotLoaded: It cannot be loaded.
        """
        if self._failure is not None:
            raise self._failure
        if self._code is None:
            try:
                self._code = self._load()
            except Exception as failure:
                self._failure = failure
                raise
        return self._code

    def _load(self) -> Code:
        if not self.has_code:
            where = self._configuration.path
            said = f"{shown_path(str(where))} names none" if where is not None else "no pyproject.toml has such a table"
            raise BadConfiguration(
                "Name the workflow code, with `workflows` or `worker` in [tool.playhead] of pyproject.toml, or with "
                f"--playhead-workflows or --playhead-worker ({said})."
            )
        return load_code(self._configuration.code)

    @property
    def replayer(self) -> Replayer:
        """Replays histories with it.

        Raises:
            BadConfiguration: The project does not say where its code is, or wants it replayed by somebody else.
            CodeNotLoaded: The code cannot be loaded.
            ValueError, RuntimeError, NondeterministicCall: As `Replayer`.
        """
        if self._replayer is None:
            configuration, code = self._configuration, self.code
            if configuration.runtime == "temporal-core":
                raise BadConfiguration('runtime = "temporal-core" gives verdicts, and nothing that this needs.')
            try:
                self._replayer = replayer_with(code, configuration.runtime, configuration.profile)
            except Exception as failure:
                self._failure = failure
                raise
        return self._replayer

    @cached_property
    def _judge(self) -> Judge:
        if self._configuration.runtime != "temporal-core":
            return self.replayer
        self._load()  # it says more clearly what is wrong
        return self._stack.enter_context(TemporalCore(self._configuration.code, timeout=DEFAULT_TIMEOUT))

    def replay(self, path: Path, history: History, *, is_strict: bool = False) -> Explanation:
        """What a history of the project comes to.

        Args:
            path: Its file.
            history: What is in it.
            is_strict: Whether other arguments, timeouts and results are of interest.

        Raises:
            Exception: As `replayer`.
        """
        judge, name, known_as = self._judge, shown_path(str(path)), workflow_id_of(path, history)
        verdict = judge.replay(history, workflow_id=known_as)
        if isinstance(judge, Replayer):
            return explain(name, history, verdict, judge, workflow_id=known_as, is_strict=is_strict)
        return Explanation(name, history, verdict)

    def uncovered(self) -> list[str] | None:
        """The workflow types of the project of which no history was looked at, sorted.

        Returns:
            None if that cannot be said: not all histories were looked at, or nothing was replayed.
        """
        corpus = self.corpus
        if self._replayer is None or not corpus.is_whole or not corpus.known_files <= self.types.keys():
            return None
        seen = set(self.types.values())
        return [name for name in self._replayer.workflow_types() if name not in seen]


class Histories(Mapping[str, History]):
    """The histories of a project by name: the path within the project without the ending, or enough of the end of it.

    Each is read when it is asked for.
    """

    def __init__(self, project: Project, corpus: Corpus) -> None:
        """
        Args:
            project: Reads them.
            corpus: Which there are.
        """
        self._project = project
        self._corpus = corpus

    def __getitem__(self, name: str) -> History:
        __tracebackhide__ = True
        return self._project.read(self._corpus.path_of(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._corpus.names)

    def __len__(self) -> int:
        return len(self._corpus.names)
