"""Pages of a Connect app: what their URL says, and what they may ask for through the bridge."""

import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx
import jwt
import pytest

from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.serving import served

PAGE = "/plugins/servlet/ac/com.example.helper/hello"
PROPERTIES = "/rest/atlassian-connect/1/addons/com.example.helper/properties"


@pytest.fixture
def flow(bench: Bench) -> Iterator[Connected]:
    with served(bench.firebrick) as base, running(ConnectApp()) as app:
        flow = Connected(bench, base, app)
        flow.install()
        yield flow


def opened(flow: Connected, as_: str = "dana", query: str = "", **headers: str) -> httpx.Response:
    return httpx.post(
        f"{flow.base}{PAGE}{query}", data={"as": as_}, headers={"origin": flow.base, **headers}
    )


def attribute(page: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', page)
    assert found is not None
    return unescape(found.group(1))


def bridged(flow: Connected, page: str, options: object, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{flow.base}/_firebrick/connect/request",
        json=options,
        headers={"x-firebrick-page": attribute(page, "data-session"), **headers},
    )


def test_the_frame_gets_a_token_over_all_its_parameters(flow: Connected) -> None:
    url = attribute(opened(flow, query="?issue.key=team-1").text, "src")
    assert url.startswith(f"{flow.app.url}/hello?")
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert [name for name, _ in pairs] == [
        "issue", "xdm_e", "xdm_c", "cp", "xdm_deprecated_addon_key_do_not_use", "lic", "cv", "jwt",
    ]  # fmt: skip
    values = dict(pairs)
    assert (values["issue"], values["xdm_e"], values["lic"]) == ("TEAM-1", flow.base, "none")
    assert values["xdm_c"] == "channel-com.example.helper__hello"
    claims = jwt.decode(values["jwt"], flow.app.tenant["sharedSecret"], algorithms=["HS256"])
    own = jwt.decode(
        flow.app.token("GET", url.rpartition("&jwt=")[0]), options={"verify_signature": False}
    )
    assert claims["qsh"] == own["qsh"]
    assert (claims["iss"], claims["sub"]) == (
        flow.app.tenant["clientKey"], flow.account_id("dana"),
    )  # fmt: skip
    assert claims["context"]["jira"]["issue"]["key"] == "TEAM-1"
    assert "aud" not in claims
    assert claims["exp"] - claims["iat"] == 180


def test_a_page_shows_nothing_that_its_viewer_does_not_see(flow: Connected) -> None:
    hidden = opened(flow, query="?issue.key=VAULT-7")
    missing = opened(flow, query="?issue.key=TEAM-99999")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content
    assert opened(flow, query="?project.key=NOPE").status_code == 404


@pytest.mark.parametrize("who", ["dora", "otto", "nobody", ""])
def test_only_active_people_with_access_open_pages(flow: Connected, who: str) -> None:
    assert opened(flow, as_=who).status_code == 403


def test_the_choice_names_people_and_the_list_names_pages(flow: Connected) -> None:
    choice = flow.get(f"{PAGE}?issue.key=TEAM-1")
    assert "Dana Developer" in choice.text
    assert "Dora" not in choice.text
    listed = flow.get("/connect")
    assert f'href="{PAGE}"' in listed.text
    assert "end of its support" in listed.text
    assert "since 31 March 2026" in listed.text
    assert "Here it still works" in listed.text
    assert flow.get("/apps").text == listed.text
    for page in (choice, listed, opened(flow)):
        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self'" in policy
    assert f"frame-src {flow.app.url};" in opened(flow).headers["content-security-policy"]
    assert flow.get("/plugins/servlet/ac/com.example.helper/none").status_code == 404
    assert flow.get("/plugins/servlet/ac/other/hello").status_code == 404


def test_a_page_asks_as_its_viewer_within_the_scopes_of_its_app(flow: Connected) -> None:
    page = opened(flow).text
    me = bridged(flow, page, {"url": "/rest/api/3/myself"}).json()
    assert json.loads(me["body"])["emailAddress"] == "dana@acme.example"
    assert bridged(flow, page, {"url": "rest/api/3/issue/VAULT-7"}).json()["status"] == 404
    banner = {"url": f"{flow.base}/rest/api/3/announcementBanner"}
    assert bridged(flow, page, banner).json()["status"] == 403
    comment = {
        "url": "/rest/api/2/issue/TEAM-1/comment",
        "type": "post",
        "data": '{"body": "from a page"}',
        "contentType": "application/json",
    }
    assert bridged(flow, page, comment).json()["status"] == 201
    record = flow.bench.firebrick.audit.read()[-1]
    assert (record.model, record.account_id) == ("connect", flow.account_id("dana"))


def test_a_page_needs_no_scope_to_act_as_a_user(flow: Connected) -> None:
    flow.app.scopes = ["READ"]
    flow.install()
    page = opened(flow).text
    assert bridged(flow, page, {"url": "/rest/api/3/myself"}).json()["status"] == 200


def test_app_properties_can_be_read_through_a_page_and_not_written(flow: Connected) -> None:
    flow.app.ask("PUT", f"{PROPERTIES}/colour", "blue")
    page = opened(flow, as_="amy").text
    read = bridged(flow, page, {"url": f"{PROPERTIES}/colour"}).json()
    assert json.loads(read["body"])["value"] == "blue"
    written = bridged(flow, page, {"url": f"{PROPERTIES}/colour", "type": "PUT", "data": "1"})
    assert written.json()["status"] == 403
    other = PROPERTIES.replace("helper", "other")
    assert bridged(flow, page, {"url": other}).json()["status"] == 404


def test_a_context_token_is_for_no_single_request(flow: Connected) -> None:
    page = opened(flow, query="?project.key=TEAM").text
    answer = httpx.post(
        f"{flow.base}/_firebrick/connect/token",
        json={},
        headers={"x-firebrick-page": attribute(page, "data-session")},
    )
    token = answer.json()["token"]
    claims = jwt.decode(token, flow.app.tenant["sharedSecret"], algorithms=["HS256"])
    assert claims["qsh"] == "context-qsh"
    assert claims["context"]["jira"]["project"]["key"] == "TEAM"
    assert flow.get("/rest/api/3/myself", f"JWT {token}").status_code == 401


@pytest.mark.hostile
def test_a_form_of_another_page_opens_nothing(flow: Connected) -> None:
    for origin in (flow.app.url, "null", "http://evil.test"):
        assert opened(flow, origin=origin).status_code == 403
    assert httpx.post(flow.base + PAGE, data={"as": "amy"}).status_code == 403


@pytest.mark.hostile
def test_the_bridge_takes_no_other_origin_session_or_address(flow: Connected) -> None:
    page = opened(flow).text
    ask = {"url": "/rest/api/3/myself"}
    assert bridged(flow, page, ask, origin=flow.app.url).status_code == 403
    for session in ("", "0" * 64):
        headers = {"x-firebrick-page": session}
        url = f"{flow.base}/_firebrick/connect/request"
        assert httpx.post(url, json=ask, headers=headers).status_code == 401
    urls: list[object] = [
        "http://evil.test/x",
        "//evil.test/x",
        "/rest/../x",
        "/a%2fb",
        1,
        None,
        [],
    ]
    for asked in urls:
        assert bridged(flow, page, {"url": asked}).status_code == 400
    broken: list[object] = [[], 1, None, {"url": "/", "type": "TRACE"}, {"url": "/", "data": [1]}]
    for options in broken:
        assert bridged(flow, page, options).status_code == 400
    me = {"url": "/rest/api/3/myself", "headers": {"Authorization": "Basic x", "Cookie": "a=b"}}
    answer = bridged(flow, page, me)
    assert answer.json()["status"] == 200
    assert "fbk_" not in answer.text


@pytest.mark.hostile
def dialog(flow: Connected, page: str, key: object, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{flow.base}/_firebrick/connect/dialog",
        json={"key": key},
        headers={"x-firebrick-page": attribute(page, "data-session"), **headers},
    )


def test_a_dialog_is_another_page_of_the_app_for_the_same_viewer(flow: Connected) -> None:
    page = opened(flow, query="?issue.key=TEAM-1").text
    answer = dialog(flow, page, "hello").json()
    claims = jwt.decode(
        parse_qsl(urlsplit(answer["url"]).query)[-1][1],
        flow.app.tenant["sharedSecret"],
        algorithms=["HS256"],
    )
    assert claims["sub"] == flow.account_id("dana")
    assert claims["context"]["jira"]["issue"]["key"] == "TEAM-1"
    assert answer["session"] != attribute(page, "data-session")
    asked = httpx.post(
        f"{flow.base}/_firebrick/connect/request",
        json={"url": "/rest/api/3/myself"},
        headers={"x-firebrick-page": answer["session"]},
    ).json()
    assert json.loads(asked["body"])["accountId"] == flow.account_id("dana")


@pytest.mark.hostile
def test_a_dialog_opens_for_an_open_page_and_its_own_app_alone(flow: Connected) -> None:
    page = opened(flow).text
    keys: tuple[object, ...] = ("none", "", None, 7, {})
    assert [dialog(flow, page, key).status_code for key in keys] == [404] * len(keys)
    assert dialog(flow, page, "hello", origin="http://127.0.0.1:1").status_code == 403
    assert dialog(flow, page, "hello", **{"x-firebrick-page": "0" * 64}).status_code == 401
    assert httpx.get(f"{flow.base}/_firebrick/connect/dialog").status_code == 405
    raw = httpx.post(
        f"{flow.base}/_firebrick/connect/dialog",
        content=b"[" * 100_000,
        headers={"x-firebrick-page": attribute(page, "data-session")},
    )
    assert raw.status_code == 404
    flow.uninstall()
    assert dialog(flow, page, "hello").status_code == 401


def test_a_session_ends_with_the_installation(flow: Connected) -> None:
    page = opened(flow).text
    flow.uninstall()
    flow.install()
    assert bridged(flow, page, {"url": "/rest/api/3/myself"}).status_code == 401


@pytest.mark.hostile
def test_names_of_an_app_are_text_on_every_page(flow: Connected) -> None:
    evil = '<img src=x onerror="alert(1)">'
    flow.app.name = evil
    flow.app.modules["generalPages"][0]["name"]["value"] = evil
    flow.install()
    for page in (flow.get("/connect"), flow.get(PAGE), opened(flow)):
        assert "<img" not in page.text
        assert "&lt;img" in page.text


def test_the_scripts_are_served_to_pages_of_other_origins(flow: Connected) -> None:
    script = flow.get("/all.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "access-control-allow-origin" not in script.headers
