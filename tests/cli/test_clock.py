"""The clock that one moves and stops: felt by a server that runs, at its next call."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.server.steering import CLOCK_FILE
from tests.cli.conftest import Firebrick
from tests.flows.serving import served

CALLBACK = "http://localhost:9999/callback"


@pytest.fixture
def base(firebrick: Firebrick, tmp_path: Path) -> Iterator[str]:
    """A server on the state that the commands work on."""
    assert firebrick("clock", "reset").code == 0
    with open_firebrick(Settings(state=tmp_path / "state")) as opened, served(opened) as url:
        yield url


def tokens(firebrick: Firebrick, base: str) -> tuple[dict[str, str], dict[str, str]]:
    made = firebrick(
        "oauth", "app", "create", "Sync", "--owner", "dana", "--callback", CALLBACK,
        "--scope", "read:jira-user", "--format", "json",
    ).json  # fmt: skip
    assert isinstance(made, dict)
    said = firebrick(
        "oauth", "authorize", "--client", "Sync", "--as", "dana",
        "--scope", "read:jira-user offline_access",
    )  # fmt: skip
    (code,) = parse_qs(urlsplit(said.out.strip()).query)["code"]
    shown = {"client_id": made["clientId"], "client_secret": made["clientSecret"]}
    form = shown | {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return shown, httpx.post(f"{base}/oauth/token", data=form).json()


def refreshed(base: str, shown: dict[str, str], token: str) -> httpx.Response:
    form = shown | {"grant_type": "refresh_token", "refresh_token": token}
    return httpx.post(f"{base}/oauth/token", data=form)


def test_a_used_refresh_token_comes_back_too_late(firebrick: Firebrick, base: str) -> None:
    shown, first = tokens(firebrick, base)
    newer = refreshed(base, shown, first["refresh_token"]).json()
    firebrick("clock", "advance", "9m")
    assert refreshed(base, shown, first["refresh_token"]).status_code == 200
    firebrick("clock", "advance", "2m")
    late = refreshed(base, shown, first["refresh_token"])
    assert (late.status_code, late.json()["error"]) == (403, "invalid_grant")
    assert refreshed(base, shown, newer["refresh_token"]).status_code == 403


def test_tokens_end_by_it_and_not_while_it_stands(firebrick: Firebrick, base: str) -> None:
    shown, first = tokens(firebrick, base)
    sites = f"{base}/oauth/token/accessible-resources"
    bearer = {"authorization": f"Bearer {first['access_token']}"}
    firebrick("clock", "stop")
    firebrick("clock", "advance", "59m")
    assert httpx.get(sites, headers=bearer).status_code == 200
    firebrick("clock", "go")
    firebrick("clock", "advance", "1m")
    assert httpx.get(sites, headers=bearer).status_code == 401
    firebrick("clock", "advance", "90d")
    assert refreshed(base, shown, first["refresh_token"]).status_code == 403
    made = firebrick("token", "create", "dana", "--days", "10", "--format", "json").json
    assert isinstance(made, dict)
    auth = (made["email"], made["token"])
    assert httpx.get(f"{base}/rest/api/3/myself", auth=auth).status_code == 200
    firebrick("clock", "advance", "10d")
    assert httpx.get(f"{base}/rest/api/3/myself", auth=auth).status_code == 401
    before = httpx.get(f"{base}/rest/api/3/serverInfo").json()["serverTime"]
    firebrick("clock", "reset")
    assert httpx.get(f"{base}/rest/api/3/serverInfo").json()["serverTime"] < before
    assert httpx.get(f"{base}/rest/api/3/myself", auth=auth).status_code == 200


def test_what_it_says_of_itself(firebrick: Firebrick) -> None:
    shown = firebrick("clock", "show", "--format", "json").json
    assert isinstance(shown, dict)
    assert (shown["aheadSeconds"], shown["stopped"]) == (0.0, False)
    assert firebrick("clock", "advance", "1d12h").code == 0
    assert "129600 s were added" in firebrick("clock", "show").out
    assert ", stopped" in firebrick("clock", "stop").out
    assert firebrick("clock", "show").out == firebrick("clock", "stop").out
    assert "stopped" not in firebrick("clock", "go").out
    assert "added" not in firebrick("clock", "reset").out


@pytest.mark.parametrize("by", ["", "1", "-1d", "1w", "1.5h", "0s", "99999999d", "d"])
def test_it_moves_forward_by_what_can_be_read(firebrick: Firebrick, by: str) -> None:
    said = firebrick("clock", "advance", "--", by)
    assert said.code == 1
    assert "BAD_OPTION" in said.err


@pytest.mark.hostile
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"ahead_s": "x", "stopped_at_s": null}',
        "\x00",
        "[" * 100,
        '{"ahead_s": NaN, "stopped_at_s": null}',
        '{"ahead_s": 0, "stopped_at_s": Infinity}',
    ],
)
def test_a_file_that_cannot_be_read_is_no_time(
    firebrick: Firebrick, base: str, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "state" / CLOCK_FILE
    path.write_text(text, encoding="utf-8")
    assert httpx.get(f"{base}/rest/api/3/serverInfo").status_code == 503
    assert "STATE_UNUSABLE" in firebrick("clock", "show").err
    assert firebrick("clock", "reset").code == 0
    assert httpx.get(f"{base}/rest/api/3/serverInfo").status_code == 200


def test_a_new_state_has_the_machines_time(firebrick: Firebrick, tmp_path: Path) -> None:
    firebrick("clock", "advance", "1d")
    path = tmp_path / "state" / CLOCK_FILE
    assert json.loads(path.read_text(encoding="utf-8"))["ahead_s"] == 86_400.0
    assert firebrick("reset", "--yes").code == 0
    assert not path.exists()
