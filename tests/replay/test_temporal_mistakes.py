"""What a user may get wrong with `temporalio` code ends in a sentence: neither a traceback of ours, nor a hang."""

from __future__ import annotations

import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("temporalio")

from temporalio.converter import DataConverter, DefaultPayloadConverter
from temporalio.worker import UnsandboxedWorkflowRunner

from playhead import Agrees, CodeRaised, CodeUnfinished, Diverges, Replayer
from playhead.rendering import report
from playhead_engine.history import History
from tests.engine.history_builder import HistoryBuilder
from tests.replay import wrong_workflows as wrong
from tests.replay.temporal_judge import judge


def history() -> HistoryBuilder:
    """A run that waits for a timer and was waved at."""
    built = HistoryBuilder("Wrong")
    built.task()
    built.timer_started()
    built.signaled()
    built.task()
    built.signaled()
    built.task_open()
    return built


HISTORY: History = history().history()


def temporal(code: type[Any]) -> str:
    """What Temporal's own Replayer makes of it."""
    return judge(HISTORY.to_json(), "w", [code]).verdict


# What is given


@pytest.mark.parametrize(
    ("workflows", "options", "words"),
    [
        ([wrong.Fine()], {}, "is no workflow class: give its class"),
        (["app:Fine"], {}, "'app:Fine' is no workflow class"),
        (wrong.Fine, {}, "workflow classes are given in a list, got <class 'tests.replay.wrong_workflows.Fine'>"),
        ([dict], {}, "dict is no workflow: decorate it with @workflow.defn"),
        (
            [wrong.Fine, wrong.Huge],
            {},
            "two classes are of type Wrong: tests.replay.wrong_workflows.Fine and tests.replay.wrong_workflows.Huge",
        ),
        ([wrong.Fine], {"data_converter": "json"}, "must be a DataConverter of temporalio.converter, .* got 'json'"),
        ([wrong.Fine], {"data_converter": DataConverter}, "got <class 'temporalio"),
        (
            [wrong.Fine],
            {"data_converter": DefaultPayloadConverter()},
            r"DataConverter\(payload_converter_class=DefaultPayloadConverter\) makes one of it",
        ),
        ([wrong.Fine], {"interceptors": ["x"]}, r"an interceptor must be a temporalio\.worker\.Interceptor, got 'x'"),
        ([wrong.Fine], {"interceptors": "x"}, "interceptors must be a list, got 'x'"),
        ([wrong.Fine], {"plugins": ["x"]}, r"a plugin must be a temporalio\.worker\.Plugin, got 'x'"),
        (
            [wrong.Fine],
            {"workflow_runner": UnsandboxedWorkflowRunner},
            "a workflow runner must be an object, got the class .*UnsandboxedWorkflowRunner: call it",
        ),
    ],
)
def test_what_is_of_another_kind_is_refused(workflows: Any, options: dict[str, Any], words: str) -> None:
    """With what was expected, what came, and what to do."""
    with pytest.raises(ValueError, match=words):
        Replayer(workflows, **options)


def test_the_same_class_may_be_given_twice() -> None:
    """Two modules may list the same workflow."""
    assert isinstance(Replayer([wrong.Fine, wrong.Fine]).replay(HISTORY), Agrees)


WAITS = """
@workflow.defn(name="Wrong")
class Waits:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(1000)
"""


def test_a_class_in_a_script_cannot_be_sandboxed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox imports modules again, and a script is none."""
    script = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", script)
    exec("import asyncio\nfrom temporalio import workflow\n" + WAITS, script.__dict__)
    with pytest.raises(RuntimeError, match=r"__main__\.Waits cannot be imported into .* move the class to a module"):
        Replayer([script.Waits])
    unsandboxed = Replayer([script.Waits], workflow_runner=UnsandboxedWorkflowRunner())
    assert isinstance(unsandboxed.replay(HISTORY), Agrees)


def test_a_module_that_only_the_sandbox_refuses_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with the ways out."""
    file = tmp_path / "asks_at_import.py"
    file.write_text(
        f"import asyncio\nimport datetime\nfrom temporalio import workflow\nNOW = datetime.datetime.now()\n{WAITS}"
    )
    monkeypatch.syspath_prepend(tmp_path)
    asks_at_import = import_module("asks_at_import")

    with pytest.raises(RuntimeError) as refused:
        Replayer([asks_at_import.Waits])
    told = str(refused.value)
    assert told.startswith("asks_at_import.Waits cannot be imported into the sandbox of temporalio (at ")
    assert f"{file}:4): Cannot access datetime.datetime.now" in told
    assert told.endswith(
        "or do without the sandbox: @workflow.defn(sandboxed=False), or workflow_runner=UnsandboxedWorkflowRunner()."
    )


