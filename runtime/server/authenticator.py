"""Who is asking: the credential of a request becomes a principal, by host and scheme."""

import base64
import binascii

from pydantic import SecretStr

from runtime.errors import CredentialError
from runtime.identity.api_tokens import ApiTokens
from runtime.identity.connect.authenticator import ConnectAuthenticator
from runtime.identity.oauth.authenticator import OAuthAuthenticator
from runtime.identity.principal import ANONYMOUS, LOGIN_FAILED, Principal
from runtime.server.connect_migration import MigrationKeys
from runtime.tokens.broker import TokenBroker
from runtime.wire import JiraRequest

CONNECT_RESOURCES = "/rest/atlassian-connect/"


class CredentialAuthenticator:
    """Resolves the platform's credentials.

    On the gateway only a Bearer token is valid, and what does not resolve is refused. On the site
    basic authentication with an API token is, where what does not resolve goes on as anonymous, and
    the two credentials of Connect, where what does not resolve is refused.
    Whether the account is active, the product itself looks up with every request.

    Args:
        api_tokens: Verifies basic credentials.
        broker: Verifies access tokens, against what their installation may do now.
        connect: Resolves Connect's credentials, which are valid on the site alone.
        migration: Knows which Connect app a Forge app took over.
        oauth: Resolves access tokens of OAuth apps, which are valid on the gateway alone.

    Source:
        Probes of the real service, 2026: host and scheme matrix.
    """

    def __init__(
        self,
        api_tokens: ApiTokens,
        broker: TokenBroker,
        connect: ConnectAuthenticator,
        migration: MigrationKeys,
        oauth: OAuthAuthenticator,
    ) -> None:
        self._api_tokens = api_tokens
        self._broker = broker
        self._connect = connect
        self._migration = migration
        self._oauth = oauth

    def authenticate(self, request: JiraRequest) -> Principal:
        """Return who is asking.

        Raises:
            CredentialError: The gateway does not accept this credential.
            JiraError: The site does not accept this credential of Connect.
        """
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if request.host == "gateway":
            if scheme.lower() != "bearer":
                raise CredentialError
            return self._bearer(request, SecretStr(value))
        if scheme.lower() == "basic":
            return self._basic(value)
        return self._connect.authenticate(request) or ANONYMOUS

    def _bearer(self, request: JiraRequest, token: SecretStr) -> Principal:
        held = self._broker.verify(token)
        if held is None:
            return self._third_party(request, token)
        if held.cloud_id != request.cloud_id:
            raise CredentialError
        connect_key = None
        if request.path.startswith(CONNECT_RESOURCES):
            connect_key = self._migration.find(held.installation_id)
        return Principal(
            model="forge",
            account_id=held.account_id,
            scopes=held.scopes,
            app_id=held.app_id,
            connect_key=connect_key,
        )

    def _third_party(self, request: JiraRequest, token: SecretStr) -> Principal:
        principal = self._oauth.authenticate(token, request.cloud_id)
        if principal is None:
            raise CredentialError
        return principal

    def _basic(self, encoded: str) -> Principal:
        """Return the token's owner; anonymous, marked as a failed login, if there is none."""
        try:
            user, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return ANONYMOUS
        if not user:
            return ANONYMOUS
        account = self._api_tokens.verify(user, SecretStr(secret))
        if account is None:
            return LOGIN_FAILED
        return Principal(model="basic", account_id=account.account_id)
