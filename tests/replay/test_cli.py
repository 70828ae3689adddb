"""The command line, as a user types it: what it prints, and what it exits with."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from playhead.__main__ import EXIT_CODES, main

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "temporal"


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are given at the root of the repository, to a plain terminal."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_agreement_is_one_line_and_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    """A history that agrees is reported in one line."""
    assert main(["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.orders"]) == 0
    assert capsys.readouterr().out == "fixtures/temporal/orders_completed.json: agrees (23 events)\n"


def test_a_divergence_is_two_aligned_lines_and_the_place(capsys: pytest.CaptureFixture[str]) -> None:
    """Recorded and now stand below each other, equal fields are elided, the line of code follows; exit code 1."""
    assert main(["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.orders_broken"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fixtures/temporal/orders_completed.json: diverges at event 11"
    assert lines[1] == "  recorded  ActivityTaskScheduled  activityType=charge  …"
    assert lines[2] == "  now       ActivityTaskScheduled  activityType=check_fraud  …"
    assert lines[3].startswith("  at        examples/orders_broken.py:")
    assert lines[3].endswith(" in OrderFulfilment.run")


def test_code_that_raises_exits_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    """A stuck run shows the error and its line, and with `--traceback` the user's frames."""
    arguments = ["replay", "fixtures/temporal/orders_stuck.json", "-w", "examples.orders", "--traceback"]
    assert main(arguments) == 3
    out = capsys.readouterr().out
    assert "code raised" in out
    assert "ZeroDivisionError" in out
    assert "examples/orders.py:" in out
    assert "Temporal's own Replayer passes this" in out
    assert "playhead_engine" not in out


def test_a_hotfix_shows_what_it_would_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    """The fixed code agrees with the stuck run, and the report shows its next command."""
    assert main(["replay", "fixtures/temporal/orders_stuck.json", "-w", "examples.orders_hotfix"]) == 0
    out = capsys.readouterr().out
    assert "agrees" in out
    assert "activityType=ship" in out


