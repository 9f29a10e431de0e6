"""Threats to basic authentication, one test for each row of the threat list."""

from base64 import b64encode
from collections.abc import Iterator

import httpx
import pytest

from tests.flows.conftest import Bench
from tests.flows.serving import served

pytestmark = pytest.mark.hostile

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
WRONG = "fbk_pat_" + "0" * 64
DENIED = "AUTHENTICATION_DENIED"
REASON = "x-seraph-loginreason"
Seen = tuple[int, list[tuple[bytes, bytes]], bytes]
VARYING = {"date", "atl-request-id", "atl-traceid", "x-arequestid"}


@pytest.fixture
def base(bench: Bench) -> Iterator[str]:
    with served(bench.firebrick) as url:
        yield url


def token(bench: Bench, handle: str, *scopes: str) -> tuple[str, str]:
    owner = bench.firebrick.find_person(handle)
    _, secret = bench.firebrick.api_tokens.create(
        owner, "test", scopes=frozenset(scopes) if scopes else None
    )
    return (str(owner.email), secret.get_secret_value())


def gateway(bench: Bench, base: str) -> str:
    return f"{base}/ex/jira/{bench.cloud_id}"


def test_32_a_scoped_token_is_nobody_on_the_site(bench: Bench, base: str) -> None:
    scoped = token(bench, "dana", "read:jira-user", "read:jira-work")
    myself = httpx.get(f"{base}/rest/api/3/myself", auth=scoped)
    assert (myself.status_code, myself.headers[REASON]) == (401, "AUTHENTICATED_FAILED")
    assert myself.text == "Client must be authenticated to access this resource."
    assert httpx.get(f"{base}/rest/api/3/issue/TEAM-1", auth=scoped).status_code == 404
    there = httpx.get(f"{gateway(bench, base)}/rest/api/3/myself", auth=scoped)
    assert (there.status_code, there.json()["emailAddress"]) == (200, scoped[0])


def test_32_a_token_without_scopes_is_nobody_on_the_gateway(bench: Bench, base: str) -> None:
    answer = httpx.get(f"{gateway(bench, base)}/rest/api/3/myself", auth=token(bench, "dana"))
    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "Unauthorized"})


def test_32_scopes_and_permissions_both_bound_a_scoped_token(bench: Bench, base: str) -> None:
    url = f"{gateway(bench, base)}/rest/api/3"
    reading = token(bench, "dana", "read:jira-work")
    assert httpx.get(f"{url}/issue/TEAM-1", auth=reading).status_code == 200
    mismatch = httpx.get(f"{url}/myself", auth=reading)
    assert mismatch.status_code == 401
    assert mismatch.json() == {"code": 401, "message": "Unauthorized; scope does not match"}
    all_scopes = token(bench, "dana", "read:jira-work", "manage:jira-project")
    assert httpx.put(f"{url}/project/TEAM", json={"name": "X"}, auth=all_scopes).status_code == 403


def test_34_a_wrong_token_is_silently_anonymous_and_says_so(bench: Bench, base: str) -> None:
    wrong = (token(bench, "dana")[0], WRONG)
    public = httpx.get(f"{base}/rest/api/3/issue/PUB-2", auth=wrong)
    private = httpx.get(f"{base}/rest/api/3/issue/TEAM-1", auth=wrong)
    assert (public.status_code, private.status_code) == (200, 404)
    for answer in (public, private):
        assert answer.headers[REASON] == "AUTHENTICATED_FAILED"


@pytest.mark.parametrize(
    ("shown", "reason"),
    [(b":" + WRONG.encode(), None), (b"dana@acme.example", None), (b"\xff\xfe:x", None),
     (b"dana@acme.example:", "AUTHENTICATED_FAILED"), (b"x:y:z", "AUTHENTICATED_FAILED")],
)  # fmt: skip
def test_34_the_header_needs_a_user_before_a_colon(
    base: str, shown: bytes, reason: str | None
) -> None:
    for scheme in ("Basic", "bAsIc"):
        headers = {"authorization": f"{scheme} {b64encode(shown).decode()}"}
        answer = httpx.get(f"{base}/rest/api/3/issue/PUB-2", headers=headers)
        assert (answer.status_code, answer.headers.get(REASON)) == (200, reason)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", "text/html"), ("application/json", "application/json"), ("", "text/plain")],
)
def test_34_the_refusal_has_the_media_type_that_was_asked_for(
    base: str, accept: str, kind: str
) -> None:
    answer = httpx.get(f"{base}/rest/api/3/myself", headers={"accept": accept})
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["www-authenticate"].startswith('OAuth realm="http%3A%2F%2F127.0.0.1')


def test_34_a_password_is_told_apart(base: str) -> None:
    for email in ("dana@acme.example", "nobody@acme.example"):
        answer = httpx.get(f"{base}/rest/api/3/issue/PUB-2", auth=(email, "password"))
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("text/plain")
        text, _, address = answer.text.partition("  For more information, see: ")
        assert text == "Basic authentication with passwords is deprecated."
        assert address.startswith("https://developer.atlassian.com/cloud/")


