"""OAuth 2.0 (3LO) over a real socket, with the clients that people use."""

import base64
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from jira import JIRA
from requests_oauthlib import OAuth2Session

from runtime.identity.oauth.values import AuthorizeFault, OAuthClient
from tests.flows.conftest import Bench
from tests.flows.serving import served

CALLBACK = "http://localhost:9999/callback"
BASIC = base64.b64encode(b"a:b").decode()
SCOPES = ["read:jira-work", "read:jira-user", "read:me", "offline_access"]


@dataclass
class Desk:
    """A server, one app of dana's, and what a browser would do."""

    bench: Bench
    base: str
    client: OAuthClient
    secret: str

    @property
    def gateway(self) -> str:
        return f"{self.base}/ex/jira/{self.bench.cloud_id}"

    @property
    def token_url(self) -> str:
        return f"{self.base}/oauth/token"

    def approve(self, url: str, as_: str = "dana") -> str:
        flow, person = self.bench.firebrick.oauth.flow, self.bench.firebrick.find_person(as_)
        request = flow.prepare_authorize(parse_qsl(urlsplit(url).query), person)
        assert not isinstance(request, AuthorizeFault), request
        return flow.approve(request, person, {self.bench.cloud_id})

    def session(self, **options: object) -> OAuth2Session:
        return OAuth2Session(self.client.client_id, redirect_uri=CALLBACK, scope=SCOPES, **options)

    def location(self, session: OAuth2Session) -> str:
        url, _ = session.authorization_url(
            f"{self.base}/authorize", audience="api.atlassian.com", prompt="consent"
        )
        return self.approve(url)

    def log_in(self, **options: object) -> OAuth2Session:
        session = self.session(**options)
        session.fetch_token(
            self.token_url,
            client_secret=self.secret,
            authorization_response=self.location(session),
        )
        return session

    def fields(self, **fields: str) -> dict[str, str]:
        shown = {"client_id": self.client.client_id, "client_secret": self.secret}
        return {**shown, **fields}

    def code(self) -> str:
        return parse_qs(urlsplit(self.location(self.session())).query)["code"][0]


@pytest.fixture
def desk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    owner = bench.firebrick.find_person("dana").account_id
    client, secret = bench.firebrick.oauth.clients.create(
        "Sync", owner, scopes=set(SCOPES[:3]), callback_urls=(CALLBACK,)
    )
    with served(bench.firebrick) as base:
        yield Desk(bench, base, client, secret.get_secret_value())


@pytest.mark.parametrize("options", [{}, {"pkce": "S256"}], ids=["plain", "pkce"])
def test_requests_oauthlib_logs_in_calls_and_refreshes(desk: Desk, options: dict[str, str]) -> None:
    session = desk.log_in(**options)
    assert session.token["token_type"] == "Bearer"
    assert session.token["expires_in"] == 3600
    assert set(session.token["scope"]) == set(SCOPES)
    sites = session.get(f"{desk.base}/oauth/token/accessible-resources").json()
    assert [site["id"] for site in sites] == [desk.bench.cloud_id]
    assert sites[0]["scopes"] == ["read:jira-user", "read:jira-work"]
    assert session.get(f"{desk.gateway}/rest/api/3/myself").json()["displayName"]
    before = dict(session.token)
    session.refresh_token(
        desk.token_url, client_id=desk.client.client_id, client_secret=desk.secret
    )
    assert session.token["refresh_token"] != before["refresh_token"]
    assert session.token["access_token"] != before["access_token"]
    assert session.get(f"{desk.gateway}/rest/api/3/issue/TEAM-1").status_code == 200


def test_the_jira_library_works_on_the_gateway_with_the_token(desk: Desk) -> None:
    token = desk.log_in().token["access_token"]
    jira = JIRA(server=desk.gateway, token_auth=token)
    assert jira.issue("TEAM-1").key == "TEAM-1"
    assert jira.myself()["emailAddress"] == "dana@acme.example"


