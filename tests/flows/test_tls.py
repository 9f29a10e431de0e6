"""Unmodified clients that ask the platform's own addresses, by way of a proxy and a certificate."""

import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
import requests
from requests_oauthlib import OAuth2Session

from runtime.server.net.clientenv import Reach, client_variables
from runtime.server.net.listening import find_reach
from runtime.server.net.servers import make_server, open_secure, reach_of
from runtime.server.net.serving import listen
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.browser import Browser
from tests.flows.conftest import Bench

SITE, API, AUTH = (f"https://{name}" for name in (
    "acme.atlassian.net", "api.atlassian.com", "auth.atlassian.com"
))  # fmt: skip
CALLBACK = "http://localhost:9999/callback"
SCOPES = ["offline_access", "read:jira-user", "read:me"]
SECONDS = 60


class Place:
    """A server with TLS and a proxy, and what its clients need."""

    def __init__(self, bench: Bench, reach: Reach, authority: Path) -> None:
        self.bench = bench
        self.reach = reach
        self.authority = authority
        self.proxy = f"http://127.0.0.1:{reach.proxy_port}"

    @property
    def variables(self) -> dict[str, str]:
        return client_variables(self.reach, self.authority, self.bench.firebrick.site_names())

    def basic(self, *scopes: str) -> tuple[str, str]:
        dana = self.bench.firebrick.find_person("dana")
        _, secret = self.bench.firebrick.api_tokens.create(
            dana, "test", scopes=frozenset(scopes) or None
        )
        return str(dana.email), secret.get_secret_value()


