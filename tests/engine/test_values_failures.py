"""Errors to failures and back, held against the failure converter of Temporal's own SDK."""

from __future__ import annotations

import pickle
import re
from datetime import timedelta
from typing import Any, cast

import pytest
import temporalio.converter
import temporalio.exceptions
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.failure.v1 import Failure as TheirFailure

from playhead_engine import exceptions, messages
from playhead_engine.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureMessage,
    Payload,
    PayloadConverter,
)

OURS = DataConverter.default
HIDING = DataConverter(failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
THEIRS = temporalio.converter.DataConverter.default
THEIRS_HIDING = temporalio.converter.DataConverter(
    failure_converter_class=temporalio.converter.DefaultFailureConverterWithEncodedAttributes
)

FIELDS = (
    "message",
    "details",
    "type",
    "non_retryable",
    "next_retry_delay",
    "category",
    "last_heartbeat_details",
    "scheduled_event_id",
    "started_event_id",
    "initiated_event_id",
    "identity",
    "activity_type",
    "activity_id",
    "retry_state",
    "namespace",
    "workflow_id",
    "run_id",
    "workflow_type",
    "endpoint",
    "service",
    "operation",
    "operation_token",
)

names = st.text(max_size=6)
event_ids = st.integers(0, 2**40)
detail_values = (
    st.none() | st.integers() | st.text(max_size=4) | st.lists(st.integers(), max_size=2) | st.binary(max_size=3)
)
details = st.lists(detail_values, max_size=2).map(tuple)
retry_states = st.none() | st.sampled_from([state.name for state in exceptions.RetryState])

errors = st.one_of(
    st.tuples(
        st.just("ApplicationError"),
        details,
        st.fixed_dictionaries(
            {"type": st.none() | names, "non_retryable": st.booleans()},
            optional={
                "next_retry_delay": st.none() | st.timedeltas(timedelta(0), timedelta(days=9)),
                "category": st.sampled_from([0, 1]),
            },
        ),
    ),
    st.tuples(st.just("CancelledError"), details, st.just({})),
    st.tuples(st.just("TerminatedError"), details, st.just({})),
    st.tuples(st.just("ServerError"), st.just(()), st.fixed_dictionaries({"non_retryable": st.booleans()})),
    st.tuples(
        st.just("TimeoutError"),
        st.just(()),
        st.fixed_dictionaries(
            {
                "type": st.none() | st.sampled_from([kind.name for kind in exceptions.TimeoutType]),
                "last_heartbeat_details": details,
            }
        ),
    ),
    st.tuples(
        st.just("ActivityError"),
        st.just(()),
        st.fixed_dictionaries(
            {
                "scheduled_event_id": event_ids,
                "started_event_id": event_ids,
                "identity": names,
                "activity_type": names,
                "activity_id": names,
                "retry_state": retry_states,
            }
        ),
    ),
    st.tuples(
        st.just("ChildWorkflowError"),
        st.just(()),
        st.fixed_dictionaries(
            {
                "namespace": names,
                "workflow_id": names,
                "run_id": names,
                "workflow_type": names,
                "initiated_event_id": event_ids,
                "started_event_id": event_ids,
                "retry_state": retry_states,
            }
        ),
    ),
    st.tuples(
        st.just("NexusOperationError"),
        st.just(()),
        st.fixed_dictionaries(
            {
                "scheduled_event_id": event_ids,
                "endpoint": names,
                "service": names,
                "operation": names,
                "operation_token": names,
            }
        ),
    ),
    st.tuples(st.just("FailureError"), st.just(()), st.just({})),
    st.tuples(st.just("ValueError"), st.just(()), st.just({})),
)
chains = st.lists(st.tuples(errors, names, st.sampled_from(["cause", "context", "hidden"])), min_size=1, max_size=4)


def chain(module: Any, links: list[Any]) -> BaseException:
    """The exception that a chain of links says, of one SDK's classes; the first link is the outermost."""
    error: BaseException | None = None
    for (kind, values, fields), message, relation in reversed(links):
        arguments = dict(fields)
        if arguments.get("type") and kind == "TimeoutError":
            arguments["type"] = module.TimeoutType[arguments["type"]]
        if arguments.get("retry_state"):
            arguments["retry_state"] = module.RetryState[arguments["retry_state"]]
        if "category" in arguments:
            arguments["category"] = module.ApplicationErrorCategory(arguments["category"])
        outer = (ValueError if kind == "ValueError" else getattr(module, kind))(message, *values, **arguments)
        if relation == "cause":
            outer.__cause__ = error
        else:
            outer.__context__ = error
            outer.__suppress_context__ = relation == "hidden"
        error = outer
    assert error is not None
    return error


def their_failure(error: BaseException, converter: temporalio.converter.DataConverter = THEIRS) -> messages.Failure:
    failure = TheirFailure()
    converter.failure_converter.to_failure(error, converter.payload_converter, failure)
    return cast(messages.Failure, MessageToDict(failure))


@given(chains)
def test_a_chain_of_errors_becomes_the_failure_that_temporal_writes(links: list[Any]) -> None:
    """A chain of errors, linked by cause or context, becomes the JSON of Temporal's failure for it."""
    assert OURS.encode_failure(chain(exceptions, links)) == their_failure(chain(temporalio.exceptions, links))
    hidden = HIDING.encode_failure(chain(exceptions, links))
    assert hidden == their_failure(chain(temporalio.exceptions, links), THEIRS_HIDING)


def fields(error: BaseException) -> list[tuple[str, dict[str, Any]]]:
    """Class and fields of an error and of its causes."""
    described: list[tuple[str, dict[str, Any]]] = []
    while error is not None:
        values = {name: getattr(error, name) for name in FIELDS if hasattr(error, name)}
        values = {name: list(value) if name.endswith("details") else value for name, value in values.items()}
        described.append((type(error).__name__, {**values, "args": error.args, "str": str(error)}))
        error = cast(BaseException, error.__cause__)
    return described


@given(chains)
def test_a_failure_becomes_the_errors_that_temporal_reads(links: list[Any]) -> None:
    """A failure becomes errors of the same names with the same fields as Temporal's SDK makes of it."""
    for converter in (OURS, HIDING):
        failure = converter.encode_failure(chain(exceptions, links))
        theirs = ParseDict(dict(failure), TheirFailure())
        decoded = converter.decode_failure(failure)
        expected = THEIRS.failure_converter.from_failure(theirs, THEIRS.payload_converter)
        assert fields(decoded) == fields(expected)
        # What was decoded is sent on as it came.
        sent_on = MessageToDict(cast(temporalio.exceptions.FailureError, expected).failure)  # type: ignore[arg-type]
        assert OURS.encode_failure(decoded) == sent_on


@given(chains)
def test_an_error_survives_pickling(links: list[Any]) -> None:
    """An error comes out of pickle with its class, its fields and its causes, decoded or not."""
    error = chain(exceptions, links)
    decoded = OURS.decode_failure(OURS.encode_failure(error))
    assert fields(pickle.loads(pickle.dumps(decoded))) == fields(decoded)
    if isinstance(error, exceptions.FailureError):
        copy = pickle.loads(pickle.dumps(error))
        assert fields(copy)[0] == fields(error)[0]
        assert copy.__suppress_context__ == error.__suppress_context__


class PaymentRefused(exceptions.ApplicationError):
    """A user's error, with a constructor of its own."""

    def __init__(self, amount: int, *, card: str) -> None:
        super().__init__(f"{amount} refused", {"card": card}, type="PaymentRefused", non_retryable=True)
        self.amount = amount


def test_an_error_class_of_the_user_survives_pickling() -> None:
    """An error of the user's own class, with another constructor, keeps everything in pickle."""
    copy = pickle.loads(pickle.dumps(PaymentRefused(5, card="x")))
    assert type(copy) is PaymentRefused
    assert (copy.amount, copy.details, copy.type) == (5, ({"card": "x"},), "PaymentRefused")


@pytest.mark.parametrize(
    "error",
    [
        exceptions.WorkflowAlreadyStartedError("id", "Type", run_id="run"),
        exceptions.ActivityAlreadyStartedError("id", "type", run_id="run"),
        exceptions.NexusOperationAlreadyStartedError("id", run_id="run"),
        exceptions.InvalidVersioningOverrideError(),
        exceptions.NexusHandlerError("no", type="NOT_FOUND", retryable_override=False),
    ],
)
def test_errors_of_starting_keep_their_fields(error: exceptions.FailureError) -> None:
    """Errors that tell of something already started keep their fields in pickle, and have Temporal's message."""
    copy = pickle.loads(pickle.dumps(error))
    assert vars(copy) == vars(error)
    theirs = getattr(temporalio.exceptions, type(error).__name__, None)
    if theirs is not None:
        arguments = {name: value for name, value in vars(error).items() if not name.startswith("_")}
        arguments.pop("first_run_id", None)
        assert str(theirs(**arguments)) == str(error)


def raised() -> BaseException:
    """An error that was really raised, while another was handled, from yet another."""
    try:
        try:
            try:
                raise KeyError("inner")
            except KeyError as inner:
                raise ValueError("middle") from inner
        except ValueError:
            raise exceptions.ApplicationError("outer", 1) from None
    except exceptions.ApplicationError as outer:
        return outer


def test_the_stack_of_a_raised_error_is_recorded_for_each_of_its_causes() -> None:
    """A raised error is recorded with the lines it passed, and so is each cause; a suppressed one is left out."""
    error = raised()
    failure = OURS.encode_failure(error)
    assert "cause" not in failure
    assert re.search(r'File ".*test_values_failures.py", line \d+, in raised', failure["stackTrace"])
    error.__suppress_context__ = False
    assert "in raised" in OURS.encode_failure(error)["cause"]["cause"]["stackTrace"]
    assert OURS.encode_failure(error)["cause"]["cause"]["applicationFailureInfo"] == {"type": "KeyError"}


def test_the_members_of_a_group_of_errors_are_in_its_stack() -> None:
    """A failure has one cause and a group has many members, so its stack trace is where they are told."""
    try:
        raise ExceptionGroup("several", [ValueError("v"), ExceptionGroup("inner", [KeyError("k")])])
    except ExceptionGroup as group:
        failure = OURS.encode_failure(group)
    assert failure["message"] == "several (2 sub-exceptions)"
    assert failure["applicationFailureInfo"] == {"type": "ExceptionGroup"}
    for told in ("raise ExceptionGroup", "ValueError: v", "KeyError: 'k'"):
        assert told in failure["stackTrace"]


def test_an_error_that_is_its_own_cause_is_recorded_without_causes() -> None:
    """After `raise error from error`, or around a longer ring, the failure ends instead of repeating for ever."""
    error = ValueError("itself")
    error.__cause__ = error
    assert "cause" not in OURS.encode_failure(error)
    ring = exceptions.ApplicationError("ring")
    ring.__cause__ = KeyError("other")
    ring.__cause__.__cause__ = ring
    assert OURS.encode_failure(ring)["message"] == "ring"
    assert OURS.encode_failure(raised())["message"] == "outer"


@given(chains)
def test_old_names_and_numbers_of_enums_are_understood(links: list[Any]) -> None:
    """A failure whose enums are written in CamelCase or as numbers means the same as one in canonical JSON."""
    failure = OURS.encode_failure(chain(exceptions, links))
    enums = {
        "retryState": exceptions.RetryState,
        "timeoutType": exceptions.TimeoutType,
        "category": exceptions.ApplicationErrorCategory,
    }

    def rewritten(value: Any, number: bool) -> Any:
        if not isinstance(value, dict):
            return value
        copy = {key: rewritten(inner, number) for key, inner in value.items()}
        for key, kind in enums.items():
            if key in copy:
                member = next(member for member in kind if copy[key].endswith(member.name))
                copy[key] = member.value if number else "".join(map(str.capitalize, member.name.split("_")))
        return copy

    for number in (False, True):
        assert fields(OURS.decode_failure(rewritten(failure, number))) == fields(OURS.decode_failure(failure))


def test_details_are_decoded_when_somebody_asks() -> None:
    """An error whose details cannot be decoded is still an error; only asking for the details raises."""
    broken = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"?").to_json()
    error = OURS.decode_failure(
        {"message": "no", "applicationFailureInfo": {"type": "T", "details": {"payloads": [broken]}}}
    )
    assert isinstance(error, exceptions.ApplicationError)
    assert (error.message, error.type, str(error)) == ("no", "T", "T: no")
    with pytest.raises(KeyError, match="binary/encrypted"):
        _ = error.details