def test_the_profile_has_the_documented_fields_and_needs_its_scope(desk: Desk) -> None:
    session = desk.log_in()
    me = session.get(f"{desk.base}/me").json()
    assert {"account_type", "account_id", "email", "name", "picture", "account_status", "nickname",
            "zoneinfo", "locale", "extended_profile"} == me.keys()  # fmt: skip
    assert (me["email"], me["account_status"]) == ("dana@acme.example", "active")
    clients = desk.bench.firebrick.oauth.clients
    clients.update(replace(desk.client, scopes=frozenset({"read:jira-work"})))
    refused = session.get(f"{desk.base}/me")
    assert (refused.status_code, refused.json()["message"]) == (
        401, "Unauthorized; scope does not match",
    )  # fmt: skip


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "form"])
@pytest.mark.parametrize("basic", [True, False], ids=["basic", "body"])
def test_the_token_endpoint_takes_json_and_form_basic_and_body(
    desk: Desk, as_json: bool, basic: bool
) -> None:
    fields = {"grant_type": "authorization_code", "code": desk.code(), "redirect_uri": CALLBACK}
    auth = (desk.client.client_id, desk.secret) if basic else None
    body = fields if basic else desk.fields(**fields)
    response = httpx.post(
        desk.token_url, json=body if as_json else None, data=None if as_json else body, auth=auth
    )
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.json().keys() == {
        "access_token", "expires_in", "token_type", "scope", "refresh_token",
    }  # fmt: skip


def test_without_offline_access_there_is_no_refresh_token(desk: Desk) -> None:
    session = OAuth2Session(desk.client.client_id, redirect_uri=CALLBACK, scope=["read:jira-work"])
    session.fetch_token(
        desk.token_url,
        client_secret=desk.secret,
        authorization_response=desk.location(session),
    )
    assert "refresh_token" not in session.token


def expect(response: httpx.Response, status: int, error: str, description: str) -> None:
    body = response.json()
    assert (response.status_code, body["error"]) == (status, error), body
    assert body["error_description"] == description
    assert response.headers["cache-control"] == "no-store"


def test_every_documented_error_of_the_token_endpoint(desk: Desk) -> None:
    def ask(**fields: str) -> httpx.Response:
        return httpx.post(desk.token_url, data=desk.fields(**fields))

    unknown = ask(grant_type="refresh_token", refresh_token="fbk_rt_" + "0" * 64)
    expect(unknown, 403, "invalid_grant", "Unknown or invalid refresh token.")
    code = ask(grant_type="authorization_code", code="nope", redirect_uri=CALLBACK)
    expect(code, 403, "invalid_grant", "Invalid authorization code")
    wrong = ask(grant_type="refresh_token", refresh_token="x", client_secret="y")
    expect(wrong, 401, "access_denied", "Unauthorized")
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    closed = ask(grant_type="client_credentials")
    expect(closed, 403, "unauthorized_client",
           "Grant type 'client_credentials' not allowed for the client.")  # fmt: skip
    expect(ask(grant_type="x"), 400, "unsupported_grant_type", "Unsupported grant type: x")
    for name, fields in (
        ("grant_type", {}),
        ("code", {"grant_type": "authorization_code"}),
        ("redirect_uri", {"grant_type": "authorization_code", "code": "x"}),
        ("refresh_token", {"grant_type": "refresh_token"}),
    ):
        expect(ask(**fields), 400, "invalid_request", f"Missing required parameter: {name}")


def test_a_refresh_token_of_another_client_is_named_as_such(desk: Desk) -> None:
    refresh = desk.log_in().token["refresh_token"]
    other, secret = desk.bench.firebrick.oauth.clients.create(
        "Other", desk.client.owner_account_id, callback_urls=(CALLBACK,)
    )
    response = httpx.post(desk.token_url, data={
        "client_id": other.client_id, "client_secret": secret.get_secret_value(),
        "grant_type": "refresh_token", "refresh_token": refresh,
    })  # fmt: skip
    expect(response, 403, "unauthorized_client", "refresh_token is invalid")


