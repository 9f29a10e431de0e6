"""May an app's function ask this address outside the site?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import ada_url

from runtime.policy.decision import Decision

MAX_URL_CHARACTERS = 8192  # the usual bound of HTTP servers on a request line
EVERYWHERE = "*"  # the entry that declares every address
SCHEMES = frozenset({"http", "https", "ws", "wss"})
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f]")
_AUTHORITY = re.compile(r"[^:/?#]*:[/\\]*([^/\\?#]*)")


@dataclass(frozen=True, slots=True)
class ExternalUrl:
    """An address outside the site, as the WHATWG parser reads it.

    Attributes:
        url: Rebuilt from its parts: no user information, no fragment, no default port, a host in
            lower case or as a plain IP address. This text is decided on and asked for.
        scheme: Such as ``https``.
        host: Host name or IP address, the latter without brackets.
        port: The port, also where it is the scheme's own.
    """

    url: str
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> tuple[str, str, int]:
        """Return what decides whether two addresses are one server."""
        return self.scheme, self.host, self.port


def parse_external(text: str) -> ExternalUrl | Decision:
    """Return the canonical form of an external address, or the refusal that names its fault.

    What two parsers could read differently (backslashes, blanks and control characters, user
    information, even empty) is refused rather than repaired, so that the host that is decided on
    is the host that is asked.

    Source:
        WHATWG URL Standard, "URL parsing"; CWE-918.
    """
    for rule, message, fault in _RULES:
        if fault(text):
            return Decision(False, rule, message)
    try:
        url = ada_url.URL(text)
    except ValueError:
        return Decision(False, "egress.not-a-url", "The address is not an absolute URL.")
    scheme = url.protocol.removesuffix(":")
    if scheme not in SCHEMES or not url.hostname:
        return Decision(
            False, "egress.scheme", f"An address outside is https or http, not '{scheme[:32]}'."
        )
    url.hash = ""
    port = int(url.port) if url.port else (443 if scheme in ("https", "wss") else 80)
    return ExternalUrl(url.href, scheme, url.hostname.strip("[]"), port)


def decide_egress(declared: Iterable[str], text: str) -> Decision:
    """Decide whether a function may ask an address outside the site.

    One declared entry must admit the address twice: as it was written, by the platform's own rule,
    and as it is rebuilt. So nothing is allowed that the platform refuses, and nothing that a WHATWG
    parser would send elsewhere. Scheme and host (with its port) count; path and query do not. An
    entry whose host begins with ``*`` is a pattern in which ``*`` stands for any text; ``*`` alone
    admits every host.

    Args:
        declared: Entries of ``permissions.external.fetch.backend``.
        text: The address as the guest wrote it.

    Source:
        The backend rule of the platform's egress filter as measured; ``tests/fidelity`` holds the
        cases.

    Differs:
        Stricter where the measured rule can be fooled: user information, backslashes, other schemes
        and relative addresses are refused, and an escaped ``%2A`` is no pattern.
    """
    found = parse_external(text)
    if isinstance(found, Decision):
        return found
    if _entry_for(declared, text, found) is not None:
        return Decision(True, "egress.declared")
    return Decision(
        False,
        "egress.undeclared",
        f"The manifest does not declare {found.host} in permissions.external.fetch.backend.",
    )


def admitting_entry(declared: Iterable[str], text: str) -> str | None:
    """Return the first declared entry that admits an address as `decide_egress` does, or None."""
    found = parse_external(text)
    return None if isinstance(found, Decision) else _entry_for(declared, text, found)


def host_matches(pattern: str, host: str) -> bool:
    """Return whether a host is that of a pattern, in which a leading ``*`` stands for any text."""
    if not pattern.startswith("*"):
        return pattern == host
    *middle, last = pattern.split("*")
    at = 0
    for (
        part
    ) in middle:  # no backtracking: an entry of many stars must not cost more than its length
        found = host.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return host[at:].endswith(last)


def _entry_for(declared: Iterable[str], text: str, found: ExternalUrl) -> str | None:
    return next(
        (entry for entry in declared if _admits(entry, text) and _admits(entry, found.url)), None
    )


def _admits(entry: str, text: str) -> bool:
    if entry == EVERYWHERE:
        return True
    declared, asked = _scheme_and_host(entry), _scheme_and_host(text)
    return declared[0] == asked[0] and host_matches(declared[1], asked[1])


def _scheme_and_host(text: str) -> tuple[str, str]:
    """Split as the platform's filter does: the host keeps its port and its case."""
    plain = re.split(r"[?#]", text, maxsplit=1)[0]
    scheme, colon, rest = plain.partition(":")
    if not colon:
        scheme, rest = "https", plain
    return scheme, rest.lstrip("/").lstrip("\\").split("/", maxsplit=1)[0]


def _authority(text: str) -> str:
    found = _AUTHORITY.match(text)
    return found.group(1) if found else ""


_RULES = (
    (
        "egress.too-long",
        f"The address is longer than {MAX_URL_CHARACTERS} characters.",
        lambda text: len(text) > MAX_URL_CHARACTERS,
    ),
    (
        "egress.character",
        "The address contains a blank or a control character.",
        _FORBIDDEN.search,
    ),
    (
        "egress.backslash",
        "The address contains a backslash.",
        lambda text: "\\" in re.split(r"[?#]", text, maxsplit=1)[0],
    ),
    (
        "egress.userinfo",
        "The address contains user information before the host.",
        lambda text: "@" in _authority(text),
    ),
)
