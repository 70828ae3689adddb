"""A history comes from anywhere: a hostile file gets a clear answer, in bounded time and memory."""

from __future__ import annotations

import gzip
import json
import os
import socket
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playhead.readers import UnreadableHistory, read_history

MEGABYTE = 1_000_000
STARTED = (
    '{"eventId":"1","eventType":"EVENT_TYPE_WORKFLOW_EXECUTION_STARTED","workflowExecutionStartedEventAttributes":%s}'
)


def document(attributes: str = "{}", more: str = "") -> bytes:
    """A history of one event, with pieces of JSON as they are put in."""
    return f'{{"events":[{STARTED % attributes}{more}]}}'.encode()


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Nothing here may take long."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < 20


def problem_of(source: bytes | str | Path, **options: Any) -> str:
    """Why it is refused."""
    with pytest.raises(UnreadableHistory) as caught:
        read_history(source, **options)
    return caught.value.problem


@pytest.mark.parametrize("depth", [300, 2_000, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_refused(depth: int, opening: str) -> None:
    """Neither the parser nor anything behind it may run out of stack."""
    closing = "]" if opening == "[" else "}"
    nested = f"{opening * depth}1{closing * depth}".encode()
    assert problem_of(nested) == "it is nested more than 254 levels deep, which no history is"


@pytest.mark.parametrize("depth", [50, 120, 230])
def test_a_failure_within_failures_is_read_or_refused(depth: int) -> None:
    """As deep as JSON may be nested, whatever the stack below looks like."""
    failure = '{"message":"x","cause":' * depth + "{}" + "}" * depth
    for spelling in (failure, failure.replace('"x"', "5")):
        try:
            assert len(read_history(document(f'{{"continuedFailure":{spelling}}}'))) == 1
        except UnreadableHistory as refused:
            assert depth > 100, refused
            assert refused.problem == "it is nested too deep"


def test_a_deep_list_of_lists_is_refused() -> None:
    """Pages are looked for in lists, but not for ever."""
    assert "no events" in problem_of(b"[" * 250 + b"]" * 250)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (document('{"identity":"?"}').replace(b"?", b"\xff"), "it is not UTF-8: byte 133 is 0xff"),
        (
            document('{"identity":"\\ud800"}'),
            'it is not JSON: no low surrogate in string at byte 133, where it says "\\\\ud800\\"}}]}"',
        ),
        (
            '\ufeff{"a":"'.encode("utf-16-le") + b"\x00\xd8x\x00",
            "it claims to be UTF-16 and is not: illegal UTF-16 surrogate at byte 14",
        ),
        (
            '{"a":"'.encode("utf-32-be") + b"\x7f\xff\xff\xff",
            "it claims to be UTF-32 and is not: code point not in range(0x110000) at byte 24",
        ),
        (b"\xef\xbb\xbf\xff", "this is not JSON: it begins with '\ufffd'"),
    ],
)
def test_text_in_no_valid_encoding_is_refused(data: bytes, problem: str) -> None:
    """Where it goes wrong, in bytes."""
    assert problem_of(data) == problem


@pytest.mark.parametrize(
    "text",
    [
        '{"events":[],"events":[%s]}' % (STARTED % "{}"),
        '{"events" : [],"events" : [%s]}' % (STARTED % "{}"),
        '{"events":[%s]}' % (STARTED % '{"identity":"a","identity":"b"}'),
        '{"events":[%s]}' % (STARTED % '{"identity":"a","identity" :"b"}'),
        '{"events":[%s]}' % (STARTED % '{"identity":"a","identit\\u0079":"b"}'),
        '{"events":[%s]}' % (STARTED % '{"identity":"a","identity":"\\u003A"}'),
    ],
)
def test_a_key_that_is_there_twice_is_refused(text: str) -> None:
    """One of the two would be lost without a word."""
    assert "is there twice in one object" in problem_of(text.encode())


def test_a_key_that_is_there_twice_in_an_event_is_told_with_the_event() -> None:
    """So that it can be found."""
    text = document().replace(b'"eventId":"1",', b'"eventId":"1","eventType":"x",')
    assert problem_of(text) == 'the key "eventType" of event 1 is there twice in one object'


