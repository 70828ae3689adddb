"""An agent of OpenAI's SDK in a workflow, as Temporal's integration has it, and a careless change of it."""

from __future__ import annotations

from datetime import timedelta

from agents import Agent, Runner  # type: ignore[import-not-found,unused-ignore]
from temporalio import activity, workflow
from temporalio.openai_agents.workflow import activity_as_tool  # type: ignore[import-not-found,unused-ignore]

SOON = timedelta(seconds=10)


@activity.defn
async def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


@workflow.defn(name="Weather")
class Weather:
    """Asks an agent that has a tool."""

    @workflow.run
    async def run(self, question: str) -> str:
        """Ask."""
        tools = [activity_as_tool(get_weather, start_to_close_timeout=SOON)]
        agent = Agent(name="Meteorologist", instructions="Answer.", tools=tools)
        result = await Runner.run(agent, input=question)
        return str(result.final_output)


@workflow.defn(name="Weather")
class LookingFirst:
    """Changed: it looks out of the window before it asks."""

    @workflow.run
    async def run(self, question: str) -> str:
        """Look, then ask."""
        await workflow.execute_activity(get_weather, "here", start_to_close_timeout=SOON)
        result = await Runner.run(Agent(name="Meteorologist", instructions="Answer."), input=question)
        return str(result.final_output)