def test_a_rotated_secret_is_dead_at_once(desk: Desk) -> None:
    session = desk.log_in()
    desk.bench.firebrick.oauth.clients.rotate_secret(desk.client.client_id)
    response = httpx.post(desk.token_url, data=desk.fields(
        grant_type="refresh_token", refresh_token=session.token["refresh_token"]
    ))  # fmt: skip
    expect(response, 401, "access_denied", "Unauthorized")


def test_an_app_may_end_its_own_refresh_token(desk: Desk) -> None:
    session = desk.log_in()
    token = session.token["refresh_token"]
    url = f"{desk.base}/oauth/revoke"
    for shown in (token, "unknown"):
        assert httpx.post(url, data=desk.fields(token=shown)).status_code == 200
    assert session.get(f"{desk.gateway}/rest/api/3/myself").status_code == 401
    assert httpx.post(url, data={"token": token}).status_code == 400


@pytest.mark.hostile
def test_of_two_that_use_one_code_at_once_at_most_one_gets_tokens(desk: Desk) -> None:
    fields = desk.fields(grant_type="authorization_code", code=desk.code(), redirect_uri=CALLBACK)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: httpx.post(desk.token_url, data=fields), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, *[403] * 5]
    token = next(one for one in answers if one.status_code == 200).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{desk.base}/me", headers=headers).status_code == 401


def test_processes_that_refresh_at_once_all_get_tokens(desk: Desk) -> None:
    fields = desk.fields(
        grant_type="refresh_token", refresh_token=desk.log_in().token["refresh_token"]
    )
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: httpx.post(desk.token_url, data=fields), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 4


def test_the_metadata_names_what_is_there(desk: Desk) -> None:
    found = httpx.get(f"{desk.base}/.well-known/openid-configuration").json()
    assert found["issuer"] == desk.base
    assert found["token_endpoint"] == desk.token_url
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert httpx.get(found["jwks_uri"]).json() == {"keys": []}


