"""The frozen HTTP values that the gateway, the server and the product exchange.

They stand on the ground floor because the gateway and the product are siblings that must not import
each other (ADR 0001).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Host = Literal["site", "gateway"]
"""Which host a request reached: the site's own, or the API gateway (``/ex/jira/{cloudId}``)."""


@dataclass(frozen=True, slots=True)
class JiraRequest:
    """One HTTP request to the product, parsed once.

    Attributes:
        method: Upper-case HTTP method.
        path: Canonical percent-encoded path from ``/``, without query and without ``/ex/jira/…``.
        query: Decoded name/value pairs in order; names may repeat.
        headers: Lower-case names; ``authorization`` carries the only credential.
        body: Raw bytes; empty if there was no body.
        cloud_id: The site that is addressed.
        host: Which host was reached; decides which credential schemes are valid.
        base_url: Origin and prefix of ``self`` links, such as ``https://acme.atlassian.net``.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cloud_id: str = ""
    host: Host = "site"
    base_url: str = ""

    def first(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a query parameter, or `default`."""
        return next((value for key, value in self.query if key == name), default)


@dataclass(frozen=True, slots=True)
class JiraResponse:
    """One HTTP answer of the product.

    Attributes:
        status: HTTP status.
        headers: Name/value pairs as they go on the wire.
        body: Raw bytes; empty for 204.
        operation_id: Key of the operation that ran or was refused; None if none was resolved.
            Never on the wire: the gateway compares it with the operation it decided on.
        rule: Dotted name of the rule that decided, for the audit; never on the wire.
        account_id: Account the product resolved the credential to; never on the wire.
        model: Security model of that credential, likewise.
        app_id: App on whose behalf it was shown, likewise.
        changes: Ids of the history entries that the operation wrote, likewise: what webhooks tell.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    operation_id: str | None = None
    rule: str = "allowed"
    account_id: str | None = None
    model: str | None = None
    app_id: str | None = None
    changes: tuple[int, ...] = ()

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)