@pytest.fixture
def place(bench: Bench) -> Iterator[Place]:
    firebrick = bench.firebrick
    secure, plain = open_secure(firebrick, "127.0.0.1", 0, 0), listen("127.0.0.1", 0)
    server = make_server(firebrick, secure=secure)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [plain]}, daemon=True)
    reach = reach_of(plain, secure)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield Place(bench, reach, secure.files.authority)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def outside(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """What ``eval "$(firebrick tls env)"`` does, to this process."""
    for name, value in place.variables.items():
        monkeypatch.setenv(name, value)
    return place


def test_requests_asks_a_site_by_its_own_address(outside: Place) -> None:
    answer = requests.get(f"{SITE}/rest/api/3/myself", auth=outside.basic(), timeout=SECONDS)
    assert (answer.status_code, answer.json()["displayName"]) == (200, "Dana Developer")
    assert answer.json()["self"].startswith(f"{SITE}/rest/api/3/user?accountId=")


def test_httpx_asks_the_gateway_by_its_own_address(outside: Place) -> None:
    base = f"{API}/ex/jira/{outside.bench.cloud_id}/rest/api/3"
    answer = httpx.get(f"{base}/myself", auth=outside.basic("read:jira-user"))
    assert (answer.status_code, answer.json()["displayName"]) == (200, "Dana Developer")
    assert answer.json()["self"].startswith(f"{base}/user?accountId=")
    refused = httpx.get(f"{base}/myself", auth=outside.basic())
    assert refused.json() == {"code": 401, "message": "Unauthorized"}


def test_a_whole_oauth_flow_at_the_platforms_addresses(outside: Place) -> None:
    firebrick, dana = outside.bench.firebrick, outside.bench.firebrick.find_person("dana")
    client, secret = firebrick.oauth.clients.create(
        "Sync", dana.account_id, scopes=set(SCOPES[1:]), callback_urls=(CALLBACK,)
    )
    session = OAuth2Session(client.client_id, redirect_uri=CALLBACK, scope=SCOPES)
    url, _ = session.authorization_url(f"{AUTH}/authorize", audience="api.atlassian.com")
    browser = Browser(AUTH)
    assert str(browser.open(url).url).startswith(f"{AUTH}/_firebrick/account/sign-in")
    browser.sign_in(outside.bench, "dana")
    assert all(cookie.secure for cookie in browser.cookies.jar)
    browser.press("Accept")
    location = browser.left_for
    session.fetch_token(
        f"{AUTH}/oauth/token", client_secret=secret.get_secret_value(),
        authorization_response=location.replace("http://", "https://"),
    )  # fmt: skip
    (resource,) = session.get(f"{API}/oauth/token/accessible-resources").json()
    assert (resource["id"], resource["url"]) == (outside.bench.cloud_id, SITE)
    assert session.get(f"{API}/me").json()["email"] == "dana@acme.example"
    mine = session.get(f"{API}/ex/jira/{resource['id']}/rest/api/3/myself")
    assert mine.json()["displayName"] == "Dana Developer"
    assert session.get(f"{SITE}/rest/api/3/myself").status_code == 403
    assert session.get(f"{AUTH}/me").status_code == 404


def test_a_client_of_another_process_needs_the_variables_alone(place: Place) -> None:
    script = (
        "import requests, sys; answer = requests.get("
        f"'{SITE}/_edge/tenant_info', timeout={SECONDS}); print(answer.json()['cloudId'])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], env=place.variables, check=True, capture_output=True
    )
    assert shown.stdout.decode().strip() == place.bench.cloud_id


def test_curl_needs_the_variables_alone(place: Place) -> None:
    curl = shutil.which("curl") or "/usr/bin/curl"
    command = [curl, "--silent", "--show-error", f"{AUTH}/.well-known/openid-configuration"]
    shown = subprocess.run(command, env=place.variables, check=True, capture_output=True)
    assert f'"token_endpoint": "{AUTH}/oauth/token"'.encode() in shown.stdout


def test_keep_alive_and_large_bodies_pass_the_tunnel(outside: Place) -> None:
    with httpx.Client(auth=outside.basic()) as client:
        for _ in range(3):
            assert client.get(f"{SITE}/rest/api/3/serverInfo").status_code == 200
        body = urlencode({"x": "y" * 3_000_000})
        assert client.post(f"{SITE}/rest/api/3/issue", content=body).status_code == 415
        assert client.post(f"{SITE}/rest/api/3/issue", content="x" * 11_000_000).status_code == 413


@pytest.mark.hostile
def test_a_client_that_was_not_told_to_trust_us_does_not(place: Place) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(
            f"{SITE}/_edge/tenant_info", proxy=place.proxy, verify=ssl.create_default_context()
        )


@pytest.mark.hostile
@pytest.mark.parametrize(
    "url", ["https://evil.test/", "https://other.atlassian.net/", "https://127.0.0.1/",
            "https://api.atlassian.com:8443/", "https://169.254.169.254/latest/"]
)  # fmt: skip
def test_another_host_is_refused_with_a_reason_and_a_record(outside: Place, url: str) -> None:
    with pytest.raises(httpx.ProxyError, match="403"):
        httpx.get(url, proxy=outside.proxy)
    (record,) = outside.bench.firebrick.audit.read()
    parts = urlsplit(url)
    assert (record.kind, record.allowed, record.rule) == ("egress", False, "egress.no-tunnel")
    assert record.path == f"{parts.hostname}:{parts.port or 443}"


@pytest.mark.hostile
def test_plain_http_through_the_proxy_is_refused(place: Place) -> None:
    answer = httpx.get("http://api.atlassian.com/me", proxy=place.proxy)
    assert (answer.status_code, answer.headers["connection"]) == (403, "close")
    assert "HTTPS_PROXY" in answer.text


@pytest.mark.hostile
def test_a_name_inside_the_tunnel_that_is_not_ours_reaches_nothing(outside: Place) -> None:
    answer = httpx.get(f"{API}/me", headers={"host": "evil.test"})
    assert answer.status_code == 421
    other = httpx.get(f"{API}/rest/api/3/serverInfo", headers={"host": "id.atlassian.com"})
    assert other.status_code == 404


@pytest.mark.hostile
def test_old_tls_is_not_spoken(place: Place) -> None:
    context = ssl.create_default_context(cafile=str(place.authority))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version, context.maximum_version = (
            ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1,
        )  # fmt: skip
    with (
        socket.create_connection(("127.0.0.1", place.reach.tls_port or 0), SECONDS) as plain,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(plain, server_hostname="api.atlassian.com")


@pytest.mark.hostile
def test_bytes_that_are_no_tls_leave_the_listener_alive(outside: Place) -> None:
    for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 70_000, b""):
        with socket.create_connection(("127.0.0.1", outside.reach.tls_port or 0), SECONDS) as one:
            one.sendall(sent)
    assert httpx.get(f"{SITE}/_edge/tenant_info").status_code == 200


@pytest.mark.hostile
def test_the_proxy_listens_on_this_machine_alone(bench: Bench) -> None:
    secure = open_secure(bench.firebrick, "0.0.0.0", 0, 0)
    assert secure.proxy is not None
    assert secure.proxy.getsockname()[0] == "127.0.0.1"
    assert secure.target[0] == "127.0.0.1"
    for listener in (secure.proxy, secure.listener):
        listener.close()


def test_serve_says_where_and_stops_saying_so(tmp_path: Path) -> None:
    state = tmp_path / "state"
    open_firebrick(Settings(state=state)).close()
    options = ("--port", "0", "--tls-port", "0", "--proxy-port", "0", "--state", str(state))
    command = [sys.executable, "-m", "runtime.cli", "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        said: list[str] = []
        try:
            while not said or not said[-1].startswith("Press"):
                said.append(process.stdout.readline().decode())
                assert said[-1], said
            reach = find_reach(state)
        finally:
            process.terminate()  # a shell's background jobs ignore SIGINT until uvicorn takes it
            process.communicate()
    assert reach is not None
    assert f"port {reach.tls_port}" in "".join(said)
    assert f"http://127.0.0.1:{reach.proxy_port}" in "".join(said)
    assert str(state / "tls" / "ca.pem") in "".join(said)
    assert find_reach(state) is None
