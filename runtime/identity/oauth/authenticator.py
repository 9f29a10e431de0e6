"""Who is asking on the gateway with an access token of an OAuth app."""

from pydantic import SecretStr

from runtime.errors import CredentialError, JiraError
from runtime.identity.oauth.tokens import OAuthTokens
from runtime.identity.principal import Principal

MAX_CARRIED_SCOPES = 79
"""A token carries its scopes on the platform; about 80 granular ones no longer fit a header."""


class OAuthAuthenticator:
    """Resolves access tokens of OAuth apps.

    Args:
        tokens: Knows them.
    """

    def __init__(self, tokens: OAuthTokens) -> None:
        self._tokens = tokens

    def authenticate(self, token: SecretStr, cloud_id: str) -> Principal | None:
        """Return who is asking for a site; None if the token is none of an OAuth app.

        Its scopes are the token's as far as the newest consent and the app have them at this very
        request.

        Raises:
            CredentialError: The token's grant does not hold the site.
            JiraError: 400 if it carries more scopes than a header takes.

        Source:
            "OAuth 2.0 (3LO) apps", "Implementing"; developer forum for the size.
        """
        held = self._tokens.verify(token)
        if held is None:
            return None
        if held.carried > MAX_CARRIED_SCOPES:
            raise JiraError(400, "Request header is too large", rule="credential.too-large")
        if cloud_id not in held.cloud_ids:
            raise CredentialError
        return Principal(
            model="oauth", account_id=held.account_id, scopes=held.scopes, app_id=held.client_id
        )
