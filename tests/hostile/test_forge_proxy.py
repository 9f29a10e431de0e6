"""The Forge proxy attacked: whoever asks is the invocation that its token names, and no other."""

import hashlib
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from runtime.clock import Clock, ManualClock
from runtime.ids import Ids
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import SiteData
from runtime.policy.target import Target, parse_target
from runtime.server.forge.contexts import open_context
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.conftest import Bench
from tests.flows.forge_app import Outsider, deploy, invocations, open_outside, outside
from tests.flows.serving import served

pytestmark = pytest.mark.hostile

OTHER = SiteData("0acde000-0000-4000-8000-000000000002", "other")
ISSUE = "/rest/api/3/issue/TEAM-1?fields=summary"
REFUSED = {"code": 401, "message": "Unauthorized"}


@pytest.fixture
def outsider(bench: Bench, tmp_path: Path) -> Iterator[Outsider]:
    with outside(bench, tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outsider]:
    """One invocation for many requests, none of which changes anything."""
    folder = tmp_path_factory.mktemp("lasting")
    with (
        open_firebrick(Settings(state=folder / "state")) as firebrick,
        outside(Bench(firebrick), folder) as one,
    ):
        yield one


@pytest.fixture(scope="module")
def on_two_sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outsider]:
    """An invocation on one site of an app that is installed on another one too."""
    folder = tmp_path_factory.mktemp("two-sites")

    def seed(connection: Connection, ids: Ids, clock: Clock) -> None:
        seed_default_world(connection, ids, clock)
        seed_default_world(connection, ids, clock, OTHER)

    with open_firebrick(Settings(state=folder / "state"), seed=seed) as firebrick:
        own = next(one for one in firebrick.sites_by_host().values() if one != OTHER.cloud_id)
        with outside(Bench(firebrick, own), folder) as one:
            deploy(Bench(firebrick, OTHER.cloud_id), folder)
            yield one


def refused(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 401
        and answer.json() == REFUSED
        and answer.headers["forge-proxy-error"] == "INVALID_PROXY_TOKEN"
    )


def visible(answer: httpx.Response) -> tuple[object, ...]:
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, headers, answer.content


# --- the token -----------------------------------------------------------------------------------


def test_every_guess_gets_the_same_answer(outsider: Outsider) -> None:
    token = outsider.token
    digest = hashlib.sha256(token.encode()).hexdigest()
    guesses = [
        token[:-1], token + "0", token.upper(), token.replace("fpt", "fst"), digest,
        f"fbk_fpt_{digest}", f"fbk_fpt_{'0' * 64}", outsider.opened.id, "x", "null", "*",
        token.replace("fbk_fpt_", ""), f"{token} {token}", f"'{token}'", "' OR 1=1 --",
    ]  # fmt: skip
    answers = [outsider.ask(ISSUE, token=guess) for guess in guesses]
    assert {str(visible(answer)) for answer in answers} == {str(visible(answers[0]))}
    assert refused(answers[0])
    assert outsider.ask(ISSUE).status_code == 200


@pytest.mark.parametrize(
    "shown",
    [
        None, "", "Bearer", "Bearer {}x", "{}", "bearer {}", "Bearer  {}", "Basic {}", "Forge {}",
        "Bearer {},Bearer {}", "Forge as=user,id={}", "Bearer {} ,",
    ],
)  # fmt: skip
def test_the_token_is_shown_in_one_way_and_no_other(lasting: Outsider, shown: str | None) -> None:
    headers = {"forge-proxy-target": ISSUE}
    if shown is not None:
        headers["forge-proxy-authorization"] = shown.replace("{}", lasting.token)
    assert refused(lasting.http.get("/fpp/provider/user/remote/jira", headers=headers))
    elsewhere = {"forge-proxy-target": ISSUE, "authorization": f"Bearer {lasting.token}"}
    assert refused(lasting.http.get("/fpp/provider/user/remote/jira", headers=elsewhere))


