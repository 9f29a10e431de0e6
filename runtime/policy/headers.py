"""Which headers cross the door, both ways. What is not listed does not pass."""

import re
from collections.abc import Iterable

from runtime.policy.decision import Decision

REQUEST_HEADERS = frozenset(
    {
        "accept",
        "accept-language",
        "content-type",
        "if-match",
        "if-none-match",
        "x-atlassian-token",
        "x-experimentalapi",
        "x-force-accept-language",
        "atlassian-transfer-id",
    }
)
RESPONSE_HEADERS = frozenset(
    {
        "allow",
        "atl-request-id",
        "atl-traceid",
        "content-disposition",
        "content-type",
        "etag",
        "location",
        "ratelimit",
        "ratelimit-policy",
        "ratelimit-reason",
        "retry-after",
        "x-arequestid",
        "x-failure-category",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    }
)
MAX_HEADERS = 100
MAX_HEADER_CHARACTERS = 8192  # name and value; the usual bound of HTTP servers
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # token, RFC 9110 section 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # field-content, RFC 9110 section 5.5


def filter_request_headers(
    pairs: Iterable[tuple[str, str]],
) -> tuple[dict[str, str], tuple[str, ...]] | Decision:
    """Return the headers that may go out and the names of those dropped, or a refusal.

    Credentials, ``Host``, ``Cookie``, forwarding, hop-by-hop, method-override and platform headers
    are not on the list, so no spelling of them passes. A malformed name or value refuses the whole
    request: nothing may be smuggled in a line break.

    Source:
        RFC 9110 section 5; CWE-113, CWE-444.
    """
    kept: dict[str, str] = {}
    dropped: list[str] = []
    for count, (name, value) in enumerate(pairs, start=1):
        if count > MAX_HEADERS or len(name) + len(value) > MAX_HEADER_CHARACTERS:
            return Decision(False, "header.too-large", "Too many or too large request headers.")
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return Decision(False, "header.malformed", "A header has a forbidden character.")
        lower = name.lower()
        if lower in REQUEST_HEADERS:
            kept[lower] = value.strip()
        else:
            dropped.append(lower)
    return kept, tuple(dropped)


def filter_response_headers(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the answer's headers that a guest may see; cookies and account headers stay behind."""
    return tuple((name, value) for name, value in pairs if name.lower() in RESPONSE_HEADERS)


def filter_egress_headers(
    pairs: Iterable[tuple[str, str]],
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]] | Decision:
    """Return the headers that may go outside and the names of those dropped, or a refusal.

    An app sends what it likes to hosts of its own choice, credentials of its own among it. What the
    sender decides stays behind: host, length, encodings, hop-by-hop and platform headers.

    Source:
        Fetch Standard, "Forbidden request-header"; RFC 9110 section 7.6.1.
    """
    kept: list[tuple[str, str]] = []
    dropped: list[str] = []
    for count, (name, value) in enumerate(pairs, start=1):
        if count > MAX_HEADERS or len(name) + len(value) > MAX_HEADER_CHARACTERS:
            return Decision(False, "header.too-large", "Too many or too large request headers.")
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return Decision(False, "header.malformed", "A header has a forbidden character.")
        lower = name.lower()
        if _is_senders(lower):
            dropped.append(lower)
        else:
            kept.append((lower, value.strip()))
    return tuple(kept), tuple(dropped)


def filter_remote_headers(
    pairs: Iterable[tuple[str, str]],
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]] | Decision:
    """Return the headers that may go to an app's remote and the names of those dropped.

    What the platform proves itself with there is the platform's alone to say: besides what stays
    behind on the way to any host, that is the authorization and the trace.
    """
    found = filter_egress_headers(pairs)
    if isinstance(found, Decision):
        return found
    kept, dropped = found
    claimed = [name for name, _ in kept if name == "authorization" or name.startswith("x-b3-")]
    passing = tuple((name, value) for name, value in kept if name not in claimed)
    return passing, (*dropped, *claimed)


def filter_egress_answer(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers of an answer from outside that a guest may see.

    Platform headers stay behind: no server outside may pretend that the platform's proxy refused.
    """
    return tuple((name, value) for name, value in pairs if not _is_senders(name.lower()))


def _is_senders(lower: str) -> bool:
    return lower in _SENDERS or lower.startswith(("proxy-", "forge-", "x-forge-"))


_SENDERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
