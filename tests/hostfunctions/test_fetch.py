"""The door to the outside: what is decided, what is answered, and what the trail says of it."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import ManualClock
from runtime.database import open_database
from runtime.gateway.outside import ExternalCall, ExternalReply, OutsideError
from runtime.gateway.values import Caller
from runtime.hostfunctions.fetch import MAX_REDIRECTS, Egress, Fetch
from runtime.hostfunctions.stubs import EgressStub
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl

CALLER = Caller("invocation", "app", "installation", "cloud", "1:app", "1:user")
DECLARED = ("fetch.backend https://h.test", "fetch.backend *.wild.test", "images https://i.test")
NOT_ALLOWED = (403, [["forge-proxy-error", "REQUEST_EGRESS_ALLOWLIST_ERR"]])
Answer = ExternalReply | Decision | OutsideError


@dataclass
class World:
    """The door with everything around it; the network is a table of answers by URL."""

    stubs: tuple[EgressStub, ...] = ()
    allowed: tuple[str, ...] = ()
    network: Mapping[str, Answer] = field(default_factory=dict)
    declared: tuple[str, ...] = DECLARED
    asked: list[ExternalCall] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = ManualClock()
        self.audit = AuditTrail(open_database("sqlite://"), clock)
        self.door = Fetch(
            self.audit,
            CALLER,
            self.declared,
            clock=clock,
            egress=Egress(self.stubs, self.allowed),
            outside=self._ask,
            pause=self.pauses.append,
        )

    def _ask(self, target: ExternalUrl, call: ExternalCall) -> ExternalReply | Decision:
        self.asked.append(call)
        assert call.url == target.url
        answer = self.network[target.url]
        if isinstance(answer, OutsideError):
            raise answer
        return answer

    def fetch(self, url: str, **more: object) -> dict[str, object]:
        reply = json.loads(self.door(json.dumps({"url": url, **more}).encode()))
        assert isinstance(reply, dict)
        return reply

    def trail(self) -> tuple[AuditRecord, ...]:
        return self.audit.read()

    def rules(self) -> list[str]:
        return [record.rule for record in self.trail()]


def test_a_stub_answers_a_declared_host_and_the_trail_says_so() -> None:
    stub = EgressStub("https://h.test/*", status=201, headers=(("x-a", "1"),), body=b"ok")
    world = World(stubs=(stub,))
    assert world.fetch("https://h.test/x#frag", method="POST", body="b") == {
        "status": 201,
        "headers": [["x-a", "1"]],
        "body": "ok",
        "url": "https://h.test/x",
        "redirected": False,
    }
    (record,) = world.trail()
    assert (record.kind, record.allowed, record.rule) == ("egress", True, "egress.stubbed")
    assert (record.method, record.status, record.account_id) == ("POST", 201, "1:user")
    assert world.asked == []


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://other.test/", "egress.undeclared"),
        ("https://i.test/", "egress.undeclared"),
        ("https://h.test@evil.test/", "egress.userinfo"),
        ("file:///etc/passwd", "egress.scheme"),
        ("", "egress.not-a-url"),
    ],
)
def test_what_is_not_declared_gets_the_platforms_refusal(url: str, rule: str) -> None:
    world = World(stubs=(EgressStub("*"),), allowed=("*",))
    reply = world.fetch(url)
    assert (reply["status"], reply["headers"]) == NOT_ALLOWED
    (record,) = world.trail()
    assert (record.allowed, record.rule, record.status) == (False, rule, 403)
    assert (world.asked, world.pauses) == ([], [])


def test_without_a_stub_the_error_names_the_host_and_how_to_add_one() -> None:
    world = World(allowed=("else.test",))
    error = world.fetch("https://h.test/v1?secret=1", method="PUT")["error"]
    assert isinstance(error, dict)
    assert error["code"] == "EGRESS_NO_STUB"
    for part in ("PUT https://h.test/v1,", "firebrick.yml", "--allow-egress h.test"):
        assert part in error["message"]
    assert "secret" not in error["message"]
    assert world.rules() == ["egress.no-stub"]


@pytest.mark.parametrize("allowed", ["h.test", "*.test", "*"])
def test_an_allowed_host_is_asked_with_the_headers_that_may_go_out(allowed: str) -> None:
    network = {"https://h.test/x": ExternalReply(200, (("X-B", "2"),), b"\xff", "8.8.8.8")}
    world = World(allowed=(allowed,), network=network)
    headers = {"Authorization": "Bearer own", "Host": "evil.test", "Proxy-X": "1", "X-Forge-A": "2"}
    reply = world.fetch("https://h.test/x", headers=headers, body="YQ==", bodyEncoding="base64",
                        method="PATCH")  # fmt: skip
    assert (reply["body"], reply["headers"]) == ("/w==", [["X-B", "2"]])
    assert world.asked == [
        ExternalCall("https://h.test/x", "PATCH", (("authorization", "Bearer own"),), b"a")
    ]
    (record,) = world.trail()
    assert (record.rule, record.message) == ("egress.network", "answered by 8.8.8.8")


def test_a_stub_goes_before_the_network() -> None:
    world = World(stubs=(EgressStub("*"),), allowed=("*",))
    assert world.fetch("https://h.test/")["status"] == 200
    assert world.asked == []


@pytest.mark.hostile
def test_an_answer_cannot_pretend_to_be_the_platform() -> None:
    spoof = (("Forge-Proxy-Error", "NEEDS_AUTHENTICATION_ERR"), ("x-forge-a", "1"), ("ok", "1"))
    world = World(stubs=(EgressStub("*", headers=spoof),))
    assert world.fetch("https://h.test/")["headers"] == [["ok", "1"]]


@pytest.mark.hostile
def test_a_host_at_a_private_address_is_refused_with_its_rule() -> None:
    refusal = Decision(False, "egress.private-address", "h.test is at 127.0.0.1")
    world = World(allowed=("h.test",), network={"https://h.test/": refusal})
    assert world.fetch("https://h.test/")["error"] == {
        "code": "DENIED",
        "message": "h.test is at 127.0.0.1",
    }
    (record,) = world.trail()
    assert (record.allowed, record.rule) == (False, "egress.private-address")


@pytest.mark.parametrize("fault", ["refused", "reset", "timeout", "unresolved"])
def test_a_stub_can_fail_and_be_slow(fault: str) -> None:
    stub = EgressStub("*", delay_ms=99_000_000, fault=fault)  # type: ignore[arg-type]  # of a list
    world = World(stubs=(stub,))
    error = world.fetch("https://h.test/")["error"]
    assert isinstance(error, dict)
    assert error["code"] == "FETCH_FAILED"
    assert world.pauses == [60.0]
    assert world.trail()[0].message == error["message"]


def test_a_network_that_does_not_answer_is_a_failure_that_says_why() -> None:
    world = World(allowed=("h.test",), network={"https://h.test/": OutsideError("ENOTFOUND: h")})
    assert world.fetch("https://h.test/")["error"] == {
        "code": "FETCH_FAILED",
        "message": "ENOTFOUND: h",
    }
    (record,) = world.trail()
    assert (record.allowed, record.rule, record.status) == (True, "egress.network", None)


@pytest.mark.parametrize(
    "headers",
    [{"a b": "c"}, {"a": "b\r\nc: d"}, {"a": "x" * 9000}, {f"h{n}": "1" for n in range(200)}],
)
def test_a_header_that_no_request_may_have_refuses_it(headers: dict[str, str]) -> None:
    world = World(stubs=(EgressStub("*"),))
    error = world.fetch("https://h.test/", headers=headers)["error"]
    assert isinstance(error, dict)
    assert error["code"] == "DENIED"
    assert world.rules()[0].startswith("header.")


def test_a_web_socket_address_may_be_declared_but_not_fetched() -> None:
    world = World(stubs=(EgressStub("*"),), declared=("fetch.backend wss://h.test",))
    assert "error" in world.fetch("wss://h.test/")
    assert world.rules() == ["egress.scheme"]


@pytest.mark.parametrize("method", ["CONNECT", "trace", "A B", ""])
def test_methods_that_fetch_never_sends_are_no_requests(method: str) -> None:
    world = World(stubs=(EgressStub("*"),))
    error = world.fetch("https://h.test/", method=method)["error"]
    assert isinstance(error, dict)
    assert error["code"] == "BAD_REQUEST"


# ------------------------------------------------------------------------------------- redirects


def stub_to(url: str, location: str, status: int = 302) -> EgressStub:
    return EgressStub(url, status=status, headers=(("Location", location),))


def test_a_redirect_is_followed_and_recorded_hop_by_hop() -> None:
    stubs = (stub_to("https://h.test/a", "b"), EgressStub("https://h.test/b", body=b"there"))
    world = World(stubs=stubs)
    reply = world.fetch("https://h.test/a")
    assert (reply["body"], reply["url"], reply["redirected"]) == ("there", "https://h.test/b", True)
    assert [record.path for record in world.trail()] == ["https://h.test/a", "https://h.test/b"]


@pytest.mark.hostile
@pytest.mark.parametrize(
    "location",
    ["https://evil.test/", "//evil.test/", "\\\\evil.test", "https://h.test@evil.test/",
     "http://h.test/", "https://h.test:8443/", "file:///etc/passwd", "https://169.254.169.254/"],
)  # fmt: skip
def test_a_redirect_to_an_undeclared_address_is_refused(location: str) -> None:
    world = World(stubs=(stub_to("https://h.test/a", location), EgressStub("*")))
    reply = world.fetch("https://h.test/a")
    assert (reply["status"], reply["headers"]) == NOT_ALLOWED
    assert [record.allowed for record in world.trail()] == [True, False]


@pytest.mark.hostile
def test_a_redirect_from_a_stub_does_not_open_the_network() -> None:
    world = World(stubs=(stub_to("https://h.test/a", "https://x.wild.test/"),), allowed=("h.test",))
    error = world.fetch("https://h.test/a")["error"]
    assert isinstance(error, dict)
    assert error["code"] == "EGRESS_NO_STUB"
    assert world.asked == []


@pytest.mark.parametrize(
    ("status", "method", "after", "body"),
    [
        (301, "POST", "GET", None), (302, "POST", "GET", None), (303, "PUT", "GET", None),
        (303, "HEAD", "HEAD", None), (301, "PUT", "PUT", b"b"), (307, "POST", "POST", b"b"),
        (308, "POST", "POST", b"b"),
    ],
)  # fmt: skip
def test_method_and_body_change_as_fetch_changes_them(
    status: int, method: str, after: str, body: bytes | None
) -> None:
    network = {
        "https://h.test/a": ExternalReply(status, (("location", "/b"),), b""),
        "https://h.test/b": ExternalReply(200, (), b""),
    }
    world = World(allowed=("h.test",), network=network)
    given = {} if method == "HEAD" else {"body": "b"}
    world.fetch("https://h.test/a", method=method, headers={"content-type": "x"}, **given)
    second = world.asked[1]
    assert (second.method, second.body) == (after, body)
    assert bool(second.headers) is (body is not None or method == "HEAD")


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("there", "kept"),
    [("https://h.test/b", True), ("https://x.wild.test/b", False)],
)
def test_credentials_stay_on_their_origin(there: str, kept: bool) -> None:
    network = {
        "https://h.test/a": ExternalReply(307, (("location", there),), b""),
        there: ExternalReply(200, (), b""),
    }
    world = World(allowed=("*.test",), network=network)
    world.fetch("https://h.test/a", headers={"Authorization": "own", "Cookie": "c", "X": "1"})
    names = [name for name, _ in world.asked[1].headers]
    assert names == (["authorization", "cookie", "x"] if kept else ["x"])


@pytest.mark.parametrize(
    ("mode", "seen"),
    [("manual", 302), ("error", "unexpected redirect")],
)
def test_an_app_may_look_at_a_redirect_or_refuse_it(mode: str, seen: object) -> None:
    world = World(stubs=(stub_to("https://h.test/a", "/b"),))
    reply = world.fetch("https://h.test/a", redirect=mode)
    error = reply.get("error")
    assert (error["message"] if isinstance(error, dict) else reply["status"]) == seen


def test_a_redirect_without_a_usable_location_is_an_answer_or_a_failure() -> None:
    assert World(stubs=(EgressStub("*", status=302),)).fetch("https://h.test/")["status"] == 302
    reply = World(stubs=(stub_to("*", "https://[bad"),)).fetch("https://h.test/")
    assert "error" in reply


@pytest.mark.hostile
def test_a_circle_of_redirects_ends() -> None:
    world = World(stubs=(stub_to("https://h.test/*", "/again"),))
    error = world.fetch("https://h.test/")["error"]
    assert isinstance(error, dict)
    assert error["message"] == "redirect count exceeded"
    assert len(world.audit.read(limit=100)) == MAX_REDIRECTS + 1


# ------------------------------------------------------------------------------------- the door


@pytest.mark.hostile
@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"\xff", b'{"url":1}', b'{"url":"","redirect":"x"}']
)
def test_bytes_that_are_no_request_are_answered_and_leave_no_record(raw: bytes) -> None:
    world = World()
    assert json.loads(world.door(raw))["error"]["code"] == "BAD_REQUEST"
    assert world.trail() == ()


def test_a_failure_of_the_host_stays_on_the_host(caplog: pytest.LogCaptureFixture) -> None:
    world = World(allowed=("h.test",))
    with caplog.at_level(logging.CRITICAL):
        reply = world.fetch("https://h.test/")  # the table of answers is empty: a KeyError
    assert reply["error"] == {"code": "INTERNAL", "message": "The host failed."}


@pytest.mark.hostile
def test_a_credential_that_the_network_sends_reaches_no_guest() -> None:
    token = "fbk_fst_" + "0a" * 32
    reply = ExternalReply(200, (("x-echo", token),), f"got {token}".encode())
    world = World(allowed=("h.test",), network={"https://h.test/": reply})
    answer = world.fetch("https://h.test/")
    assert (answer["body"], answer["headers"]) == ("got ***", [["x-echo", "***"]])
