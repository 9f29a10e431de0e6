"""What a guest asked for, as a value, and who is asking, fixed before it ran."""

from dataclasses import dataclass, field
from typing import Protocol, TypedDict

from runtime.policy.impersonation import ActAs
from runtime.wire import JiraRequest, JiraResponse


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a guest's calls are made for. Nothing a guest says changes it (I3).

    Attributes:
        invocation_id: The invocation.
        app_id: The app's ARI.
        installation_id: The installation.
        cloud_id: The site; the only one these calls can reach.
        app_account_id: The app's own account.
        account_id: Who invoked the function; None if no user did.
    """

    invocation_id: str
    app_id: str
    installation_id: str
    cloud_id: str
    app_account_id: str
    account_id: str | None


class CallerFacts(TypedDict):
    """What an audit record says of a caller."""

    invocation_id: str
    app_id: str
    installation_id: str
    cloud_id: str
    account_id: str | None


def facts_of(caller: Caller) -> CallerFacts:
    """Return what every audit record of a caller's calls says of it."""
    return CallerFacts(
        invocation_id=caller.invocation_id,
        app_id=caller.app_id,
        installation_id=caller.installation_id,
        cloud_id=caller.cloud_id,
        account_id=caller.account_id,
    )


@dataclass(frozen=True, slots=True)
class ProductCall:
    """One product request as a guest wrote it: untrusted in every part.

    Attributes:
        path: The route text.
        method: HTTP method.
        headers: Name/value pairs.
        body: Body bytes; None if there is none.
        act_as: ``user`` (``asUser``), ``app`` (``asApp``) or ``none``.
        account_id: The argument of ``asUser(accountId)``.
        remote: The product; only ``jira`` is served.
    """

    path: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    act_as: ActAs = "none"
    account_id: str | None = None
    remote: str = "jira"


@dataclass(frozen=True, slots=True)
class ProductReply:
    """What the guest gets back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class CallReport:
    """One door call as the person who ran the app sees it; no guest sees this.

    Attributes:
        call: What was asked.
        allowed: Whether the gateway let it out and the product allowed it.
        rule: The deciding rule.
        message: Why, and who could change it.
        operation: Key of the operation; None if there is none.
        account_id: Whom it acted as.
        status: HTTP status the guest got.
        duration_ms: How long it took.
        dropped_headers: Names of headers that did not cross.
        scopes: What was in force for the app; None where it had not come to that, or was nobody.
    """

    call: ProductCall
    allowed: bool
    rule: str
    message: str
    operation: str | None
    account_id: str | None
    status: int
    duration_ms: float
    dropped_headers: tuple[str, ...] = field(default=())
    scopes: tuple[str, ...] | None = None


class Product(Protocol):
    """What the gateway sends to: it trusts nothing but the credential it is shown."""

    def handle(self, request: JiraRequest) -> JiraResponse:
        """Answer one request."""
