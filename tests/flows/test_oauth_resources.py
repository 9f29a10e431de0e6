"""Where an OAuth app may go, and as whom: accessible-resources and the profile, on two sites."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import Connection

from runtime.clock import Clock
from runtime.identity.accounts import set_account_active
from runtime.identity.oauth.values import AuthorizeFault, GrantKind
from runtime.ids import Ids
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import SiteData
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from tests.flows.browser import authorize_path
from tests.flows.serving import served

CALLBACK = "https://app.example/callback"
ACME = "0acde000-0000-4000-8000-000000000001"
OTHER = SiteData("0acde000-0000-4000-8000-000000000002", "other")
RESOURCES = "/oauth/token/accessible-resources"
MYSELF = "/rest/api/3/myself"


def seed(connection: Connection, ids: Ids, clock: Clock) -> None:
    seed_default_world(connection, ids, clock)
    seed_default_world(connection, ids, clock, OTHER)


@dataclass
class Sites:
    """Two sites, and what a browser and an app would do."""

    firebrick: Firebrick
    base: str

    def tokens(self, kind: GrantKind, *sites: str, scope: str = "read:jira-user") -> list[str]:
        """Access tokens of an app of its own, one for each consent, in their order."""
        oauth, dana = self.firebrick.oauth, self.firebrick.find_person("dana")
        client, secret = oauth.clients.create(
            "Notes", dana.account_id, grant_kind=kind, callback_urls=(CALLBACK,),
            scopes={"read:jira-user", "read:me"},
        )  # fmt: skip
        found = []
        for site in sites or ("",):
            query = urlsplit(authorize_path(client.client_id, scope=scope)).query
            asked = oauth.flow.prepare_authorize(parse_qsl(query), dana)
            assert not isinstance(asked, AuthorizeFault)
            location = oauth.flow.approve(asked, dana, {site} - {""})
            (code,) = parse_qs(urlsplit(location).query)["code"]
            form = {
                "grant_type": "authorization_code", "client_id": client.client_id, "code": code,
                "client_secret": secret.get_secret_value(), "redirect_uri": CALLBACK,
            }  # fmt: skip
            answer = httpx.post(f"{self.base}/oauth/token", data=form)
            found.append(str(answer.json()["access_token"]))
        return found

    def get(self, path: str, token: str) -> httpx.Response:
        return httpx.get(self.base + path, headers={"authorization": f"Bearer {token}"})

    def myself(self, site: str, token: str) -> int:
        return self.get(f"/ex/jira/{site}{MYSELF}", token).status_code


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Sites]:
    settings = Settings(state=tmp_path / "state")
    with open_firebrick(settings, seed=seed) as firebrick, served(firebrick) as base:
        yield Sites(firebrick, base)


def test_a_further_consent_adds_its_site_for_tokens_already_issued(sites: Sites) -> None:
    first, second = sites.tokens("account", ACME, OTHER.cloud_id)
    for token in (first, second):
        found = sites.get(RESOURCES, token).json()
        assert [one["id"] for one in found] == [ACME, OTHER.cloud_id]
        assert [sites.myself(one, token) for one in (ACME, OTHER.cloud_id)] == [200, 200]
    assert found[1] == {
        "id": OTHER.cloud_id,
        "name": "other",
        "url": "https://other.atlassian.net",
        "scopes": ["read:jira-user"],
        "avatarUrl": found[1]["avatarUrl"],
    }
    assert found[1]["avatarUrl"].startswith("https://")


def test_a_resource_level_token_names_its_own_site_alone(sites: Sites) -> None:
    first, second = sites.tokens("resource", ACME, OTHER.cloud_id)
    for token, own, other in ((first, ACME, OTHER.cloud_id), (second, OTHER.cloud_id, ACME)):
        assert [one["id"] for one in sites.get(RESOURCES, token).json()] == [own]
        assert (sites.myself(own, token), sites.myself(other, token)) == (200, 401)


def test_a_token_for_the_profile_alone_has_no_site(sites: Sites) -> None:
    (token,) = sites.tokens("account", scope="read:me")
    answer = sites.get(RESOURCES, token)
    assert (answer.status_code, answer.json()) == (200, [])
    assert sites.get("/me", token).json()["name"] == "Dana Developer"


def test_a_token_narrowed_to_the_profile_names_no_site(sites: Sites) -> None:
    oauth, dana = sites.firebrick.oauth, sites.firebrick.find_person("dana")
    client, secret = oauth.clients.create(
        "Notes", dana.account_id, scopes={"read:jira-user", "read:me"}, callback_urls=(CALLBACK,)
    )
    scope = "read:jira-user read:me offline_access"
    query = urlsplit(authorize_path(client.client_id, scope=scope)).query
    asked = oauth.flow.prepare_authorize(parse_qsl(query), dana)
    assert not isinstance(asked, AuthorizeFault)
    (code,) = parse_qs(urlsplit(oauth.flow.approve(asked, dana, {ACME})).query)["code"]
    shown = {"client_id": client.client_id, "client_secret": secret.get_secret_value()}
    url = f"{sites.base}/oauth/token"
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    first = httpx.post(url, data=shown | form).json()
    assert len(sites.get(RESOURCES, first["access_token"]).json()) == 1
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    narrow = httpx.post(url, data=shown | form | {"scope": "read:me offline_access"}).json()
    assert sites.get(RESOURCES, narrow["access_token"]).json() == []


@pytest.mark.hostile
def test_a_deactivated_account_has_neither_sites_nor_a_profile(sites: Sites) -> None:
    (token,) = sites.tokens("account", ACME, scope="read:jira-user read:me")
    dana = sites.firebrick.find_person("dana").account_id
    assert sites.get("/me", token).status_code == 200
    with sites.firebrick.engine.begin() as connection:
        set_account_active(connection, dana, active=False)
    for path in ("/me", RESOURCES):
        answer = sites.get(path, token)
        assert (answer.status_code, answer.json()) == (
            401,
            {"code": 401, "message": "Unauthorized"},
        )


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"grant_type": "refresh_token", "grant_type": "x"}', "A parameter stands twice."),
        (b'{"grant_type": 1}', "Every parameter is a text."),
        (b'{"grant_type": ["refresh_token"]}', "Every parameter is a text."),
        (b"[]", "The body cannot be read."),
        (b"\xff", "The body cannot be read."),
    ],
)
def test_odd_json_at_the_token_endpoint_is_told_what_is_wrong(
    sites: Sites, body: bytes, says: str
) -> None:
    url, kind = f"{sites.base}/oauth/token", {"content-type": "application/json"}
    answer = httpx.post(url, content=body, headers=kind)
    assert (answer.status_code, answer.json()) == (
        400, {"error": "invalid_request", "error_description": says},
    )  # fmt: skip


@pytest.mark.hostile
def test_odd_requests_to_the_token_endpoint_are_told_what_is_wrong(sites: Sites) -> None:
    url = f"{sites.base}/oauth/token"
    twice = httpx.post(url, content="code=a&code=b", headers={
        "content-type": "application/x-www-form-urlencoded",
    })  # fmt: skip
    assert twice.json()["error_description"] == "A parameter stands twice."
    for method in ("GET", "PUT", "DELETE"):
        other = httpx.request(method, url)
        assert (other.status_code, other.headers["allow"]) == (405, "POST")
    plain = httpx.post(url, content="grant_type=x", headers={"content-type": "text/plain"})
    assert (plain.status_code, plain.json()["error"]) == (400, "invalid_request")
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    for more in ({"client_secret": "s"}, {"client_id": "another"}):
        both = httpx.post(url, data=form | more, auth=("client", "s"))
        assert (both.status_code, both.json()["error_description"]) == (
            400, "The client shows who it is in two ways.",
        )  # fmt: skip
    same = httpx.post(url, data=form | {"client_id": "client"}, auth=("client", "s"))
    assert (same.status_code, same.json()["error"]) == (401, "access_denied")
