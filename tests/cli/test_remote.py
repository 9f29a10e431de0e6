"""The command line: where a remote is, what it answers, and the keys it verifies with."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Firebrick
from tests.flows.remote_app import write_app
from tests.flows.test_customer_remotes import MANIFEST as ROAMING
from tests.flows.test_customer_remotes import SOURCE as ROAMING_SOURCE

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


def test_a_customer_says_where_a_remote_is(firebrick: Firebrick, tmp_path: Path) -> None:
    home = tmp_path / "roaming"
    (home / "src").mkdir(parents=True)
    (home / "src" / "index.js").write_text(ROAMING_SOURCE)
    (home / "manifest.yml").write_text(ROAMING)
    assert firebrick("deploy", str(home)).code == 0
    assert firebrick("install", "--yes", "--app", "roaming").code == 0
    said = firebrick("remote", "set", "own", "https://a.customer.example", "--as", "amy")
    assert (said.code, "https://a.customer.example/" in said.out) == (0, True)
    own, either = json.loads(firebrick("remote", "list", "--format", "json").out)
    assert own["configured"] == {"endpoint": "https://a.customer.example/"}
    assert (either["configured"], either["baseUrl"]) == (None, "https://default.example/base")
    assert "Your server" in firebrick("remote", "list").out
    asked = firebrick("invoke", "ask", "--payload", '{"remote": "own"}')
    assert "REMOTE_NO_ADDRESS" in asked.out
    shown = firebrick("remote", "set", "own", "https://b.customer.example", "--as", "amy",
                      "--format", "json")  # fmt: skip
    assert json.loads(shown.out)["configured"] == {"endpoint": "https://b.customer.example/"}
    for url, who, words in (
        ("https://evil.test", "amy", "none of the app's patterns: *.customer.example"),
        ("https://127.0.0.1", "amy", "no host by its name"),
        ("https://a.customer.example", "dana", "no admin of this site"),
    ):
        refused = firebrick("remote", "set", "own", url, "--as", who)
        assert refused.code != 0
        assert words in refused.err
    assert firebrick("remote", "reset", "own", "--as", "amy").code == 0
    again = firebrick("remote", "reset", "own", "--as", "amy", "--format", "json")
    assert (again.code, again.json) == (1, {"key": "own", "reset": False})


def test_an_app_without_configurable_remotes_says_so(remote: Firebrick) -> None:
    assert "lets customers configure no remote" in remote("remote", "list").out
