"""Whatever is sent to the Forge proxy or to GraphQL is answered, never with a failure of ours."""

import string
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import StateError
from runtime.server.forge.proxy import parse_claims
from runtime.server.net.forge_edges import forge_edges
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.wire import JiraRequest, JiraResponse
from tests.flows.conftest import Bench
from tests.flows.forge_app import deploy, open_outside

pytestmark = pytest.mark.hostile

Place = tuple[Bench, str, str]
METHODS = st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "X" * 20, "get"]
)
LATIN = st.text(st.characters(max_codepoint=255), max_size=40)
TARGETS = LATIN | st.sampled_from(
    ["/rest/api/3/issue/TEAM-1", "/rest/api/3/myself", "https://api.test.example/", "//x", ""]
)
NAMES = st.text(string.ascii_lowercase + "-", min_size=1, max_size=20) | st.sampled_from(
    ["authorization", "content-type", "accept", "host", "forge-proxy-redirect", "cookie"]
)
PATHS = st.sampled_from(
    [
        "/fpp/provider/user/remote/jira", "/fpp/provider/app/remote/jira/account/%E9",
        "/fpp/provider/none/remote/%ff", "/fpp/x", "/egress", "/fpp/container/{}/jira/x",
        "/fpp/container/{}/graphql", "/fpp/container/{}", "/fpp/container/", "/graphql",
    ]
)  # fmt: skip
BODIES = st.binary(max_size=40) | st.sampled_from([b"", b"{}", b'{"query": "{ a }"}', b"[1]"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("any")
    with open_firebrick(Settings(state=folder / "state")) as firebrick:
        bench = Bench(firebrick)
        deploy(bench, folder)
        opened = open_outside(bench)
        yield bench, opened.token.get_secret_value(), opened.id


def ask(place: Place, request: JiraRequest) -> JiraResponse:
    found = (edge(request) for edge in forge_edges(place[0].firebrick))
    answer = next(one for one in found if one is not None)
    assert isinstance(answer, JiraResponse)
    return answer


@settings(max_examples=150, deadline=None)
@given(
    path=PATHS,
    method=METHODS,
    target=TARGETS,
    headers=st.dictionaries(NAMES, LATIN, max_size=4),
    body=BODIES,
    known=st.booleans(),
)
def test_any_request_is_answered_and_no_answer_holds_the_token(
    place: Place,
    *,
    path: str,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
    known: bool,
) -> None:
    _, token, invocation = place
    shown = token if known else "fbk_fpt_" + "0" * 64
    scheme = f"Forge as=app,id={invocation}" if "container" in path else f"Bearer {shown}"
    sent = {**headers, "forge-proxy-target": target, "forge-proxy-authorization": scheme}
    answer = ask(place, JiraRequest(method, path.replace("{}", shown), (), sent, body))
    assert 200 <= answer.status < 500 or answer.status in (501, 502), answer
    assert token.encode() not in answer.body
    if not known and path != "/graphql":
        assert answer.status == 401


@given(st.text(max_size=80) | st.text("as=user,idForge installationId accountId=x", max_size=80))
def test_any_claims_are_read_as_one_of_each_or_refused(text: str) -> None:
    claims = parse_claims(f"Forge {text}")
    if claims is not None:
        assert claims.invocation_id or claims.installation_id
        assert claims.account_id is None or claims.act_as == "user"
        assert text.count("id=") == (claims.invocation_id is not None)
    assert parse_claims(text) is None or text.startswith("Forge ")


def test_a_state_that_cannot_be_used_is_no_answer_of_the_network(place: Place) -> None:
    """It leaves as what it is, so that the server answers 503 and its log says why."""
    bench, token, _ = place
    headers = {
        "forge-proxy-target": "https://api.test.example/",
        "forge-proxy-authorization": f"Bearer {token}",
    }
    bench.firebrick.audit.append = broken  # type: ignore[method-assign,assignment]  # a full disk
    try:
        with pytest.raises(StateError):
            ask(place, JiraRequest("GET", "/egress", (), headers))
    finally:
        del bench.firebrick.audit.append


def broken(_record: object) -> None:
    raise StateError("STATE_UNUSABLE", "the disk is full")
