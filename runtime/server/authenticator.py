"""Who is asking: the credential of a request becomes a principal, by host and scheme."""

from pydantic import SecretStr

from runtime.errors import CredentialError
from runtime.identity.connect.authenticator import ConnectAuthenticator
from runtime.identity.oauth.authenticator import OAuthAuthenticator
from runtime.identity.principal import ANONYMOUS, Principal
from runtime.server.basic import BasicAuthenticator
from runtime.server.connect.migration import MigrationKeys
from runtime.tokens.broker import TokenBroker, TokenGrant
from runtime.wire import JiraRequest

APP_RESOURCES = ("/rest/atlassian-connect/", "/rest/forge/")


class CredentialAuthenticator:
    """Resolves the platform's credentials.

    On the gateway a Bearer token is valid, also an API token of a service account, and an API token
    with scopes and its e-mail; what does not resolve is refused. On the site an API token without
    scopes is valid, where what does not resolve goes on as anonymous, and the two credentials of
    Connect, where what does not resolve is refused.
    Whether the account is active, the product itself looks up with every request.

    Args:
        basic: Resolves basic credentials.
        broker: Verifies access tokens, against what their installation may do now.
        connect: Resolves Connect's credentials, which are valid on the site alone.
        migration: Knows which Connect app a Forge app took over.
        oauth: Resolves access tokens of OAuth apps, which are valid on the gateway alone.

    Source:
        Probes of the real service, 2026: host and scheme matrix.
    """

    def __init__(
        self,
        basic: BasicAuthenticator,
        broker: TokenBroker,
        connect: ConnectAuthenticator,
        migration: MigrationKeys,
        oauth: OAuthAuthenticator,
    ) -> None:
        self._basic = basic
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
        if scheme.lower() == "basic":
            return self._basic.authenticate(value, request.host)
        if request.host == "gateway":
            if scheme.lower() != "bearer":
                raise CredentialError
            return self._bearer(request, SecretStr(value))
        return self._connect.authenticate(request) or ANONYMOUS

    def _bearer(self, request: JiraRequest, token: SecretStr) -> Principal:
        held = self._broker.verify(token)
        if held is None:
            return self._third_party(request, token)
        return self.of_installation(held, request)

    def of_installation(self, held: TokenGrant, request: JiraRequest) -> Principal:
        """Return who asks with a live token of an installation.

        Raises:
            CredentialError: It is for another site.
        """
        if held.cloud_id != request.cloud_id:
            raise CredentialError
        connect_key = None
        if request.path.startswith(APP_RESOURCES):
            connect_key = self._migration.find(held.installation_id)
        return Principal(
            model="forge",
            account_id=held.account_id,
            scopes=held.scopes,
            app_id=held.app_id,
            connect_key=connect_key,
            credential="access-token",
            bounds=held.bounds,
        )

    def _third_party(self, request: JiraRequest, token: SecretStr) -> Principal:
        principal = self._oauth.authenticate(token, request.cloud_id)
        principal = principal or self._basic.bearer(token)
        if principal is None:
            raise CredentialError
        return principal
