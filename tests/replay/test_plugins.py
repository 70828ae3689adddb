"""Plugins of the SDK: on our engine, by our replayer, and by Temporal's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.plugin import SimplePlugin
from temporalio.worker import Replayer as TemporalReplayer
from temporalio.workflow import NondeterminismError

from playhead import Agrees, Diverges, Replayer, Verdict
from playhead.__main__ import main
from playhead_engine import Engine
from playhead_engine.client import WorkflowFailureError
from tests.replay import plugged_workflows
from tests.replay.plugged_workflows import Tea, teatime
from tests.replay.project import ROOT


def both_say(document: bytes, plugin: Callable[[], Any], workflows: list[type[Any]]) -> Verdict:
    """Our verdict, once it is sure that Temporal's Replayer with the same plugin says what it predicts."""

    async def temporal() -> str:
        replayer = TemporalReplayer(workflows=workflows, plugins=[plugin()])
        history = WorkflowHistory.from_json("w", document.decode())
        result = await asyncio.wait_for(replayer.replay_workflow(history, raise_on_replay_failure=False), 30)
        failure = result.replay_failure
        return "ok" if failure is None else "nondeterminism" if isinstance(failure, NondeterminismError) else "error"

    verdict = Replayer(workflows, plugins=[plugin()]).replay(document, workflow_id="w")
    assert verdict.temporal == asyncio.run(temporal()), verdict
    return verdict


def tea(kind: str) -> bytes:
    """A run on our engine, which knows nothing but the plugin."""
    plugged_workflows.life.clear()
    with Engine(plugins=[teatime()], clock="virtual") as engine:
        handle = engine.start_workflow(Tea.run, kind, id="w", task_queue="t").wait()
        if kind == "coffee":
            with pytest.raises(WorkflowFailureError):
                handle.result().wait()
        else:
            assert handle.result().wait() == f"a cup of {kind}"
        assert plugged_workflows.life == ["begun"]
        history = handle.fetch_history().wait()
    assert plugged_workflows.life == ["begun", "over"]
    return history.to_json()


def test_a_plugin_changes_what_an_engine_is_made_of() -> None:
    """Its workflows, activities, codec, interceptors, runner and errors are there, and its context is around all."""
    document = tea("assam")
    assert b"EVENT_TYPE_TIMER_STARTED" in document, "the interceptor rests"
    assert b"YmluYXJ5L2VuY3J5cHRlZA==" in document, "base64 of binary/encrypted"
    assert b"EVENT_TYPE_WORKFLOW_EXECUTION_FAILED" in tea("coffee")


@pytest.mark.parametrize("kind", ["assam", "coffee"])
def test_a_replay_goes_by_the_plugin(kind: str) -> None:
    """It brings the workflow, too, so that no class has to be named."""
    document = tea(kind)
    plugged_workflows.life.clear()
    verdict = both_say(document, teatime, [])
    assert isinstance(verdict, Agrees)
    assert not verdict.warnings
    assert plugged_workflows.life == ["begun", "over"] * 2


def test_without_the_plugins_interceptor_the_code_diverges() -> None:
    """A plugin that is forgotten is found out."""
    document = tea("assam")

    def half() -> SimplePlugin:
        plugin = teatime()
        plugin.interceptors = None
        return plugin

    assert isinstance(both_say(document, half, []), Diverges)


def test_the_command_line_takes_a_plugin(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of what makes it."""
    monkeypatch.chdir(ROOT)
    path = tmp_path / "tea.json"
    path.write_bytes(tea("assam"))
    arguments = ["replay", str(path), "-w", "examples.temporal.orders", "--workflow-id", "w"]
    assert main([*arguments, "--plugin", "tests.replay.plugged_workflows:teatime"]) == 0


def test_what_an_engine_cannot_do_for_a_plugin_is_said() -> None:
    """There is no server that a client could talk to, and nexus services have nowhere to run."""

    class Talkative(SimplePlugin):
        def configure_worker(self, config: Any) -> Any:
            config["client"].start_workflow("Tea", "assam")
            return config

    with pytest.raises(AttributeError, match="asks its client for 'start_workflow', and an engine has no client"):
        Engine(plugins=[Talkative("talkative")])
    with pytest.raises(TypeError, match="brings nexus service handlers"):
        Engine(plugins=[SimplePlugin("nexus", nexus_service_handlers=[object()])])
    with pytest.raises(TypeError, match="Tea is no plugin of"):
        Engine(plugins=[Tea()])


def test_a_plugin_that_fails_to_begin_fails_the_engine() -> None:
    """Its error is raised where the engine is made, and nothing is left open."""

    class Broken(SimplePlugin):
        async def run_worker(self, worker: Any, next: Any) -> None:
            raise OSError("no tracing here")

    class Lazy(SimplePlugin):
        async def run_worker(self, worker: Any, next: Any) -> None:
            """Do not run it."""

    with pytest.raises(OSError, match="no tracing here"):
        Engine(plugins=[Broken("broken")])
    with pytest.raises(RuntimeError, match="does not run the worker"):
        Engine(plugins=[Lazy("lazy")])


def weather_plugin() -> Any:
    """Temporal's plugin, with a model that says what it was told to say."""
    from temporalio.openai_agents import (  # type: ignore[import-not-found,unused-ignore]
        ModelActivityParameters,
        OpenAIAgentsPlugin,
    )
    from temporalio.openai_agents.testing import (  # type: ignore[import-not-found,unused-ignore]
        ResponseBuilders,
        TestModel,
        TestModelProvider,
    )

    answers = [
        ResponseBuilders.tool_call('{"city": "Venice"}', "get_weather"),
        ResponseBuilders.output_message("It is sunny."),
    ]
    return OpenAIAgentsPlugin(
        model_params=ModelActivityParameters(start_to_close_timeout=timedelta(seconds=30)),
        model_provider=TestModelProvider(TestModel.returning_responses(answers)),
    )


def test_an_agent_runs_on_the_engine_and_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model call, a tool that is an activity, another model call; a change before them is found by both."""
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    pytest.importorskip("temporalio.openai_agents", reason="pip install temporalio-openai-agents, half a minute's work")
    from tests.replay.agent_workflows import LookingFirst, Weather, get_weather

    with Engine(workflows=[Weather], activities=[get_weather], plugins=[weather_plugin()]) as engine:
        handle = engine.start_workflow(Weather.run, "How is it in Venice?", id="w", task_queue="t").wait()
        assert handle.result().wait() == "It is sunny."
        history = handle.fetch_history().wait()
    asked = [event.attributes["activityType"]["name"] for event in history if event.KIND == "ACTIVITY_TASK_SCHEDULED"]
    assert asked == ["invoke_model_activity", "get_weather", "invoke_model_activity"]
    document = history.to_json()
    assert isinstance(both_say(document, weather_plugin, [Weather]), Agrees)
    verdict = both_say(document, weather_plugin, [LookingFirst])
    assert isinstance(verdict, Diverges)
    assert verdict.divergence.site is not None
    assert verdict.divergence.site.function == "LookingFirst.run"
