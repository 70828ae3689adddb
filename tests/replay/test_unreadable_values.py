"""Histories whose values nobody here can read: replay goes on as far as the code does not look inside."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import re
import types
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter as temporal_pydantic
from temporalio.converter import DataConverter as TemporalConverter
from temporalio.worker import UnsandboxedWorkflowRunner

from playhead import Agrees, CodeRaised, Diverges, NeedsValue, Replayer, Verdict
from playhead.rendering import as_json, report
from playhead_engine import Engine
from playhead_engine.contrib.pydantic import pydantic_data_converter as native_pydantic
from playhead_engine.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from tests.replay import reading_workflows
from tests.replay.encryption import OTHER_KEY, NativeAes, TemporalAes, compressed, encrypted
from tests.replay.temporal_judge import in_temporalio_form, judge

KINDS = ("native", "temporal")
FETCHED = "the result of activity 'fetch'"


def code_of(kind: str) -> types.ModuleType:
    """The workflows, in one of the two forms."""
    return reading_workflows if kind == "native" else in_temporalio_form(Path(reading_workflows.__file__))


@pytest.fixture(params=KINDS)
def code(request: pytest.FixtureRequest) -> Iterator[types.ModuleType]:
    """The workflows; they do nothing with a value unless a test says so."""
    module = code_of(request.param)
    yield module
    module.use[0] = lambda _value: None


@cache
def replayer_of(code: types.ModuleType, name: str, data_converter: Any = None) -> Replayer:
    """A replayer of one of the workflows; without the sandbox, which could not import code that lies in no file."""
    options: dict[str, Any] = {"data_converter": data_converter}
    if code is not reading_workflows:
        options["workflow_runner"] = UnsandboxedWorkflowRunner()
    return Replayer([getattr(code, name)], **options)


@cache
def recorded(name: str) -> bytes:
    """A history that our engine recorded, its values in the clear."""
    module = reading_workflows
    activities = [module.fetch, module.store, module.refuse]
    hidden = DataConverter(failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
    module.use[0] = lambda _value: None
    with Engine(workflows=[getattr(module, name)], activities=activities, seed=7, data_converter=hidden) as engine:
        memo = {"basket": module.Basket(["a pear"], 1)}
        handle = engine.start_workflow(name, "Ada", id="reading", task_queue="t", memo=memo).wait()
        if name == "Signalled":
            handle.signal("add", module.Basket(["a pear"], 1)).wait()
            handle.execute_update("replace", module.Basket(["a plum"], 2)).wait()
            handle.signal("add", module.Basket(["a fig"], 3)).wait()
        handle.result().wait()
        return handle.fetch_history().wait().to_json()


def line_that_uses(code: types.ModuleType) -> int:
    """The line of the test's own function that is the use."""
    return int(code.use[0].__code__.co_firstlineno)


def looks_inside() -> dict[str, Callable[[Any], object]]:
    """Everything that needs the value itself."""

    def branches_on_type(value: Any) -> object:
        match value:
            case str():
                return "text"
            case _:
                return "something else"

    def takes_apart(value: Any) -> object:
        match value:
            case {"total": total}:
                return total
            case _:
                return None

    return {
        "truth": lambda value: bool(value),
        "not": lambda value: not value,
        "equality": lambda value: value == 3,
        "equality of a part": lambda value: value.total == 3,
        "order": lambda value: value.total < 3,
        "order, from the other side": lambda value: value.total > 3,
        "membership": lambda value: "pear" in value.items,
        "being a member": lambda value: value in (1, 2),
        "text": lambda value: str(value),
        "an f-string": lambda value: f"{value.total:>3}",
        "a percent sign": lambda value: "%s" % value,  # noqa: UP031
        "representation": lambda value: repr(value),
        "length": lambda value: len(value.items),
        "iteration": lambda value: [*value.items],
        "unpacking": lambda value: (lambda one, two: None)(*value),
        "a sum": lambda value: value.total + 1,
        "a sum, from the other side": lambda value: 1 + value.total,
        "text and a value": lambda value: "total: " + value.total,
        "a number": lambda value: int(value.total),
        "an index": lambda value: [1, 2, 3][value.total],
        "a hash": lambda value: {value: 1},
        "a call": lambda value: value.items.append("a plum"),
        "its type": lambda value: isinstance(value, reading_workflows.Basket),
        "a pattern of types": branches_on_type,
        "a pattern of keys": takes_apart,
        "a time": lambda value: timedelta(seconds=value.total),
        "joined text": lambda value: ", ".join([value.total]),
        "JSON": lambda value: json.dumps({"total": value.total}),
        "a dataclass's fields": lambda value: dataclasses.asdict(value),
        "a regular expression": lambda value: re.match("a", value.total),
        "sorting": lambda value: sorted([value, value]),
        "a library": lambda value: sum([value.total]),
    }


