"""What the OAuth server speaks of: clients, grants, authorize requests, tokens."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from pydantic import SecretStr

from runtime.policy.scopes import Bound

GrantKind = Literal["account", "resource"]
"""``account``: one grant for each app and account, which further sites join. ``resource``: one for
each site, and its tokens are of use there alone."""

Distribution = Literal["private", "shared", "reviewed"]
"""``private``: only its owner may consent. ``reviewed``: shared, and looked at by the vendor."""

OFFLINE = "offline_access"
IDENTITY_SCOPES = frozenset({"read:me", "read:account", "report:personal-data"})
OPENID_SCOPES = frozenset({"openid", "profile", "email"})
DAY_S = 86_400.0
EVERYWHERE = "*"
"""Stands for every site where an administrator blocks something."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things live, in seconds.

    Attributes:
        code_s: An authorization code.
        access_s: An access token.
        leeway_s: How long after its use a refresh token may be used again.
        idle_s: A refresh token that nobody uses.
        absolute_s: Everything that one consent's code led to.

    Source:
        "OAuth 2.0 (3LO) apps", "Use a refresh token"; RFC 6749 section 4.1.2 asks at most ten
        minutes for a code. The absolute life was announced in 2021 and is not documented today.
    """

    code_s: float = 300.0
    access_s: float = 3600.0
    leeway_s: float = 600.0
    idle_s: float = 90 * DAY_S
    absolute_s: float = 365 * DAY_S


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An app of the developer console; its secret is not here.

    Attributes:
        client_id: Its public name.
        name: What users are shown.
        owner_account_id: Who made it.
        grant_kind: Chosen at creation, never changed.
        scopes: What may be asked for, beside ``offline_access``.
        callback_urls: Where codes may be sent; compared character by character.
        distribution: Who may use it.
        vendor_name: Shown on the consent page.
        privacy_policy_url: Likewise.
        created_at_s: When it was made.
    """

    client_id: str
    name: str
    owner_account_id: str
    grant_kind: GrantKind = "account"
    scopes: frozenset[str] = frozenset()
    callback_urls: tuple[str, ...] = ()
    distribution: Distribution = "private"
    vendor_name: str = ""
    privacy_policy_url: str = ""
    created_at_s: float = 0.0

    def may_be_used_by(self, account_id: str) -> bool:
        """Say whether an account may consent to it, and use what it consented to."""
        return self.distribution != "private" or account_id == self.owner_account_id

    def scopes_by_api(self) -> dict[str, tuple[str, ...]]:
        """Return its scopes under the API they belong to, both in order of their names."""
        found: dict[str, tuple[str, ...]] = {}
        for scope in sorted(self.scopes):
            found[api_of(scope)] = (*found.get(api_of(scope), ()), scope)
        return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Grant:
    """What one account allows one app.

    Attributes:
        id: Names it for revocation.
        client_id: The app.
        account_id: The account.
        scopes: Those of the newest consent.
        cloud_ids: The sites; exactly one for a resource-level grant on a site.
        created_at_s: When the first consent was given.
        consented_at_s: When the newest was.
    """

    id: str
    client_id: str
    account_id: str
    scopes: frozenset[str]
    cloud_ids: frozenset[str]
    created_at_s: float
    consented_at_s: float


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """An authorize request that may be shown to its user for consent.

    Attributes:
        client: The app as it is now.
        redirect_uri: One of its callback URLs.
        scopes: What is asked for, in the order of the request.
        state: Echoed unchanged; None if the request had none.
        challenge: PKCE challenge (S256), or None.
        prompt: As it was sent.
    """

    client: OAuthClient
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None = None
    challenge: str | None = None
    prompt: str | None = None

    @property
    def needs_site(self) -> bool:
        """Whether a site must be picked: something other than the account itself is asked for."""
        return any(api_of(scope) != "user-identity" for scope in self.scopes if scope != OFFLINE)

    def params(self) -> tuple[tuple[str, str], ...]:
        """Return the request as parameters: what a consent form carries, and checks once more."""
        pairs = (
            ("audience", AUDIENCE),
            ("client_id", self.client.client_id),
            ("scope", " ".join(self.scopes)),
            ("redirect_uri", self.redirect_uri),
            ("response_type", "code"),
            ("state", self.state),
            ("prompt", self.prompt),
            ("code_challenge", self.challenge),
            ("code_challenge_method", None if self.challenge is None else "S256"),
        )
        return tuple((name, value) for name, value in pairs if value is not None)


@dataclass(frozen=True, slots=True)
class AuthorizeFault:
    """Why an authorize request goes no further.

    Attributes:
        status: HTTP status of the error page.
        error: RFC 6749 error name.
        description: For people; may quote what the request said, so it must be escaped.
        rule: Dotted name of the deciding rule, for the audit.
        location: Where the browser is sent with the error instead of a page; None for the page.
            Only ever a callback URL of the app.
    """

    status: int
    error: str
    description: str
    rule: str
    location: str | None = None


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token endpoint answers.

    Attributes:
        access_token: The new access token.
        expires_in_s: Its life.
        scopes: What it covers, ``offline_access`` included.
        refresh_token: Only with ``offline_access``.
        client_id: For the audit.
        account_id: For the audit.
    """

    access_token: SecretStr
    expires_in_s: int
    scopes: frozenset[str]
    refresh_token: SecretStr | None
    client_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """What an access token stands for at this moment.

    Attributes:
        client_id: The app it was issued to.
        account_id: Whom it acts as.
        scopes: The token's, the grant's and the app's scopes: what stands in all three.
        cloud_ids: Sites of the grant, save for those where the app is blocked.
        carried: How many scopes the token itself was issued with.
        blocked: Sites where an administrator blocks the app; `EVERYWHERE` for all.
        private_to: Whose the app is, if it is private and somebody else's.
        bounds: The app's scopes and the consent's.
    """

    client_id: str
    account_id: str
    scopes: frozenset[str]
    cloud_ids: frozenset[str]
    carried: int
    blocked: frozenset[str] = frozenset()
    private_to: str | None = None
    bounds: tuple[Bound, ...] = ()

    def is_blocked_on(self, cloud_id: str) -> bool:
        """Say whether an administrator blocks the app on a site, or everywhere."""
        return not self.blocked.isdisjoint({cloud_id, EVERYWHERE})

    def is_dead(self) -> bool:
        """Say whether it stands for nothing on any site."""
        return EVERYWHERE in self.blocked or self.private_to is not None


AUDIENCE = "api.atlassian.com"


def api_of(scope: str) -> str:
    """Return the key of the API a scope belongs to: ``jira`` or ``user-identity``."""
    return "user-identity" if scope in IDENTITY_SCOPES else "jira"


def with_query(url: str, **fields: str | None) -> str:
    """Return a URL with fields added to the query it may have already; None leaves one out."""
    query = urlencode({name: value for name, value in fields.items() if value is not None})
    return f"{url}{'&' if '?' in url else '?'}{query}"