def test_encoded_attributes_that_cannot_be_read_leave_the_message_that_can() -> None:
    """A failure whose message is encrypted, read without the key, is shown with its public message."""
    failure = HIDING.encode_failure(exceptions.ApplicationError("secret"))
    assert failure["message"] == "Encoded failure"
    assert str(HIDING.decode_failure(failure)) == "secret"
    failure["encodedAttributes"] = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"?").to_json()
    assert str(HIDING.decode_failure(failure)) == "Encoded failure"


def test_a_refusal_of_a_nexus_handler_comes_back() -> None:
    """A nexus handler's refusal keeps its type and whether to try again."""
    for override in (True, False, None):
        error = exceptions.NexusHandlerError("no", type="NOT_FOUND", retryable_override=override)
        failure = OURS.encode_failure(error)
        decoded = OURS.decode_failure(failure)
        assert isinstance(decoded, exceptions.NexusHandlerError)
        assert (decoded.type, decoded.retryable_override) == ("NOT_FOUND", override)
        theirs = THEIRS.failure_converter.from_failure(
            ParseDict(dict(failure), TheirFailure()), THEIRS.payload_converter
        )
        assert theirs.retryable_override is override  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("error", "cancelled"),
    [
        (exceptions.CancelledError(), True),
        (exceptions.ApplicationError("no"), False),
        (ValueError("no"), False),
    ],
)
def test_whether_an_error_means_cancelled(error: BaseException, cancelled: bool) -> None:
    """An error means cancelled if it is such an error, or an activity's, child's or operation's that one caused."""
    import asyncio

    assert exceptions.is_cancelled_exception(error) is cancelled
    around: list[exceptions.FailureError] = [
        exceptions.ActivityError(
            "",
            scheduled_event_id=1,
            started_event_id=2,
            identity="",
            activity_type="",
            activity_id="",
            retry_state=None,
        ),
        exceptions.NexusOperationError(
            "", scheduled_event_id=1, endpoint="", service="", operation="", operation_token=""
        ),
    ]
    for outer in around:
        assert not exceptions.is_cancelled_exception(outer)
        outer.__cause__ = error
        assert exceptions.is_cancelled_exception(outer) is cancelled
        assert outer.cause is error
    assert exceptions.is_cancelled_exception(asyncio.CancelledError())