@pytest.mark.parametrize("what", looks_inside())
def test_code_that_needs_the_value_ends_the_replay_at_its_line(code: types.ModuleType, what: str) -> None:
    """The verdict says which value, from which event, and at which line; all before it agreed."""
    document = encrypted(recorded("Reading"))
    code.use[0] = looks_inside()[what]
    verdict = replayer_of(code, "Reading").replay(document)
    assert isinstance(verdict, NeedsValue), verdict
    assert (verdict.value, verdict.value_event_id) == (FETCHED, 7)
    assert verdict.encoding == "binary/encrypted"
    assert verdict.event_id == 9
    assert verdict.temporal == "error"
    assert verdict.site is not None
    assert verdict.site.file == __file__
    assert 0 <= verdict.site.line - line_that_uses(code) <= 5


def leaves_it_alone() -> dict[str, Callable[[Any], object]]:
    """What can be done with a value that nobody knows."""
    kept: list[Any] = []

    def assign(value: Any) -> None:
        value.note = "fragile"
        assert value.note == "fragile"
        value["price"] = 7
        assert value["price"] == 7

    return {
        "keeping it": kept.append,
        "taking parts of it": lambda value: value.items[0].name["first"],
        "asking whether it is None": lambda value: value is None or value is not None,
        "asking whether it is the same": lambda value: value.items is value.items,
        "copying it": lambda value: (copy.copy(value), copy.deepcopy(value)),
        "putting it into something": lambda value: [value, {"value": value}, (value,)],
        "setting parts of it": assign,
    }


@pytest.mark.parametrize("what", leaves_it_alone())
def test_code_that_does_not_look_inside_agrees(code: types.ModuleType, what: str) -> None:
    """It may keep a value, take parts of it and pass it on; a warning says which values nobody has read."""
    document = encrypted(recorded("Reading"))
    code.use[0] = leaves_it_alone()[what]
    verdict = replayer_of(code, "Reading").replay(document)
    assert isinstance(verdict, Agrees), verdict
    assert verdict.temporal == "error"
    [warning] = verdict.warnings
    assert warning.text == (
        "3 values could not be read (binary/encrypted), and the code did not look into them: argument 1 of the "
        "workflow (event 1), the result of activity 'fetch' (event 7), the result of activity 'store' (event 13). "
        "It is assumed that none of them was None."
    )


def test_compressed_values_are_as_unreadable_as_encrypted_ones(code: types.ModuleType) -> None:
    """It does not matter what a codec did that is not there."""
    document = compressed(recorded("Reading"))
    code.use[0] = lambda value: value.total > 10
    verdict = replayer_of(code, "Reading").replay(document)
    assert isinstance(verdict, NeedsValue)
    assert verdict.encoding == "binary/zlib"


def test_what_is_passed_on_is_the_payload_that_came(code: types.ModuleType) -> None:
    """An activity would be given the very bytes that the history holds; what holds them is told in words."""
    document = json.loads(encrypted(recorded("Reading")))
    cut = json.dumps({"events": document["events"][:9]}).encode()
    verdict = replayer_of(code, "Reading").replay(cut)
    assert isinstance(verdict, Agrees), verdict
    [store] = verdict.next_commands
    fetched = document["events"][6]["activityTaskCompletedEventAttributes"]["result"]["payloads"][0]
    assert store.attributes["input"]["payloads"] == [fetched]


def test_a_value_in_a_value_of_the_codes_own_is_passed_on_in_words(code: types.ModuleType) -> None:
    """What an activity would be given is not compared with anything, so it does not matter that it is unknown."""
    given: list[Any] = []

    def use(value: Any) -> None:
        given.append(code.workflow.payload_converter().to_payloads([code.Bill(value), value.total]))

    document = encrypted(recorded("Reading"))
    code.use[0] = use
    assert isinstance(replayer_of(code, "Reading").replay(document), Agrees)
    assert [payload.data for payload in given[0]] == [
        b'"<a Bill with values in it that cannot be read here>"',
        b'"<a value in binary/encrypted>.total"',
    ]