def test_35_too_many_failures_refuse_the_right_token_too(bench: Bench, base: str) -> None:
    right, url = token(bench, "dana"), f"{base}/rest/api/3/issue/PUB-2"
    scoped = token(bench, "dana", "read:jira-work")
    for _ in range(bench.firebrick.settings.login_failures):
        assert httpx.get(url, auth=(right[0].upper(), WRONG)).status_code == 200
    denied = httpx.get(url, auth=right)
    assert (denied.status_code, denied.headers[REASON]) == (403, DENIED)
    assert bench.firebrick.audit.read()[-1].rule == "credential.locked"
    there = httpx.get(f"{gateway(bench, base)}/rest/api/3/issue/PUB-2", auth=scoped)
    assert there.status_code == 401
    assert httpx.get(url, auth=token(bench, "amy")).status_code == 200
    assert httpx.get(url).status_code == 200
    assert bench.firebrick.lockout.clear(right[0])
    assert httpx.get(f"{base}/rest/api/3/myself", auth=right).status_code == 200


def test_35_a_success_forgets_the_failures_before_it(bench: Bench, base: str) -> None:
    right, url = token(bench, "dana"), f"{base}/rest/api/3/myself"
    for _ in range(2):
        for _ in range(bench.firebrick.settings.login_failures - 1):
            httpx.get(url, auth=(right[0], WRONG))
        assert httpx.get(url, auth=right).status_code == 200


@pytest.mark.parametrize("path", ["/issue/PUB-2", "/issue/TEAM-1", "/myself"])
def test_36_an_unknown_person_answers_like_a_wrong_token(
    bench: Bench, base: str, path: str
) -> None:
    answers: dict[str, list[Seen]] = {"dana@acme.example": [], "nobody@acme.example": []}
    for _ in range(bench.firebrick.settings.login_failures + 2):
        for email, seen in answers.items():
            answer = httpx.get(f"{base}/rest/api/3{path}", auth=(email, WRONG))
            headers = [one for one in answer.headers.raw if one[0].lower().decode() not in VARYING]
            seen.append((answer.status_code, headers, answer.content))
    known, unknown = answers.values()
    assert known == unknown
    assert dict(known[-1][1])[REASON.encode()] == DENIED.encode()


WRITE = {"fields": {"project": {"key": "TEAM"}, "summary": "x", "issuetype": {"name": "Task"}}}


@pytest.mark.parametrize(
    "sent",
    [{"origin": "https://evil.test"}, {}, {"origin": "null"}, {"referer": "https://evil.test/x"},
     {"origin": "http://127.0.0.1.evil.test"}, {"cookie": "firebrick_session=x"},
     {"origin": "https://evil.test", "referer": "BASE/"}, {"referer": "http://[x"}],
)  # fmt: skip
def test_42_a_browser_on_a_foreign_page_writes_nothing(
    bench: Bench, base: str, sent: dict[str, str]
) -> None:
    dana, url = token(bench, "dana"), f"{base}/rest/api/3/issue"
    foreign = {"user-agent": CHROME} | {k: v.replace("BASE", base) for k, v in sent.items()}
    for method in ("POST", "PUT", "DELETE"):
        answer = httpx.request(method, url, json=WRITE, auth=dana, headers=foreign)
        assert (answer.status_code, answer.text) == (403, "XSRF check failed")
        assert answer.headers["content-type"].startswith("text/plain")
    assert httpx.get(f"{url}/TEAM-1", auth=dana, headers=foreign).status_code == 200
    disarmed = foreign | {"x-atlassian-token": "no-check"}
    assert httpx.post(url, json=WRITE, auth=dana, headers=disarmed).status_code == 201


def test_42_scripts_and_the_own_pages_pass(bench: Bench, base: str) -> None:
    dana, url = token(bench, "dana"), f"{base}/rest/api/3/issue"
    for headers in (
        {"user-agent": "python-requests/2.32", "origin": "https://evil.test"},
        {"user-agent": CHROME, "origin": base},
        {"user-agent": CHROME, "referer": f"{base}/browse/TEAM-1"},
    ):
        assert httpx.post(url, json=WRITE, auth=dana, headers=headers).status_code == 201


def test_42_an_attachment_needs_the_header_whatever_the_agent(bench: Bench, base: str) -> None:
    dana, url = token(bench, "dana"), f"{base}/rest/api/3/issue/TEAM-1/attachments"
    files = {"file": ("a.txt", b"x")}
    assert httpx.post(url, files=files, auth=dana).text == "XSRF check failed"
    for value in ("no-check", "nocheck"):
        answer = httpx.post(url, files=files, auth=dana, headers={"x-atlassian-token": value})
        assert answer.status_code != 403
