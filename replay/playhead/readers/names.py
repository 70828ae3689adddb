"""What fields and event types are called elsewhere: in protobuf's own spelling, and in Cadence and early Temporal.

Temporal began as a fork of Cadence and renamed its nouns before 1.0 (decision task, task list, domain); histories from
before that are still around as test data. This module knows names only; values are the business of `spelling`.
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

_WORD = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")


_LONGEST_NAME = 100
"""Characters. No field has a longer name, and caches must not keep the megabytes of a hostile one."""


def current_name(key: str) -> str:
    """Temporal's present JSON name of a field, whoever spelled it; a name that nobody knows comes back as it is.

    `task_queue`, `taskList` and `task_list` are all `taskQueue`; `startToFireTimeoutSeconds` is `startToFireTimeout`.
    """
    return _current_name(key) if len(key) <= _LONGEST_NAME else key


def holds_attributes(key: str) -> bool:
    """Whether what is special to an event is under this key."""
    return key.endswith(("EventAttributes", "_event_attributes"))


def camel_case(key: str) -> str:
    """The JSON name of a field that protobuf would spell like this."""
    return _WORD.sub(lambda found: found[1].upper(), key)


def event_sound(name: str) -> str:
    """What remains of an event type, or of an attributes key, when all ways to spell it are made equal.

    `EVENT_TYPE_WORKFLOW_TASK_STARTED`, `WorkflowTaskStarted`, `DecisionTaskStarted` and
    `decision_task_started_event_attributes` are all `workflowtaskstarted`.
    """
    return _event_sound(name) if len(name) <= _LONGEST_NAME else name


@lru_cache(maxsize=4096)
def _current_name(key: str) -> str:
    name = camel_case(key)
    name = name.removesuffix("Seconds").removesuffix("In") if name.endswith("Seconds") else name
    return _NEW_NAMES.get(name, name)


@lru_cache(maxsize=1024)
def _event_sound(name: str) -> str:
    plain = name.replace("_", "").lower().removeprefix("eventtype").removesuffix("eventattributes")
    return plain.replace("decisiontask", "workflowtask")
