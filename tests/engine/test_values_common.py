"""Policies, priorities, versions and search attributes, held against Temporal's own SDK."""

from __future__ import annotations

import enum
import importlib
import inspect
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import temporalio.api.common.v1 as api
import temporalio.common
import temporalio.converter
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given
from hypothesis import strategies as st

from playhead_engine import common, messages
from playhead_engine.common import (
    AutoUpgradeVersioningOverride,
    OneTimeVersioningOverride,
    PinnedVersioningOverride,
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkerDeploymentVersion,
)
from playhead_engine.search_attributes import (
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attribute_updates,
    encode_search_attribute_value,
    encode_search_attributes,
)

intervals = st.timedeltas(timedelta(seconds=-2), timedelta(days=400))
policies = st.fixed_dictionaries(
    {},
    optional={
        "initial_interval": intervals,
        "backoff_coefficient": st.floats(0.5, 100) | st.integers(1, 5),
        "maximum_interval": st.none() | intervals,
        "maximum_attempts": st.integers(-1, 5),
        "non_retryable_error_types": st.none() | st.lists(st.text(max_size=4), max_size=2),
    },
)


@given(policies)
def test_a_retry_policy_is_recorded_as_temporal_records_it(options: dict[str, Any]) -> None:
    """A retry policy becomes the JSON of Temporal's, is refused where Temporal refuses it, and comes back."""
    theirs = api.RetryPolicy()
    try:
        temporalio.common.RetryPolicy(**options).apply_to_proto(theirs)
    except ValueError:
        with pytest.raises(ValueError, match="of a retry policy must"):
            RetryPolicy(**options).to_json()
        return
    message = RetryPolicy(**options).to_json()
    assert message == MessageToDict(theirs)
    decoded = vars(RetryPolicy.from_json(message))
    assert decoded == vars(temporalio.common.RetryPolicy.from_proto(theirs))


def test_the_default_retry_policy_waits_a_second_and_twice_as_long_each_time() -> None:
    """The default policy waits 1 s, then twice as long each time, up to 100 s, for ever."""
    message = RetryPolicy().to_json()
    assert message == {"initialInterval": "1s", "backoffCoefficient": 2.0, "maximumInterval": "100s"}
    assert RetryPolicy.from_json({}) == RetryPolicy(timedelta(0), 0.0)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            RetryPolicy(initial_interval=timedelta(-1)),
            "initial_interval of a retry policy must not be negative, got -1",
        ),
        (RetryPolicy(backoff_coefficient=0.5), "backoff_coefficient of a retry policy must be 1 or more, got 0.5"),
        (
            RetryPolicy(maximum_interval=timedelta(milliseconds=1)),
            "less than its initial_interval of 0:00:01, got 0:00:00",
        ),
        (RetryPolicy(maximum_attempts=-1), "maximum_attempts of a retry policy must not be negative, got -1"),
    ],
)
def test_a_senseless_retry_policy_is_refused_with_the_field_and_its_value(policy: RetryPolicy, message: str) -> None:
    """A policy that makes no sense is refused with the field, what it must be, and what it is."""
    with pytest.raises(ValueError, match=message):
        policy.to_json()


@given(st.none() | st.integers(1, 9), st.none() | st.text(max_size=3), st.none() | st.floats(0, 1000, width=32))
def test_a_priority_is_recorded_as_temporal_records_it(
    key: int | None, fairness_key: str | None, weight: float | None
) -> None:
    """A priority becomes the JSON of Temporal's and comes back."""
    priority = Priority(key, fairness_key, weight)
    theirs = temporalio.common.Priority(key, fairness_key, weight)._to_proto()
    assert ParseDict(priority.to_json(), api.Priority()) == theirs
    assert vars(Priority.from_json(priority.to_json())) == vars(temporalio.common.Priority._from_proto(theirs))
    assert Priority.default.to_json() == {}


def test_a_priority_that_is_none_is_refused() -> None:
    """A priority key of zero, or one that is no integer, is refused with what came."""
    with pytest.raises(ValueError, match="must be 1 or more, got 0"):
        Priority(priority_key=0)
    with pytest.raises(TypeError, match="must be an integer, got str: 'high'"):
        Priority(priority_key=cast(int, "high"))


