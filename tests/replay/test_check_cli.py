"""`playhead check` as a user gives it: what is printed, where reports go, and what the command exits with."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.replay.shop import ORDERS, Shop, project, shop

__all__ = ["project", "shop"]

EXPECTED = """\
histories/order-1.json: diverges at event 10
  recorded  ActivityTaskScheduled  activityType=charge  …
  now       ActivityTaskScheduled  activityType=invoice  …
  at        app/orders.py:14 in Order.run
  rules     temporalio 1.35

      recorded                now
   5  timer of 60s            timer of 60s         app/orders.py:13
  10  activity charge      !  activity invoice     app/orders.py:14  renamed
  16  end of the workflow     end of the workflow  app/orders.py:11

  renamed: The activity of line 14 is called `invoice` now; it was `charge`.
    - only the name differs: arguments, timeouts and the rest are equal

  1 more breaks at this line: histories/order-2.json
"""


def run(shop: Shop, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return shop.run("check", *arguments, environment={"GITHUB_ACTIONS": "", **environment})


def test_a_project_that_agrees_passes(shop: Shop) -> None:
    """With a line that says so; when all is known, the code is not even loaded."""
    shop.edit("app/names.py", "SHOP", "import os\nassert 'CLOSED' not in os.environ\nprint('open')\nSHOP")
    done = run(shop)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("3 histories in ")
    assert done.stdout.endswith(" s: 3 agree\n")
    again = run(shop, "--verbose", CLOSED="yes")
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[:3] == [
        "histories/order-1.json: agrees (16 events)",
        "histories/order-2.json: agrees (16 events)",
        "histories/trip-1.json: agrees (15 events)",
    ]
    assert again.stdout.endswith(" s: 3 agree (3 known from before)\n")


def test_a_break_is_shown_once_for_its_line(shop: Shop) -> None:
    """With all that is known of it, and the other histories that break there; a known one looks the same."""
    shop.edit("app/prices.py", "charge", "invoice")
    for _ in range(2):
        done = run(shop)
        assert done.returncode == 1
        shown, _, totals = done.stdout.rpartition("\n\n")
        assert shown + "\n" == EXPECTED
        assert "3 histories in " in totals
        assert "1 agrees, 2 break" in totals
    assert run(shop, "--quiet").stdout == EXPECTED


def test_the_first_break_may_be_the_last(shop: Shop) -> None:
    """`--fail-fast` says what was not looked at."""
    shop.edit("app/prices.py", "charge", "invoice")
    done = run(shop, "--fail-fast", "-j", "1")
    assert done.returncode == 1
    assert "Stopped at the first break: 2 histories were not looked at." in done.stdout


def test_nothing_to_check_is_no_success(shop: Shop) -> None:
    """Neither an empty folder, nor one that is not there, nor a pattern that matches nothing."""
    (shop.root / "empty").mkdir()
    for argument, words in (
        ("empty", "empty holds no history files (*.json, *.json.gz, *.bin, *.pb): nothing was checked."),
        ("nowhere", "There is no file or folder nowhere: nothing was checked."),
    ):
        done = run(shop, argument)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"playhead: {words}\n")
    (shop.root / "histories" / os.fsdecode(b"caf\xe9.json")).write_bytes(b"{}")
    done = run(shop)
    assert (done.returncode, done.stderr) == (
        2,
        "playhead: The name of 'histories/caf\\udce9.json' is no UTF-8, and no report can name it: rename it.\n",
    )
    shop.edit("pyproject.toml", 'histories = ["histories"]', "")
    done = run(shop)
    assert (done.returncode, "There is nothing to check" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('closed on Sundays')", "RuntimeError at {root}/app/names.py:1: closed on Sundays"),
        ("SHOP = = 1", "SyntaxError at {root}/app/names.py:1: invalid syntax"),
        ("import os; os._exit(7)", "The code cannot be loaded: its process ended with exit code 7"),
    ],
)
def test_code_that_cannot_be_loaded_is_told_in_a_sentence(shop: Shop, text: str, words: str) -> None:
    """With its place; nothing was checked."""
    shop.write("app/names.py", text + "\n")
    done = run(shop)
    assert (done.returncode, done.stdout) == (2, "")
    assert words.format(root=shop.root) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_github_is_told_why_nothing_was_checked(shop: Shop) -> None:
    """An exit code alone would have to be looked for in a log."""
    shop.write("app/names.py", "SHOP = = 1\n")
    done = run(shop, "--github")
    assert done.returncode == 2
    assert done.stdout.startswith("::error title=Playhead%3A nothing was checked::app.orders cannot be imported: ")
    assert "SyntaxError" in done.stdout


def test_a_history_that_cannot_be_read_is_not_checked(shop: Shop) -> None:
    """What is wrong with it is said, known or not, and the others are checked."""
    shop.write("histories/torn.json", '{"events": [')
    for _ in range(2):
        done = run(shop)
        assert done.returncode == 3
        assert "histories/torn.json: unreadable  truncated at byte 12. Download it again" in done.stdout, done.stdout
        assert "3 agree, 1 could not be checked" in done.stdout


def test_a_replay_that_dies_or_hangs_is_named(shop: Shop) -> None:
    """The process is ended, another one does the rest, and nobody sees a traceback."""
    shop.edit("app/routes.py", "def steps", "import ctypes\ndef steps")
    shop.edit("app/routes.py", "    return", "    ctypes.string_at(0)\n    return")
    shop.edit("app/prices.py", "    return", "    if item == 'coffee': sum(range(10**12))\n    return")
    done = run(shop, "-j", "1", "--timeout", "3")
    assert done.returncode == 3, done.stdout + done.stderr
    shown = done.stdout.splitlines()
    assert "histories/order-2.json: not checked: did not end within 3 seconds" in shown
    assert "histories/trip-1.json: not checked: its process ended with signal SIGSEGV" in shown
    assert "1 agrees, 2 could not be checked" in shown[-1]
    assert "Traceback" not in done.stdout + done.stderr


def test_a_workflow_class_without_a_history_is_reported(shop: Shop) -> None:
    """With its line; only `--strict` fails for it. Whoever checks one file is not told of all others."""
    (shop.root / "histories/trip-1.json").unlink()
    done = run(shop)
    assert done.returncode == 0
    assert "No history covers app.trips.Trip (app/trips.py:8)." in done.stdout
    assert run(shop, "--strict").returncode == 1
    assert "No history" not in run(shop, ORDERS[0], "--strict").stdout


ALLOWED = """
    [[tool.playhead.allow]]
    history = "histories/order-1.json"
    reason = "the run of Ada, which ends in May"
    until = 2999-12-31
    [[tool.playhead.allow]]
    history = "histories/order-2.json"
    workflow = "Order"
    event = 10
    reason = "recorded before the rewrite"
    until = 2000-01-31
    [[tool.playhead.allow]]
    history = "histories/trip-*.json"
    reason = "nobody travels"
    until = 2999-12-31