def test_divergences_are_found_without_the_key(code: types.ModuleType) -> None:
    """What differs is told as ever, and that values were unknown."""
    verdict = replayer_of(code, "StoringTwice").replay(encrypted(recorded("Reading")))
    assert isinstance(verdict, Diverges)
    assert verdict.divergence.event_id == 17
    assert verdict.temporal == "error"
    assert verdict.warnings
    assert "values could not be read" in report("order.json", None, verdict)


@pytest.mark.parametrize("name", ["Swallowing", "FailingAtEverything", "Beside"])
def test_nothing_that_the_code_does_with_errors_hides_a_look(code: types.ModuleType, name: str) -> None:
    """It is not caught, becomes no failure of the workflow, and is seen in tasks that nobody awaits yet."""
    verdict = replayer_of(code, name).replay(encrypted(recorded("Reading")))
    assert isinstance(verdict, NeedsValue), verdict
    assert verdict.path == ".total"
    assert verdict.site is not None
    assert verdict.site.file == reading_workflows.__file__


def test_raw_values_are_given_as_they_are(code: types.ModuleType) -> None:
    """A parameter that wants the payload gets it; converting it gives a stand-in."""
    verdict = replayer_of(code, "Raw").replay(encrypted(recorded("Reading")))
    assert isinstance(verdict, Agrees), verdict


def test_signals_updates_and_the_constructor_get_stand_ins(code: types.ModuleType) -> None:
    """Whatever brings a value, it is named when the code looks inside."""
    document = encrypted(recorded("Signalled"))
    assert isinstance(replayer_of(code, "Signalled").replay(document), Agrees)
    code.use[0] = lambda value: value.total > 10
    verdict = replayer_of(code, "Signalled").replay(document)
    assert isinstance(verdict, NeedsValue)
    assert verdict.value == "argument 1 of signal 'add'"


def test_a_failure_without_the_key_is_a_failure_whose_message_is_unknown(code: types.ModuleType) -> None:
    """Catching it is fine, and so is its type; reading its message or its details is not."""
    document = encrypted(recorded("Refused"))
    code.use[0] = lambda error: error.type == "TooHeavy"
    assert isinstance(replayer_of(code, "Refused").replay(document), Agrees)
    for look in (str, lambda error: "heavy" in error.message):
        code.use[0] = look
        verdict = replayer_of(code, "Refused").replay(document)
        assert isinstance(verdict, NeedsValue), verdict
        assert verdict.value == "the message of the failure of activity 'refuse'"
    code.use[0] = lambda error: bool(error.details[0])
    verdict = replayer_of(code, "Refused").replay(document)
    assert isinstance(verdict, NeedsValue)
    assert verdict.value == "a detail of the failure of activity 'refuse'"


def test_a_memo_is_read_when_the_code_asks_for_it(code: types.ModuleType) -> None:
    """It may be asked for, and passed on; looking inside ends the replay."""
    document = encrypted(recorded("Remembering"))
    assert isinstance(replayer_of(code, "Remembering").replay(document), Agrees)
    code.use[0] = lambda value: value.total > 10
    verdict = replayer_of(code, "Remembering").replay(document)
    assert isinstance(verdict, NeedsValue)
    assert (verdict.value, verdict.path) == ("memo 'basket'", ".total")


def test_typed_converters_are_not_asked_for_what_they_cannot_read(code: types.ModuleType) -> None:
    """Pydantic's would raise at a value of another encoding; what it does read it validates as ever."""
    pydantic = native_pydantic if code is reading_workflows else temporal_pydantic
    document = encrypted(recorded("Reading"))
    assert isinstance(replayer_of(code, "Reading", pydantic).replay(document), Agrees)
    code.use[0] = lambda value: value.total > 10
    assert isinstance(replayer_of(code, "Reading", pydantic).replay(document), NeedsValue)
    half = json.loads(document)
    half["events"][6] = json.loads(recorded("Reading"))["events"][6]
    verdict = replayer_of(code, "Reading", pydantic).replay(json.dumps(half).encode())
    assert isinstance(verdict, Agrees)
    assert "2 values could not be read" in verdict.warnings[0].text


def with_key(kind: types.ModuleType, key: bytes | None = None) -> Any:
    """A data converter with the codec, in one of the two forms."""
    keys = () if key is None else (key,)
    if kind is reading_workflows:
        return DataConverter(payload_codec=NativeAes(*keys))
    return TemporalConverter(payload_codec=TemporalAes(*keys))


def test_with_the_key_nothing_is_unknown(code: types.ModuleType) -> None:
    """The codec is given, so the code may look, and nothing is said of unreadable values."""
    document = encrypted(recorded("Reading"))
    code.use[0] = lambda value: value.total > 10
    verdict = replayer_of(code, "Reading", with_key(code)).replay(document)
    assert verdict == Agrees(len(json.loads(recorded("Reading"))["events"]))