@pytest.mark.parametrize(
    "name", ["PinnedVersioningOverride", "AutoUpgradeVersioningOverride", "OneTimeVersioningOverride"]
)
def test_a_versioning_override_is_recorded_as_temporal_records_it(name: str) -> None:
    """Each versioning override becomes the JSON of Temporal's."""
    version = WorkerDeploymentVersion("deploy", "build.1")
    their_version = temporalio.common.WorkerDeploymentVersion("deploy", "build.1")
    takes_version = name != "AutoUpgradeVersioningOverride"
    ours: Any = getattr(common, name)(*[version] * takes_version)
    theirs: Any = getattr(temporalio.common, name)(*[their_version] * takes_version)
    assert ours.to_json() == MessageToDict(theirs._to_proto())
    assert {PinnedVersioningOverride, AutoUpgradeVersioningOverride, OneTimeVersioningOverride} >= {type(ours)}


def test_a_version_goes_through_its_canonical_string() -> None:
    """A worker version is written as deployment.build and read back, with dots in the build."""
    version = WorkerDeploymentVersion("deploy", "build.1")
    assert WorkerDeploymentVersion.from_canonical_string(version.to_canonical_string()) == version
    with pytest.raises(ValueError, match=r"expected <deployment name>.<build id>, got 'nodot'"):
        WorkerDeploymentVersion.from_canonical_string("nodot")


# Search attributes.

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(),
    "keyword": st.text(),
    "int": st.integers(),
    "float": st.floats(allow_nan=False) | st.integers(-9, 9).map(float),
    "bool": st.booleans(),
    "datetime": st.datetimes(timezones=st.just(UTC)),
    "keyword_list": st.lists(st.text(), max_size=3),
}
attributes = st.dictionaries(
    st.text(min_size=1, max_size=4),
    st.sampled_from(list(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), KINDS[kind])),
    max_size=4,
)


def pairs(module: Any, drawn: dict[str, tuple[str, Any]]) -> Any:
    return module.TypedSearchAttributes(
        [
            module.SearchAttributePair(getattr(module.SearchAttributeKey, f"for_{kind}")(name), value)
            for name, (kind, value) in drawn.items()
        ]
    )


@given(attributes)
def test_search_attributes_are_recorded_as_temporal_records_them(drawn: dict[str, tuple[str, Any]]) -> None:
    """Typed search attributes become the JSON of Temporal's, and come back equal, sorted by name."""
    ours: TypedSearchAttributes = pairs(common, drawn)
    theirs = api.SearchAttributes()
    temporalio.converter.encode_search_attributes(pairs(temporalio.common, drawn), theirs)
    fields = encode_search_attributes(ours)
    assert {"indexedFields": fields} == MessageToDict(theirs) or not drawn
    assert decode_typed_search_attributes(fields) == ours
    assert [pair.key.name for pair in ours] == sorted(drawn)
    assert decode_search_attributes(fields) == temporalio.converter.decode_search_attributes(theirs)


metadata_types = st.sampled_from(
    [
        "Text",
        "Keyword",
        "Int",
        "Double",
        "Bool",
        "Datetime",
        "KeywordList",
        "INDEXED_VALUE_TYPE_KEYWORD_LIST",
        "New",
        None,
    ]
)
recorded = st.none() | st.integers() | st.text(max_size=3) | st.just("2024-05-01T10:00:00.123456789Z") | st.booleans()


@given(
    st.dictionaries(
        st.text(max_size=3), st.tuples(metadata_types, recorded | st.lists(recorded, max_size=2)), max_size=3
    )
)
def test_recorded_search_attributes_are_read_as_temporal_reads_them(drawn: dict[str, tuple[str | None, Any]]) -> None:
    """Whatever types and values were recorded, the typed attributes are those that Temporal's SDK reads."""
    theirs = api.SearchAttributes()
    for name, (kind, value) in drawn.items():
        payload = temporalio.converter.PayloadConverter.default.to_payload(value)
        if kind is not None:
            payload.metadata["type"] = kind.encode()
        theirs.indexed_fields[name].CopyFrom(payload)
    fields = cast(dict[str, messages.Payload], MessageToDict(theirs).get("indexedFields", {}))

    def shown(decode: Any, of: Any) -> Any:
        try:
            return [(pair.key.name, int(pair.key.indexed_value_type), pair.value) for pair in decode(of)]
        except (TypeError, ValueError):
            return "refused"

    assert shown(decode_typed_search_attributes, fields) == shown(
        temporalio.converter.decode_typed_search_attributes, theirs
    )


