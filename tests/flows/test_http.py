"""The product over HTTP: hosts, credentials, anonymous access, and tricks on the wire."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest

from tests.flows.conftest import Bench
from tests.flows.serving import served


@pytest.fixture
def base(bench: Bench) -> Iterator[str]:
    with served(bench.firebrick) as url:
        yield url


@pytest.fixture
def dana(bench: Bench) -> tuple[str, str]:
    owner = bench.firebrick.find_person("dana")
    _, secret = bench.firebrick.api_tokens.create(owner, "test")
    return (str(owner.email), secret.get_secret_value())


def test_basic_auth_is_the_owner_of_the_token(base: str, dana: tuple[str, str]) -> None:
    response = httpx.get(f"{base}/rest/api/3/myself", auth=dana)
    assert (response.status_code, response.json()["emailAddress"]) == (200, dana[0])
    assert response.headers["content-type"] == "application/json;charset=UTF-8"


def test_a_user_is_limited_by_permissions_alone(base: str, dana: tuple[str, str]) -> None:
    assert httpx.get(f"{base}/rest/api/3/issue/TEAM-1", auth=dana).status_code == 200
    rename = httpx.put(f"{base}/rest/api/3/project/TEAM", json={"name": "X"}, auth=dana)
    assert rename.status_code == 403


@pytest.mark.hostile
def test_a_wrong_token_silently_asks_as_anonymous(base: str, dana: tuple[str, str]) -> None:
    wrong = (dana[0], "fbk_pat_" + "0" * 64)
    public = httpx.get(f"{base}/rest/api/3/issue/PUB-2", auth=wrong)
    private = httpx.get(f"{base}/rest/api/3/issue/TEAM-1", auth=wrong)
    myself = httpx.get(f"{base}/rest/api/3/myself", auth=wrong)
    assert [public.status_code, private.status_code, myself.status_code] == [200, 404, 401]
    for response in (public, private, myself):
        assert response.headers["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"
    assert "x-seraph-loginreason" not in httpx.get(f"{base}/rest/api/3/issue/PUB-2").headers


@pytest.mark.hostile
def test_a_revoked_token_is_nobody_from_the_next_call_on(
    bench: Bench, base: str, dana: tuple[str, str]
) -> None:
    for token in bench.firebrick.api_tokens.list():
        bench.firebrick.api_tokens.revoke(token.id)
    assert httpx.get(f"{base}/rest/api/3/myself", auth=dana).status_code == 401


@pytest.mark.hostile
def test_a_bearer_on_the_site_is_refused_before_routing(base: str) -> None:
    for path in ("/rest/api/3/serverInfo", "/rest/api/3/nope"):
        response = httpx.get(base + path, headers={"authorization": "Bearer x"})
        assert response.status_code == 403
        assert response.json() == {"error": "Failed to parse Connect Session Auth Token"}
        assert response.headers["content-type"] == "application/json"


@pytest.mark.hostile
def test_the_gateway_takes_no_basic_auth_and_nothing_anonymous(
    bench: Bench, base: str, dana: tuple[str, str]
) -> None:
    url = f"{base}/ex/jira/{bench.cloud_id}/rest/api/3/serverInfo"
    for response in (
        httpx.get(url),
        httpx.get(url, auth=dana),
        httpx.get(url, headers={"authorization": "Bearer fbk_at_" + "0" * 64}),
    ):
        assert response.status_code == 401
        assert response.json() == {"code": 401, "message": "Unauthorized"}
    assert httpx.get(f"{base}/ex/jira/nope/rest/api/3/serverInfo").status_code == 404


def test_the_cloud_id_is_told_to_everyone(bench: Bench, base: str) -> None:
    response = httpx.get(f"{base}/_edge/tenant_info")
    assert response.json() == {"cloudId": bench.cloud_id}


@pytest.mark.hostile
@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1.evil.test", "acme.atlassian.net.evil", ""]
)
def test_an_unknown_host_name_reaches_nothing(base: str, host: str) -> None:
    response = httpx.get(f"{base}/rest/api/3/serverInfo", headers={"host": host})
    assert response.status_code in (400, 421)


def raw(base: str, request: bytes) -> bytes:
    address = urlsplit(base)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65536)


@pytest.mark.hostile
@pytest.mark.parametrize(
    "path",
    ["/rest/api/3/issue/../project", "/rest/api/3//project", "/rest/api/3/issue/a%2Fb",
     "/rest/api/3/project;x=1", "/rest/api/3/issue/%zz", "/rest\\api", "/rest/api/3/%00"],
)  # fmt: skip
def test_a_path_that_could_mean_two_things_is_refused(base: str, path: str) -> None:
    answer = raw(
        base, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.split(b" ", 2)[1] == b"400"


@pytest.mark.hostile
def test_broken_and_huge_requests_leave_the_server_alive(base: str) -> None:
    for request in (b"\0\xff garbage\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 200_000):
        with suppress(OSError):
            raw(base, request)
    nested = "[" * 100_000
    response = httpx.post(
        f"{base}/rest/api/3/issue", content=nested, headers={"content-type": "application/json"}
    )
    assert 400 <= response.status_code < 500
    assert httpx.post(f"{base}/rest/api/3/issue", content=b"x" * 11_000_000).status_code == 413
    assert httpx.get(f"{base}/_firebrick/health").json()["status"] == "ok"


def test_head_has_no_body_and_options_tells_the_methods(base: str) -> None:
    head = httpx.head(f"{base}/rest/api/3/serverInfo")
    assert (head.status_code, head.content) == (200, b"")
    assert "GET" in httpx.options(f"{base}/rest/api/3/serverInfo").headers["allow"]


def test_every_request_leaves_one_audit_record(
    bench: Bench, base: str, dana: tuple[str, str]
) -> None:
    httpx.get(f"{base}/rest/api/3/myself", auth=dana)
    httpx.get(f"{base}/rest/api/3/issue/TEAM-1")
    first, second = bench.firebrick.audit.read()
    assert (first.kind, first.model, first.allowed, first.status) == ("http", "basic", True, 200)
    assert (second.model, second.allowed, second.status) == ("anonymous", False, 404)
    assert dana[1] not in str((first, second))


def test_the_start_page_names_people_and_runs_no_script(base: str) -> None:
    response = httpx.get(base)
    assert "Dana Developer" in response.text
    assert "<script" not in response.text
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
