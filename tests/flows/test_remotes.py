"""An app with a server of its own: invoked through it, and asking it from the sandbox."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from runtime.audit.trail import AuditRecord
from runtime.errors import InvocationError
from runtime.invocation.recording import recording_table
from runtime.server.explain.tracing import trace
from runtime.server.explain.why import Reasons
from runtime.server.forge.remote_words import words_of_remote
from runtime.server.replaying import export, replay_kept
from runtime.server.settings import Settings
from tests.flows.conftest import Bench
from tests.flows.remote_app import APP_A, RemoteBench, remote_served, write_app
from tests.flows.serving import served


@pytest.fixture
def remote(bench: Bench, tmp_path: Path) -> Iterator[RemoteBench]:
    with served(bench.firebrick) as url, remote_served(APP_A, url) as server:
        remote = RemoteBench(bench.firebrick, url, server)
        remote.install(write_app(tmp_path / "remote"))
        yield remote


def api(remote: RemoteBench, path: str, token: str, cloud_id: str | None = None) -> httpx.Response:
    """Ask the gateway as the app's server does; the port is the test's."""
    base = str(remote.server.last.claims["app"]["apiBaseUrl"]) if remote.server.last.claims else ""
    assert base == f"{Settings().public_url}/ex/jira/{remote.firebrick.find_site(None)}"
    url = f"{remote.url}/ex/jira/{cloud_id or base.rpartition('/')[2]}{path}"
    return httpx.get(url, headers={"authorization": f"Bearer {token}"})


# --- endpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["page", "panel"])
def test_a_page_posts_its_payload_with_who_and_where(remote: RemoteBench, name: str) -> None:
    result = remote.invoke(name, {"a": 1}, extension={"issue": {"key": "TEAM-1"}, "type": "forged"})
    assert result.outcome.fault is None
    assert result.value == {"path": "/page", "app": "1.0.0", "body": '{"a":1}'}
    got = remote.server.last
    assert (got.method, got.headers["content-type"]) == ("POST", "application/json")
    assert got.claims is not None
    dana = remote.firebrick.find_person("dana").account_id
    assert got.claims["principal"] == dana
    assert got.claims["app"]["module"] == {"type": "jira:issuePanel", "key": "panel"}
    context = got.claims["context"]
    assert context["siteUrl"] == "https://acme.atlassian.net"
    assert (context["cloudId"], context["moduleKey"]) == (remote.firebrick.find_site(None), "panel")
    assert context["extension"] == {"issue": {"key": "TEAM-1"}, "type": "jira:issuePanel"}
    assert got.headers["x-b3-traceid"] == result.invocation_id.replace("-", "")


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("created", "/events/created", {}),
        ("on-created", "/events/created", {}),
        ("ticked", "/events/ticked", {"contextToken": ""}),
    ],
)
def test_an_event_has_no_user_and_no_page(
    remote: RemoteBench, name: str, path: str, body: dict[str, object]
) -> None:
    remote.invoke(name, as_="dana")
    got = remote.server.last
    assert (got.method, got.path) == ("POST", path)
    assert json.loads(got.body).items() >= body.items()
    assert got.claims is not None
    assert not {"principal", "context"} & got.claims.keys()
    assert got.claims["app"]["module"]["type"] == "core:endpoint"
    assert "x-forge-oauth-user" not in got.headers
    record = remote.firebrick.audit.read(limit=1)[0]
    assert (record.kind, record.account_id) == (
        "invocation",
        remote.firebrick.find_person("dana").account_id,
    )


def test_an_endpoint_nobody_names_has_its_remotes_root_and_switches(remote: RemoteBench) -> None:
    remote.invoke("bare")
    assert remote.server.last.path == "/"
    assert "x-forge-oauth-system" in remote.server.last.headers
    remote.invoke("ticked")
    assert "x-forge-oauth-system" not in remote.server.last.headers  # its own auth counts


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (500, b"boom", "REMOTE_FAILED", "The remote answered 500: boom"),
        (404, b"", "REMOTE_FAILED", "The remote answered 404"),
        (302, b"", "REMOTE_REDIRECT", "not followed"),
        (401, b"", "REMOTE_UNAUTHORIZED", "did not accept the invocation token"),
    ],
)
def test_what_is_not_2xx_is_a_failure(
    remote: RemoteBench, status: int, body: bytes, code: str, words: str
) -> None:
    remote.server.answer = (status, {"location": remote.server.url}, body)
    fault = remote.invoke("page").outcome.fault
    assert fault is not None
    assert fault.code == code
    assert words in fault.message
    assert len(remote.server.received) == 1
    (record,) = remote.firebrick.records.read(limit=1)
    assert (record.succeeded, record.code) == (False, code)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", None),
        (b" null ", None),
        (b"plain", "plain"),
        (b"[NaN]", "[NaN]"),
        (b"[" * 100_000, "[" * 100_000),
        ("ü".encode("latin-1"), "\ufffd"),
        (b'{"a": [1]}', {"a": [1]}),
    ],
)
def test_an_answer_is_json_or_text(remote: RemoteBench, body: bytes, value: object) -> None:
    remote.server.answer = (201, {}, body)
    result = remote.invoke("page")
    assert (result.outcome.fault, result.value) == (None, value)


def test_nobody_there_is_a_failure_with_its_reason(remote: RemoteBench) -> None:
    gone = remote.invoke("page", remotes={"backend": "http://127.0.0.1:9"}).outcome.fault
    assert gone is not None
    assert gone.code == "REMOTE_UNREACHABLE"
    unnamed = remote.invoke("page", remotes={}).outcome.fault
    assert unnamed is not None
    assert unnamed.code == "REMOTE_NO_ADDRESS"
    assert remote.server.received == []


def test_what_is_no_function_and_no_endpoint_is_unknown(remote: RemoteBench) -> None:
    with pytest.raises(InvocationError, match="ask, bare, created, page, quiet, ticked"):
        remote.invoke("nothing")


def test_the_endpoint_of_a_container_is_not_emulated(bench: Bench, tmp_path: Path) -> None:
    folder = write_app(tmp_path / "remote")
    manifest = folder / "manifest.yml"
    text = manifest.read_text().replace("- key: bare\n      remote: backend", BARE_SERVICE)
    manifest.write_text(text + SERVICES)
    bench.install(folder)
    with pytest.raises(InvocationError, match="containers"):
        bench.invoke("remote", "bare")


BARE_SERVICE = "- key: bare\n      service: box"
SERVICES = "services:\n  - key: box\n    containers:\n      - {key: box, tag: latest}\n"


# --- from the sandbox ---------------------------------------------------------------------------


def test_a_function_asks_its_remote(remote: RemoteBench) -> None:
    result = remote.invoke("ask", {"path": "/y?z=1", "method": "PUT", "body": "text"})
    assert isinstance(result.value, dict)
    assert result.value["status"] == 200
    assert json.loads(result.value["text"]) == {"path": "/y?z=1", "app": "1.0.0", "body": "text"}
    got = remote.server.last
    assert got.method == "PUT"
    assert got.claims is not None
    assert got.claims["principal"] == remote.firebrick.find_person("dana").account_id
    assert got.claims["app"]["module"] == {"type": "core:endpoint", "key": "ask"}
    assert "context" not in got.claims
    assert {name for name in got.headers if "oauth" in name} == {"x-forge-oauth-system"}
    assert result.proof is not None
    assert result.proof.secrets > 0
    assert result.proof.found == 0


def test_errors_are_those_of_the_package(remote: RemoteBench) -> None:
    unknown = remote.invoke("ask", {"remote": "other"}).value
    assert unknown == {
        "name": "INVALID_REMOTE_ERR",
        "message": 'Invalid remote key provided: "other"',
        "remoteKey": "other",
    }
    for payload, words in (
        ({"remote": ""}, "Missing remote key provided to invokeRemote"),
        ({"path": ""}, "Missing or empty path provided to invokeRemote"),
    ):
        value = remote.invoke("ask", payload).value
        assert isinstance(value, dict)
        assert value["message"] == words
    remote.server.answer = (302, {"location": "/elsewhere"}, b"")
    redirected = remote.invoke("ask").value
    assert isinstance(redirected, dict)
    assert redirected["code"] == "REMOTE_REDIRECT"
    assert [one.path for one in remote.server.received] == ["/x"]


@pytest.mark.hostile
def test_a_slow_remote_does_not_hold_the_host(remote: RemoteBench) -> None:
    go, waited_out = threading.Event(), []
    remote.server.pause = lambda: waited_out.append(not go.wait(15))
    limits = replace(remote.firebrick.settings.limits, wall_ms=500)
    fault = remote.invoke("ask", limits=limits).outcome.fault
    assert fault is not None
    assert (fault.code, waited_out) == ("TIMEOUT", [])
    go.set()


def test_an_invocation_with_remote_calls_replays_offline(bench: Bench, tmp_path: Path) -> None:
    with served(bench.firebrick) as url, remote_served(APP_A, url) as server:
        remote = RemoteBench(bench.firebrick, url, server)
        remote.install(write_app(tmp_path / "remote"))
        result = remote.invoke("ask", {"method": "POST", "body": "x"})
        seen = len(server.received)
    done = replay_kept(bench.firebrick, result.invocation_id, {})
    assert done.replay.equal
    assert (done.replay.calls, done.scrubbed) == (1, False)
    assert len(server.received) == seen == 1


@pytest.mark.hostile
def test_no_record_no_export_and_no_file_holds_a_token(remote: RemoteBench) -> None:
    remote.server.answer = (200, {}, b"x")
    remote.invoke("ask")
    remote.invoke("page")
    tokens = [
        one.headers["authorization"].removeprefix("Bearer ") for one in remote.server.received
    ]
    tokens += [remote.server.last.token("system"), remote.server.last.token("user")]
    with remote.firebrick.engine.connect() as connection:
        kept = [row.body for row in connection.execute(recording_table.select())]
    text, _ = export(remote.firebrick, "last")
    folder = remote.firebrick.settings.state
    files = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert kept
    for token in tokens:
        assert token not in text + "".join(kept)
        assert token.encode() not in files


# --- the tokens that go along -------------------------------------------------------------------


def test_each_token_acts_as_its_account_within_the_apps_scopes(remote: RemoteBench) -> None:
    remote.invoke("page")
    got = remote.server.last
    me = api(remote, "/rest/api/3/myself", got.token("user"))
    assert (me.status_code, me.json()["displayName"]) == (200, "Dana Developer")
    app = api(remote, "/rest/api/3/myself", got.token("system"))
    assert app.json()["accountType"] == "app"
    hidden = api(remote, "/rest/api/3/issue/VAULT-7", got.token("user"))
    beyond = httpx.post(
        f"{remote.url}/ex/jira/{remote.firebrick.find_site(None)}/rest/api/3/issue/TEAM-1/comment",
        headers={"authorization": f"Bearer {got.token('user')}"},
        json={"body": {}},
    )
    assert (hidden.status_code, beyond.status_code) == (404, 401)
    assert beyond.json()["message"] == "Unauthorized; scope does not match"


# --- what it leaves -----------------------------------------------------------------------------


def test_the_trail_tells_each_call_in_the_same_words(remote: RemoteBench) -> None:
    result = remote.invoke("ask", {"headers": {"Authorization": "mine"}})
    records = remote.firebrick.audit.read(invocation_id=result.invocation_id)
    (call,) = [one for one in records if one.kind == "remote"]
    told = Reasons(remote.firebrick).explain(call)
    assert told.who == "the Forge app remote (development)"
    assert told.credential == "an invocation token (FIT), a token of the app's own account"
    assert dict(told.notes) == {
        "Invocation": "ask, invoked by dana",
        "Headers": "did not cross: authorization",
        "Remote": f"backend at {remote.server.url}/x",
    }
    assert (told.verdict, told.rule, told.status) == ("allowed", "remote.named", 200)
    (span,) = trace(remote.firebrick, result.invocation_id).spans
    assert (span.kind, span.status) == ("remote", 200)


def test_what_was_withheld_and_taken_out_is_told() -> None:
    detail = {
        "remote": "backend",
        "credentials": ["authorization"],
        "withheld": {"x-forge-oauth-user": "consent.missing"},
        "credentials_taken_out": 1,
    }
    record = AuditRecord("remote", True, "remote.named", path="https://b.test/x", detail=detail)
    assert list(words_of_remote(record)) == [
        ("credential", "an invocation token (FIT)"),
        ("credential", "withheld: a token of the invoking user, by consent.missing"),
        ("remote", "backend at https://b.test/x"),
        ("answer", "held credentials; they were taken out"),
    ]
    refused = AuditRecord("remote", False, "remote.path", path="b:/..", detail={"remote": "b"})
    assert list(words_of_remote(refused)) == [
        ("credential", "none was attached: no server was asked"),
        ("remote", "b at b:/.."),
    ]


def test_a_new_remote_or_another_address_must_be_approved(bench: Bench, tmp_path: Path) -> None:
    folder = write_app(tmp_path / "remote")
    first, _ = bench.firebrick.apps.deploy(folder)
    assert first.egress == ("remote https://backend.example.com",)
    manifest = folder / "manifest.yml"
    manifest.write_text(manifest.read_text().replace("backend.example.com", "new.example.com"))
    second, _ = bench.firebrick.apps.deploy(folder)
    assert (first.version, second.version) == ("1.0.0", "2.0.0")
    (folder / "src" / "index.js").write_text("export const ask = () => 1, quiet = ask;")
    assert bench.firebrick.apps.deploy(folder)[0].version == "2.1.0"


def test_the_key_set_is_published_under_the_platforms_name_too(remote: RemoteBench) -> None:
    remote.invoke("page")
    here = httpx.get(remote.server.keys_url)
    named = httpx.get(
        f"{remote.url}/.well-known/jwks.json",
        headers={"host": "forge.cdn.prod.atlassian-dev.net"},
    )
    assert here.json() == named.json() == {"keys": list(remote.firebrick.remotes.keys.published())}
    assert here.headers["cache-control"] == "public, max-age=300"
    assert httpx.get(f"{remote.url}/.well-known/jwks.json").json() == {"keys": []}
    assert httpx.post(remote.server.keys_url).status_code in (404, 405)
