"""App code outside of the sandbox asks over HTTP, and is answered as a guest would be."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from runtime.errors import InvocationError
from runtime.hostfunctions.stubreader import read_stubs
from runtime.server.replaying import find_recording
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.conftest import Bench
from tests.flows.forge_app import Outsider, deploy, invocations, open_outside, outside

ISSUE = "/rest/api/3/issue/TEAM-1?fields=summary"


@pytest.fixture
def outsider(bench: Bench, tmp_path: Path) -> Iterator[Outsider]:
    with outside(bench, tmp_path) as one:
        yield one


def test_it_asks_as_the_user_as_the_app_and_as_nobody(outsider: Outsider) -> None:
    as_user = outsider.ask(ISSUE)
    assert (as_user.status_code, as_user.json()["key"]) == (200, "TEAM-1")
    as_app = outsider.ask(ISSUE, "app")
    assert as_app.status_code == 200
    nobody = outsider.ask(ISSUE, "none")
    assert (nobody.status_code, nobody.json()["message"]) == (401, "Unauthorized")
    records = outsider.bench.firebrick.audit.read(invocation_id=outsider.opened.id)
    doors = [one for one in records if one.kind == "door"]
    assert [(one.act_as, one.operation, one.status) for one in doors] == [
        ("user", "getIssue", 200),
        ("app", "getIssue", 200),
        ("none", "getIssue", 401),
    ]
    assert doors[0].account_id == outsider.account("dana")
    assert not any("dropped_headers" in one.detail for one in doors)  # those of the hop are ours


def test_methods_bodies_and_headers_are_the_requests_own(outsider: Outsider) -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "from outside"}]}
    comment = {"body": {"type": "doc", "version": 1, "content": [paragraph]}}
    made = outsider.ask("/rest/api/3/issue/TEAM-1/comment", method="POST", json=comment)
    assert made.status_code == 201
    assert made.json()["author"]["accountId"] == outsider.account("dana")
    assert outsider.ask(ISSUE, method="HEAD").content == b""
    assert outsider.ask("/rest/api/3/issue/TEAM-1", method="PATCH").status_code == 401


def test_scopes_and_permissions_are_both_needed(outsider: Outsider) -> None:
    unscoped = outsider.ask("/rest/api/3/myself")
    assert unscoped.json()["message"] == "Unauthorized; scope does not match"
    assert outsider.last_rule() == "scope.undeclared"
    assert outsider.again("otto").ask(ISSUE).status_code == 404
    assert outsider.last_rule() == "entity.hidden-or-missing"


def test_as_user_without_a_user_is_the_platforms_proxy_error(outsider: Outsider) -> None:
    nobody = outsider.again(None)
    answer = nobody.ask(ISSUE)
    assert answer.status_code == 401
    assert answer.headers["forge-proxy-error"] == "AUTH_TYPE_UNAVAILABLE"
    assert nobody.ask(ISSUE, "app").status_code == 200


def test_consent_is_asked_for_where_the_installation_asks(bench: Bench, tmp_path: Path) -> None:
    with outside(bench, tmp_path, user_consent=True) as one:
        answer = one.ask(ISSUE)
        assert answer.status_code == 401
        assert answer.headers["forge-proxy-error"] == "NEEDS_AUTHENTICATION_ERR"
        assert one.ask(ISSUE, "app").status_code == 200
        apps, version = bench.firebrick.apps, bench.firebrick.find_app("outsider", "development")
        dana = bench.firebrick.find_person("dana")
        apps.consent(version, bench.cloud_id, dana)
        assert one.ask(ISSUE).status_code == 200
        apps.withdraw(version, bench.cloud_id, dana)
        assert one.ask(ISSUE).headers["forge-proxy-error"] == "NEEDS_AUTHENTICATION_ERR"


def test_another_account_needs_a_scope_that_allows_it(bench: Bench, tmp_path: Path) -> None:
    with outside(bench, tmp_path, impersonation=True) as one:
        paul, dora = one.account("paul"), one.account("dora")
        assert one.ask(ISSUE, account=paul).status_code == 200
        assert bench.firebrick.audit.read(limit=1)[0].account_id == paul
        comment = one.ask("/rest/api/3/issue/TEAM-1/comment", method="POST", json={}, account=paul)
        assert comment.headers["forge-proxy-error"] == "AUTH_TYPE_UNAVAILABLE"
        assert one.last_rule() == "act.impersonation-scope"
        assert one.ask(ISSUE, account=dora).status_code == 401
        assert one.last_rule() == "act.impersonated-user"


@pytest.mark.hostile
def test_an_app_outside_acts_so_often_a_minute_as_others(tmp_path: Path, cache: Path) -> None:
    clock = ManualClock()
    settings = Settings(state=tmp_path / "state", cache=cache, impersonations_per_minute=2)
    with (
        open_firebrick(settings, clock) as firebrick,
        outside(Bench(firebrick), tmp_path, impersonation=True) as one,
    ):
        paul, claims = one.account("paul"), f"as=user,id={one.opened.id}"
        assert one.ask(ISSUE, account=paul).status_code == 200
        as_paul = f"{claims},accountId={paul}"
        assert one.contain(f"/jira{ISSUE}", as_paul).status_code == 200  # counted with the other
        for answer in (one.ask(ISSUE, account=paul), one.contain(f"/jira{ISSUE}", as_paul)):
            assert (answer.status_code, answer.json()["code"]) == (429, 429)
            assert answer.headers["forge-proxy-error"] == "RATE_LIMITED"
            assert answer.headers["retry-after"] == "40"  # until the minute is over
            assert one.last_rule() == "act.impersonation-rate"
        assert one.again("vera").ask(ISSUE, account=paul).status_code == 429
        assert one.ask(ISSUE).status_code == one.ask(ISSUE, "app").status_code == 200
        clock.advance(40)
        assert one.ask(ISSUE, account=paul).status_code == 200


def test_with_the_setting_at_zero_there_is_no_such_limit(tmp_path: Path, cache: Path) -> None:
    settings = Settings(state=tmp_path / "state", cache=cache, impersonations_per_minute=0)
    with (
        open_firebrick(settings, ManualClock()) as firebrick,
        outside(Bench(firebrick), tmp_path, impersonation=True) as one,
    ):
        paul = one.account("paul")
        assert {one.ask(ISSUE, account=paul).status_code for _ in range(5)} == {200}
        with firebrick.engine.connect() as connection:
            assert not connection.exec_driver_sql("SELECT * FROM token_rate").all()


def test_only_jira_is_there(outsider: Outsider) -> None:
    for product in ("confluence", "stargate", "jira%2F..", "%6Aira2"):
        answer = outsider.ask(ISSUE, product=product)
        assert answer.status_code in (400, 404), product
    assert (
        outsider.ask(ISSUE, product="confluence").headers["forge-proxy-error"] == "INVALID_REMOTE"
    )
    assert outsider.last_rule() == "remote.unknown"
    shown = {"forge-proxy-authorization": f"Bearer {outsider.token}"}
    kvs = "/fpp/as/app/provider/atlassian/capability/kvs"
    answer = outsider.http.post(kvs, headers=shown)
    assert (answer.status_code, answer.headers["forge-proxy-error"]) == (501, "NOT_EMULATED")


def test_a_context_names_the_own_site_and_no_other(outsider: Outsider) -> None:
    own = f"ari:cloud:jira::site/{outsider.bench.cloud_id}"
    answer = outsider.ask(ISSUE, context=own)
    assert (answer.status_code, answer.json()["key"]) == (200, "TEAM-1")
    record = outsider.bench.firebrick.audit.read(limit=1)[0]
    assert (record.account_id, record.act_as) == (outsider.account("dana"), "user")
    assert outsider.ask(ISSUE, "app", context=own).status_code == 200
    foreign = outsider.ask(
        ISSUE, context="ari:cloud:jira::site/11111111-2222-3333-4444-555555555555"
    )
    assert (foreign.status_code, foreign.headers["forge-proxy-error"]) == (404, "INVALID_REMOTE")
    assert outsider.last_rule() == "remote.other-context"
    other = outsider.ask(ISSUE, context=own.replace("jira", "confluence"))
    assert (other.status_code, outsider.last_rule()) == (404, "remote.unknown")


def test_a_context_goes_with_an_account(bench: Bench, tmp_path: Path) -> None:
    with outside(bench, tmp_path, impersonation=True) as one:
        own, paul = f"ari:cloud:jira::site/{bench.cloud_id}", one.account("paul")
        assert one.ask(ISSUE, context=own, account=paul).status_code == 200
        assert bench.firebrick.audit.read(limit=1)[0].account_id == paul


def test_a_container_asks_in_its_own_form(bench: Bench, tmp_path: Path) -> None:
    with outside(bench, tmp_path, impersonation=True) as one:
        path, installation = f"/jira{ISSUE}", one.opened.runtime["appContext"]
        assert isinstance(installation, dict)
        by_id, by_place = f"id={one.opened.id}", f"installationId={installation['installationId']}"
        assert one.contain(path, f"as=user,{by_id}").json()["key"] == "TEAM-1"
        assert one.contain(path, f"{by_id}, as=app").status_code == 200
        assert one.contain(path, f"as=app,{by_place}").status_code == 200
        ari = by_place.replace("=", "=ari:cloud:ecosystem::installation/")
        assert one.contain(path, f"as=app,{ari}").status_code == 200
        paul = f"as=user,{by_place},accountId={one.account('paul')}"
        assert one.contain(path, paul).status_code == 200
        assert bench.firebrick.audit.read(limit=1)[0].account_id == one.account("paul")
        alone = one.contain(path, f"as=user,{by_place}")
        assert alone.headers["forge-proxy-error"] == "AUTH_TYPE_UNAVAILABLE"
        assert one.contain(path, by_id).status_code == 401  # as nobody
        assert one.contain(f"/confluence{ISSUE}", f"as=app,{by_id}").status_code == 404
        assert one.contain("/jira", f"as=app,{by_id}").status_code == 501


def test_fetch_reaches_what_is_declared_and_nothing_else(outsider: Outsider) -> None:
    stubs = [
        {"url": "https://api.test.example/items*", "reply": {"json": {"n": 1}}},
        {"url": "https://api.test.example/bytes", "reply": {"base64": "/wA="}},
        {"url": "https://api.test.example/down", "fault": "refused"},
        {"url": "https://api.test.example/moved",
         "reply": {"status": 302, "headers": {"Location": "/items/2"}}},
    ]  # fmt: skip
    outsider.bench.firebrick.stubs = read_stubs(stubs)
    found = outsider.fetch("https://api.test.example/items/1")
    assert (found.status_code, found.json()) == (200, {"n": 1})
    assert found.headers["forge-proxy-url"] == "https://api.test.example/items/1"
    moved = outsider.fetch("https://api.test.example/moved")
    assert moved.headers["forge-proxy-redirected"] == "true"
    stays = outsider.fetch("https://api.test.example/moved", forge_proxy_redirect="manual")
    assert (stays.status_code, stays.headers["location"]) == (302, "/items/2")
    for url, status, error in (
        ("https://evil.example/", 403, "REQUEST_EGRESS_ALLOWLIST_ERR"),
        ("https://api.test.example@evil.example/", 403, "REQUEST_EGRESS_ALLOWLIST_ERR"),
        ("", 403, "REQUEST_EGRESS_ALLOWLIST_ERR"),
        ("https://api.test.example/down", 502, "FUNCTION_FETCH_ERR"),
        ("https://api.test.example/other", 502, "FUNCTION_FETCH_ERR"),
    ):
        answer = outsider.fetch(url)
        assert (answer.status_code, answer.headers["forge-proxy-error"]) == (status, error), url
    bad = outsider.fetch("https://api.test.example/items/1", forge_proxy_redirect="twice")
    assert (bad.status_code, bad.json()["code"]) == (400, "BAD_REQUEST")
    traced = outsider.fetch("https://api.test.example/items/1", method="TRACE")
    assert traced.status_code == 400
    assert outsider.fetch("https://api.test.example/bytes").content == b"\xff\x00"


def test_a_body_goes_outside_as_it_is(outsider: Outsider) -> None:
    outsider.bench.firebrick.stubs = read_stubs(
        [{"method": "POST", "url": "https://api.test.example/in", "body": {"json": {"a": 1}},
          "reply": {"status": 201}}]
    )  # fmt: skip
    shown = {
        "forge-proxy-authorization": f"Bearer {outsider.token}",
        "forge-proxy-target": "https://api.test.example/in",
        "content-type": "application/json",
    }
    sent = outsider.http.post("/egress", headers=shown, content=json.dumps({"a": 1}))
    assert sent.status_code == 201


def test_what_is_opened_is_listed_told_and_closed(outsider: Outsider) -> None:
    bench = outsider.bench
    outsides = invocations(bench.firebrick)
    (listed,) = outsides.list()
    assert listed[0].invocation_id == outsider.opened.id
    (record,) = bench.firebrick.records.read(invocation_id=outsider.opened.id)
    assert (record.function, record.account_id) == ("main", outsider.account("dana"))
    assert outsides.close(outsider.opened.id)
    assert not outsides.close(outsider.opened.id)
    assert not outsides.close("nothing")
    assert outsider.ask(ISSUE).headers["forge-proxy-error"] == "INVALID_PROXY_TOKEN"
    with pytest.raises(InvocationError, match="outside of the sandbox"):
        find_recording(bench.firebrick, outsider.opened.id)
    kinds = [one.rule for one in bench.firebrick.audit.read(invocation_id=outsider.opened.id)]
    assert kinds == ["invocation.opened", "invocation.closed"]


def test_the_context_is_the_hosts_and_holds_no_credential(outsider: Outsider) -> None:
    runtime = outsider.opened.runtime
    assert runtime["aaid"] == outsider.account("dana")
    context = runtime["appContext"]
    assert isinstance(context, dict)
    assert (context["functionKey"], context["moduleType"]) == ("main", "webtrigger")
    assert context["invocationId"] == outsider.opened.id
    variables = outsider.opened.environment("http://127.0.0.1:1/")
    assert outsider.token not in variables["FORGE_RUNTIME"]
    assert variables["FORGE_EGRESS_PROXY_URL"].startswith("http://127.0.0.1:1/fpp/container/")


def test_a_function_must_exist_and_none_means_the_app(bench: Bench, tmp_path: Path) -> None:
    deploy(bench, tmp_path)
    with pytest.raises(InvocationError) as caught:
        open_outside(bench, function="nothing")
    assert caught.value.code == "UNKNOWN_FUNCTION"
    assert invocations(bench.firebrick).list() == ()
    context = open_outside(bench, function=None).runtime["appContext"]
    assert isinstance(context, dict)
    assert context["functionKey"] == "outside"