# Failure converters that users wrote for Temporal's SDK.


class Translating(DefaultFailureConverter):
    """Turns one error into another, and rewrites what was recorded."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: FailureMessage
    ) -> None:
        if isinstance(exception, KeyError):
            exception = exceptions.ApplicationError("no such key", type="Missing", non_retryable=True)
        super().to_failure(exception, payload_converter, failure)
        failure.stack_trace = "hidden"
        failure.source = "mine"
        if failure.WhichOneof("failure_info") == "application_failure_info":
            info = failure.application_failure_info
            info.details.CopyFrom(payload_converter.to_payloads_wrapper(["by", info.type]))
            info.next_retry_delay.FromTimedelta(timedelta(seconds=90))
            info.category = exceptions.ApplicationErrorCategory.BENIGN

    def from_failure(self, failure: FailureMessage, payload_converter: PayloadConverter) -> BaseException:
        if failure.HasField("application_failure_info") and failure.application_failure_info.type == "Missing":
            return KeyError(*payload_converter.from_payloads_wrapper(failure.application_failure_info.details))
        return super().from_failure(failure, payload_converter)


def test_a_failure_converter_of_the_user_sees_a_message_like_protobufs() -> None:
    """A failure converter that reads and sets a failure as a protobuf message works, for causes as well."""
    converter = DataConverter(failure_converter_class=Translating)
    outer = ValueError("outer")
    outer.__cause__ = KeyError("x")
    failure = converter.encode_failure(outer)
    assert failure["source"] == "mine"
    assert failure["stackTrace"] == failure["cause"]["stackTrace"] == "hidden"
    assert failure["cause"]["applicationFailureInfo"] == {
        "type": "Missing",
        "nonRetryable": True,
        "nextRetryDelay": "90s",
        "category": "APPLICATION_ERROR_CATEGORY_BENIGN",
        "details": {"payloads": OURS.encode_values(["by", "Missing"])},
    }
    decoded = converter.decode_failure(failure)
    assert isinstance(decoded.__cause__, KeyError)
    assert decoded.__cause__.args == ("by", "Missing")


def test_a_message_inside_a_failure_appears_when_it_is_written_to() -> None:
    """Reading what is not there gives protobuf's defaults and changes nothing; writing makes it be there."""
    failure = FailureMessage()
    assert (failure.message, failure.activity_failure_info.scheduled_event_id) == ("", 0)
    assert failure.timeout_failure_info.timeout_type == 0
    assert failure.cause.cause.application_failure_info.next_retry_delay.ToTimedelta() == timedelta(0)
    assert failure.json == {}
    assert failure.WhichOneof("failure_info") is None
    failure.cause.activity_failure_info.activity_type.name = "charge"
    failure.cause.activity_failure_info.scheduled_event_id = 7
    failure.cause.activity_failure_info.retry_state = exceptions.RetryState.TIMEOUT
    failure.encoded_attributes.CopyFrom(Payload(data=b"x"))
    info = {"activityType": {"name": "charge"}, "scheduledEventId": "7", "retryState": "RETRY_STATE_TIMEOUT"}
    assert failure.json == {"cause": {"activityFailureInfo": info}, "encodedAttributes": {"data": "eA=="}}
    assert failure.cause.activity_failure_info.retry_state == exceptions.RetryState.TIMEOUT
    assert failure.encoded_attributes.data == b"x"
    failure.terminated_failure_info.SetInParent()
    assert failure.WhichOneof("failure_info") == "terminated_failure_info"
    failure.ClearField("terminated_failure_info")
    failure.cause.activity_failure_info.scheduled_event_id = 0
    other = FailureMessage()
    other.CopyFrom(failure)
    assert other == failure
    assert "scheduledEventId" not in repr(other)


def test_a_field_that_no_failure_has_is_refused_by_name() -> None:
    """A misspelt field is refused with the names of those there are; so is replacing a message by assignment."""
    failure = FailureMessage()
    with pytest.raises(AttributeError, match="no field stacktrace; there are message, source, stack_trace"):
        failure.stacktrace = "x"
    with pytest.raises(AttributeError, match="no field nope"):
        _ = failure.application_failure_info.nope
    with pytest.raises(AttributeError, match=r"cause is a message: .*cause\.CopyFrom"):
        failure.cause = FailureMessage()
    with pytest.raises(ValueError, match="has the choice failure_info"):
        failure.WhichOneof("info")
