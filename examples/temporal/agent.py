"""An agent that answers prompts with tools, and lives for ever in short runs.

Shows continue-as-new: after a few turns the run hands its conversation to a fresh one, so that no history grows without
bound. Prompts come as signals; those that no turn has taken yet move on with the conversation.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow

PATIENCE = timedelta(seconds=30)


@dataclass
class Conversation:
    """Everything the next run has to know."""

    prompts: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)
    finished: bool = False
    turns_per_run: int = 5


@dataclass
class ToolCall:
    """One tool and what to feed it."""

    tool: str
    argument: str


@activity.defn
async def think(prompt: str) -> list[ToolCall]:
    """Stand in for a model: one tool call for each part of the prompt that is joined by "and"."""
    parts = [part.strip() for part in prompt.split(" and ")]
    return [ToolCall("count" if part.startswith("how many") else "look_up", part) for part in parts]


@activity.defn
async def look_up(argument: str) -> str:
    """Stand in for a search."""
    return f"found something on {argument!r}"


@activity.defn
async def count(argument: str) -> str:
    """Stand in for a calculation."""
    return f"counted {len(argument.split())} words"


@workflow.defn
class Agent:
    """One conversation, over as many runs as it takes."""

    @workflow.init
    def __init__(self, conversation: Conversation) -> None:
        """Take the conversation over before the first signal of this run is delivered."""
        self.conversation = conversation

    @workflow.run
    async def run(self, conversation: Conversation) -> list[str]:
        """Answer prompts until told to stop; after some turns go on as a new run."""
        turns = 0
        while True:
            await workflow.wait_condition(lambda: bool(conversation.prompts) or conversation.finished)
            if not conversation.prompts:
                return conversation.transcript
            await self.turn(conversation.prompts.pop(0))
            turns += 1
            if turns == conversation.turns_per_run or workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(conversation)

    async def turn(self, prompt: str) -> None:
        """Let the model choose the tools, and call each by its name."""
        answers = [
            await workflow.execute_activity(call.tool, call.argument, result_type=str, start_to_close_timeout=PATIENCE)
            for call in await workflow.execute_activity(think, prompt, start_to_close_timeout=PATIENCE)
        ]
        self.conversation.transcript.append(f"{prompt}: {'; '.join(answers)}")

    @workflow.signal
    def prompt(self, text: str) -> None:
        """Ask something."""
        self.conversation.prompts.append(text)

    @workflow.signal
    def finish(self) -> None:
        """Stop as soon as every prompt is answered."""
        self.conversation.finished = True

    @workflow.query
    def transcript(self) -> list[str]:
        """Tell what was said so far."""
        return self.conversation.transcript