@pytest.mark.parametrize(
    "text",
    ["a : b", '"quoted": "', "\\u003a", "\\u0022:", "::::", " :\n:\t:"],
)
def test_colons_and_quotes_inside_of_texts_are_no_keys(text: str) -> None:
    """A text may hold whatever it likes."""
    raw = json.dumps(text) if "\\" not in text else f'"{text}"'
    history = read_history(document(f'{{"identity":{raw}}}'))
    assert history.started is not None
    assert history.started.identity == json.loads(raw)


@pytest.mark.parametrize(
    "number",
    [
        "18446744073709551616",
        "-9223372036854775809",
        "9" * 5000,
        "1e999",
        "-1E+999",
        "0.1000000000000000055511151231257828",
        "9007199254740993.00000001",
    ],
)
def test_a_number_that_could_not_be_kept_is_refused(number: str) -> None:
    """It would come out again as another one."""
    assert "is too long to be kept exactly" in problem_of(document(f'{{"tomorrow":{number}}}'))


@pytest.mark.parametrize(
    "number",
    ["18446744073709551615", "-9223372036854775808", "0.30000000000000004", "1e300", "1.50000000000000000000", "-0.0"],
)
def test_a_long_number_that_can_be_kept_is_kept(number: str) -> None:
    """Long is not wrong."""
    written = read_history(document(f'{{"tomorrow":{number}}}')).to_json()
    assert json.loads(written) == json.loads(document(f'{{"tomorrow":{number}}}'))


def test_long_numbers_inside_of_texts_are_no_numbers() -> None:
    """A stack trace is full of them."""
    trace = "at f(123456789012345678901234567890, 0.10000000000000000000001)"
    assert len(read_history(document(json.dumps({"identity": trace})))) == 1


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "undefined", "None"])
def test_a_literal_that_is_no_json_is_refused(literal: str) -> None:
    """JavaScript and Python know more literals than JSON."""
    assert problem_of(document(f'{{"attempt":{literal}}}')).startswith("it is not JSON")


def test_texts_of_megabytes_are_read(tmp_path: Path) -> None:
    """They are payloads like any other."""
    data = "QUFB" * (2 * MEGABYTE)
    payload = {"metadata": {"encoding": "YmluYXJ5L3BsYWlu"}, "data": data}
    path = tmp_path / "large.json"
    path.write_bytes(document(json.dumps({"input": {"payloads": [payload]}, "identity": "x" * MEGABYTE})))
    history = read_history(path)
    assert history.started is not None
    assert history.started.input == {"payloads": [payload]}


def test_keys_of_megabytes_are_read_and_forgotten() -> None:
    """No cache may keep them."""
    data = document(json.dumps({f"{letter}_{'x' * MEGABYTE}": 1 for letter in "abcdefgh"}))
    tracemalloc.start()
    try:
        read_history(data)
        assert tracemalloc.get_traced_memory()[0] < MEGABYTE
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_refused_before_it_goes_off() -> None:
    """A file of 200 kB may not become 200 MB."""
    bomb = gzip.compress(b"[" + b" " * (200 * MEGABYTE))
    assert len(bomb) < MEGABYTE
    tracemalloc.start()
    try:
        problem = problem_of(bomb, limit=10 * MEGABYTE)
        assert tracemalloc.get_traced_memory()[1] < 40 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert problem == "it unpacks to more than the 10 MB that are read at most"


def test_gzip_of_many_parts_is_refused() -> None:
    """Each part costs time, however small it is."""
    assert problem_of(gzip.compress(b" ") * 20_000) == "its gzip packing has more than 10,000 parts"


def test_gzip_within_gzip_is_refused() -> None:
    """Once is enough."""
    assert problem_of(gzip.compress(gzip.compress(document()))) == "it is packed with gzip twice"


def test_gzip_with_something_after_it_is_refused() -> None:
    """It could be the other half of the history."""
    packed = gzip.compress(document())
    problem = f"after its gzip packing ends at byte {len(packed)} comes something else"
    assert problem_of(packed + b"more") == problem


