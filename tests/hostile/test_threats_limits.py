"""Row 44 of the threats: too much of anything, shown by callers who would be let in.

A refusal before the body is read proves nothing of its reader, so everybody here has a credential
that is good at the door they knock at.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from pydantic import SecretStr

from runtime.jira.context import MAX_LEVELS
from runtime.server.net.page_edges import PageOptions
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.conftest import Bench
from tests.flows.connect_app import ConnectApp, running
from tests.flows.connected import Connected
from tests.flows.forge_app import Outsider, outside
from tests.flows.serving import served

pytestmark = pytest.mark.hostile

CONSOLE = "fbk_ctl_" + "7" * 64
JSON = {"content-type": "application/json"}
DEEP = 10_000
SIZES = (490, 960, 985, DEEP)  # the last but one are read by the interpreter, and not written
SHAPES = ("objects", "lists", "in a field", "open lists")


@dataclass(frozen=True, slots=True)
class Doors:
    """A server with an app of each kind, and what reads JSON at it."""

    connected: Connected
    outsider: Outsider
    admin: tuple[str, str]

    def knock(self, door: str, body: bytes) -> httpx.Response:
        """Send a body to a door, by a caller whom it lets in."""
        method, path = door.split(" ")
        url = self.connected.base + path
        headers, auth = dict(JSON), None
        if path.startswith("/console"):
            headers["authorization"] = f"Bearer {CONSOLE}"
        elif path.startswith("/rest/atlassian-connect"):
            headers["authorization"] = f"JWT {self.connected.app.token(method, url)}"
        elif path.startswith("/fpp"):
            headers["forge-proxy-authorization"] = f"Bearer {self.outsider.token}"
            headers["forge-proxy-target"] = "/rest/api/3/issue/TEAM-1/comment"
        else:
            auth = self.admin
        return httpx.request(method, url, headers=headers, auth=auth, content=body, timeout=60)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("limits")
    settings = Settings(state=folder / "state", cache=folder / "cache")
    with (
        open_firebrick(settings) as firebrick,
        outside(Bench(firebrick), folder) as outsider,
        served(firebrick, PageOptions(SecretStr(CONSOLE))) as base,
        running(ConnectApp()) as app,
    ):
        connected = Connected(Bench(firebrick), base, app)
        connected.install()
        amy = firebrick.find_person("amy")
        _, secret = firebrick.api_tokens.create(amy, "test")
        yield Doors(connected, outsider, (str(amy.email), secret.get_secret_value()))


def nested(shape: str, depth: int) -> bytes:
    match shape:
        case "objects":
            return b'{"a":' * depth + b"1" + b"}" * depth
        case "lists":
            return b"[" * depth + b"1" + b"]" * depth
        case "in a field":
            return b'{"fields":{"description":' + nested("lists", depth) + b"}}"
        case _:
            return b"[" * depth


@pytest.mark.parametrize(
    "door",
    [
        "POST /rest/api/3/issue", "PUT /rest/api/3/issue/PUB-1", "POST /rest/api/3/search/jql",
        "POST /rest/api/3/issue/PUB-1/comment", "POST /rest/api/2/issue/PUB-1/comment",
        "POST /rest/api/3/issue/PUB-1/transitions", "POST /rest/api/3/permissions/check",
        "PUT /rest/api/3/project/PUB", "POST /rest/webhooks/1.0/webhook",
        "POST /rest/plugins/1.0/?token=x", "POST /oauth/token", "POST /console/api/apps",
        "POST /fpp/provider/user/remote/jira", "POST /_firebrick/connect/request",
        "POST /rest/atlassian-connect/1/app/module/dynamic",
        "PUT /rest/atlassian-connect/1/addons/com.example.helper/properties/x",
    ],
)  # fmt: skip
def test_44_no_depth_of_a_body_is_more_than_its_reader_stands(doors: Doors, door: str) -> None:
    for depth in SIZES:
        for shape in SHAPES:
            status = doors.knock(door, nested(shape, depth)).status_code
            assert status < 500, (shape, depth)
            assert status >= 400 or depth < DEEP or shape == "in a field", (shape, depth)
    assert httpx.get(f"{doors.connected.base}/_firebrick/health").status_code == 200


def test_44_what_is_taken_can_be_shown_again(doors: Doors) -> None:
    ours = "/rest/atlassian-connect/1/addons/com.example.helper/properties/x"
    for path in (
        "/rest/api/3/issue/PUB-1/properties/x",
        "/rest/api/3/project/PUB/properties/x",
        ours,
    ):
        for shape in ("objects", "lists"):
            assert doors.knock(f"PUT {path}", nested(shape, MAX_LEVELS)).is_success
            assert doors.knock(f"PUT {path}", nested(shape, MAX_LEVELS + 1)).status_code == 400
            shown = doors.knock(f"GET {path}", b"")
            assert shown.status_code == 200
            assert nested(shape, MAX_LEVELS) in shown.content


def test_44_a_header_of_a_megabyte_is_refused_before_it_is_whole(doors: Doors) -> None:
    url = httpx.URL(doors.connected.base)
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(b"GET /rest/api/3/serverInfo HTTP/1.1\r\nhost: 127.0.0.1\r\nx-big: ")
        sent = 0
        try:
            for _ in range(16):
                connection.sendall(b"a" * 65_536)
                sent += 65_536
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile("rb").read()
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
    assert answer == b"" or 400 <= int(answer.split(b" ", 2)[1]) < 500
    assert httpx.get(f"{doors.connected.base}/_firebrick/health").status_code == 200