def test_a_token_of_another_invocation_app_or_user_is_that_ones_alone(
    outsider: Outsider, tmp_path: Path
) -> None:
    bench = outsider.bench
    deploy(bench, tmp_path, name="other")
    stranger, vera = outsider.again(name="other"), outsider.again("vera")
    assert stranger.ask(ISSUE).status_code == vera.ask(ISSUE).status_code == 200
    records = bench.firebrick.audit.read(limit=2)
    assert [one.invocation_id for one in records] == [stranger.opened.id, vera.opened.id]
    assert len({one.installation_id for one in records}) == 2
    assert records[1].account_id == outsider.account("vera")
    invocations(bench.firebrick).close(vera.opened.id)
    assert refused(vera.ask(ISSUE))
    assert outsider.ask(ISSUE).status_code == stranger.ask(ISSUE).status_code == 200


def test_it_ends_with_its_time_and_with_its_installation(tmp_path: Path, cache: Path) -> None:
    clock = ManualClock()
    settings = Settings(state=tmp_path / "state", cache=cache)
    with open_firebrick(settings, clock) as firebrick:
        bench = Bench(firebrick)
        with outside(bench, tmp_path) as one:
            short = one.again(seconds=60)
            clock.advance(59)
            assert short.ask(ISSUE).status_code == 200
            clock.advance(1)
            assert refused(short.ask(ISSUE))
            assert refused(short.fetch("https://api.test.example/"))
            assert refused(short.contain(f"/jira{ISSUE}", f"as=user,id={short.opened.id}"))
            assert one.ask(ISSUE).status_code == 200
            version = firebrick.find_app("outsider", "development")
            installation = firebrick.apps.find_installation(version, bench.cloud_id)
            firebrick.apps.uninstall(installation, firebrick.find_person("amy"))
            assert refused(one.ask(ISSUE))
            plan = firebrick.apps.plan(version, bench.cloud_id)
            firebrick.apps.install(plan, bench.cloud_id, firebrick.find_person("amy"))
            assert refused(one.ask(ISSUE))
            assert refused(one.contain(f"/jira{ISSUE}", f"as=app,id={one.opened.id}"))
            assert one.again().ask(ISSUE).status_code == 200


def test_it_is_worth_nothing_but_at_the_proxy(outsider: Outsider) -> None:
    headers = {"authorization": f"Bearer {outsider.token}"}
    gateway = f"/ex/jira/{outsider.bench.cloud_id}/rest/api/3/issue/TEAM-1"
    assert outsider.http.get(gateway, headers=headers).status_code == 401
    assert outsider.http.get("/rest/api/3/myself", headers=headers).status_code == 403
    assert outsider.http.post("/graphql", headers=headers, json={}).status_code == 401
    basic = httpx.BasicAuth("dana@acme.example", outsider.token)
    assert outsider.http.get("/rest/api/3/myself", auth=basic).status_code == 401
    assert outsider.http.get("/me", headers=headers).status_code == 401


def test_an_access_token_is_worth_nothing_at_the_proxy(outsider: Outsider) -> None:
    outsider.ask(ISSUE)
    firebrick = outsider.bench.firebrick
    (access,) = firebrick.broker.live_tokens()
    assert refused(outsider.ask(ISSUE, token=access.get_secret_value()))
    _, secret = firebrick.api_tokens.create(firebrick.find_person("dana"), "a script")
    assert refused(outsider.ask(ISSUE, token=secret.get_secret_value()))


def test_rights_that_are_taken_away_are_felt_by_the_very_next_call(outsider: Outsider) -> None:
    firebrick = outsider.bench.firebrick
    installation = outsider.opened.runtime["appContext"]
    assert isinstance(installation, dict)
    assert outsider.ask(ISSUE).status_code == 200
    firebrick.installations.set_granted(installation["installationId"], frozenset())
    assert outsider.ask(ISSUE).json()["message"] == "Unauthorized; scope does not match"
    assert outsider.last_rule() == "scope.ungranted"
    firebrick.installations.set_granted(
        installation["installationId"], frozenset({"read:jira-work"})
    )
    with firebrick.engine.begin() as connection:
        connection.execute(
            text("UPDATE account SET active = :no WHERE account_id = :who"),
            {"no": False, "who": outsider.account("dana")},
        )
    assert outsider.ask(ISSUE).status_code == 401
    assert outsider.last_rule() == "credential.inactive-account"


