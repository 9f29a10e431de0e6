"""Who is asking on the gateway with an access token of an OAuth app."""

from pydantic import SecretStr

from runtime.errors import CredentialError, JiraError
from runtime.identity.oauth.tokens import OAuthTokens
from runtime.identity.oauth.values import TokenHolder
from runtime.identity.principal import Principal
from runtime.policy.decision import Decision

MAX_CARRIED_SCOPES = 79
"""A token carries its scopes on the platform; about 80 granular ones no longer fit a header."""
TOO_LARGE = "Request header is too large"
BLOCKED = "An administrator blocks the app; 'firebrick oauth unblock' takes that back."
PRIVATE = "The app has become private, and only its owner may use it."
NOT_GRANTED = "The user did not give the app this site; they can, when it asks for consent."


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
        held = self._tokens.find(token)
        return None if held is None else principal_of(held, cloud_id)


def principal_of(held: TokenHolder, cloud_id: str) -> Principal:
    """Return who asks for a site with a token that is of somebody.

    Raises:
        CredentialError: It stands for nothing there.
        JiraError: 400 if it carries more scopes than a header takes.
    """
    refusal = _refusal(held, cloud_id)
    if refusal is not None:
        raise CredentialError(refusal.message, refusal.rule, model="oauth", app_id=held.client_id)
    return Principal(
        model="oauth",
        account_id=held.account_id,
        scopes=held.scopes,
        app_id=held.client_id,
        credential="access-token",
        bounds=held.bounds,
    )


def _refusal(held: TokenHolder, cloud_id: str) -> Decision | None:
    if held.is_blocked_on(cloud_id):
        return Decision(False, "credential.app-blocked", BLOCKED)
    if held.private_to is not None:
        return Decision(False, "credential.app-private", PRIVATE)
    if held.carried > MAX_CARRIED_SCOPES:
        raise JiraError(400, TOO_LARGE, rule="credential.too-large")
    if cloud_id not in held.cloud_ids:
        return Decision(False, "credential.site-not-granted", NOT_GRANTED)
    return None
