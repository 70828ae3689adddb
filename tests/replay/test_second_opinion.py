"""`--verify-with-core`: what Temporal's own Replayer says is shown where it is not what we foresaw."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from playhead import Agrees, NotReplayable, Verdict
from playhead.__main__ import main
from playhead.cli import replay
from playhead_engine.history import History
from tests.replay.project import ORDER, ROOT

ARGUMENTS = ["replay", str(ORDER), "-w", "examples.orders", "--verify-with-core"]


@dataclass
class Says:
    """A judge with one verdict for everything."""

    verdict: Verdict
    profile: None = None

    def replay(self, history: History, /, *, workflow_id: str | None = None) -> Verdict:
        """Give it."""
        return self.verdict

    def accepts(self, workflow_type: str) -> bool:
        """Take any type."""
        return True

    def runtime_of(self, workflow_type: str) -> str:
        """Call itself something."""
        return "something"


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> list[Says]:
    """The two that are asked: us and Temporal."""
    asked = [Says(Agrees(23)), Says(NotReplayable("It never came back.", temporal="hangs"))]
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(replay, "judges_of", lambda *_: tuple(asked))
    return asked


def test_a_difference_is_a_warning_with_both_texts(judges: list[Says], capsys: pytest.CaptureFixture[str]) -> None:
    """Ours comes first and decides, unless warnings are to count."""
    assert main(ARGUMENTS) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{ORDER}: agrees (23 events)",
        "  warning: Temporal's own Replayer says otherwise:",
        f"    {ORDER}: not replayable",
        "      It never came back.",
    ]
    assert main([*ARGUMENTS, "--strict"]) == 1
    assert main([*ARGUMENTS, "--quiet"]) == 0
    assert "says otherwise" in capsys.readouterr().out


def test_machines_are_given_both(judges: list[Says], capsys: pytest.CaptureFixture[str]) -> None:
    """Whether they agree or not."""
    main([*ARGUMENTS, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["runtime"], found["temporal_core_agrees"]) == ("agrees", "something", False)
    assert found["temporal_core"]["temporal"] == "hangs"


def test_agreement_is_not_worth_a_word(judges: list[Says], capsys: pytest.CaptureFixture[str]) -> None:
    """What was foreseen is no news."""
    judges[1] = Says(Agrees(23))
    assert main([*ARGUMENTS, "--strict"]) == 0
    assert capsys.readouterr().out == f"{ORDER}: agrees (23 events)\n"


def test_temporal_against_itself_compares_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever asks for both has asked for one too many."""
    assert main([*ARGUMENTS, "--runtime", "temporal-core"]) == 2
    assert "--verify-with-core compares another runtime" in capsys.readouterr().err
