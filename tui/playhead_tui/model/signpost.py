"""A signpost to a line that ran, which is still right when the code has been edited and the run replayed anew.

Lines move when code is edited, so a line is known by its text, the function it is in, and how often it had run before
in its workflow task.
"""

from __future__ import annotations

from playhead.timeline.steps import Step
from playhead_engine.record import record
from playhead_tui.model.place import Place
from playhead_tui.model.run import Run
from playhead_tui.model.sources import Sources


@record
class Signpost:
    """See the module.

    Attributes:
        task: Number of the workflow task.
        file: The file.
        function: Qualified name of the function.
        line: The number that the line had.
        text: The line.
        hit: For which time it ran in the task, from 1.
    """

    task: int
    file: str
    function: str
    line: int
    text: str
    hit: int


def signpost_to(place: Place, run: Run, sources: Sources) -> Signpost | None:
    """A signpost to a place; None where it is at an event, which is easily found again."""
    step = run.step(place)
    if step is None:
        return None
    before = [one for one in run.steps.of_task(step.task) if one.number <= step.number]
    text = sources.text(step.site)
    hit = sum(1 for one in before if one.site.function == step.site.function and sources.text(one.site) == text)
    return Signpost(step.task, step.site.file, step.site.function, step.site.line, text, hit)


def follow(signpost: Signpost, run: Run, sources: Sources) -> Place | None:
    """Where a signpost leads in a run that was replayed anew: to the same line, or the nearest one of its function.

    Returns:
        None if nothing of the function runs there any more.
    """
    steps = [step for step in run.steps.of_task(signpost.task) if step.site.function == signpost.function]
    steps = [step for step in steps if step.site.file == signpost.file]
    if not steps:
        return None
    same = [step for step in steps if sources.text(step.site) == signpost.text]
    if same:
        return run.place_of(same[min(signpost.hit, len(same)) - 1])

    def distance(step: Step) -> int:
        return abs(step.site.line - signpost.line)

    return run.place_of(min(steps, key=distance))