def test_several_histories_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line counts verdicts, and the gravest decides the exit code."""
    names = ["orders_completed", "orders_stuck", "pizza_open"]
    code = main(["replay", *(f"fixtures/temporal/{name}.json" for name in names), "-w", "examples.orders"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "3 histories: 1 agrees, 1 code raised, 1 not replayable"
    assert code == 3


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Machines get every field, and paths and lines as they are."""
    main(["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.orders_broken", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["temporal"], found["event_id"]) == ("diverges", "nondeterminism", 11)
    assert found["recorded"]["fields"]["activityType"] == "charge"
    assert found["now"]["fields"]["activityType"] == "check_fraud"
    assert found["file"].endswith("orders_broken.py")
    assert found["line"] > 0


def test_a_divergence_names_the_release_whose_rules_it_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    """Releases of Temporal judge differently, so a verdict without one is half a verdict."""
    arguments = ["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.orders_broken"]
    main([*arguments, "--profile", "temporalio-1.34"])
    assert capsys.readouterr().out.splitlines()[4] == "  rules     temporalio 1.34"
    main([*arguments, "--profile", "temporalio-1.33", "--json"])
    assert json.loads(capsys.readouterr().out)["profile"] == "temporalio 1.33"


def test_a_release_that_is_newer_than_the_rules_is_named_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only where something diverged: there, the newer release might not agree."""
    monkeypatch.setattr(importlib.metadata, "version", lambda name: {"temporalio": "1.99.0"}[name])
    histories = ["fixtures/temporal/orders_completed.json"] * 2
    main(["replay", *histories, "-w", "examples.orders"])
    assert capsys.readouterr().err == ""
    main(["replay", *histories, "-w", "examples.orders_broken"])
    note = "note: temporalio 1.99.0 may differ from temporalio 1.35, the newest rules there are.\n"
    assert capsys.readouterr().err == note


def test_a_release_that_is_too_old_is_refused_unless_another_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rules are not known, and a guess would be a false verdict."""
    monkeypatch.setattr(importlib.metadata, "version", lambda name: {"temporalio": "1.32.0"}[name])
    arguments = ["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.orders"]
    assert main(arguments) == 2
    assert "temporalio 1.32.0 is older than the releases whose rules are known" in capsys.readouterr().err
    assert main([*arguments, "--profile", "temporalio-1.33"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["replay", "missing.json", "-w", "examples.orders"], "missing.json"),
        (
            ["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.orders", "--profile", "temporalio-2"],
            "There are: temporalio-1.35, temporalio-1.34, temporalio-1.33",
        ),
        (["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.nonsense"], "no module"),
        (["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.orders:Nonsense"], "OrderFulfilment"),
        (["replay", "fixtures/temporal/orders_completed.json", "-w", "json"], "no class decorated"),
        (["replay", "fixtures/temporal/orders_completed.json", "-w", "examples/nonsense.py"], "no file"),
        (["replay", "README.md", "-w", "examples.orders"], "README.md"),
        (["replay", "engine", "-w", "examples.orders"], "nothing was checked"),
        (["show", "missing.json"], "missing.json"),
        (["show", "fixtures/temporal/orders_completed.json", "--events", "x"], "--events"),
        (["run", "examples.orders:OrderFulfilment", "--input", "{not json"], "--input"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever a user gets wrong is said in words, without a traceback."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert words in said
    assert "Traceback" not in said


def test_code_that_does_not_import_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error in the user's module is told with file and line."""
    (tmp_path / "broken_module.py").write_text("import json\n\n1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["replay", str(FIXTURES / "orders_completed.json"), "-w", "broken_module"]) == 2
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "broken_module.py:3" in said
    assert "Traceback" not in said


def test_show_prints_an_event_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A title, then every event with what tells it from others."""
    assert main(["show", "fixtures/temporal/orders_completed.json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 24
    assert lines[0].startswith("OrderFulfilment  order-A-1")
    assert "activityType=charge" in lines[11]


def test_show_groups_what_belongs_together(capsys: pytest.CaptureFixture[str]) -> None:
    """An activity and its end are one line, with its outcome and its result."""
    assert main(["show", "fixtures/temporal/saga_compensated.json", "--group"]) == 0
    out = capsys.readouterr().out
    assert "activity          book_car  failed" in out
    assert "no cars in Venice" in out
    assert "workflow          TripBooking  failed" in out


def test_show_filters_by_type_text_and_id(capsys: pytest.CaptureFixture[str]) -> None:
    """Filters narrow the events down, in text and in JSON."""
    assert main(["show", "fixtures/temporal/orders_completed.json", "--type", "activitytaskscheduled"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["show", "fixtures/temporal/orders_completed.json", "--grep", "parcel-A-1", "--json"]) == 0
    assert [event["eventId"] for event in json.loads(capsys.readouterr().out)["events"]] == ["19", "23"]
    assert main(["show", "fixtures/temporal/orders_completed.json", "--events", "3-4", "--full"]) == 0
    assert "WorkflowTaskCompleted" in capsys.readouterr().out


def test_show_json_is_the_document_that_was_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost on the way through."""
    path = FIXTURES / "orders_completed.json"
    assert main(["show", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(path.read_text())


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No escape codes in a pipe; codes where they are asked for; none where NO_COLOR is set."""
    arguments = ["replay", "fixtures/temporal/orders_completed.json", "-w", "examples.orders"]
    main(arguments)
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    main(arguments)
    assert "\x1b[" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    main(arguments)
    assert "\x1b" not in capsys.readouterr().out


def test_help_names_the_commands_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """`playhead` alone shows its help and is no success; `--help` is."""
    assert main([]) == 2
    out = capsys.readouterr().out
    assert "replay" in out
    assert EXIT_CODES.splitlines()[1] in out
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0


def test_it_runs_as_a_module_and_survives_a_closed_pipe() -> None:
    """`python -m playhead` works, and does not complain when its reader stops reading."""
    command = f"{sys.executable} -m playhead show fixtures/temporal/onboarding_year.json | head -1"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