def test_a_file_above_the_limit_is_refused_without_reading_it(tmp_path: Path) -> None:
    """A sparse file of a terabyte costs nothing to make."""
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(10**12)
    problem = "it is longer than the 268 MB that are read at most (1,000,000,000,000 bytes)"
    assert problem_of(path) == problem
    path.write_bytes(document())
    assert problem_of(path, limit=100) == f"it is longer than the 0 MB that are read at most ({len(document())} bytes)"


def test_many_small_things_take_time_in_proportion() -> None:
    """A hundred thousand events without anything, in any order, with copies, are no trouble."""
    events = [
        {"eventId": str(number % 50_000 + 1), "timerFiredEventAttributes": {}} for number in range(100_000, 0, -1)
    ]
    history = read_history(json.dumps(events).encode())
    assert len(history) == 50_000
    assert "50000 copies of events were left out, the first of them of event 1" in history.remarks


def test_every_event_with_keys_of_its_own_takes_time_in_proportion() -> None:
    """Shapes are remembered, but not for ever."""
    events = [
        {
            "eventId": str(number),
            "eventType": "EVENT_TYPE_TIMER_FIRED",
            "timerFiredEventAttributes": {f"k{number}": number},
        }
        for number in range(1, 20_001)
    ]
    assert len(read_history(json.dumps(events).encode())) == 20_000


@pytest.mark.skipif(sys.platform == "win32", reason="files of these kinds are POSIX's")
class TestWhatIsNoFile:
    """Whatever has a name but is no file is refused by its kind, and never waited for."""

    def test_a_pipe(self, tmp_path: Path) -> None:
        """Nobody writes to it, and nobody waits for that."""
        os.mkfifo(tmp_path / "pipe")
        assert problem_of(tmp_path / "pipe") == "it is a pipe, not a file"

    def test_a_device(self) -> None:
        """It has no end."""
        assert problem_of("/dev/zero") == "it is a device, not a file"

    def test_a_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It cannot be opened."""
        monkeypatch.chdir(tmp_path)  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket")
            assert problem_of("socket") == "it is a socket, not a file"

    def test_a_directory(self, tmp_path: Path) -> None:
        """Its files may be histories."""
        assert problem_of(tmp_path) == "it is a directory, not a file"

    def test_symbolic_links_in_a_circle(self, tmp_path: Path) -> None:
        """They lead nowhere."""
        (tmp_path / "one").symlink_to(tmp_path / "two")
        (tmp_path / "two").symlink_to(tmp_path / "one")
        assert problem_of(tmp_path / "one") == "its symbolic links lead round in a circle"

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
    def test_a_file_that_may_not_be_read(self, tmp_path: Path) -> None:
        """Permission is the file system's to give."""
        (tmp_path / "secret").touch(mode=0)
        assert problem_of(tmp_path / "secret") == "permission to read it is denied"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing.json", "there is no such file"),
        ("x" * 5000, "its name is too long to be one"),
        ("zero\0byte", "this cannot be the name of a file"),
        ("lone\ud800surrogate", "this cannot be the name of a file"),
    ],
)
def test_a_name_that_names_nothing_is_refused(tmp_path: Path, name: str, problem: str) -> None:
    """With the reason."""
    assert problem_of(f"{tmp_path}/{name}") == problem


def test_json_given_as_a_path_is_understood() -> None:
    """An easy mistake, since Temporal's own readers take text."""
    with pytest.raises(UnreadableHistory) as caught:
        read_history('{"events": []}')
    assert caught.value.advice == "To read JSON itself, hand it over as bytes: `read_history(text.encode())`"


def test_the_garbage_collector_is_left_as_it_was() -> None:
    """Loading pauses it, also where it fails, and also if somebody else paused it before."""
    import gc

    attempts: list[Callable[[], object]] = [lambda: read_history(document()), lambda: problem_of(b"{")]
    for attempt in attempts:
        attempt()
        assert gc.isenabled()
        gc.disable()
        try:
            attempt()
            assert not gc.isenabled()
        finally:
            gc.enable()


def test_histories_are_read_in_threads() -> None:
    """Nothing is shared that could get mixed up."""
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(read_history(document())))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 8
