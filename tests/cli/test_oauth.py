"""The commands of OAuth, as a pipeline uses them."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from runtime.server.net.http import ask
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.wire import JiraRequest
from tests.cli.conftest import Firebrick, Said

CALLBACK = "http://localhost:9999/callback"


@pytest.fixture
def made(firebrick: Firebrick) -> dict[str, str]:
    said = firebrick(
        "oauth", "app", "create", "Sync", "--owner", "dana", "--callback", CALLBACK,
        "--scope", "read:jira-work read:me", "--format", "json",
    )  # fmt: skip
    assert said.code == 0
    found: dict[str, str] = json.loads(said.out)
    return found


def authorize(firebrick: Firebrick, *more: str) -> Said:
    return firebrick("oauth", "authorize", "--client", "Sync", "--as", "dana", *more)


def test_an_app_is_made_shown_changed_and_removed(
    firebrick: Firebrick, made: dict[str, str]
) -> None:
    assert made["clientSecret"].startswith("fbk_sec_")
    shown = firebrick("oauth", "app", "show", "Sync")
    assert made["clientSecret"] not in shown.out
    assert "scopes: jira: read:jira-work; user-identity: read:me" in shown.out
    assert made["clientId"] in firebrick("oauth", "app", "list").out
    changed = firebrick(
        "oauth", "app", "update", "Sync", "--scope", "read:me", "--distribution", "shared",
        "--format", "json",
    ).json  # fmt: skip
    assert isinstance(changed, dict)
    assert changed["scopes"] == {"user-identity": ["read:me"]}
    assert changed["callbackUrls"] == [CALLBACK]
    policy = "https://acme.example/privacy"
    shown = firebrick(
        "oauth", "app", "update", "Sync", "--vendor", "Acme", "--privacy-policy", policy
    )
    assert f"vendor: Acme\nprivacyPolicy: {policy}" in shown.out
    assert firebrick("oauth", "app", "update", "Sync", "--privacy-policy", "ftp://x").code == 1
    rotated = firebrick("oauth", "app", "rotate-secret", "Sync", "--format", "json").json
    assert isinstance(rotated, dict)
    assert rotated["clientSecret"] != made["clientSecret"]
    assert firebrick("oauth", "app", "delete", "Sync", answer="n\n").code == 1
    assert firebrick("oauth", "app", "delete", "Sync", "--yes").code == 0
    assert "There are no OAuth apps" in firebrick("oauth", "app", "list").out
    assert "UNKNOWN_OAUTH_APP" in firebrick("oauth", "app", "show", "Sync").err


def test_authorize_prints_the_redirect_and_nothing_else(
    firebrick: Firebrick, made: dict[str, str]
) -> None:
    said = authorize(firebrick, "--echo", "a b")
    assert (said.code, said.out.count("\n")) == (0, 1)
    fields = parse_qs(urlsplit(said.out.strip()).query)
    assert said.out.startswith(f"{CALLBACK}?code=fbk_code_")
    assert fields["state"] == ["a b"]
    assert made["clientId"] not in said.out


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--redirect", "http://evil.test/"], "Callback URL mismatch."),
        (["--scope", "write:jira-work"], "have not been added to the app"),
        (["--challenge", "short"], "no base64url of a SHA-256"),
    ],
)
@pytest.mark.usefixtures("made")
def test_authorize_refuses_what_the_page_refuses(
    firebrick: Firebrick, more: list[str], says: str
) -> None:
    said = authorize(firebrick, *more)
    assert (said.code, said.out) == (1, "")
    assert says in " ".join(said.err.split())


@pytest.mark.usefixtures("made")
def test_grants_are_listed_and_ended(firebrick: Firebrick) -> None:
    assert "Nobody has consented" in firebrick("oauth", "grants").out
    authorize(firebrick)
    rows = firebrick(
        "oauth", "grants", "--client", "Sync", "--user", "dana", "--format", "json"
    ).json
    assert isinstance(rows, list)
    assert (rows[0]["app"], rows[0]["account"]) == ("Sync", "dana")
    assert rows[0]["sites"] == ["acme.atlassian.net"]
    assert "offline_access read:jira-work read:me" in firebrick("oauth", "grants").out
    for options in (
        ["--user", "dana"],
        ["--client", "Sync"],
        ["--client", "Sync", "--site", "acme"],
    ):
        assert firebrick("oauth", "revoke", *options).code == 0
        assert firebrick("oauth", "revoke", *options).code == 1
        authorize(firebrick)
    assert firebrick("oauth", "revoke").code == 2
    assert firebrick("oauth", "revoke", "--site", "acme").code == 2


@pytest.mark.usefixtures("made")
def test_the_organization_blocks_and_allows_consent(firebrick: Firebrick) -> None:
    assert firebrick("oauth", "policy").out.startswith("userApps: allow\n")
    assert firebrick("oauth", "policy", "--user-apps", "block").out.startswith("userApps: block\n")
    assert authorize(firebrick).code == 1
    assert firebrick("oauth", "policy", "--user-apps", "allow").code == 0
    assert authorize(firebrick).code == 0


def test_why_tells_who_consented_to_what_and_what_is_missing(
    tmp_path: Path, firebrick: Firebrick, made: dict[str, str]
) -> None:
    code = parse_qs(urlsplit(authorize(firebrick).out.strip()).query)["code"][0]
    with open_firebrick(Settings(state=tmp_path / "state")) as opened:
        issued = opened.oauth.flow.exchange(
            {
                "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
                "client_id": made["clientId"], "client_secret": made["clientSecret"],
            },
            None,
        )  # fmt: skip
        token = issued.access_token.get_secret_value()
        for method in ("GET", "DELETE"):
            ask(
                opened.jira, opened.audit, opened.clock,
                JiraRequest(
                    method, "/rest/api/3/issue/TEAM-1", host="gateway",
                    headers={"authorization": f"Bearer {token}"}, cloud_id=opened.find_site(None),
                ),
            )  # fmt: skip
    said = firebrick("audit", "--why").out
    assert "a consent changed of the OAuth app Sync" in said
    assert "Who         the OAuth app Sync" in said
    assert "Credential  an access token of the app, by dana's consent" in said
    assert "held: offline_access, read:jira-work, read:me" in said
    assert "lacking: write:jira-work" in said
    firebrick("oauth", "revoke", "--user", "dana")
    assert "has not consented to the app, or took it back" in firebrick("audit", "--why").out