# --- who is asking -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forged",
    [
        {"x-forge-account-id": "{amy}"}, {"forge-proxy-account": "{amy}"}, {"cookie": "a=b"},
        {"authorization": "Bearer {access}"}, {"authorization": "Basic YW15OmFteQ=="},
        {"x-forge-oauth-user": "{access}"}, {"x-atlassian-account": "{amy}"},
        {"x-http-method-override": "DELETE"}, {"forge-proxy-authorization2": "Bearer x"},
        {"x-forwarded-for": "10.0.0.1"}, {"x-forwarded-host": "evil.test"},
    ],
)  # fmt: skip
def test_no_header_changes_who_asks(lasting: Outsider, forged: dict[str, str]) -> None:
    lasting.ask(ISSUE)
    (access,) = lasting.bench.firebrick.broker.live_tokens()
    words = {"{amy}": lasting.account("amy"), "{access}": access.get_secret_value()}
    headers = {}
    for name, value in forged.items():
        headers[name] = words.get(value, value.replace("{access}", words["{access}"]))
    assert lasting.ask(ISSUE, headers=headers).status_code == 200
    record = lasting.bench.firebrick.audit.read(limit=1)[0]
    assert (record.account_id, record.method) == (lasting.account("dana"), "GET")
    named = {name for name in forged if not name.startswith("forge-proxy-")}
    assert set(record.detail.get("dropped_headers", [])) >= named  # type: ignore[call-overload]  # a list
    nobody = lasting.ask(ISSUE, "none", headers=headers)
    assert (nobody.status_code, nobody.json()) == (401, REFUSED)


@pytest.mark.parametrize(
    "claims",
    [
        "x", "as=user", "as=app", "as=none,id={id}", "as=admin,id={id}", "as=user,id=other",
        "as=user,id={id}x", "id={id},id={id}", "as=user,as=app,id={id}", "as=app,id={id},x=y",
        "as=app,installationId=other", "as=app,id={id},installationId=other",
        "as=app,id={other},installationId={mine}", "as=app,accountId={amy},id={id}",
        "accountId={amy},id={id}", "as=user,id={id},accountId=", "as=user id={id}",
        "as=user;id={id}", "AS=user,id={id}", "as=user,id={id},", "as = user,id={id}",
        "as=user,id={id},accountId={amy},accountId={dana}",
    ],
)  # fmt: skip
def test_a_containers_claims_are_about_its_own_invocation_or_refused(
    lasting: Outsider, claims: str
) -> None:
    context = lasting.opened.runtime["appContext"]
    assert isinstance(context, dict)
    words = {
        "{id}": lasting.opened.id, "{other}": lasting.again("vera").opened.id,
        "{mine}": context["installationId"], "{amy}": lasting.account("amy"),
        "{dana}": lasting.account("dana"),
    }  # fmt: skip
    for word, meant in words.items():
        claims = claims.replace(word, meant)
    assert refused(lasting.contain(f"/jira{ISSUE}", claims))
    assert lasting.last_rule() == "credential.proxy-claims"


def test_a_container_impersonates_by_the_same_rules(outsider: Outsider) -> None:
    claims = f"as=user,id={outsider.opened.id},accountId={outsider.account('paul')}"
    answer = outsider.contain(f"/jira{ISSUE}", claims)
    assert answer.headers["forge-proxy-error"] == "AUTH_TYPE_UNAVAILABLE"
    assert outsider.last_rule() == "act.impersonation"
    forged = f"as=user,id={outsider.opened.id}"
    url = f"/fpp/container/fbk_fpt_{'0' * 64}/jira{ISSUE}"
    headers = {"forge-proxy-authorization": f"Forge {forged}"}
    assert refused(outsider.http.get(url, headers=headers))
    assert refused(outsider.http.get(f"/fpp/container/jira{ISSUE}", headers=headers))


