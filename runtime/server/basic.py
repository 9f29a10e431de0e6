"""Basic authentication: a person's e-mail and API token become a principal."""

import base64
import binascii

from pydantic import SecretStr
from sqlalchemy import Engine

from runtime.errors import CredentialError, JiraError
from runtime.identity.accounts import find_account_by_name
from runtime.identity.api_tokens import ApiTokens, VerifiedToken
from runtime.identity.lockout import Lockout
from runtime.identity.principal import ANONYMOUS, LOGIN_DENIED, LOGIN_FAILED, Principal
from runtime.wire import Host

PASSWORD = "password"  # noqa: S105  # what stands for everybody's password: it opens nothing
PASSWORDS_ARE_GONE = (
    "Basic authentication with passwords is deprecated.  For more information, see: "
    "https://developer.atlassian.com/cloud/confluence/deprecation-notice-basic-auth/\n"
)


class BasicAuthenticator:
    """Resolves ``Authorization: Basic``.

    A token without scopes is valid on the site alone, one with scopes on the gateway alone; where
    it is not valid it is as good as none. A failure on the site goes on as anonymous, on the
    gateway it is refused. Failures are counted by the name shown, and too many lock it.

    Args:
        engine: The state database.
        api_tokens: Verifies tokens.
        lockout: Counts failures.

    Source:
        Basic auth for REST APIs; probes of the real service, 2026.

    Differs:
        People have no passwords here: the word ``password`` stands for anybody's.
    """

    def __init__(self, engine: Engine, api_tokens: ApiTokens, lockout: Lockout) -> None:
        self._engine = engine
        self._api_tokens = api_tokens
        self._lockout = lockout

    def authenticate(self, encoded: str, host: Host) -> Principal:
        """Return who the value after ``Basic`` proves.

        Raises:
            CredentialError: The gateway does not take it.
            JiraError: It is a password.
        """
        user, secret = _parse(encoded)
        principal = ANONYMOUS
        if user:
            principal = self._login(user, SecretStr(secret), host)
        return _accepted(principal, host)

    def bearer(self, token: SecretStr) -> Principal | None:
        """Return who a token proves on the gateway without an e-mail, or None.

        Source:
            User management documentation and field reports: scoped tokens of service accounts.
        """
        held = self._api_tokens.verify_bearer(token)
        return None if held is None else _principal(held, "gateway")

    def standing(self, user: str, held: VerifiedToken | None, host: Host) -> Principal:
        """Return who a token would prove now, were it shown; nothing is counted.

        Args:
            user: The e-mail that would be shown with it.
            held: The token; None if it is not live.
            host: Where.

        Raises:
            CredentialError: The gateway would not take it.
        """
        principal = LOGIN_FAILED if held is None else _principal(held, host)
        if self._lockout.closes_after(self._lockout.failures(user)):
            principal = LOGIN_DENIED
        return _accepted(principal, host)

    def _login(self, user: str, secret: SecretStr, host: Host) -> Principal:
        failures = self._lockout.failures(user)
        held = self._api_tokens.verify(user, secret)
        if self._lockout.closes_after(failures):
            return LOGIN_DENIED
        if host == "site" and secret.get_secret_value() == PASSWORD:
            raise JiraError(401, PASSWORDS_ARE_GONE, rule="credential.password")
        if held is None:
            self._lockout.fail(user, known=self._is_known(user))
            return LOGIN_FAILED
        if failures:
            self._lockout.clear(user)
        return _principal(held, host)

    def _is_known(self, user: str) -> bool:
        with self._engine.connect() as connection:
            return find_account_by_name(connection, user) is not None


def _principal(held: VerifiedToken, host: Host) -> Principal:
    """Return who a live token proves; a token with scopes is none on the site, and conversely."""
    if (held.scopes is None) != (host == "site"):
        return LOGIN_FAILED
    return Principal(
        "basic",
        held.account.account_id,
        held.scopes,
        credential="api-token",
        credential_id=held.token_id,
    )


def _accepted(principal: Principal, host: Host) -> Principal:
    if host == "gateway" and principal.account_id is None:
        raise CredentialError
    return principal


def _parse(encoded: str) -> tuple[str, str]:
    """Return user and secret; no user where there is none, no colon, or no base64."""
    try:
        user, colon, secret = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, ValueError):
        return "", ""
    return (user, secret) if colon else ("", "")
