"""Threats to Connect, one test for each row of the threat list, over real sockets.

Times are set by claims, never waited for: a token that has expired was issued long ago.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from runtime.errors import ForgeError
from runtime.identity.accounts import set_account_active
from runtime.server.connect.apps import ConnectApps
from runtime.server.connect.client import AppClient
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.wire import JiraRequest
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served

pytestmark = pytest.mark.hostile

ISSUE = "/rest/api/3/issue/TEAM-1"
ME = "/rest/api/3/myself"


@pytest.fixture
def flow(bench: Bench) -> Iterator[Connected]:
    with served(bench.firebrick) as base, running(ConnectApp()) as app:
        flow = Connected(bench, base, app)
        flow.install()
        yield flow


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    """An installed app for the tests that change nothing of it."""
    folder = tmp_path_factory.mktemp("lab")
    settings = Settings(state=folder / "state", cache=folder / "cache")
    with (
        open_firebrick(settings) as firebrick,
        served(firebrick) as base,
        running(ConnectApp()) as app,
    ):
        lab = Connected(Bench(firebrick), base, app)
        lab.install()
        yield lab


def claims(flow: Connected, method: str = "GET", path: str = ME, **more: Any) -> dict[str, Any]:
    token = flow.app.token(method, flow.base + path)
    made: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return {name: value for name, value in (made | more).items() if value is not None}


def raw_token(header: dict[str, Any], payload: dict[str, Any], signature: str = "") -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in (header, payload)
    ]
    return ".".join([*parts, signature])


def shown(flow: Connected, token: str, path: str = ME) -> httpx.Response:
    return flow.get(path, f"JWT {token}")


def rule_of(flow: Connected) -> str:
    return flow.bench.firebrick.audit.read()[-1].rule


# --- 10: act as any user with no right ---------------------------------------------------------


def test_10_nobody_is_impersonated_without_the_scope(flow: Connected) -> None:
    flow.app.scopes = ["READ", "ADMIN"]
    flow.install()
    answer = flow.app.exchange(flow.app.assertion(flow.account_id("dana")))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("who", ["dora", "otto"])
def test_10_nobody_is_impersonated_who_could_not_log_in(lab: Connected, who: str) -> None:
    answer = lab.app.exchange(lab.app.assertion(lab.account_id(who)))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    unknown = lab.app.exchange(lab.app.assertion("712020:nobody"))
    assert unknown.content == answer.content


def test_10_an_app_is_no_user(lab: Connected) -> None:
    own = lab.app.ask("GET", ME).json()["accountId"]
    assert lab.app.exchange(lab.app.assertion(own)).status_code == 400


def test_10_a_token_never_holds_more_than_its_app(lab: Connected) -> None:
    for scope in ("ADMIN", "READ ADMIN", "ACCESS_EMAIL_ADDRESSES", "NONSENSE"):
        answer = lab.app.exchange(lab.app.assertion(lab.account_id("amy")), scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    headers = lab.bearer("amy")
    rename = httpx.put(f"{lab.base}/rest/api/3/project/TEAM", json={"name": "X"}, headers=headers)
    assert rename.status_code == 403


# --- 11: lifecycle takeover by unsigned install ------------------------------------------------


def test_11_every_install_is_signed_by_a_key_of_the_site(lab: Connected) -> None:
    path, authorization, body = lab.app.raw[0]
    token = authorization.removeprefix("JWT ")
    header = jwt.get_unverified_header(token)
    pem = httpx.get(f"{lab.base}/connect-keys/{header['kid']}").text
    assert (path, header["alg"]) == ("/installed", "RS256")
    assert pem.startswith("-----BEGIN PUBLIC KEY-----")
    signed = jwt.decode(token, pem, algorithms=["RS256"], audience=lab.app.url)
    assert signed["iss"] == json.loads(body)["clientKey"]
    assert signed["qsh"] == hashlib.sha256(b"POST&/installed&").hexdigest()
    assert signed["exp"] - signed["iat"] <= 60


# --- 12: context tokens where a request's own token must stand ----------------------------------


@pytest.mark.parametrize("qsh", ["context-qsh", "", "0" * 64, None, 1, ["context-qsh"], {}])
def test_12_a_token_that_is_for_no_single_request_is_refused(lab: Connected, qsh: Any) -> None:
    token = jwt.encode(claims(lab, qsh=qsh), lab.app.tenant["sharedSecret"], algorithm="HS256")
    assert shown(lab, token).status_code == 401
    assert rule_of(lab) == "credential.jwt-qsh"


# --- 13 and 14: algorithms -----------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", "", None, "HS384", "HS512", 256])
def test_13_no_other_algorithm_is_accepted(lab: Connected, alg: Any) -> None:
    secret = lab.app.tenant["sharedSecret"]
    assert shown(lab, raw_token({"alg": alg, "typ": "JWT"}, claims(lab))).status_code == 401
    if alg in ("HS384", "HS512"):
        signed = jwt.encode(claims(lab), secret, algorithm=alg)
        assert shown(lab, signed).status_code == 401
    genuine = jwt.encode(claims(lab), secret, algorithm="HS256")
    stripped = genuine.rpartition(".")[0] + "."
    assert shown(lab, stripped).status_code == 401
    assert shown(lab, genuine).status_code == 200


def test_14_the_public_key_is_no_shared_secret(lab: Connected) -> None:
    keys = lab.bench.firebrick.connect.site_keys.keys(lab.bench.cloud_id)
    for secret in (keys.public_key, keys.public_key.strip(), lab.app.tenant["publicKey"]):
        signature = _hs256({"alg": "HS256", "typ": "JWT"}, claims(lab), secret)
        assert shown(lab, signature).status_code == 401
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    assert shown(lab, jwt.encode(claims(lab), private, algorithm="RS256")).status_code == 401


def _hs256(header: dict[str, Any], payload: dict[str, Any], secret: str) -> str:
    """Sign with any text: the library refuses a public key as a secret, an attacker does not."""
    unsigned = raw_token(header, payload).removesuffix(".")
    digest = hmac.new(secret.encode(), unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


# --- 15 and 16: what a token is for --------------------------------------------------------------


@pytest.mark.parametrize(
    ("signed", "sent", "status"),
    [
        ("/rest/api/3/issue/TEAM-1", "/rest/api/3/issue/TEAM-1", 200),
        ("/rest/api/3/issue/TEAM-1", "/rest/api/3/issue/TEAM-2", 401),
        ("/rest/api/3/issue/TEAM-1", "/rest/api/3/issue/TEAM-1?fields=x", 401),
        ("/rest/api/3/issue/TEAM-1?fields=x", "/rest/api/3/issue/TEAM-1", 401),
        ("/rest/api/3/issue/TEAM-1&fields=x", "/rest/api/3/issue/TEAM-1?fields=x", 401),
        ("/rest/api/3/issue/TEAM-1?a=1&b=2", "/rest/api/3/issue/TEAM-1?b=2&a=1", 200),
        ("/rest/api/3/issue/TEAM-1?a=1&b=2", "/rest/api/3/issue/TEAM-1&a=1?b=2", 401),
        ("/rest/api/3/issue/TEAM-1?a=1%262", "/rest/api/3/issue/TEAM-1?a=1&2", 401),
        ("/rest/api/3/issue/TEAM-1?a=1%2C2", "/rest/api/3/issue/TEAM-1?a=1&a=2", 401),
        ("/rest/api/3/issue/TEAM-1?A=1", "/rest/api/3/issue/TEAM-1?a=1", 401),
    ],
)
def test_15_a_token_is_for_one_request(lab: Connected, signed: str, sent: str, status: int) -> None:
    assert shown(lab, lab.app.token("GET", lab.base + signed), sent).status_code == status


def test_15_a_token_is_for_one_method(lab: Connected) -> None:
    token = lab.app.token("GET", lab.base + ISSUE)
    headers = {"authorization": f"JWT {token}"}
    assert httpx.delete(lab.base + ISSUE, headers=headers).status_code == 401
    assert httpx.get(lab.base + ISSUE, headers=headers).status_code == 200


def test_15_a_token_in_the_query_is_no_part_of_what_it_is_for(lab: Connected) -> None:
    for query in ("", "fields=summary&"):
        signed = lab.app.token("GET", f"{lab.base}{ISSUE}?{query.rstrip('&')}".rstrip("?"))
        assert lab.get(f"{ISSUE}?{query}jwt={signed}").status_code == 200
        assert lab.get(f"{ISSUE}?{query}jwt={signed}&more=1").status_code == 401
        assert lab.get(f"{ISSUE}?{query}x={signed}&jwt={signed}").status_code == 401


def test_16_the_body_is_not_covered_as_on_the_platform(lab: Connected) -> None:
    path = "/rest/api/2/issue/TEAM-1/comment"
    headers = {"authorization": f"JWT {lab.app.token('POST', lab.base + path)}"}
    for text in ("one", "another"):
        answer = httpx.post(lab.base + path, json={"body": text}, headers=headers)
        assert answer.status_code == 201


# --- 17 and 18: replay ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "times",
    [
        {"iat": -400, "exp": -200}, {"iat": 3600, "exp": 7200}, {"nbf": 3600}, {"exp": None},
        {"iat": None},
    ],
)  # fmt: skip
def test_17_a_token_ends_and_does_not_begin_in_the_future(
    lab: Connected, times: dict[str, int | None]
) -> None:
    now = int(time.time())
    moved: dict[str, Any] = {
        name: None if offset is None else now + offset for name, offset in times.items()
    }
    token = jwt.encode(claims(lab, **moved), lab.app.tenant["sharedSecret"], algorithm="HS256")
    assert shown(lab, token).status_code == 401


@pytest.mark.parametrize("value", ["soon", True, [], {}, -1, 1e400, 10**400, "1e9"])
def test_17_a_time_that_is_no_time_is_refused(lab: Connected, value: object) -> None:
    for name in ("exp", "iat", "nbf"):
        payload = claims(lab) | {name: value}
        token = _hs256({"alg": "HS256"}, payload, lab.app.tenant["sharedSecret"])
        if (name, value) not in (("iat", -1), ("nbf", -1)):
            assert shown(lab, token).status_code == 401


def test_17_a_long_life_is_accepted_unless_the_switch_is_on(flow: Connected, bench: Bench) -> None:
    long = claims(flow, exp=int(time.time()) + 86_400)
    token = jwt.encode(long, flow.app.tenant["sharedSecret"], algorithm="HS256")
    assert shown(flow, token).status_code == 200
    bench.firebrick.connect.authenticator._max_lifetime_s = 180.0
    assert shown(flow, token).status_code == 401
    assert shown(flow, flow.app.token("GET", flow.base + ME)).status_code == 200


def test_18_the_secret_of_an_earlier_install_is_dead(flow: Connected) -> None:
    old = flow.app.tenant["sharedSecret"]
    bearer = flow.bearer("dana")
    assertion = flow.app.assertion(flow.account_id("dana"))
    flow.uninstall()
    assert flow.app.ask("GET", ME, secret=old).status_code == 401
    assert flow.app.exchange(assertion).status_code == 401
    flow.install()
    assert flow.app.ask("GET", ME, secret=old).status_code == 401
    assert flow.app.exchange(assertion).status_code == 400
    assert httpx.get(flow.base + ME, headers=bearer).status_code == 401
    assert flow.app.ask("GET", ME).status_code == 200


# --- 19: mix-ups ---------------------------------------------------------------------------------


def test_19_a_token_of_the_site_sent_back_proves_nothing(lab: Connected) -> None:
    enabled = next(authorization for path, authorization, _ in lab.app.raw if path == "/enabled")
    assert lab.get(ME, enabled).status_code == 401
    installed = lab.app.raw[0][1]
    assert lab.get(ME, installed).status_code == 401
    reflected = claims(lab, iss=lab.app.tenant["clientKey"])
    token = jwt.encode(reflected, lab.app.tenant["sharedSecret"], algorithm="HS256")
    assert shown(lab, token).status_code == 401
    assert rule_of(lab) == "credential.jwt-issuer"


def test_19_the_token_of_a_page_sent_back_proves_nothing(lab: Connected) -> None:
    page = httpx.post(
        f"{lab.base}/plugins/servlet/ac/{lab.app.key}/hello?issue.key=TEAM-1",
        data={"as": "dana"},
        headers={"origin": lab.base},
    )
    (token,) = set(re.findall(r"jwt=([\w-]+\.[\w-]+\.[\w-]+)", page.text))
    claims = jwt.decode(token, lab.app.tenant["sharedSecret"], algorithms=["HS256"])
    assert claims["iss"] == lab.app.tenant["clientKey"]
    assert shown(lab, token).status_code == 401
    assert rule_of(lab) == "credential.jwt-issuer"
    assert lab.get(f"{ME}?jwt={token}").status_code == 401
    assert lab.app.exchange(token).status_code in (400, 401)


def test_19_an_app_cannot_sign_as_another(flow: Connected) -> None:
    with running(ConnectApp(key="com.example.other", name="Other")) as other:
        flow.install(app=other)
        assert other.ask("GET", ME).json()["displayName"] == "Other"
        assert other.ask("GET", ME, iss=flow.app.key).status_code == 401
        assert other.ask("GET", ME, aud=[flow.app.key]).status_code == 401
        assert other.ask("GET", ME, aud=[other.tenant["clientKey"]]).status_code == 200
        forged = {"iss": f"urn:atlassian:connect:clientid:{flow.app.tenant['oauthClientId']}"}
        answer = other.exchange(other.assertion(flow.account_id("dana"), **forged))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_19_a_token_is_for_one_site(lab: Connected) -> None:
    token = lab.app.token("GET", lab.base + ME)
    for cloud_id, status in ((lab.bench.cloud_id, 200), ("another-site", 401)):
        request = JiraRequest(
            "GET", ME, headers={"authorization": f"JWT {token}"}, cloud_id=cloud_id
        )
        assert lab.bench.firebrick.jira.handle(request).status == status


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://evil.example"}, {"aud": None}, {"aud": []}, {"aud": 1},
        {"tnt": "https://other.example"}, {"tnt": None}, {"tnt": 1},
        {"sub": "dana"}, {"sub": None}, {"sub": 1}, {"sub": "urn:atlassian:connect:useraccountid:"},
        {"exp": None}, {"iat": None},
    ],
)  # fmt: skip
def test_19_an_assertion_says_for_whom_and_where(lab: Connected, changed: dict[str, Any]) -> None:
    assertion = lab.app.assertion(lab.account_id("dana"), **changed)
    answer = lab.app.exchange(assertion)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert "no-store" in answer.headers["cache-control"]


def test_19_an_assertion_that_lives_too_long_is_told_so(lab: Connected) -> None:
    now = int(time.time())
    answer = lab.app.exchange(lab.app.assertion(lab.account_id("dana"), exp=now + 600))
    assert answer.json()["error_description"].startswith(
        "Expiration timestamp too far in the future [was "
    )
    old: dict[str, Any] = {"iat": now - 600, "exp": now - 540}
    assert lab.app.exchange(lab.app.assertion(lab.account_id("dana"), **old)).status_code == 400


@pytest.mark.parametrize(
    "aud",
    [
        "https://oauth-2-authorization-server.services.atlassian.com", "https://auth.atlassian.io",
        "https://auth.atlassian.io/oauth2/token", ["https://auth.atlassian.io"],
    ],
)  # fmt: skip
def test_19_every_name_of_the_server_is_an_audience(lab: Connected, aud: Any) -> None:
    answer = lab.app.exchange(lab.app.assertion(lab.account_id("dana"), aud=aud))
    assert (answer.status_code, answer.json()["expires_in"]) == (200, 900)
    assert set(answer.json()) == {"access_token", "expires_in", "token_type"}


def test_19_a_session_token_is_for_this_host_and_this_site(lab: Connected) -> None:
    bearer = lab.bearer("dana")
    gateway = f"{lab.base}/ex/jira/{lab.bench.cloud_id}{ME}"
    assert httpx.get(gateway, headers=bearer).status_code == 401
    jwt_there = httpx.get(gateway, headers={"authorization": f"JWT {lab.app.token('GET', ME)}"})
    assert jwt_there.status_code == 401
    unknown = {"authorization": "Bearer fbk_cs_" + "0" * 64}
    assert httpx.get(lab.base + ME, headers=unknown).status_code == 401
    for other in ("fbk_at_" + "0" * 64, "x", " " + bearer["authorization"][7:], "a.b.c"):
        refused = httpx.get(
            f"{lab.base}/rest/api/3/serverInfo", headers={"authorization": f"Bearer {other}"}
        )
        assert refused.json() == {"error": "Failed to parse Connect Session Auth Token"}
    lower = {"authorization": bearer["authorization"].replace("Bearer", "bearer")}
    assert httpx.get(lab.base + ME, headers=lower).status_code == 401


def test_19_a_session_token_ends_with_its_user(flow: Connected) -> None:
    bearer = flow.bearer("dana")
    with flow.bench.firebrick.engine.begin() as connection:
        set_account_active(connection, flow.account_id("dana"), active=False)
    answer = httpx.get(f"{flow.base}/rest/api/3/issue/PUB-2", headers=bearer)
    assert answer.status_code == 401


# --- 20: key ids ---------------------------------------------------------------------------------


def test_20_the_key_host_gives_nothing_but_keys(lab: Connected) -> None:
    keys = lab.bench.firebrick.connect.site_keys.keys(lab.bench.cloud_id)
    good = f"/connect-keys/{keys.kid}"
    assert lab.get(good).text == keys.public_key
    for path in (
        f"{good}?x=1", f"{good}/", f"{good}/x", "/connect-keys/undefined", "/connect-keys/",
        "/connect-keys", "/connect-keys/%2e%2e/x", "/connect-keys/..%2fx", f"{good}.pem",
        f"/connect-keys/{keys.kid.upper()}", f"/connect-keys/{'0' * 36}", f"{good};x",
        "/connect-keys//etc/passwd", f"{good}%00",
    ):  # fmt: skip
        answer = lab.get(path)
        assert (answer.status_code, answer.content) == (404, b""), path
    assert httpx.post(lab.base + good).content == b""


def test_20_a_header_names_no_key_of_its_own(lab: Connected) -> None:
    own = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    for header in (
        {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "http://127.0.0.1:1/"}, {"kid": "../x"},
        {"jwk": {"kty": "oct", "k": "AAAA"}}, {"crit": ["exp"]}, {"b64": False},
    ):  # fmt: skip
        forged = jwt.encode(claims(lab), own, algorithm="RS256", headers=header)
        assert shown(lab, forged).status_code == 401
        signed = _hs256({"alg": "HS256", **header}, claims(lab), "AAAA")
        assert shown(lab, signed).status_code == 401


# --- 38 and 40: where this server goes -----------------------------------------------------------


def apps_at(bench: Bench, *addresses: str, allow: str = "") -> ConnectApps:
    """Connect apps whose every name resolves to these addresses."""
    firebrick = bench.firebrick
    client = AppClient(firebrick.clock, frozenset(allow.split()), lambda _host, _port: addresses)
    return ConnectApps(
        engine=firebrick.engine, parts=firebrick.connect, client=client, audit=firebrick.audit,
        clock=firebrick.clock, ids=firebrick.ids, frozen=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://169.254.169.254/latest", "169.254.169.254"),
        ("https://169.254.169.254/latest", "169.254.169.254"),
        ("https://10.0.0.1/d.json", "10.0.0.1"),
        ("https://app.example/d.json", "127.0.0.1"),
        ("https://app.example/d.json", "::1"),
        ("https://app.example/d.json", "192.168.1.1"),
        ("https://app.example/d.json", "::ffff:10.0.0.1"),
        ("http://app.example/d.json", "93.184.216.34"),
        ("https://app.example:22/d.json", "93.184.216.34"),
        ("http://localhost:8080/d.json", "93.184.216.34"),
        ("file:///etc/passwd", "127.0.0.1"),
        ("gopher://127.0.0.1/", "127.0.0.1"),
        ("http://127.0.0.1@10.0.0.1/d.json", "10.0.0.1"),
        ("http://2852039166/", "169.254.169.254"),
    ],
)
def test_38_no_descriptor_leads_into_the_network(bench: Bench, url: str, address: str) -> None:
    with pytest.raises(ForgeError) as caught:
        apps_at(bench, address).plan(url, bench.cloud_id)
    assert caught.value.code == "ADDRESS_REFUSED"


def test_38_a_host_can_be_allowed_by_name(bench: Bench) -> None:
    with running(ConnectApp()) as app:
        url = app.descriptor_url.replace("127.0.0.1", "app.example")
        plan = apps_at(bench, "127.0.0.1", allow="app.example").plan(url, bench.cloud_id)
        assert plan.descriptor.key == app.key


def test_38_no_redirect_is_followed(flow: Connected) -> None:
    with running(ConnectApp()) as second:
        flow.app.redirect_to = second.descriptor_url
        with pytest.raises(ForgeError) as caught:
            flow.install()
        assert caught.value.code == "DESCRIPTOR_UNREACHABLE"
        admin = flow.bench.firebrick.find_person("amy")
        flow.bench.firebrick.connect_apps.uninstall(flow.app.key, flow.bench.cloud_id, admin)
        assert second.raw == []


def test_38_an_apps_own_words_do_not_lead_elsewhere(bench: Bench, tmp_path: Path) -> None:
    for base, hook in (
        ("http://10.0.0.1", "/installed"), ("https://u:p@app.example", "/installed"),
        ("http://127.0.0.1:1/a/../b", "/x"), ("http://127.0.0.1:1", "//evil.example/x"),
        ("http://127.0.0.1:1", "http://10.0.0.1/x"), ("http://127.0.0.1:1", "/a/%2e%2e/x"),
        ("http://127.0.0.1:1", "@evil.example/x"), ("http://127.0.0.1:1", "/x\r\ny"),
    ):  # fmt: skip
        file = tmp_path / "d.json"
        file.write_text(
            json.dumps(
                {
                    "key": "a", "baseUrl": base, "authentication": {"type": "jwt"},
                    "lifecycle": {"installed": hook},
                }
            )
        )  # fmt: skip
        with pytest.raises(ForgeError) as caught:
            bench.firebrick.connect_apps.plan(str(file), bench.cloud_id)
        assert caught.value.code == "BAD_DESCRIPTOR", (base, hook)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x", "//evil.example/x", "javascript://x/%0aalert(1)", "data://x",
     "{base}.evil.example/x", "{base}@evil.example/x"],
)  # fmt: skip
def test_40_no_other_origin_gets_a_token(flow: Connected, url: str) -> None:
    flow.app.modules["generalPages"][0]["url"] = url.replace("{base}", flow.app.url)
    flow.install()
    page = httpx.post(
        f"{flow.base}/plugins/servlet/ac/{flow.app.key}/hello",
        data={"as": "dana"},
        headers={"origin": flow.base},
    )
    assert page.status_code == 404
    assert "eyJ" not in page.text


# --- secrets -------------------------------------------------------------------------------------


def test_37_no_page_record_or_database_shows_a_secret(flow: Connected) -> None:
    flow.bearer("dana")
    flow.app.ask("GET", ME)
    firebrick = flow.bench.firebrick
    secrets = [flow.app.tenant["sharedSecret"]]
    keys = firebrick.connect.site_keys.keys(flow.bench.cloud_id)
    secrets.append(keys.private_key.get_secret_value().splitlines()[1])
    seen = flow.get("/connect").text + str(firebrick.audit.read())
    seen += repr(firebrick.connect.installations.list())
    with firebrick.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        seen += "\n".join(raw.iterdump())
    for secret in secrets:
        assert secret not in seen
    assert "eyJ" not in str(firebrick.audit.read())
