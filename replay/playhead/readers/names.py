"""What fields and event types are called elsewhere: in protobuf's own spelling, and in Cadence and early Temporal.

Temporal began as a fork of Cadence and renamed its nouns before 1.0 (decision task, task list, domain); histories from before
that are still around as test data. This module knows names only; values are the business of `spelling`.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NEW_NAMES = {
    "decisionTaskCompletedEventId": "workflowTaskCompletedEventId",
    "domain": "namespace",
    "executionStartToCloseTimeout": "workflowRunTimeout",
    "firstDecisionCompletedId": "firstWorkflowTaskCompletedId",
    "firstDecisionTaskBackoff": "firstWorkflowTaskBackoff",
    "nonRetriableErrorReasons": "nonRetryableErrorTypes",
    "parentWorkflowDomain": "parentWorkflowNamespace",
    "taskList": "taskQueue",
    "taskStartToCloseTimeout": "workflowTaskTimeout",
}

_WORD = re.compile(r"_([a-z0-9])")


@lru_cache(maxsize=4096)
def current_name(key: str) -> str:
    """Temporal's present JSON name of a field, whoever spelled it; a name that nobody knows comes back as it is.

    `task_queue`, `taskList` and `task_list` are all `taskQueue`; `startToFireTimeoutSeconds` is `startToFireTimeout`.
    """
    name = _WORD.sub(lambda found: found[1].upper(), key)
    name = name.removesuffix("Seconds").removesuffix("In") if name.endswith("Seconds") else name
    return _NEW_NAMES.get(name, name)


@lru_cache(maxsize=1024)
def event_sound(name: str) -> str:
    """What remains of an event type, or of an attributes key, when all ways to spell it are made equal.

    `EVENT_TYPE_WORKFLOW_TASK_STARTED`, `WorkflowTaskStarted`, `DecisionTaskStarted` and
    `decision_task_started_event_attributes` are all `workflowtaskstarted`.
    """
    plain = name.replace("_", "").lower().removeprefix("eventtype").removesuffix("eventattributes")
    return plain.replace("decisiontask", "workflowtask")
