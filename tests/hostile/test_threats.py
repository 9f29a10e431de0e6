"""Threats to the door, the host and the wire, one test for each row of the threat list."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from runtime.audit.trail import AuditRecord
from runtime.gateway.values import Caller, ProductCall
from runtime.hostfunctions.stubreader import read_stubs
from runtime.manifest.reader import read_manifest
from tests.flows.conftest import APPS, Bench
from tests.flows.serving import served
from tests.hostile.traffic import watched

pytestmark = pytest.mark.hostile

MANIFEST = (APPS / "token-thief" / "manifest.yml").read_text()
ASK = """
import api, { assumeTrustedRoute } from "@forge/api";
export const steal = async ({ path, init, user }) => {
  const as = user ? api.asUser() : api.asApp();
  const response = await as.requestJira(assumeTrustedRoute(path), init ?? {});
  return { status: response.status, headers: [...response.headers], text: await response.text() };
};
"""

Ask = Callable[..., dict[str, object]]


@pytest.fixture
def ask(bench: Bench, tmp_path: Path) -> Ask:
    """A real guest that sends whatever it is told to."""
    folder = tmp_path / "asker"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text(ASK)
    (folder / "manifest.yml").write_text(MANIFEST)
    bench.install(folder)

    def run(path: str, as_: str | None = None, **init: object) -> dict[str, object]:
        payload = {"path": path, "init": init, "user": as_ is not None}
        result = bench.invoke("asker", "steal", payload, as_=as_)
        assert result.proof is not None
        assert result.proof.found == 0
        if result.outcome.fault is not None:
            return {"status": 400, "text": result.outcome.fault.message, "headers": []}
        assert isinstance(result.value, dict)
        return result.value

    return run


def last(bench: Bench) -> AuditRecord:
    return [record for record in bench.firebrick.audit.read() if record.kind == "door"][-1]


def test_01_a_token_never_reaches_app_code(ask: Ask, bench: Bench) -> None:
    answer = ask("/rest/api/3/myself")
    assert answer["status"] == 200
    assert "fbk_" not in json.dumps(answer)
    assert bench.firebrick.broker.live_tokens()


def test_01_a_thief_that_tries_every_way_prints_and_returns_no_token(bench: Bench) -> None:
    bench.install(APPS / "token-thief")
    result = bench.invoke("token-thief", "steal", None, as_="dana")
    assert result.value == {"attempts": result.value["attempts"], "stolen": []}  # type: ignore[index]  # a JSON object
    tokens = [one.get_secret_value() for one in bench.firebrick.broker.live_tokens()]
    assert tokens
    everything = repr(result) + repr(bench.firebrick.audit.read())
    assert [one for one in (*tokens, "fbk_at_") if one in everything] == []


@pytest.mark.parametrize(
    "path",
    ["http://169.254.169.254/", "//evil/", "/\\evil", "@evil/", "\x00", "https:evil", "\\\\evil",
     "/\t/evil", "?x", "#x", ""],
)  # fmt: skip
def test_02_no_path_leads_to_another_host(ask: Ask, bench: Bench, path: str) -> None:
    with watched() as connected:
        assert ask(path)["status"] == 400
    assert connected == []
    assert not last(bench).allowed


TRICKS = ["%2E%2E", "%2e%2E", "%2E%2E%2Fmyself", "a%2Fb", "a%5Cb", "a%3Fb", "a;b", "%252e%252e",
          "%00", "a\r\nb", " a", "..", "%252E%252E%252Fmyself", "..%2f..%2fproject"]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_03_no_encoding_climbs_to_another_route(
    ask: Ask,
    bench: Bench,
    trick: str,
) -> None:
    answer = ask(f"/rest/api/3/issue/{trick}/../../configuration")
    assert answer["status"] in (400, 401)
    answer = ask(f"/rest/api/3/issue/{trick}")
    assert answer["status"] in (400, 404)
    assert last(bench).operation in (None, "getIssue")


ADMIN = "workflowscheme"  # needs manage:jira-configuration, which the app does not have


@pytest.mark.parametrize(
    "path",
    [f"/rest/api/3/{ADMIN}", f"/rest/api/3//{ADMIN}", f"/rest/api/3/{ADMIN}/",
     f"/REST/api/3/{ADMIN}", f"/rest/api/latest/{ADMIN}", f"/rest/api/3/{ADMIN};x=1",
     f"/rest/api/3/%77{ADMIN[1:]}", "/rest/api/3/Workflowscheme", f"/rest/api/2/{ADMIN}",
     f"/rest/api/3/./{ADMIN}", f"/rest/api/3/{ADMIN}?x=/../myself", f"/rest/api/3/{ADMIN}#/myself"],
)  # fmt: skip
def test_04_no_spelling_has_laxer_scopes(ask: Ask, bench: Bench, path: str) -> None:
    assert ask(path)["status"] in (400, 401)
    assert not last(bench).allowed
    assert last(bench).rule.startswith(("path.", "scope.", "operation.unknown"))


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Host", "X-Forwarded-Host", "X-Forwarded-For", "forge-proxy-authorization",
     "forge-proxy-target", "x-forge-oauth-user", "Cookie", "X-HTTP-Method-Override", "Connection"],
)  # fmt: skip
def test_05_no_header_of_the_app_changes_who_asks(
    ask: Ask,
    bench: Bench,
    name: str,
) -> None:
    plain = json.loads(str(ask("/rest/api/3/myself")["text"]))["accountId"]
    answer = ask("/rest/api/3/myself", headers={name: "Basic YW15OnB3"})
    assert json.loads(str(answer["text"]))["accountId"] == plain
    assert last(bench).detail["dropped_headers"] == [name.lower()]


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\0b"])
def test_06_no_line_break_makes_a_header(ask: Ask, value: str) -> None:
    assert ask("/rest/api/3/myself", headers={"Accept": value})["status"] == 400
    assert ask(f"/rest/api/3/issue/{value}")["status"] == 400


@pytest.mark.usefixtures("ask")
@pytest.mark.parametrize(
    "header",
    [("Accept", "a\r\nX: y"), ("Accept", "a\nb"), ("Accept", "a\0b"), ("X\r\nAccept", "b"),
     ("Accept: b\r\nX", "y"), ("", "x"), ("Accept", "\u2028")],
)  # fmt: skip
def test_06_the_door_does_not_trust_the_guest_to_refuse_it(
    bench: Bench, header: tuple[str, str]
) -> None:
    firebrick = bench.firebrick
    installation = firebrick.apps.find_installation(
        firebrick.find_app("asker", "development"), bench.cloud_id
    )
    caller = Caller(
        invocation_id="x",
        app_id=installation.app_id,
        installation_id=installation.id,
        cloud_id=bench.cloud_id,
        app_account_id=installation.app_account_id,
        account_id=None,
    )
    plain = ProductCall("/rest/api/3/myself", headers=(("Accept", "*/*"),), act_as="app")
    assert firebrick.gateway.send(caller, plain)[0].status == 200
    reply, report = firebrick.gateway.send(caller, replace(plain, headers=(header,)))
    assert (reply.status, report.rule) == (400, "header.malformed")


def test_08_a_confused_deputy_is_mended_by_asking_as_the_user(bench: Bench) -> None:
    bench.install(APPS / "confused-deputy")
    payload = {"issueKey": "TEAM-3", "summary": "mine"}
    mended = bench.invoke("confused-deputy", "resolver:mended", payload, as_="vera")
    assert mended.value == {"status": 403, "reason": "You may not edit this issue."}


def test_08_lint_names_the_deputy_that_never_asks() -> None:
    report = read_manifest(APPS / "confused-deputy")
    assert [one.rule for one in report.warnings] == ["firebrick/as-app-unchecked"]


def test_09_what_the_browser_sends_does_not_change_the_context(
    bench: Bench,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "teller"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text(
        "import Resolver from '@forge/resolver'; const r = new Resolver();"
        "r.define('tell', ({ context }) => context); export const steal = r.getDefinitions();"
    )
    (folder / "manifest.yml").write_text(MANIFEST)
    bench.install(folder)
    amy = bench.firebrick.find_person("amy").account_id
    forged = {"accountId": amy, "cloudId": "other", "context": {"accountId": amy}}
    context = bench.invoke("teller", "steal:tell", forged, as_="vera").value
    assert isinstance(context, dict)
    assert context["accountId"] == bench.firebrick.find_person("vera").account_id
    assert context["cloudId"] == bench.cloud_id


def test_33_rights_that_are_gone_are_felt_by_the_next_call(
    ask: Ask,
    bench: Bench,
) -> None:
    firebrick = bench.firebrick
    assert ask("/rest/api/3/issue/TEAM-1", "vera")["status"] == 200
    admin = firebrick.find_person("paul")
    _, secret = firebrick.api_tokens.create(admin, "test")
    vera = firebrick.find_person("vera").account_id
    with (
        served(firebrick) as url,
        httpx.Client(base_url=url, auth=(str(admin.email), secret.get_secret_value())) as client,
    ):
        roles = client.get("/rest/api/3/project/TEAM/role").json()
        viewers = roles["Viewers"].rsplit("/", 1)[1]
        removed = client.delete(f"/rest/api/3/project/TEAM/role/{viewers}", params={"user": vera})
        assert removed.status_code == 204
    assert ask("/rest/api/3/issue/TEAM-1", "vera")["status"] == 404


def test_34_a_wrong_token_asks_as_nobody_and_is_told_so(bench: Bench) -> None:
    wrong = ("dana@acme.example", "fbk_pat_" + "0" * 64)
    with served(bench.firebrick) as url:
        for path, status in (("PUB-2", 200), ("TEAM-1", 404)):
            response = httpx.get(f"{url}/rest/api/3/issue/{path}", auth=wrong)
            assert response.status_code == status
            assert response.headers["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"


def test_36_unknown_owner_and_wrong_token_answer_alike(bench: Bench) -> None:
    secret = "fbk_pat_" + "0" * 64
    with served(bench.firebrick) as url:
        answers = [
            httpx.get(f"{url}/rest/api/3/myself", auth=(email, secret))
            for email in ("dana@acme.example", "nobody@acme.example")
        ]
    assert answers[0].content == answers[1].content
    ids = {"atl-request-id", "atl-traceid", "x-arequestid", "date"}
    shown = [{k: v for k, v in a.headers.items() if k not in ids} for a in answers]
    assert shown[0] == shown[1]


def test_37_no_file_of_the_state_and_no_page_holds_a_secret(
    ask: Ask,
    bench: Bench,
    tmp_path: Path,
) -> None:
    firebrick = bench.firebrick
    ask("/rest/api/3/myself")
    _, secret = firebrick.api_tokens.create(firebrick.find_person("dana"), "test")
    with served(firebrick) as url:
        httpx.get(f"{url}/rest/api/3/myself", auth=("dana@acme.example", secret.get_secret_value()))
        httpx.get(f"{url}/rest/api/3/myself?jwt={secret.get_secret_value()}&code=abc")
    secrets = [secret, *firebrick.broker.live_tokens()]
    assert len(secrets) >= 2
    for path in (tmp_path / "state").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for one in secrets:
                assert one.get_secret_value().encode() not in content, path


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test", "evil.test:80", "[::2]"])
def test_39_a_foreign_name_reaches_nothing(bench: Bench, host: str) -> None:
    with served(bench.firebrick) as url:
        response = httpx.get(f"{url}/rest/api/3/serverInfo", headers={"host": host})
        assert response.status_code == 421
        preflight = httpx.options(
            f"{url}/rest/api/3/issue",
            headers={"origin": "https://evil.test", "access-control-request-method": "POST"},
        )
        assert "access-control-allow-origin" not in preflight.headers


LISTED = """
  external:
    fetch:
      backend:
        - address: https://example.com
        - address: https://*.wild.example
