import pytest

from runtime.jira.xsrf import XsrfMode, xsrf_refusal
from runtime.wire import JiraRequest

FOREIGN = {"user-agent": "Mozilla/5.0", "origin": "https://evil.test"}


@pytest.mark.parametrize(
    ("mode", "disarmed", "refused"),
    [("on", False, True), ("on", True, False), ("strict", True, True), ("off", False, False)],
)
def test_the_header_helps_unless_the_filter_is_strict(
    mode: XsrfMode, disarmed: bool, refused: bool
) -> None:
    headers = FOREIGN | ({"x-atlassian-token": "no-check"} if disarmed else {})
    request = JiraRequest("POST", "/rest/api/3/issue", headers=headers, base_url="http://a.test")
    assert (xsrf_refusal(request, "createIssue", mode) is not None) == refused


def test_the_gateway_has_no_filter_on_agents() -> None:
    request = JiraRequest(
        "POST", "/rest/api/3/issue", headers=FOREIGN, base_url="http://a.test", host="gateway"
    )
    assert xsrf_refusal(request, "createIssue", "strict") is None