@pytest.mark.parametrize("path", ["/oauth/token/accessible-resources", "/me"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer nope"}, {"authorization": f"Basic {BASIC}"}],
    ids=["none", "unknown", "basic"],
)
def test_who_and_where_need_a_token(desk: Desk, path: str, headers: Mapping[str, str]) -> None:
    response = httpx.get(desk.base + path, headers=headers)
    assert (response.status_code, response.json()) == (
        401, {"code": 401, "message": "Unauthorized"},
    )  # fmt: skip
    assert httpx.post(desk.base + path, headers=headers).status_code == 405


def test_a_header_says_which_scopes_were_missing_and_the_body_does_not(desk: Desk) -> None:
    session = desk.log_in()
    project = f"{desk.gateway}/rest/api/3/project/TEAM"
    refused = session.put(project, json={"name": "X"})
    assert refused.json() == {"code": 401, "message": "Unauthorized; scope does not match"}
    granted, needed = refused.headers["x-firebrick-scopes"].split("; ")
    assert granted == "granted: offline_access read:jira-user read:jira-work read:me"
    groups = needed.removeprefix("needed: ").split(" or ")
    assert groups[0] == "manage:jira-project"
    assert len(groups[1].split()) == 13
    assert "x-firebrick-scopes" not in session.get(project).headers
    unknown = session.get(f"{desk.gateway}/rest/api/3/nothing/there")
    assert unknown.status_code == 401
    assert "x-firebrick-scopes" not in unknown.headers
    clients = desk.bench.firebrick.oauth.clients
    clients.update(replace(desk.client, scopes=frozenset({"read:jira-work"})))
    me = session.get(f"{desk.base}/me").headers["x-firebrick-scopes"]
    assert me == "granted: offline_access read:jira-work; needed: read:me"


ASKING = {
    "origin": "https://app.example",
    "access-control-request-method": "PUT",
    "access-control-request-headers": "authorization,content-type",
}


def test_a_script_of_another_origin_may_use_its_token_on_the_gateway(desk: Desk) -> None:
    token = desk.log_in().token["access_token"]
    shown = {"origin": "https://app.example", "authorization": f"Bearer {token}"}
    paths = (f"/ex/jira/{desk.bench.cloud_id}/rest/api/3/myself", "/me",
             "/oauth/token/accessible-resources")  # fmt: skip
    for path in paths:
        may = httpx.options(desk.base + path, headers=ASKING)
        assert (may.status_code, may.headers["access-control-allow-origin"]) == (204, "*")
        assert "PUT" in may.headers["access-control-allow-methods"]
        for name in ("authorization", "content-type"):
            assert name in may.headers["access-control-allow-headers"]
        answer = httpx.get(desk.base + path, headers=shown)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
        refused = httpx.get(desk.base + path, headers={"origin": "https://app.example"})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")
        assert "access-control-allow-origin" not in httpx.get(desk.base + path).headers


@pytest.mark.hostile
def test_no_script_of_another_origin_may_use_anything_else_nor_anybodys_cookies(
    desk: Desk,
) -> None:
    gateway = f"/ex/jira/{desk.bench.cloud_id}/rest/api/3/myself"
    for path in ("/rest/api/3/myself", "/oauth/token", "/oauth2/token", "/authorize", "/graphql",
                 "/_edge/tenant_info", "/console/api/apps", "/fpp/provider/app/remote/jira",
                 "/ex/jirax", "/me/", "/"):  # fmt: skip
        for method in ("OPTIONS", "GET", "POST"):
            answer = httpx.request(method, desk.base + path, headers=ASKING)
            assert not any(name.startswith("access-control-") for name in answer.headers), path
    for method in ("OPTIONS", "GET"):
        answer = httpx.request(method, desk.base + gateway, headers=ASKING)
        assert "access-control-allow-credentials" not in answer.headers
        site = httpx.request(
            method, desk.base + gateway, headers=ASKING | {"host": "acme.atlassian.net"}
        )
        assert "access-control-allow-origin" not in site.headers


def test_a_token_of_eighty_scopes_is_too_large_for_every_path_of_the_gateway(desk: Desk) -> None:
    granular = sorted(
        name
        for operation in desk.bench.firebrick.operations
        for one in operation.scopes
        for name in one
        if name.count(":") == 2
    )
    many = {*list(dict.fromkeys(granular))[:78], "read:me", "offline_access"}
    clients = desk.bench.firebrick.oauth.clients
    clients.update(replace(desk.client, scopes=frozenset(many - {"offline_access"})))
    paths = ("/me", "/oauth/token/accessible-resources", f"/ex/jira/{desk.bench.cloud_id}/x")
    for scopes, status in ((many, 400), (many - {"offline_access"}, 200)):
        session = OAuth2Session(desk.client.client_id, redirect_uri=CALLBACK, scope=sorted(scopes))
        session.fetch_token(
            desk.token_url,
            client_secret=desk.secret,
            authorization_response=desk.location(session),
        )
        for path in paths[: 3 if status == 400 else 2]:
            answer = session.get(desk.base + path)
            assert answer.status_code == status, answer.text
            if status == 400:
                assert answer.json() == {"code": 400, "message": "Request header is too large"}


def test_each_step_is_in_the_audit_and_no_secret_is(desk: Desk) -> None:
    session = desk.log_in()
    session.get(f"{desk.gateway}/rest/api/3/myself")
    httpx.post(desk.token_url, data=desk.fields(grant_type="refresh_token", refresh_token="x"))
    records = desk.bench.firebrick.audit.read()
    assert [record.rule for record in records] == [
        "consent.approved", "credential.token-issued", "allowed", "credential.token-refused",
    ]  # fmt: skip
    assert {record.model for record in records} == {"oauth"}
    assert {record.app_id for record in records[:3]} == {desk.client.client_id}
    for secret in (desk.secret, session.token["access_token"], session.token["refresh_token"]):
        assert secret not in str(records)
