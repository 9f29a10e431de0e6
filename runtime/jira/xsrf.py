"""The filter against requests that another site's page made a browser send.

Source:
    Vendor's knowledge base on "XSRF check failed"; bug reports of 2021 to 2026: a browser-like
    agent with a foreign or missing origin is refused, whatever credential it shows; attachments
    always need ``X-Atlassian-Token``.

Differs:
    When the header disarms the filter on the agent is not settled: here it does, unless strict.
"""

import re
from typing import Literal
from urllib.parse import urlsplit

from runtime.jira.responses import plain_refusal
from runtime.wire import JiraRequest, JiraResponse

XsrfMode = Literal["on", "strict", "off"]

CHECK_FAILED = "XSRF check failed"
WRITING = frozenset({"POST", "PUT", "DELETE", "PATCH"})
DISARMED = frozenset({"no-check", "nocheck"})
UPLOADS = frozenset({"addAttachment"})
BROWSER = re.compile(r"mozilla/|chrome/|chromium/|safari/|firefox/|electron/|opera/|edg/", re.I)


def xsrf_refusal(
    request: JiraRequest, operation: str | None, mode: XsrfMode
) -> JiraResponse | None:
    """Return the refusal of a request that a foreign page may have sent, or None.

    Args:
        request: The request.
        operation: Key of the operation it resolves to.
        mode: ``strict`` where ``X-Atlassian-Token`` does not help a browser-like agent.
    """
    if mode == "off" or request.method not in WRITING:
        return None
    disarmed = request.headers.get("x-atlassian-token", "").strip().lower() in DISARMED
    if operation in UPLOADS and not disarmed:
        return plain_refusal(403, CHECK_FAILED, "request.xsrf-token")
    if request.host != "site" or (disarmed and mode != "strict"):
        return None
    if BROWSER.search(request.headers.get("user-agent", "")) and not _is_own(request):
        return plain_refusal(403, CHECK_FAILED, "request.xsrf-origin")
    return None


def _is_own(request: JiraRequest) -> bool:
    """Return whether the request says that it comes from a page of this very host."""
    claimed = request.headers.get("origin") or request.headers.get("referer", "")
    return _origin(claimed) == _origin(request.base_url) is not None


def _origin(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return (parts.scheme.lower(), parts.netloc.lower()) if parts.scheme and parts.netloc else None
