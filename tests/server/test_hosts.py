"""Which host takes which credential, and which paths: by path on loopback and by host name."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection

from runtime.clock import Clock
from runtime.identity.oauth.values import AuthorizeFault
from runtime.ids import Ids
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import SiteData
from runtime.server.hosts import Hosts, host_name
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.tokens.broker import TokenGrant
from tests.flows.conftest import APPS, Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served

ACME = "0acde000-0000-4000-8000-000000000001"
SECOND = SiteData("0acde000-0000-4000-8000-000000000002", "second")
CALLBACK = "http://localhost:9999/callback"
SCOPES = frozenset({"read:jira-user"})
SITE, GATEWAY = "acme.atlassian.net", "api.atlassian.com"
ZEROS = "0" * 64


def basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


@dataclass
class Grounds:
    """A server with an app of each kind, and what each of them can show."""

    connected: Connected
    credentials: dict[str, str | None] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.connected.base

    def get(
        self, path: str, credential: str = "none", host: str = "127.0.0.1",
        method: str = "GET",
    ) -> httpx.Response:  # fmt: skip
        headers = {"host": host, "accept": "*/*"}
        shown = self.credentials.get(credential)
        if credential == "Connect JWT":
            shown = "JWT " + self.connected.app.token(method, path)
        if shown is not None:
            headers["authorization"] = shown
        return httpx.request(method, self.base + path, headers=headers)


def make_bearers(bench: Bench) -> tuple[str, str]:
    """Return an access token of an OAuth app, and one of a Forge app."""
    firebrick, dana = bench.firebrick, bench.firebrick.find_person("dana")
    client, secret = firebrick.oauth.clients.create(
        "Sync", dana.account_id, scopes=SCOPES, callback_urls=(CALLBACK,)
    )
    request = {
        "audience": "api.atlassian.com", "client_id": client.client_id, "state": "s",
        "scope": " ".join(SCOPES), "redirect_uri": CALLBACK, "response_type": "code",
    }  # fmt: skip
    asked = firebrick.oauth.flow.prepare_authorize(list(request.items()), dana)
    assert not isinstance(asked, AuthorizeFault), asked
    code = httpx.URL(firebrick.oauth.flow.approve(asked, dana, {bench.cloud_id})).params["code"]
    answer = firebrick.oauth.flow.exchange(
        {
            "client_id": client.client_id, "client_secret": secret.get_secret_value(),
            "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK,
        }, None,
    )  # fmt: skip
    version = firebrick.find_app("issue-health", "development")
    installation = firebrick.apps.find_installation(version, bench.cloud_id)
    grant = TokenGrant(
        installation.id, version.app_id, bench.cloud_id, dana.account_id, frozenset(version.scopes)
    )
    forge = firebrick.broker.access_token(grant).get_secret_value()
    return answer.access_token.get_secret_value(), forge


def make_credentials(connected: Connected) -> dict[str, str | None]:
    bench = connected.bench
    dana, tokens = bench.firebrick.find_person("dana"), bench.firebrick.api_tokens
    oauth, forge = make_bearers(bench)
    unscoped = tokens.create(dana, "unscoped")[1].get_secret_value()
    scoped = tokens.create(dana, "scoped", scopes=SCOPES)[1].get_secret_value()
    impersonation = connected.bearer("dana")["authorization"]
    token = connected.app.token
    return {
        "none": None,
        "empty": "",
        "another scheme": "Negotiate abc",
        "3LO bearer": f"Bearer {oauth}",
        "3LO token as JWT": f"JWT {oauth}",
        "3LO bearer, garbage": f"Bearer fbk_at_{ZEROS}",
        "Forge bearer": f"Bearer {forge}",
        "opaque bearer, garbage": "Bearer x",
        "web token as bearer": f"Bearer {token('GET', '/rest/api/3/myself')}",
        "scoped Basic": basic(str(dana.email), scoped),
        "unscoped Basic": basic(str(dana.email), unscoped),
        "Basic, garbage token": basic(str(dana.email), f"fbk_pat_{ZEROS}"),
        "Basic, unknown name": basic("nobody@acme.example", unscoped),
        "Basic, no base64": "Basic %%%",
        "Basic, no colon": "Basic " + base64.b64encode(b"dana").decode(),
        "Connect JWT": None,  # made for each request
        "Connect JWT, other secret": "JWT " + token("GET", "/rest/api/3/myself", "s" * 40),
        "Connect JWT, context-qsh": "JWT " + token("GET", "/x", qsh="context-qsh"),
        "Connect JWT, garbage": "JWT x.y.z",
        "impersonation bearer": impersonation,
        "impersonation bearer, garbage": f"Bearer fbk_cs_{ZEROS}",
        "impersonation bearer, lower case": impersonation.replace("Bearer", "bearer"),
        "impersonation bearer, two spaces": impersonation.replace(" ", "  "),
    }


def seed(connection: Connection, ids: Ids, clock: Clock) -> None:
    seed_default_world(connection, ids, clock)
    seed_default_world(connection, ids, clock, SECOND)


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    settings = Settings(state=tmp_path_factory.mktemp("state"), login_failures=0)
    with open_firebrick(settings, seed=seed) as firebrick, running(ConnectApp()) as app:
        bench = Bench(firebrick, ACME)
        bench.install(APPS / "issue-health")
        with served(firebrick) as base:
            made = Grounds(Connected(bench, base, app))
            made.connected.install()
            made.credentials.update(make_credentials(made.connected))
            yield made


# --- the matrix --------------------------------------------------------------------------------

JSON = "application/json;charset=UTF-8"
FAILED = "AUTHENTICATED_FAILED"
LOGIN = (401, "text/html;charset=UTF-8", b"Client must be authenticated to access this resource.")
PARSE = (403, "application/json", b'{"error":"Failed to parse Connect Session Auth Token"}')
UNAUTHORIZED = (401, JSON, b'{"code":401,"message":"Unauthorized"}')
MISMATCH = (401, JSON, b'{"code":401,"message":"Unauthorized; scope does not match"}')

# who a credential is on the site, or how the site refuses it; then whether the gateway takes it
ON_SITE = {
    "none": "anonymous",
    "empty": "anonymous",
    "another scheme": "anonymous",
    "3LO bearer": PARSE,
    "3LO token as JWT": LOGIN,
    "3LO bearer, garbage": PARSE,
    "Forge bearer": PARSE,
    "opaque bearer, garbage": PARSE,
    "web token as bearer": PARSE,
    "scoped Basic": "failed",
    "unscoped Basic": "Dana Developer",
    "Basic, garbage token": "failed",
    "Basic, unknown name": "failed",
    "Basic, no base64": "anonymous",
    "Basic, no colon": "anonymous",
    "Connect JWT": "Helper",
    "Connect JWT, other secret": LOGIN,
    "Connect JWT, context-qsh": LOGIN,
    "Connect JWT, garbage": LOGIN,
    "impersonation bearer": "Dana Developer",
    "impersonation bearer, garbage": LOGIN,
    "impersonation bearer, lower case": "anonymous",
    "impersonation bearer, two spaces": PARSE,
}
ON_GATEWAY = dict.fromkeys(ON_SITE, False) | dict.fromkeys(
    ("3LO bearer", "Forge bearer", "scoped Basic"), True
)
FORMS = ("by path", "by name")


def seen(answer: httpx.Response) -> tuple[int, str, bytes]:
    return (answer.status_code, answer.headers["content-type"], answer.content)


@pytest.mark.hostile
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("credential", ON_SITE)
def test_32_the_site_takes_its_own_credentials_alone(
    grounds: Grounds, credential: str, form: str
) -> None:
    host = "127.0.0.1" if form == "by path" else SITE
    expected = ON_SITE[credential]

    def get(path: str) -> httpx.Response:
        return grounds.get(path, credential, host)

    myself, public, private = (
        get(f"/rest/api/3/{path}") for path in ("myself", "issue/PUB-2", "issue/TEAM-1")
    )
    unknown, info = get("/rest/api/3/nope"), get("/rest/api/3/serverInfo")
    reason = FAILED if expected == "failed" else None
    if isinstance(expected, tuple):  # refused before routing
        for answer in (myself, public, private, unknown, info):
            assert seen(answer) == expected
    elif expected in ("anonymous", "failed"):
        assert seen(myself) == LOGIN
        assert myself.headers["www-authenticate"].startswith("OAuth realm=")
        assert (public.status_code, public.json()["key"]) == (200, "PUB-2")
        assert (private.status_code, unknown.status_code, info.status_code) == (404, 404, 200)
    else:
        assert (myself.status_code, myself.json()["displayName"]) == (200, expected)
        assert (public.status_code, private.status_code, info.status_code) == (200, 200, 200)
    for answer in (myself, public, private, info):
        assert answer.headers.get("x-seraph-loginreason") == reason


@pytest.mark.hostile
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("credential", ON_GATEWAY)
def test_32_the_gateway_takes_its_own_credentials_alone(
    grounds: Grounds, credential: str, form: str
) -> None:
    host = "127.0.0.1" if form == "by path" else GATEWAY

    def get(path: str) -> httpx.Response:
        return grounds.get(f"/ex/jira/{ACME}/rest/api/3/{path}", credential, host)

    myself, public, unknown = get("myself"), get("issue/PUB-2"), get("nope")
    if not ON_GATEWAY[credential]:
        for answer in (myself, public, unknown, get("serverInfo")):
            assert seen(answer) == UNAUTHORIZED
    elif credential == "Forge bearer":  # the app may read issues, and not who one is
        assert seen(myself) == MISMATCH
        assert (public.status_code, public.json()["key"]) == (200, "PUB-2")
        assert seen(unknown) == MISMATCH
    else:
        assert (myself.status_code, myself.json()["displayName"]) == (200, "Dana Developer")
        assert seen(public) == MISMATCH
        assert seen(unknown) == MISMATCH
    for answer in (myself, public, unknown):
        assert "x-seraph-loginreason" not in answer.headers


@pytest.mark.hostile
@pytest.mark.parametrize("credential", ["3LO bearer", "Forge bearer"])
@pytest.mark.parametrize("form", FORMS)
def test_31_a_token_is_for_its_own_site(grounds: Grounds, credential: str, form: str) -> None:
    host = "127.0.0.1" if form == "by path" else GATEWAY
    elsewhere = grounds.get(f"/ex/jira/{SECOND.cloud_id}/rest/api/3/serverInfo", credential, host)
    assert seen(elsewhere) == UNAUTHORIZED
    nowhere = grounds.get("/ex/jira/nope/rest/api/3/serverInfo", credential, host)
    assert (nowhere.status_code, nowhere.json()) == (404, {"code": 404, "message": "Not Found"})


def test_the_matrix_names_every_credential(grounds: Grounds) -> None:
    assert list(grounds.credentials) == list(ON_SITE) == list(ON_GATEWAY)


# --- paths -------------------------------------------------------------------------------------


@pytest.mark.hostile
@pytest.mark.parametrize("credential", ON_SITE)
def test_the_gateways_name_has_no_site_beside_it(grounds: Grounds, credential: str) -> None:
    for path in ("/rest/api/3/serverInfo", "/rest/api/3/myself", "/", "/_firebrick/health",
                 "/oauth/token", "/connect", "/_edge/tenant_info", "/console"):  # fmt: skip
        answer = grounds.get(path, credential, GATEWAY)
        assert (answer.status_code, answer.json()) == (404, {"code": 404, "message": "Not Found"})


@pytest.mark.hostile
@pytest.mark.parametrize("credential", ["3LO bearer", "Forge bearer", "scoped Basic", "none"])
def test_a_site_has_no_gateway_below_it(grounds: Grounds, credential: str) -> None:
    for path in (f"/ex/jira/{ACME}/rest/api/3/myself", "/me", "/oauth/token/accessible-resources"):
        answer = grounds.get(path, credential, SITE)
        assert answer.status_code == (403 if "bearer" in credential else 404), path


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        (GATEWAY, "/oauth/token/accessible-resources", 401),
        (GATEWAY, "/me", 401),
        ("auth.atlassian.com", "/authorize", 302),
        ("auth.atlassian.com", "/oauth/token", 405),
        ("auth.atlassian.com", "/.well-known/openid-configuration", 200),
        ("auth.atlassian.com", "/.well-known/jwks.json", 200),
        ("auth.atlassian.com", "/_firebrick/account/sign-in", 200),
        ("id.atlassian.com", "/_firebrick/account/sign-in", 200),
        ("id.atlassian.com", "/_firebrick/account/tokens", 302),
        ("id.atlassian.com", "/_firebrick/admin", 302),
        ("id.atlassian.com", "/_firebrick/admin/organization", 302),
        ("id.atlassian.com", "/_firebrick/pages.css", 200),
        ("auth.atlassian.com", "/_firebrick/admin", 404),
        (SITE, "/_firebrick/admin", 404),
        (SITE, "/_firebrick/admin/organization", 404),
        (SITE, "/_firebrick/pages.css", 200),
        ("auth.atlassian.com", "/", 302),
        ("id.atlassian.com", "/", 302),
        ("forge.cdn.prod.atlassian-dev.net", "/.well-known/jwks.json", 200),
        ("oauth-2-authorization-server.services.atlassian.com", "/oauth2/token", 405),
        ("auth.atlassian.io", "/oauth2/token", 405),
        ("connect-cdn.atl-paas.net", "/all.js", 200),
        (SITE, "/_edge/tenant_info", 200),
        (SITE, "/", 200),
        (SITE, "/connect", 200),
        ("localhost", "/me", 401),
        ("localhost", "/all.js", 200),
        ("localhost", "/.well-known/jwks.json", 200),
        ("[::1]:8080", "/_firebrick/health", 200),
        ("AUTH.Atlassian.com:443", "/.well-known/jwks.json", 200),
    ],
)
def test_each_name_answers_its_own_paths(
    grounds: Grounds, host: str, path: str, status: int
) -> None:
    assert grounds.get(path, host=host).status_code == status


@pytest.mark.hostile
@pytest.mark.parametrize(
    "host",
    ["auth.atlassian.com", "id.atlassian.com", "auth.atlassian.io", "connect-cdn.atl-paas.net",
     "forge.cdn.prod.atlassian-dev.net"],
)  # fmt: skip
def test_no_name_answers_what_is_another_hosts(grounds: Grounds, host: str) -> None:
    for path in ("/rest/api/3/serverInfo", f"/ex/jira/{ACME}/rest/api/3/myself", "/me", "/graphql",
                 "/_firebrick/health", "/console", "/connect-keys/x", "/_edge/tenant_info",
                 "/.well-known/nothing", "/fpp/provider/app"):  # fmt: skip
        answer = grounds.get(path, "unscoped Basic", host)
        assert answer.status_code == 404, path
        assert answer.text.startswith(f"Not here: {host} answers /"), path


def test_the_start_page_of_a_site_leads_to_no_page_of_another_host(grounds: Grounds) -> None:
    links = 'href="/_firebrick/a', 'href="/console"', 'href="/connect"'
    everything, site = grounds.get("/").text, grounds.get("/", host=SITE).text
    assert [link in everything for link in links] == [True, True, True]
    assert [link in site for link in links] == [False, False, True]


def test_the_metadata_name_the_hosts_as_clients_reach_them(grounds: Grounds) -> None:
    path = "/.well-known/openid-configuration"
    told = grounds.get(path, host="auth.atlassian.com").json()
    assert told["token_endpoint"] == "http://auth.atlassian.com/oauth/token"
    assert told["userinfo_endpoint"] == "http://api.atlassian.com/me"
    assert grounds.get(path).json()["userinfo_endpoint"] == "http://127.0.0.1/me"


@pytest.mark.parametrize(
    "host", ["connect-install-keys.atlassian.com", "asap-distribution.us-west-2.prod.atl-asap.net"]
)
def test_a_key_host_serves_the_key_at_its_root(grounds: Grounds, host: str) -> None:
    kid = grounds.connected.bench.firebrick.connect.site_keys.keys(ACME).kid
    answer = grounds.get(f"/{kid}", host=host)
    assert answer.status_code == 200
    assert answer.text.startswith("-----BEGIN PUBLIC KEY-----")
    assert grounds.get(f"/connect-keys/{kid}").text == answer.text


@pytest.mark.hostile
def test_20_a_key_host_has_nothing_else_and_says_nothing(grounds: Grounds) -> None:
    kid = grounds.connected.bench.firebrick.connect.site_keys.keys(ACME).kid
    for path in ("/", "/undefined", f"/{kid}?x=1", f"/x/{kid}", f"/{kid}/", f"/connect-keys/{kid}",
                 "/rest/api/3/serverInfo", "/../x", f"/%2e%2e/{kid}", "/me", "/_firebrick/health",
                 f"//{kid}", f"/{kid};x", "/all.js", "/.well-known/jwks.json", "/%00"):  # fmt: skip
        answer = grounds.get(path, host="connect-install-keys.atlassian.com")
        assert (answer.status_code, answer.content) == (404, b""), path
    posted = grounds.get(f"/{kid}", host="connect-install-keys.atlassian.com", method="POST")
    assert (posted.status_code, posted.content) == (404, b"")


def test_every_site_of_the_state_has_its_name(grounds: Grounds) -> None:
    for host, cloud_id in ((SITE, ACME), ("second.atlassian.net", SECOND.cloud_id)):
        assert grounds.get("/_edge/tenant_info", host=host).json() == {"cloudId": cloud_id}
    assert grounds.get("/_edge/tenant_info").json() == {"cloudId": ACME}


@pytest.mark.hostile
@pytest.mark.parametrize(
    "host",
    ["third.atlassian.net", "atlassian.net", "x.api.atlassian.com", "api.atlassian.com.evil.test",
     "evil.test", "api.atlassian.com.", "acme.atlassian.net:80:80", "[::1", "[::1]x",
     "api.atlassian.com:x", "user@acme.atlassian.net", "169.254.169.254"],
)  # fmt: skip
def test_39_any_other_name_reaches_nothing(grounds: Grounds, host: str) -> None:
    for path in ("/", "/_firebrick/health", "/rest/api/3/serverInfo", "/console", "/me"):
        answer = grounds.get(path, host=host)
        assert answer.status_code in (400, 421), path


# --- names alone -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "name"),
    [("localhost", "localhost"), ("LOCALHOST:1", "localhost"), ("[::1]:80", "::1"),
     ("[::1]", "::1"), ("a:", "a"), ("", ""), ("a:1:2", ""), ("[::1", ""), ("a:²", "")],
)  # fmt: skip
def test_a_host_header_is_read_or_refused(header: str, name: str) -> None:
    assert host_name(header) == name


def test_a_site_that_comes_later_is_found() -> None:
    sites = {"one.atlassian.net": "1"}
    hosts = Hosts(lambda: dict(sites), ["API.atlassian.com", "box.test"])
    assert hosts.find("two.atlassian.net") is None
    assert not hosts.has_site("2")
    sites["two.atlassian.net"] = "2"
    assert hosts.find_known("two.atlassian.net") is None
    assert hosts.is_platform("two.atlassian.net")
    found = hosts.find("two.atlassian.net:443")
    assert found is not None
    assert (found.role, found.cloud_id) == ("site", "2")
    assert hosts.has_site("2")


def test_a_name_of_the_platform_stays_what_it_is() -> None:
    hosts = Hosts(lambda: {"one.atlassian.net": "1"}, ["API.atlassian.com", "Box.test"])
    found = [hosts.find(name) for name in ("api.atlassian.com", "box.test")]
    assert [one and one.role for one in found] == ["gateway", "everything"]


def test_a_state_on_disk_is_asked_for_its_sites(tmp_path: Path) -> None:
    with open_firebrick(Settings(state=tmp_path / "state")) as firebrick:
        assert Hosts(firebrick.sites_by_host).is_platform(SITE)