def test_who_is_asked_for_in_the_path_is_still_decided(outsider: Outsider) -> None:
    for account in (outsider.account("amy"), "x" * 128, "%00", "*", outsider.account("dora")):
        answer = outsider.ask(ISSUE, account=account)
        assert answer.status_code in (400, 401), account
        assert answer.text.find("TEAM-1") < 0
    assert outsider.ask(ISSUE, account="x" * 129).status_code == 501
    assert outsider.ask(ISSUE, account=outsider.account("dana")).status_code == 200
    assert outsider.ask(ISSUE, "app", account=outsider.account("amy")).status_code == 200
    record = outsider.bench.firebrick.audit.read(limit=1)[0]
    assert (record.act_as, record.account_id) != ("user", outsider.account("amy"))
    assert record.account_id not in (outsider.account("amy"), outsider.account("dana"))


# --- the target ----------------------------------------------------------------------------------

TRICKS = [
    ("https://evil.test/", "path.not-absolute"), ("//evil.test/", "path.not-absolute"),
    ("http://169.254.169.254/", "path.not-absolute"), ("/\\evil.test", "path.not-absolute"),
    ("@evil.test/", "path.not-absolute"), ("", "path.not-absolute"),
    ("/rest/api/3/issue/../myself", "path.dot-segment"),
    ("/rest/api/3/issue/%2e%2E/myself", "path.dot-segment"),
    ("/rest/api/3/issue/a%2Fb", "path.encoded-separator"),
    ("/rest/api/3/issue/a%00", "path.control-character"),
    ("/rest/api/3//issue/TEAM-1", "path.empty-segment"),
    ("/rest/api/3/issue/TEAM-1;x=1", "path.parameter"),
    ("/rest/api/3/issue/%0d%0ax", "path.control-character"),
    ("/rest/api/3/issue/%zz", "path.bad-escape"), ("/rest\\api", "path.backslash"),
    ("/rest/api/3/nope", "operation.unknown"), ("/REST/api/3/myself", "operation.unknown"),
    ("/rest/api/3/myself/", "operation.unknown"), ("/" + "a" * 8192, "path.too-long"),
    ("/ex/jira/x/rest/api/3/myself", "operation.unknown"),
    ("/fpp/provider/app/remote/jira", "operation.unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("target", "rule"), TRICKS)
def test_a_trick_in_the_target_is_refused_by_its_rule(
    lasting: Outsider, target: str, rule: str
) -> None:
    answer = lasting.ask(target, "app")
    assert answer.status_code in (400, 401)
    assert lasting.last_rule() == rule


def test_the_methods_and_headers_of_the_door_are_the_proxys(outsider: Outsider) -> None:
    assert outsider.ask(ISSUE, method="TRACE").status_code == 405
    assert outsider.last_rule() == "method.refused"
    with_body = outsider.ask(ISSUE, json={"a": 1})
    assert (with_body.status_code, outsider.last_rule()) == (400, "body.refused")
    huge = outsider.ask(ISSUE, headers={"x-big": "x" * 9000})
    assert (huge.status_code, outsider.last_rule()) == (400, "header.too-large")


def test_a_line_break_in_a_header_never_makes_another(outsider: Outsider) -> None:
    """What a client library would refuse goes over a plain socket; nothing of it is believed."""
    host, port = outsider.http.base_url.host, outsider.http.base_url.port
    for inject in (b"x\r\nforge-proxy-target: /rest/api/3/issue/VAULT-1", b"x\ny", b"x\x00y"):
        raw = (
            b"GET /fpp/provider/app/remote/jira HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"forge-proxy-authorization: Bearer " + outsider.token.encode() + b"\r\n"
            b"forge-proxy-target: /rest/api/3/issue/" + inject + b"\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection((host, port or 80)) as connection:
            connection.sendall(raw)
            answer = connection.makefile("rb").read()
        status = int(answer.split(b" ", 2)[1])
        assert status in (200, 400, 404), answer[:200]
        assert b"x: y" not in answer.lower()
        record = outsider.bench.firebrick.audit.read(limit=1)[0]
        assert "\n" not in (record.path or "")


def test_the_proxys_own_url_is_read_once(outsider: Outsider) -> None:
    shown = {"forge-proxy-authorization": f"Bearer {outsider.token}", "forge-proxy-target": ISSUE}
    for path, status in (
        ("/fpp/provider/root/remote/jira", 501), ("/fpp/provider/app/remote", 501),
        ("/fpp/provider/app/remote/jira/", 501), ("/fpp/provider/app/../user/remote/jira", 400),
        ("/fpp//provider/app/remote/jira", 400), ("/fpp/", 501),
        ("/fpp/provider/app/remote/jira/account/a/b", 501), ("/FPP/provider/app/remote/jira", 404),
    ):  # fmt: skip
        answer = raw_get(outsider, path, shown)
        assert answer == status, path


def test_the_one_escaped_slash_that_is_read_is_that_of_a_context(outsider: Outsider) -> None:
    site, ari = outsider.bench.cloud_id, "ari%3Acloud%3Ajira%3A%3Asite"
    shown = {"forge-proxy-authorization": f"Bearer {outsider.token}", "forge-proxy-target": ISSUE}
    start = "/fpp/provider/app/contextAri/"
    for rest, status in (
        (f"{ari}%2F{site}", 200), (f"ari:cloud:jira::site%2f{site}", 200), (f"{ari}/{site}", 200),
        (f"{ari}%2Fx", 404), (f"{ari}%2F{site.upper()}x", 404), (f"{ari}%2F..", 400),
        (f"{ari}%2F%2E%2E", 400), (f"{ari}%2F{site}%2F..", 400), (f"{ari}%2F{site}%2Faccount", 400),
        (f"{ari}%252F{site}", 404), (f"{ari}%2F%2F{site}", 400), (f"{ari}%5C{site}", 400),
        (f"{ari}%2F{site}%00", 400), (f"{ari}%2F{site};a=b", 400), (f"{ari}%2F{site}/", 404),
        (f"{ari}%2F{site}/../../remote/jira", 400), (f"{ari}%2F{site}/remote/jira", 404),
        (f"{ari}%2F", 400), (f"%61ri%3Acloud%3Ajira%3A%3Asite%2F{site}", 400),
        (f"{ari}%2F{'a' * 200}", 400), (f"{ari}%2F{site}%0d%0aX:y", 404), (site, 404),
        ("jira", 404), ("x", 404), ("ari", 404), (f"ari:cloud:jira::site%3F{site}", 404),
        (f"cloud%3Ajira%3A%3Asite/{site}", 404), ("ari%3A" + "a" * 7000, 404),
    ):  # fmt: skip
        assert raw_get(outsider, start + rest, shown) == status, rest
    for before in ("/rest/api/3/issue/", f"/fpp/container/x{start}", start.replace("app", "root")):
        elsewhere = f"{before}{ari}%2F{site}"
        assert raw_get(outsider, elsewhere, shown) == 400, elsewhere


@pytest.mark.parametrize(
    "context",
    [
        "ari:cloud:jira::site/{other}", "ari:cloud:jira::site/none",
        "ari:cloud:jira::project/{own}", "ari:cloud:jira:{own}:workspace/{own}",
        "ARI:cloud:jira::site/{own}", "ari:cloud:Jira::site/{own}",
        "ari:cloud:ecosystem::installation/{installation}", "jira", "{own}",
    ],
)  # fmt: skip
def test_a_context_chooses_no_site_no_account_and_no_scope(
    on_two_sites: Outsider, context: str
) -> None:
    """Another site that exists, one that does not, and what is no context are refused alike."""
    outsider, other = on_two_sites, OTHER.cloud_id
    firebrick = outsider.bench.firebrick
    app = outsider.opened.runtime["appContext"]
    assert isinstance(app, dict)
    words = {
        "{other}": other, "{own}": outsider.bench.cloud_id,
        "{installation}": str(app["installationId"]),
    }  # fmt: skip
    for word, meant in words.items():
        context = context.replace(word, meant)
    answer = outsider.ask(ISSUE, context=context)
    nowhere = outsider.ask(ISSUE, context="ari:cloud:jira::site/nowhere")
    assert visible(answer) == visible(nowhere)
    record = firebrick.audit.read(limit=2)[0]
    assert (record.allowed, record.rule) == (False, "remote.other-context")
    assert record.cloud_id == outsider.bench.cloud_id
    assert record.account_id == outsider.account("dana")


@given(st.text(alphabet="arifpp/ovdeconx:%2Ff5CA.;?#\\\x00", max_size=60))
def test_opening_a_context_opens_nothing_else(text: str) -> None:
    start = "/fpp/provider/app/contextAri/"
    for target in (text, start + text, f"{start}ari%3Acloud%3Ajira%3A%3Asite%2F{text}"):
        opened = open_context(target)
        if opened != target:
            assert target.lower().startswith(f"{start}ari".lower())
            assert opened.replace("/", "%2F") == target.replace("/", "%2F").replace("%2f", "%2F")
        found = parse_target(opened)
        if isinstance(found, Target) and target.startswith(start):
            assert found.path.startswith(start)


def raw_get(outsider: Outsider, path: str, headers: dict[str, str]) -> int:
    """Ask for a path that a client library would tidy up."""
    url = outsider.http.base_url
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return int(connection.makefile("rb").readline().split(b" ")[1])


# --- the token stands nowhere --------------------------------------------------------------------


def test_the_token_is_in_no_record_log_error_or_table(
    outsider: Outsider, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    token, firebrick = outsider.token, outsider.bench.firebrick
    with caplog.at_level(logging.DEBUG):
        answers = [
            outsider.ask(ISSUE), outsider.ask(f"/rest/api/3/issue/{token}"),
            outsider.ask(token), outsider.ask(ISSUE, product=token),
            outsider.ask(ISSUE, headers={"x-token": token}), outsider.ask(ISSUE, account=token),
            outsider.fetch(f"https://api.test.example/?t={token}"),
            outsider.fetch(f"https://evil.example/{token}"),
            outsider.contain(f"/jira{ISSUE}", f"as=user,id={token}"),
            outsider.contain(f"/{token}/x", f"as=user,id={outsider.opened.id}"),
            outsider.contain(f"/jira{ISSUE}", f"as=user,id={outsider.opened.id}"),
            outsider.contain("/graphql", f"as=app,id={outsider.opened.id}", method="POST"),
            outsider.ask(ISSUE, token=token + "0"),
            outsider.http.get(f"/fpp/container/{token}", headers={}),
            outsider.http.get(f"/fpp/container/{token.removeprefix('fbk_fpt_')}/jira{ISSUE}"),
        ]  # fmt: skip
    assert all(token not in answer.text for answer in answers)
    assert token not in json.dumps([dict(answer.headers) for answer in answers])
    with firebrick.engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type='table'"))
        for (table,) in tables.all():
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            assert token not in str(rows), table
            assert token.removeprefix("fbk_fpt_") not in str(rows), table
    # httpx itself logs the URLs that it asks; the server logs none.
    logged = [one.getMessage() for one in caplog.records if not one.name.startswith("http")]
    out, err = capfd.readouterr()
    assert token not in "\n".join((*logged, out, err))
    for path in firebrick.settings.state.rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path


def test_the_users_access_token_never_reaches_the_process(outsider: Outsider) -> None:
    answers = [
        outsider.ask(ISSUE), outsider.ask(ISSUE, "app"),
        outsider.ask("/rest/api/3/serverInfo", "app"), outsider.ask("/rest/api/3/nope"),
    ]  # fmt: skip
    secrets = [one.get_secret_value() for one in outsider.bench.firebrick.broker.live_tokens()]
    assert len(secrets) == 2
    seen = " ".join(f"{one.headers} {one.text}" for one in answers)
    seen += json.dumps(outsider.opened.environment("http://127.0.0.1:1"))
    assert not any(secret in seen for secret in secrets)


def test_a_page_of_another_name_does_not_reach_the_proxy(bench: Bench, tmp_path: Path) -> None:
    deploy(bench, tmp_path)
    opened = open_outside(bench)
    with served(bench.firebrick) as url, httpx.Client(base_url=url, trust_env=False) as http:
        one = Outsider(http, opened, bench)
        assert one.ask(ISSUE, headers={"host": "evil.test"}).status_code == 421
        answer = one.ask(ISSUE, headers={"origin": "https://evil.test"})
        assert not any(name.startswith("access-control-") for name in answer.headers)
