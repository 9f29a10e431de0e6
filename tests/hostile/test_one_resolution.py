"""Whatever path an app writes: what is decided on is the operation that Jira resolves (I5)."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.gateway.gateway import Gateway
from runtime.gateway.values import Caller, CallReport, ProductCall
from runtime.installation.model import AppVersion, Installation
from runtime.policy.decision import Decision
from runtime.policy.target import parse_target
from runtime.server.operations import load_operations
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from runtime.wire import JiraRequest, JiraResponse

pytestmark = pytest.mark.hostile

TABLE = load_operations()
OPERATIONS = sorted(TABLE, key=lambda one: one.key)
ALL_SCOPES = frozenset(scope for one in TABLE for names in one.scopes for scope in names)
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get", "Post")


class Spy:
    """The product, with what it was asked and what it says it ran."""

    def __init__(self, firebrick: Firebrick) -> None:
        self._firebrick = firebrick
        self.seen: list[tuple[JiraRequest, JiraResponse]] = []

    def handle(self, request: JiraRequest) -> JiraResponse:
        response = self._firebrick.jira.handle(request)
        self.seen.append((request, response))
        return response


class Pair:
    """A gateway and a Jira in one process, with an app that holds every scope or few."""

    def __init__(self, firebrick: Firebrick) -> None:
        self.firebrick = firebrick
        self.spy = Spy(firebrick)
        cloud_id = firebrick.find_site(None)
        amy = firebrick.find_person("amy").account_id
        self.caller = Caller("invocation", "app", "installation", cloud_id, amy, amy)
        self.gateway = Gateway(
            product=self.spy,
            operations=firebrick.operations,
            installations=firebrick.installations,
            consents=firebrick.consents,
            broker=firebrick.broker,
            audit=firebrick.audit,
            clock=firebrick.clock,
            may_use=firebrick.may_use,
            rates=firebrick.broker.rates,
            impersonations_per_minute=0,
        )
        scopes = dict.fromkeys(sorted(ALL_SCOPES), False)
        version = firebrick.installations.add_version(
            AppVersion(0, "app", "development", "1.0.0", "app", "{}", scopes, (), "", "", 0.0)
        )
        with firebrick.engine.begin() as connection:
            firebrick.installations.add_installation(
                connection,
                Installation("installation", "app", "development", cloud_id, version.id,
                             ALL_SCOPES, amy, amy, 0.0, True),
            )  # fmt: skip

    def send(self, method: str, path: str, act_as: str = "app") -> CallReport:
        self.spy.seen.clear()
        call = ProductCall(path, method=method, act_as=act_as)  # type: ignore[arg-type]  # one of the three
        return self.gateway.send(self.caller, call)[1]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder: Path = tmp_path_factory.mktemp("one-resolution")
    with open_firebrick(Settings(state=folder / "state", cache=folder / "cache")) as firebrick:
        yield Pair(firebrick)


VALUES = st.sampled_from(
    ["TEAM", "TEAM-1", "10000", "search", "picker", "properties", "a b", "ä", "%41", "%2e", "%2F",
     "..", ".", "", "a;b", "a%3Bb", "a%253Fb", "%00", "a?b", "a#b", "\\", "//", "TEAM%2D1", "%25"]
)  # fmt: skip
HONEST = st.sampled_from(["TEAM", "TEAM-1", "10000", "search", "a b", "ä"]).map(quote)
SPELLINGS = st.sampled_from(
    [
        lambda path: path,
        lambda path: path + "/",
        lambda path: path.upper(),
        lambda path: path.replace("/3/", "/2/"),
        lambda path: path.replace("/3/", "/latest/"),
        lambda path: path.replace("/rest", "//rest", 1),
        lambda path: path.replace("/api", "/./api", 1),
        lambda path: path.replace("/api", "/x/../api", 1),
        lambda path: path.replace("api", "%61pi", 1),
        lambda path: path.replace("/issue", "/%69ssue", 1),
        lambda path: path + "?x=/../../myself",
        lambda path: path + "#/rest/api/3/myself",
        lambda path: path + ";jsessionid=1",
        lambda path: path + "%2f..%2fmyself",
        lambda path: path + "/%2e%2e/myself",
        lambda path: path.replace("/", "\\", 1),
        lambda path: path + "%00",
        lambda path: "https://api.atlassian.com" + path,
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str]:
    """Method and path of an operation, honest or spelled to deceive; or any text at all."""
    trick = draw(st.integers(0, 9))
    if trick == 0:
        return draw(st.sampled_from(METHODS)), draw(st.text(max_size=60))
    operation = draw(st.sampled_from(OPERATIONS))
    parts = operation.path.split("/")
    values = HONEST if trick < 6 else VALUES
    path = "/".join(draw(values) if part.startswith("{") else part for part in parts)
    if trick < 4:
        return operation.method, path
    return draw(st.sampled_from([operation.method, *METHODS])), draw(SPELLINGS)(path)


PROPERTY = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@PROPERTY
@given(requests(), st.sampled_from(["app", "user", "none"]))
def test_gateway_and_jira_resolve_every_path_alike(
    pair: Pair, request_: tuple[str, str], act_as: str
) -> None:
    method, path = request_
    report = pair.send(method, path, act_as)
    assert report.rule != "operation.mismatch"
    target = parse_target(path)
    if isinstance(target, Decision):
        assert report.rule in (target.rule, "method.refused")
        assert pair.spy.seen == []
        return
    for request, response in pair.spy.seen:
        assert request.path == target.path
        assert response.operation_id == report.operation
        resolved = TABLE.resolve(request.method, request.path).operation
        assert (None if resolved is None else resolved.key) == report.operation


@PROPERTY
@given(requests())
def test_a_path_that_reaches_jira_reaches_it_in_one_spelling(
    pair: Pair, request_: tuple[str, str]
) -> None:
    method, path = request_
    pair.send(method, path)
    for request, _ in pair.spy.seen:
        again = parse_target(request.path)
        assert not isinstance(again, Decision)
        assert (again.path, again.query) == (request.path, ())


def test_every_template_is_resolved_alike_by_both(pair: Pair) -> None:
    for operation in TABLE:
        if operation.method != "GET":
            continue
        path = "/".join("1" if p.startswith("{") else p for p in operation.path.split("/"))
        report = pair.send("GET", path)
        assert report.operation is not None
        assert [response.operation_id for _, response in pair.spy.seen] in ([], [report.operation])


def test_the_spy_sees_what_is_allowed(pair: Pair) -> None:
    report = pair.send("GET", "/rest/api/3/myself")
    assert (report.operation, report.status) == ("getCurrentUser", 200)
    assert len(pair.spy.seen) == 1
