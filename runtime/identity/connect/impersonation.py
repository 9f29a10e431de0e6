"""The impersonation server: an app's signed assertion becomes a token that acts as a user.

Source:
    Connect documentation, "User impersonation for Connect apps"; RFC 7523; clients as measured.

Differs:
    The texts of all errors but the one about `exp` are ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from runtime.clock import Clock
from runtime.errors import OAuthError
from runtime.identity.connect.authenticator import IMPERSONATION_SCOPE
from runtime.identity.connect.descriptor_rules import SCOPES
from runtime.identity.connect.installations import ConnectInstallation, ConnectInstallations
from runtime.identity.connect.usertokens import LIFETIME_S, UserTokens
from runtime.identity.connect.webtokens import (
    Claims,
    WebTokenError,
    audience,
    check_times,
    peek,
    verify_symmetric,
)
from runtime.policy.connect_scopes import implied_scopes

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT = "urn:atlassian:connect:clientid:"
USER_PREFIXES = ("urn:atlassian:connect:useraccountid:", "urn:atlassian:connect:userkey:")
AUDIENCES = frozenset(
    {"https://oauth-2-authorization-server.services.atlassian.com", "https://auth.atlassian.io"}
)
TOKEN_PATH = "/oauth2/token"  # noqa: S105  # a path
MAX_AHEAD_S = 120  # a public client found the cut-off there; the documentation says 60 after `iat`

MayUse = Callable[[str, str], bool]
"""Cloud id and account id: is this an active person who may use the product?"""


@dataclass(frozen=True, slots=True)
class Impersonation:
    """What the server answers."""

    access_token: SecretStr
    app: ConnectInstallation
    account_id: str
    expires_in_s: int = int(LIFETIME_S)


class ImpersonationServer:
    """Exchanges assertions for tokens.

    Args:
        installations: Knows the apps by their OAuth client id.
        user_tokens: Mints.
        clock: Decides about expiry.
        may_use: Says whom nobody may act as.
    """

    def __init__(
        self,
        installations: ConnectInstallations,
        user_tokens: UserTokens,
        clock: Clock,
        may_use: MayUse,
    ) -> None:
        self._installations = installations
        self._user_tokens = user_tokens
        self._clock = clock
        self._may_use = may_use

    def exchange(self, fields: Mapping[str, str], own_origin: str) -> Impersonation:
        """Answer a token request.

        Args:
            fields: Of the form.
            own_origin: Under which name this server was asked; an audience like the platform's.

        Raises:
            OAuthError: What RFC 6749 section 5.2 asks for.
        """
        if fields.get("grant_type") != GRANT_TYPE:
            raise OAuthError("unsupported_grant_type", f"The grant type must be {GRANT_TYPE}.")
        assertion = fields.get("assertion")
        if not assertion:
            raise OAuthError("invalid_request", "The assertion is missing.")
        try:
            app, claims = self._verified(assertion)
        except WebTokenError as error:
            raise OAuthError("invalid_grant", error.message) from error
        self._check(app, claims, own_origin)
        account_id = _account_of(claims)
        scopes = self.lend(app, account_id, fields.get("scope", ""))
        return Impersonation(self._user_tokens.mint(app, account_id, scopes), app, account_id)

    def lend(self, app: ConnectInstallation, account_id: str, asked: str = "") -> frozenset[str]:
        """Return the scopes of a token with which an app may act as an account.

        Args:
            app: The app, which has proved itself.
            account_id: Whom it wants to act as.
            asked: The scopes it asks for, separated by blanks; empty for all it has.

        Raises:
            OAuthError: It may not.
        """
        if IMPERSONATION_SCOPE not in app.scopes:
            raise OAuthError("invalid_grant", f"The app has no scope {IMPERSONATION_SCOPE}.")
        if not self._may_use(app.cloud_id, account_id):
            raise OAuthError("invalid_grant", "There is no such active user of the product.")
        return _narrowed(app, asked)

    def _verified(self, assertion: str) -> tuple[ConnectInstallation, Claims]:
        issuer = peek(assertion).issuer
        app = None
        if issuer.startswith(CLIENT):
            app = self._installations.find_by_client(issuer.removeprefix(CLIENT))
        if app is None:
            raise OAuthError("invalid_client", "There is no such client.", 401)
        claims = verify_symmetric(assertion, app.shared_secret)
        check_times(claims, self._clock.now_s())
        return app, claims

    def _check(self, app: ConnectInstallation, claims: Claims, own_origin: str) -> None:
        ahead_s = _number(claims, "exp") - self._clock.now_s()
        if ahead_s > MAX_AHEAD_S:
            raise OAuthError(
                "invalid_grant",
                f"Expiration timestamp too far in the future [was {ahead_s:.0f} seconds from now; "
                "please set `exp` to no more than 60 seconds after issue time]",
            )
        try:
            named = audience(claims) or ()
        except WebTokenError as error:
            raise OAuthError("invalid_grant", error.message) from error
        if not any(_server_of(one) in AUDIENCES | {own_origin} for one in named):
            raise OAuthError("invalid_grant", "The assertion is for another server.")
        tenant = claims.get("tnt")
        if not isinstance(tenant, str) or tenant.rstrip("/") != app.host_url.rstrip("/"):
            raise OAuthError("invalid_grant", "The assertion is for another site.")


def _server_of(audience_name: str) -> str:
    return audience_name.removesuffix(TOKEN_PATH).rstrip("/")


def _account_of(claims: Claims) -> str:
    subject = claims.get("sub")
    for prefix in USER_PREFIXES:
        if isinstance(subject, str) and subject.startswith(prefix):
            return subject.removeprefix(prefix)
    raise OAuthError("invalid_grant", "The assertion names no user.")


def _narrowed(app: ConnectInstallation, asked: str) -> frozenset[str]:
    """Return the scopes of a token: all of the app's, or fewer, and never the impersonating one."""
    held = implied_scopes(app.scopes) - {IMPERSONATION_SCOPE}
    wanted = frozenset(asked.replace("+", " ").split())
    if not wanted:
        return app.scopes - {IMPERSONATION_SCOPE}
    if not wanted <= SCOPES or not wanted - {IMPERSONATION_SCOPE} <= held:
        raise OAuthError("invalid_scope", "The app does not hold every scope that was asked for.")
    return wanted - {IMPERSONATION_SCOPE}


def _number(claims: Claims, name: str) -> float:
    value = claims[name]
    return float(value) if isinstance(value, int | float) else 0.0