def test_search_attributes_are_looked_up_by_name_and_type() -> None:
    """A search attribute is found by its whole key, and a set of them is updated by name."""
    size, color = SearchAttributeKey.for_int("size"), SearchAttributeKey.for_keyword("color")
    held = TypedSearchAttributes([SearchAttributePair(size, 5), SearchAttributePair(color, "red")])
    assert (len(held), held[size], held.get(color)) == (2, 5, "red")
    assert held.__contains__(size)
    other = SearchAttributeKey.for_text("color")
    assert not held.__contains__(other)
    assert (held.get(other), held.get(other, "none")) == (None, "none")
    with pytest.raises(KeyError, match="color"):
        _ = held[other]
    assert list(held.updated(SearchAttributePair(size, 6))) == [(color, "red"), (size, 6)]
    assert list(TypedSearchAttributes.empty.updated(SearchAttributePair(size, 6))) == [(size, 6)]
    with pytest.raises(ValueError, match="search attribute size is given twice"):
        TypedSearchAttributes([SearchAttributePair(size, 5), SearchAttributePair(size, 6)])
    assert pickle.loads(pickle.dumps(held)) == held


def test_updates_of_search_attributes_set_and_remove() -> None:
    """An update that removes an attribute is recorded as null without a type."""
    size, color = SearchAttributeKey.for_int("size"), SearchAttributeKey.for_keyword("color")
    fields = encode_search_attribute_updates([size.value_set(5), color.value_unset()])
    assert fields == {
        "size": encode_search_attribute_value(size, 5),
        "color": {"metadata": {"encoding": "YmluYXJ5L251bGw="}},
    }


@pytest.mark.parametrize(
    ("encode", "error", "message"),
    [
        (
            lambda: encode_search_attribute_value(SearchAttributeKey.for_int("size"), cast(int, "5")),
            TypeError,
            "search attribute size is of type Int, got str: '5'",
        ),
        (
            lambda: encode_search_attribute_value(SearchAttributeKey.for_keyword_list("tags"), cast(Any, [1])),
            TypeError,
            "search attribute tags is a list of strings, got int: 1",
        ),
        (
            lambda: encode_search_attribute_value(SearchAttributeKey.for_datetime("due"), datetime(2024, 5, 1)),
            ValueError,
            "search attribute due needs a time with a time zone, got 2024-05-01T00:00:00",
        ),
        (lambda: encode_search_attributes({"a": cast(Any, "x")}), TypeError, "a needs a list of values, got str: 'x'"),
        (lambda: encode_search_attributes({"a": cast(Any, [b"x"])}), TypeError, "takes str, int, float, .* got bytes"),
        (lambda: encode_search_attributes({"a": cast(Any, [1, "x"])}), TypeError, "one type, got int and str"),
    ],
)
def test_a_search_attribute_of_the_wrong_type_is_refused_by_name(encode: Any, error: type, message: str) -> None:
    """A value that does not suit its search attribute is refused with the name, the type and the value."""
    with pytest.raises(error, match=message):
        encode()


def test_untyped_search_attributes_are_recorded_as_temporal_records_them() -> None:
    """The old form, a list of values for each name, becomes the JSON of Temporal's."""
    untyped: Any = {"a": ["x", "y"], "b": [1], "c": [datetime(2024, 5, 1, tzinfo=UTC)], "d": [True], "e": []}
    theirs = api.SearchAttributes()
    temporalio.converter.encode_search_attributes(untyped, theirs)
    assert {"indexedFields": encode_search_attributes(untyped)} == MessageToDict(theirs)


@pytest.mark.parametrize("module", ["common", "exceptions", "converter"])
def test_the_names_are_those_of_temporal(module: str) -> None:
    """Every public class here that Temporal's SDK has by the same name has the same public attributes."""
    ours = importlib.import_module(f"playhead_engine.{module}")
    theirs = importlib.import_module(f"temporalio.{module}")
    compared = 0
    for name in ours.__all__ if hasattr(ours, "__all__") else vars(ours):
        our, their = getattr(ours, name), getattr(theirs, name, None)
        if isinstance(our, type) and isinstance(their, type) and our.__module__.startswith("playhead"):
            compared += 1
            made_by_hand = inspect.isfunction(getattr(our, "__init__", None)) and not issubclass(our, enum.Enum)
            parameters = set(inspect.signature(our).parameters) if made_by_hand else set()
            if made_by_hand:
                assert parameters >= set(inspect.signature(their).parameters) - NOT_OURS, name
            missing = {attribute for attribute in dir(their) if not attribute.startswith("_")} - set(dir(our))
            assert missing <= parameters | NOT_OURS, name
    assert compared > 10


# What speaks of protobuf, of storage outside of the history, or only of the SDK's own business.
NOT_OURS = {
    "from_proto",
    "apply_to_proto",
    "encode_failure",
    "decode_failure",
    "encode_wrapper",
    "decode_wrapper",
    "external_storage",
    "get_converters_with_context",
}
