"""The frozen HTTP values that the gateway, the server and the product exchange.

They stand on the ground floor because the gateway and the product are siblings that must not import
each other (ADR 0001).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MAX_WORDS_CHARACTERS = 500  # of an answer that a record quotes

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
class Shown:
    """What the audit keeps of a credential.

    Attributes:
        kind: What kind it is; see `runtime.identity.principal.Credential`.
        id: Which one of its owner's, where they have names; never the credential.
        scopes: What it could do at that moment; None where it has no scopes.
    """

    kind: str
    id: str | None = None
    scopes: tuple[str, ...] | None = None


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
        shown: What it was, likewise.
        reason: Why it was refused and who could change that, where the body does not say it.
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
    shown: Shown | None = None
    reason: str = ""
    changes: tuple[int, ...] = ()

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def words(self) -> str:
        """Return why it was refused: its reason, or what its body tells the client."""
        if self.reason:
            return self.reason
        text = self.body[: 4 * MAX_WORDS_CHARACTERS].decode("utf-8", "replace")
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return text[:MAX_WORDS_CHARACTERS]
        said = _said(body) if isinstance(body, dict) else []
        return ("; ".join(said) or text)[:MAX_WORDS_CHARACTERS]


def _said(body: dict[str, object]) -> list[str]:
    messages, fields = body.get("errorMessages"), body.get("errors")
    said = [str(one) for one in messages] if isinstance(messages, list) else []
    if isinstance(fields, dict):
        said += [f"{name}: {text}" for name, text in fields.items()]
    return said or [str(body[name]) for name in ("detail", "message", "error") if name in body]
