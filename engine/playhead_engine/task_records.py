"""What completed workflow tasks recorded about themselves: flags, SDK version, deployment.

A task's record holds during the task already, so it is read ahead. This module must not decide what a flag means.
"""

from __future__ import annotations

from playhead_engine.activation import Deployment
from playhead_engine.messages import Json, part

_DEPLOYMENT = frozenset({"workerVersion", "workerDeploymentName", "workerDeploymentVersion", "deploymentVersion"})


class TaskRecords:
    """Everything learnt from the WorkflowTaskCompleted events so far.

    Attributes:
        core_flags: Flags of Temporal's core; what they mean is in `machines.machine`.
        lang_flags: Flags of the SDK, sorted.
        sdk_version: Version of the SDK; empty if unknown.
        deployment: The last worker deployment version that completed a task.
    """

    def __init__(self) -> None:
        self.core_flags: set[int] = set()
        self.lang_flags: tuple[int, ...] = ()
        self.sdk_version = ""
        self.deployment: Deployment | None = None

    def note_flags(self, attributes: Json) -> None:
        """Learn the flags and the SDK version of a completed task."""
        metadata = attributes.get("sdkMetadata")
        if metadata:
            self.core_flags.update(int(flag) for flag in metadata.get("coreUsedFlags", ()))
            self.lang_flags = tuple(sorted({*self.lang_flags, *map(int, metadata.get("langUsedFlags", ()))}))
            self.sdk_version = str(metadata.get("sdkVersion") or self.sdk_version)

    def note(self, attributes: Json) -> None:
        """Learn everything from a completed task."""
        self.note_flags(attributes)
        if _DEPLOYMENT.isdisjoint(attributes):
            return
        name = build_id = ""
        if "workerVersion" in attributes:
            build_id = str(part(attributes, "workerVersion").get("buildId", ""))
        if "workerDeploymentName" in attributes:
            name = str(attributes["workerDeploymentName"])
        version = str(attributes.get("workerDeploymentVersion", ""))
        if "." in version:
            name, build_id = version.split(".", 1)
        deployment = attributes.get("deploymentVersion")
        if deployment is not None:  # even if empty: then none of the older fields counts
            name, build_id = str(deployment.get("deploymentName", "")), str(deployment.get("buildId", ""))
        if name or build_id:
            self.deployment = Deployment(name, build_id)