"""
FETCH = """
export const steal = async ({ url }) => {
  try {
    const response = await fetch(url);
    return { status: response.status, error: response.headers.get('forge-proxy-error') };
  } catch (error) {
    return { status: 403, error: error.message };
  }
};
"""
Fetch = Callable[[str], tuple[int, object]]


@pytest.fixture
def fetch(bench: Bench, tmp_path: Path) -> Fetch:
    """A real guest that fetches; whatever leaves is answered 200, so nothing else can refuse."""
    folder = tmp_path / "fetcher"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text(FETCH)
    (folder / "manifest.yml").write_text(MANIFEST.rstrip() + LISTED)
    bench.install(folder)
    bench.firebrick.stubs = read_stubs(
        [
            {"url": "https://example.com/moved", "reply": {"status": 302,
             "headers": {"Location": "https://example.com.evil/"}}},
            {"url": "*", "reply": {"json": "left"}},
        ]
    )  # fmt: skip

    def run(url: str) -> tuple[int, object]:
        with watched() as connected:
            value = bench.invoke("fetcher", "steal", {"url": url}).value
        assert isinstance(value, dict)
        assert connected == []
        return value["status"], value["error"]

    return run


@pytest.mark.parametrize(
    "url",
    ["https://example.com.evil/", "https://2130706433/", "https://a@evil/", "https://0x7f.1/",
     "https://example.com@evil/", "https://example.com:8443/", "https://[::ffff:127.0.0.1]/",
     "https://evil/?https://example.com", "https://evil/#@example.com",
     "https://wild.example.evil/", "https://xwild.example/", "https://EXAMPLE.com.evil/",
     "https://example.com%2eevil/", "http://localhost:8080/", "file:///etc/passwd"],
)  # fmt: skip
def test_45_no_spelling_of_a_host_leaves_the_machine(fetch: Fetch, url: str) -> None:
    status, error = fetch(url)
    assert (status, bool(error)) == (403, True)


def test_45_what_is_listed_leaves_and_its_redirect_does_not(fetch: Fetch) -> None:
    assert fetch("https://EXAMPLE.com/") == (200, None)
    status, error = fetch("https://example.com/moved")
    assert (status, bool(error)) == (403, True)