"""


def test_what_is_allowed_passes_until_its_last_day(shop: Shop) -> None:
    """What was allowed until a day that is over fails and says so, and what allows nothing can go."""
    shop.write("pyproject.toml", (shop.root / "pyproject.toml").read_text() + ALLOWED.replace("\n    ", "\n"))
    shop.edit("app/prices.py", "charge", "invoice")
    done = run(shop)
    assert done.returncode == 1
    shown = done.stdout.splitlines()
    allowed = "allowed until 2999-12-31: the run of Ada, which ends in May"
    assert f"histories/order-1.json: diverges at event 10, {allowed}" in shown
    assert (
        "histories/order-2.json: diverges at event 10, was allowed until 2000-01-31: recorded before the rewrite"
        in shown
    )
    assert "An allowance allows nothing any more, and can go: history 'histories/trip-*.json'." in shown
    assert "1 agrees, 1 breaks, 1 is allowed to break" in shown[-1]
    shop.edit("pyproject.toml", "2000-01-31", "2999-12-31")
    assert run(shop).returncode == 0
    assert run(shop, "--strict").returncode == 1, "an allowance is idle"


def test_many_histories_are_shared_among_processes(shop: Shop) -> None:
    """Each loads the code once, and no history is lost."""
    shop.edit("app/names.py", "SHOP", "import os\nopen(f'loaded-{os.getpid()}', 'w').close()\nSHOP")
    content = (shop.root / ORDERS[0]).read_bytes()
    for number in range(60):
        shop.write(f"histories/more-{number}.json", "").write_bytes(content.replace(b"order-1", b"order-%d" % number))
    done = run(shop, "--jobs", "2")
    assert (done.returncode, "63 agree" in done.stdout) == (0, True), done.stdout + done.stderr
    assert len(list(shop.root.glob("loaded-*"))) == 2


def test_progress_is_shown_on_a_terminal(shop: Shop) -> None:
    """And nowhere else: what goes into the log of a job is the report alone."""
    shop.edit("app/routes.py", "    return", "    sum(range(10**8))\n    return")
    terminal, end = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "playhead", "check", "--jobs", "1", "--no-cache"],
        stdout=subprocess.PIPE,
        stderr=end,
        text=True,
        env={**os.environ, "TERM": "xterm"},
        check=False,
        timeout=120,
    )
    os.close(end)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert done.returncode == 0
    assert "checking [" in shown
    assert "] 3/3" in shown
    assert "checking" not in done.stdout


def test_a_check_says_what_a_replay_says(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every history that Temporal's server recorded for this repository, against one of its modules."""
    pytest.importorskip("temporalio.worker")
    from examples.temporal import orders, saga

    from playhead import Replayer
    from playhead.__main__ import main
    from playhead.rendering import headline

    monkeypatch.chdir(ROOT)
    replayer = Replayer([orders.OrderFulfilment, saga.TripBooking])
    expected = {one.name: headline(one.history, one.verdict) for one in replayer.replay_directory("fixtures/temporal")}
    names = ["-w", "examples.temporal.orders", "-w", "examples.temporal.saga"]
    assert main(["check", "fixtures/temporal", *names, "--no-cache", "--json", "-"]) == 1
    found = json.loads(capsys.readouterr().out)["histories"]
    assert {one["history"]: one["headline"] for one in found} == expected


def test_a_report_may_take_the_place_of_the_text(shop: Shop) -> None:
    """`-` is standard output, which then holds nothing else."""
    done = run(shop, "--json", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["passes"] is True
    assert run(shop, "--json", "-", "--junit", "-").stderr == "playhead: only one report can go to standard output\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--jobs", "0"], "takes a number of processes, such as 4, not '0'"),
        (["--timeout", "soon"], "takes a number of seconds, such as 60, not 'soon'"),
        (["--runtime", "temporal-core"], "runtime = 'temporal-core' goes with `playhead replay`"),
    ],
)
def test_a_wrong_option_is_told_in_a_sentence(shop: Shop, arguments: list[str], words: str) -> None:
    """Exit code 2."""
    done = run(shop, *arguments)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
