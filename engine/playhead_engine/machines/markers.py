"""Reads and writes the markers of Temporal's core: patches and local activities.

Markers are events whose content only the SDK understands. This module knows their form; what they mean to a run is in
`patch`, `local_activity` and `matching`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from playhead_engine.history import HistoryEvent
from playhead_engine.messages import Failure, Json, Payload, part
from playhead_engine.profile import LATEST, Profile
from playhead_engine.record import record

PATCH_MARKER = "core_patch"
LOCAL_ACTIVITY_MARKER = "core_local_activity"
CHANGE_VERSION = "TemporalChangeVersion"
"""The search attribute that lists the patches a run has passed."""

_JSON_PLAIN = base64.b64encode(b"json/plain").decode()
_KEYWORD_LIST = base64.b64encode(b"KeywordList").decode()
_MAX_CHANGE_VERSION_BYTES = 2048


@record
class PatchMarker:
    """The content of a patch marker."""

    patch_id: str
    deprecated: bool


@record
class LocalActivityMarker:
    """The content of a local activity marker.

    Attributes:
        data: `seq`, `attempt`, `activity_id`, `activity_type`, `complete_time`, `backoff`, `original_schedule_time`
            and, in releases that group local activities, `activation_index`.
        result: What it returned, unless it failed.
        failure: How it failed.
    """

    data: Json
    result: Payload | None
    failure: Failure | None

    @property
    def seq(self) -> int:
        """Number of the local activity."""
        return int(self.data["seq"])


def json_payload(value: Any) -> Payload:
    """A value in the encoding that core uses for its own data."""
    return {"metadata": {"encoding": _JSON_PLAIN}, "data": base64.b64encode(orjson.dumps(value)).decode()}


def patch_marker(event: HistoryEvent) -> PatchMarker | None:
    """The patch a marker speaks of; None for other markers, and for one that cannot be read."""
    if event.KIND != "MARKER_RECORDED" or event.attributes.get("markerName") != PATCH_MARKER:
        return None
    details = part(event.attributes, "details")
    try:
        if "patch-data" in details:
            if part(details["patch-data"]["payloads"][0], "metadata").get("encoding") != _JSON_PLAIN:
                return None  # encrypted, most likely
            data = orjson.loads(_first(details["patch-data"]))
            patch_id, deprecated = data["id"], data["deprecated"]
            if isinstance(patch_id, str) and isinstance(deprecated, bool):
                return PatchMarker(patch_id, deprecated)
            return None
        # Written so before core had JSON details.
        return PatchMarker(_first(details["patch_id"]).decode(), _first(details["deprecated"])[0] != 0)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None


def is_local_activity_marker(event: HistoryEvent) -> bool:
    """Whether it is the marker of a local activity, readable or not."""
    return event.KIND == "MARKER_RECORDED" and event.attributes.get("markerName") == LOCAL_ACTIVITY_MARKER


def local_activity_marker(event: HistoryEvent, profile: Profile = LATEST) -> LocalActivityMarker | None:
    """The local activity a marker speaks of, as far as a release knows how to read it; None if it does not."""
    attributes = event.attributes
    details = part(attributes, "details")
    try:
        data = orjson.loads(_first(details["data"]))
        if not profile.groups_local_activities:
            data.pop("activation_index", None)
        if not _is_local_activity_data(data):
            return None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None
    failure = attributes.get("failure")
    results = part(details, "result").get("payloads") or []
    result: Payload | None = None
    if failure is None:
        result = results[-1] if results else {}
    return LocalActivityMarker(data, result, failure)


def patch_marker_attributes(patch_id: str, deprecated: bool) -> Json:
    """Attributes of the MarkerRecorded event for a patch."""
    data = json_payload({"id": patch_id, "deprecated": deprecated})
    return {"markerName": PATCH_MARKER, "details": {"patch-data": {"payloads": [data]}}}


def local_activity_marker_attributes(marker: LocalActivityMarker) -> Json:
    """Attributes of the MarkerRecorded event for a local activity."""
    details: Json = {"data": {"payloads": [json_payload(marker.data)]}}
    if marker.failure is None and marker.result is not None:
        details["result"] = {"payloads": [marker.result]}
    attributes: Json = {"markerName": LOCAL_ACTIVITY_MARKER, "details": details}
    if marker.failure is not None:
        attributes["failure"] = marker.failure
    return attributes


def change_version_attributes(patch_ids: list[str]) -> Json | None:
    """Attributes of the upsert that lists the patches of a run; None where the list has become too long to keep."""
    encoded = orjson.dumps(sorted(patch_ids))
    if len(encoded) >= _MAX_CHANGE_VERSION_BYTES:
        return None
    payload: Payload = {
        "metadata": {"encoding": _JSON_PLAIN, "type": _KEYWORD_LIST},
        "data": base64.b64encode(encoded).decode(),
    }
    return {"searchAttributes": {"indexedFields": {CHANGE_VERSION: payload}}}


def upserts_change_version(event: HistoryEvent) -> bool:
    """Whether an event is the upsert that core adds to a patch marker."""
    fields = part(part(event.attributes, "searchAttributes"), "indexedFields")
    return event.KIND == "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES" and CHANGE_VERSION in fields


def _is_local_activity_data(data: Json) -> bool:
    """Whether it is what core writes. Core itself refuses anything else, and so do those who compute with it."""
    return (
        _is_number(data["seq"], 32)
        and _is_number(data["attempt"], 32)
        and isinstance(data["activity_id"], str)
        and isinstance(data["activity_type"], str)
        and all(_is_time(data[key]) for key in ("complete_time", "backoff", "original_schedule_time"))
        and (data.get("activation_index") is None or _is_number(data["activation_index"], 64))
    )


def _is_number(value: Any, bits: int) -> bool:
    return type(value) is int and 0 <= value < 1 << bits


def _is_time(value: Json | None) -> bool:
    return value is None or (type(value["seconds"]) is int and type(value["nanos"]) is int)


def _first(payloads: Json) -> bytes:
    try:
        return base64.b64decode(payloads["payloads"][0].get("data", ""))
    except binascii.Error as error:
        raise ValueError(str(error)) from error
