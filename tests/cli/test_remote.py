"""The command line: where a remote is, what it answers, and the keys it verifies with."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Firebrick
from tests.flows.remote_app import write_app

WORLD = """
egress:
  - method: POST
    url: https://backend.example.com/page
    body: {json: {a: 1}}
    reply: {status: 200, json: {stubbed: true}}
  - url: https://backend.example.com/events/*
    fault: timeout
"""


@pytest.fixture
def remote(firebrick: Firebrick, tmp_path: Path) -> Firebrick:
    (tmp_path / "firebrick.yml").write_text(WORLD)
    assert firebrick("deploy", str(write_app(tmp_path / "remote"))).code == 0
    assert firebrick("install", "--yes", "--app", "remote").code == 0
    return firebrick


def test_a_stub_of_the_world_file_answers_for_a_remote(remote: Firebrick) -> None:
    said = remote("invoke", "page", "--payload", '{"a": 1}', "--as", "dana", "--format", "json")
    assert said.code == 0
    assert isinstance(said.json, dict)
    assert (said.json["result"], said.json["calls"]) == ({"stubbed": True}, [])
    shown = remote("audit", "--limit", "2", "--why")
    assert "none was attached: no server was asked" in shown.out
    assert "backend at https://backend.example.com/page" in shown.out
    assert "remote.stubbed" in shown.out


def test_a_failure_of_a_remote_is_named(remote: Firebrick) -> None:
    said = remote("invoke", "on-created")
    assert said.code == 1
    assert "Error REMOTE_TIMEOUT: The remote took too long." in said.out + said.err


def test_nothing_leaves_unasked_and_the_message_says_how(remote: Firebrick) -> None:
    said = remote("invoke", "page")
    assert said.code == 1
    text = " ".join((said.out + said.err).split())
    assert "Error REMOTE_NO_ADDRESS" in text
    assert "--remote backend=http://127.0.0.1:PORT" in text
    there = remote("invoke", "page", "--remote", "backend=http://127.0.0.1:9")
    assert "REMOTE_UNREACHABLE" in there.out + there.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("backend", "takes KEY=URL"),
        ("=http://127.0.0.1:9000", "takes KEY=URL"),
        ("backend=", "is not an absolute URL"),
        ("backend=http://backend.example.com", "is not https"),
        ("backend=file:///etc/passwd", "https or http"),
        ("backend=http://u@127.0.0.1:9000", "user information"),
        ("backend=http://127.0.0.1:9000?x", "query or fragment"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(remote: Firebrick, text: str, words: str) -> None:
    said = remote("invoke", "page", "--remote", text)
    assert said.code == 1
    assert "BAD_OPTION" in said.err
    assert words in " ".join(said.err.split())


def test_keys_are_shown_and_replaced(remote: Firebrick) -> None:
    assert "No invocation token was signed yet" in remote("remote", "keys").out
    first = remote("remote", "rotate-key", "--format", "json").json
    said = remote("remote", "rotate-key")
    assert said.code == 0
    assert "are signed with forge/invocation-token/" in " ".join(said.out.split())
    published = remote("remote", "keys", "--format", "json").json
    assert isinstance(first, dict)
    assert isinstance(published, dict)
    signs, retired = published["keys"]
    assert retired["kid"] == first["kid"] != signs["kid"]
    lines = remote("remote", "keys").out.split()
    assert lines == [signs["kid"], "signs", retired["kid"], "retired"]
    assert set(json.loads(json.dumps(signs))) == {"kty", "use", "alg", "kid", "n", "e"}


def test_an_event_that_fails_shows_its_attempts(remote: Firebrick) -> None:
    dead = ("--remote", "backend=http://127.0.0.1:9")
    said = remote("invoke", "on-created", *dead)
    lines = [line for line in said.out.splitlines() if "REMOTE_UNREACHABLE" in line]
    assert said.code == 1
    assert [line.split()[:3] for line in lines if "60 s" in line] == [
        [str(number), "60", "s"] for number in (2, 3, 4, 5)
    ]
    told = json.loads(remote("invoke", "on-created", *dead, "--format", "json").out)
    assert [(one["number"], one["delayS"]) for one in told["attempts"]] == [
        (1, 0), (2, 60), (3, 60), (4, 60), (5, 60),
    ]  # fmt: skip
    assert remote("replay", "last").out.startswith("Replayed remote 1.0.0 on-created: the same")
    once = remote("invoke", "page", *dead)
    assert "attempt" not in once.out


def test_the_minute_in_between_is_waited_for_when_asked(
    remote: Firebrick, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    remote("invoke", "on-created", "--remote", "backend=http://127.0.0.1:9")
    assert waits == []
    remote("invoke", "on-created", "--remote", "backend=http://127.0.0.1:9", "--wait")
    assert waits == [60.0] * 4
