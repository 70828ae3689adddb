"""`--codec-endpoint`: a codec server decodes the values of a history before anything else is done with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import playhead.hunt
from playhead.__main__ import main
from playhead.codec_endpoint import CodecEndpoint, CodecUnavailable
from playhead.readers import read_history
from tests.replay.codec_server import CodecServer, codec_server
from tests.replay.encryption import encrypted
from tests.replay.project import FIXTURES, ORDER, ROOT


@pytest.fixture(autouse=True)
def nothing_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is not behind a proxy, and commands are given at the root of the repository."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.chdir(ROOT)


@pytest.fixture
def server() -> Iterator[CodecServer]:
    """A server that decodes for anybody."""
    with codec_server() as running:
        yield running


@pytest.fixture
def order(tmp_path: Path) -> str:
    """An order whose values are encrypted."""
    path = tmp_path / "order.json"
    path.write_bytes(encrypted(ORDER.read_bytes()))
    return str(path)


def test_the_decoded_history_is_the_one_before_the_codec(server: CodecServer, order: str) -> None:
    """Every value is as it was; there is one request for many values."""
    history = CodecEndpoint(server.url).decoded(read_history(order))
    assert [event.canonical for event in history.events] == [event.canonical for event in read_history(ORDER).events]
    assert server.asked == [("default", "/decode")]


@pytest.mark.parametrize("code", ["examples.orders", "examples.temporal.orders"])
def test_replay_knows_the_values(
    server: CodecServer, order: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code of both kinds, without a data converter of its own, gets along as if nothing had been encrypted."""
    assert main(["replay", order, "-w", code]) == 9
    assert main(["replay", order, "-w", code, "--codec-endpoint", server.url]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{order}: agrees (23 events)"


def test_every_command_that_runs_code_asks_the_server(
    server: CodecServer, order: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """States, traces, hotfix previews (and the histories they take answers from) and hunts, as replay does."""
    with_server = ["--codec-endpoint", server.url]
    at = ["replay", order, "-w", "examples.orders", "--at", "15", "--print", "order.total"]
    assert main([*at, *with_server]) == 0
    assert capsys.readouterr().out == "5000\n"
    trace = ["trace", order, "-w", "examples.orders", "--task", "3", "--logpoint", "orders.py:86", "order.total"]
    assert main(trace) == 9
    assert "order.total=5000" not in capsys.readouterr().out
    assert main([*trace, *with_server]) == 0
    assert "orders.py:86  5000" in capsys.readouterr().out
    stuck = tmp_path / "stuck.json"
    stuck.write_bytes(encrypted((FIXTURES / "orders_stuck.json").read_bytes()))
    hotfix = ["hotfix", str(stuck), "-w", "examples.orders_hotfix", "--answers", order]
    assert main(hotfix) == 9
    assert main([*hotfix, *with_server]) == 0
    assert "[order.json, event 19, of another input]" in capsys.readouterr().out
    monkeypatch.setattr(playhead.hunt, "VARIATIONS", playhead.hunt.VARIATIONS[:1])
    asked = len(server.asked)
    assert main(["replay", order, "-w", "examples.orders", "--hunt", *with_server]) == 0
    assert capsys.readouterr().out == f"{order}: the same under 1 variations\n"
    assert len(server.asked) == asked + 1


def test_temporals_own_replayer_is_given_the_decoded_history(server: CodecServer, order: str) -> None:
    """`--verify-with-core` finds nothing to say against it."""
    arguments = ["replay", order, "-w", "examples.temporal.orders", "--verify-with-core", "--strict"]
    assert main([*arguments, "--codec-endpoint", server.url]) == 0


def test_show_shows_the_values(server: CodecServer, order: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the server they are bytes."""
    assert main(["show", order]) == 0
    assert "<binary/encrypted, " in capsys.readouterr().out
    assert main(["show", order, "--codec-endpoint", server.url]) == 0
    shown = capsys.readouterr().out
    assert "<binary/encrypted, " not in shown
    assert main(["show", str(ORDER)]) == 0
    assert capsys.readouterr().out == shown


def test_the_server_is_told_who_asks_and_of_which_namespace(order: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As Temporal's command line does it: a header of authorization, and `{namespace}` in the URL."""
    with codec_server(auth="Bearer secret") as server:
        arguments = ["show", order, "--codec-endpoint", server.url + "/{namespace}/codec", "--namespace", "shop"]
        assert main(arguments) == 2
        assert "answers 401 Unauthorized (see --codec-auth). who are you?" in capsys.readouterr().err
        assert main([*arguments, "--codec-auth", "Bearer secret"]) == 0
    assert server.asked == [("shop", "/shop/codec/decode")] * 2


def test_the_endpoint_may_stand_in_pyproject(
    server: CodecServer, order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that `playhead replay` alone replays a corpus that is encrypted."""
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.playhead]\nworkflows = "examples.orders"\nhistories = "order.json"\ncodec_endpoint = "{server.url}"\n'
    )
    monkeypatch.chdir(tmp_path)
    assert main(["replay"]) == 0


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"<html>", 'is to answer with {"payloads": [...]}, and does not'),
        (b'{"payloads": []}', "was given 8 payloads, and gives 0 back"),
    ],
)
def test_a_server_that_is_none_is_named(
    server: CodecServer, order: str, answer: bytes, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence says what was expected of it; the exit code is that of wrong usage."""
    server.answers = answer
    assert main(["replay", order, "-w", "examples.orders", "--codec-endpoint", server.url]) == 2
    assert complaint in capsys.readouterr().err


def test_a_server_that_is_not_there_is_named(order: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is replayed with values left out because somebody forgot to start it."""
    with codec_server() as server:
        pass
    assert main(["replay", order, "-w", "examples.orders", "--codec-endpoint", server.url]) == 2
    assert f"{server.url}/decode cannot be reached: " in capsys.readouterr().err


def test_only_web_addresses_are_asked(order: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file is no codec server, and a secret is sent to nobody by mistake."""
    with pytest.raises(CodecUnavailable, match="is a URL such as http://localhost:8081, not 'file:///etc/hosts'"):
        CodecEndpoint("file:///etc/hosts")
    assert main(["show", order, "--codec-auth", "secret"]) == 2
    assert "--codec-auth goes with --codec-endpoint" in capsys.readouterr().err
    assert "secret" not in repr(CodecEndpoint("http://localhost", "secret"))


def test_what_the_codec_did_not_encode_comes_back_as_it_is(server: CodecServer) -> None:
    """A history in the clear is not changed, search attributes and all."""
    for path in sorted(FIXTURES.glob("o*.json")):
        history = read_history(path)
        decoded = CodecEndpoint(server.url).decoded(history)
        assert json.loads(decoded.to_json())["events"] == [event.canonical for event in history.events]