def test_a_codec_with_the_wrong_key_is_told_so(code: types.ModuleType) -> None:
    """Its error is part of what is said, whether the code looks or not."""
    replayer = replayer_of(code, "Reading", with_key(code, OTHER_KEY))
    document = encrypted(recorded("Reading"))
    verdict = replayer.replay(document)
    assert isinstance(verdict, Agrees)
    assert "the codec raised InvalidTag" in verdict.warnings[0].text
    code.use[0] = lambda value: value.total > 10
    verdict = replayer.replay(document)
    assert isinstance(verdict, NeedsValue)
    assert verdict.reason == "InvalidTag"
    assert "Is it the right key?" in report("order.json", None, verdict)


@pytest.mark.parametrize("kind", KINDS)
def test_a_codec_that_cannot_reach_its_server_is_an_error(kind: str) -> None:
    """That is nothing about the values; going on without them would hide it."""

    async def unreachable(_payloads: Any) -> Any:
        raise ConnectionRefusedError("nobody is there")

    code = code_of(kind)
    converter = with_key(code)
    converter.payload_codec.decode = unreachable
    replayer = replayer_of(code, "Reading", converter)
    if kind == "native":
        with pytest.raises(ConnectionRefusedError):
            replayer.replay(encrypted(recorded("Reading")))
    else:
        verdict = replayer.replay(encrypted(recorded("Reading")))
        assert isinstance(verdict, CodeRaised)
        assert "nobody is there" in verdict.message


def test_temporal_fails_at_the_first_value() -> None:
    """What our verdicts say of Temporal's Replayer: it ends with an error, whatever the code does with the value."""
    code = code_of("temporal")
    assert judge(encrypted(recorded("Reading")), "reading", [code.Reading]).verdict == "error"
    assert judge(encrypted(recorded("Refused")), "reading", [code.Refused]).verdict == "error"


def test_the_report_says_what_to_do(code: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, and as data."""
    monkeypatch.chdir(Path(__file__).parents[2])
    verdict = replayer_of(code, "FailingAtEverything").replay(encrypted(recorded("Reading")))
    assert report("order.json", None, verdict).splitlines() == [
        "order.json: needs a value after event 9",
        "  The code compares .total of the result of activity 'fetch' (event 7)",
        "  at        tests/replay/reading_workflows.py:105 in FailingAtEverything.run",
        "  All that the code asked for up to there agrees with the history.",
        "  It is binary/encrypted, which no converter or codec in use reads.",
        "  Name one that does: --data-converter package.module:name, --worker, or `data_converter` in [tool.playhead].",
    ]
    shown = as_json("order.json", None, verdict)
    assert shown["verdict"] == "needs a value"
    assert (shown["value"], shown["path"], shown["value_event_id"]) == (FETCHED, ".total", 7)


def test_several_values_of_one_history_do_not_hide_each_other(code: types.ModuleType) -> None:
    """One replayer may replay many histories, readable and not, in any order."""
    replayer = replayer_of(code, "Reading")
    clear, hidden = recorded("Reading"), encrypted(recorded("Reading"))
    verdicts: list[Verdict] = [replayer.replay(one) for one in (clear, hidden, clear, hidden)]
    assert [bool(verdict.warnings) for verdict in verdicts if isinstance(verdict, Agrees)] == [False, True, False, True]


def test_a_log_line_is_no_look(code: types.ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    """What is only shown to people changes nothing about how the code goes on."""
    document = json.loads(encrypted(recorded("Reading")))
    code.use[0] = partial(code.workflow.logger.warning, "basket: %s")
    verdict = replayer_of(code, "Reading").replay(json.dumps({"events": document["events"][:9]}).encode())
    assert isinstance(verdict, Agrees), verdict
    assert "basket: <a value in binary/encrypted>" in caplog.text


def test_asyncio_is_at_home_with_stand_ins() -> None:
    """Futures, tasks and queues carry them without a look."""
    from playhead_engine.opaque import StandIns
    from playhead_engine.payload import Payload

    stand_ins = StandIns()
    opaque = stand_ins.stand_in(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x"))

    async def carry() -> Any:
        future = asyncio.get_running_loop().create_future()
        future.set_result(opaque)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        await queue.put(await future)
        [carried] = await asyncio.gather(asyncio.create_task(queue.get()))
        return carried

    assert stand_ins.watch(lambda: asyncio.run(carry())) is opaque
    assert stand_ins.look is None
