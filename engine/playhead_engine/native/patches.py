"""Patches: how code that has changed tells old runs from new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playhead_engine.commands import SetPatchMarker
from playhead_engine.native.site import asking_line

if TYPE_CHECKING:
    from playhead_engine.native.run import Run


def patched(run: Run, patch_id: str, *, deprecated: bool) -> bool:
    """Whether to take the new path, remembered with a marker if so.

    What was answered first is answered for the rest of the run, even if a marker shows up later.

    Args:
        run: The run.
        patch_id: Names the change.
        deprecated: Whether the old path is gone from the code.
    """
    run.check_may("patch")
    answer = run.patches.get(patch_id)
    if answer is None:
        answer = not run.activation.is_replaying or patch_id in run.patches_notified
        run.patches[patch_id] = answer
        if answer:
            run.ask(SetPatchMarker(patch_id, deprecated, asking_line(2)))
    return answer
