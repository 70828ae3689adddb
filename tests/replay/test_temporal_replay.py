"""`temporal replay`: how Temporal's command line calls the program that it finds by its name."""

from __future__ import annotations

import json
import tomllib

import pytest

from playhead.temporal_replay import main
from tests.conftest import ROOT

ORDER = "fixtures/temporal/orders_completed.json"
CODE = ["-w", "examples.orders"]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are given at the root of the repository, to a plain terminal."""
    monkeypatch.chdir(ROOT)
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(name, "")


def test_the_program_has_the_name_that_is_looked_for() -> None:
    """`temporal-` and the word behind `temporal`."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["temporal-replay"] == "playhead.temporal_replay:main"


def test_it_is_playhead_replay(capsys: pytest.CaptureFixture[str]) -> None:
    """With its options and its exit codes."""
    assert main([ORDER, *CODE]) == 0
    assert capsys.readouterr().out == f"{ORDER}: agrees (23 events)\n"
    assert main([ORDER, "-w", "examples.orders_broken", "--brief"]) == 1


def test_options_of_temporal_come_first_and_do_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    """Its command line hands on its global options before all else, wherever they were given."""
    theirs = ["--profile", "production", "--env=dev", "--log-level", "debug", "--disable-config-file", "--color=never"]
    assert main([*theirs, "--command-timeout", "5s", ORDER, *CODE]) == 0
    assert capsys.readouterr().out == f"{ORDER}: agrees (23 events)\n"


def test_a_profile_of_ours_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    """The name of a release is not one that anybody gives to the settings of a client."""
    assert main(["--profile", "temporalio-1.33", ORDER, "-w", "examples.orders_broken", "--brief"]) == 1
    assert "  rules     temporalio 1.33" in capsys.readouterr().out


@pytest.mark.parametrize("output", [["-o", "json"], ["--output=jsonl"]])
def test_output_means_the_same_as_elsewhere(output: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """JSON, where Temporal's users ask for it as they are used to."""
    assert main([*output, ORDER, *CODE]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "agrees"


def test_colours_are_those_that_were_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Though the output is no terminal."""
    assert main(["--color", "always", ORDER, *CODE]) == 0
    assert "\x1b[32" in capsys.readouterr().out


def test_other_commands_are_behind_it(capsys: pytest.CaptureFixture[str]) -> None:
    """`temporal replay check` is `playhead check`; a file of that name is `./check`."""
    assert main(["-o", "json", "check", ORDER, *CODE, "--no-cache"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["agrees"] == 1
    assert main(["./check", *CODE]) == 2


@pytest.mark.parametrize("arguments", [["--help"], ["help"], ["help", "check"], ["check", "--help"]])
def test_help_is_given_in_all_ways(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`temporal help replay` is handed on as `help`."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    name = "check" if "check" in arguments else "replay"
    assert capsys.readouterr().out.startswith(f"usage: playhead {name} ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["__complete", "check", "--fail"], ["--fail-fast\tstop at the first history that breaks", ":4"]),
        (["__completeNoDesc", "--hu"], ["--hunt", ":4"]),
        (["__complete", "hot"], ["hotfix", ":0"]),
        (["__complete", "order.json", ""], [":0"]),
    ],
)
def test_a_shell_is_helped_to_complete_words(
    words: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """In the form that Temporal's command line expects: candidates, and whether names of files may follow."""
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == expected