# Where it is called from


def test_it_may_be_called_from_async_code() -> None:
    """Many tests are async, and so are notebooks."""

    async def caller() -> Any:
        verdict = Replayer([wrong.Fine]).replay(HISTORY)
        await asyncio.sleep(0)
        return verdict

    assert isinstance(asyncio.run(caller()), Agrees)


def test_one_replayer_may_serve_many_threads() -> None:
    """Each gets the verdict on its own history."""
    replayer = Replayer([wrong.Fine])
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda _: replayer.replay(HISTORY), range(32)))
    assert [type(verdict) for verdict in verdicts] == [Agrees] * 32


def test_the_sdks_debug_mode_changes_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an environment variable that somebody may have forgotten."""
    monkeypatch.setenv("TEMPORAL_DEBUG", "1")
    assert isinstance(Replayer([wrong.Fine]).replay(HISTORY), Agrees)


# What the code does


def test_code_that_never_yields_is_stopped() -> None:
    """In the sandbox as without it."""
    for options in ({}, {"workflow_runner": UnsandboxedWorkflowRunner()}):
        verdict = Replayer([wrong.Spins], deadlock_timeout=0.3, **options).replay(HISTORY)
        assert isinstance(verdict, CodeUnfinished)
        assert "wrong_workflows.py:" in verdict.message
        assert "ran for 0.3 s without handing control back" in verdict.message
    assert temporal(wrong.Spins) == verdict.temporal == "error"


def test_code_that_cannot_be_stopped_is_named_while_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    """A call that Python cannot interrupt ends when it ends."""
    verdict = Replayer([wrong.Sleeps], deadlock_timeout=0.3).replay(HISTORY)
    assert isinstance(verdict, CodeUnfinished)
    assert "it waits in a call that Python cannot interrupt" in caplog.text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (wrong.Deep, "RecursionError: maximum recursion depth exceeded"),
        (wrong.Raises, "ValueError: no luck"),
        (wrong.TwoArguments, "TypeError: .* missing 2 required positional arguments: 'name' and 'count'"),
    ],
)
def test_code_that_raises_is_told_with_its_error(code: type[Any], words: str) -> None:
    """And as Temporal judges it."""
    verdict = Replayer([code]).replay(HISTORY)
    assert isinstance(verdict, CodeRaised)
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(f"{verdict.error_type}: {verdict.message}")
    assert temporal(code) == verdict.temporal == "error"


def test_the_line_of_an_error_is_the_users() -> None:
    """Neither the sandbox nor the SDK's event loop is of interest."""
    verdict = Replayer([wrong.Raises]).replay(HISTORY)
    assert isinstance(verdict, CodeRaised) and verdict.site is not None
    assert (Path(verdict.site.file).name, verdict.site.function) == ("wrong_workflows.py", "Raises.inner")
    frames = [line.strip() for line in verdict.traceback.splitlines() if line.lstrip().startswith("File ")]
    assert [frame.rpartition(" ")[2] for frame in frames] == ["run", "inner"]
    assert all("wrong_workflows.py" in frame for frame in frames)


def test_a_huge_result_is_shown_in_a_line() -> None:
    """The report stays one that somebody can read."""
    built = HistoryBuilder("Wrong")
    built.task()
    started = built.timer_started()
    built.timer_fired(started)
    built.task()
    built.timer_started("2")
    verdict = Replayer([wrong.Huge]).replay(built.history())
    assert isinstance(verdict, Diverges)
    assert len(report("w", None, verdict)) < 1000


@pytest.mark.parametrize("code", [wrong.Ends, wrong.EndsAtOnce])
def test_code_that_calls_exit_ends_nothing(code: type[Any]) -> None:
    """Temporal's own Replayer never comes back from it."""
    verdict = Replayer([code]).replay(HISTORY)
    assert isinstance(verdict, CodeRaised)
    assert (verdict.error_type, verdict.message, verdict.temporal) == ("SystemExit", "3", "hangs")
    assert verdict.site is not None and Path(verdict.site.file).name == "wrong_workflows.py"


def test_an_interrupt_is_an_interrupt() -> None:
    """Whoever presses Ctrl-C wants out; the replayer can be used afterwards."""
    replayer = Replayer([wrong.Interrupts])
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            replayer.replay(HISTORY)


def test_code_that_does_not_let_itself_be_ended_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    """Temporal's own worker tries for ever; here the verdict comes, and a warning."""
    replayer = Replayer([wrong.Swallows], deadlock_timeout=0.3)
    with caplog.at_level(logging.WARNING, "playhead_engine.temporal"):
        assert isinstance(replayer.replay(HISTORY), Agrees)
    assert "did not end when its tasks were cancelled" in caplog.text
