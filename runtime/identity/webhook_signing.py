"""How webhooks prove where they come from, beside those to Connect apps.

Source:
    Jira documentation, "Webhooks": authentication for OAuth 2.0 apps, secure admin webhooks; WebSub
    section 7 for the form of the signature.

Differs:
    Which claims the token to an OAuth app has is not documented; here they are who it is for,
    when it was made and when it ends.
"""

import hashlib
import hmac

from pydantic import SecretStr

from runtime.identity.connect.webtokens import mint_symmetric

TOKEN_LIFETIME_S = 180
SIGNATURE = "X-Hub-Signature"


def oauth_authorization(client_id: str, secret: SecretStr, now_s: float) -> str:
    """Return the ``Authorization`` of a webhook to an OAuth app, signed by its client secret."""
    claims = {"iss": client_id, "iat": int(now_s), "exp": int(now_s) + TOKEN_LIFETIME_S}
    return f"Bearer {mint_symmetric(claims, secret)}"


def hub_signature(secret: SecretStr, body: bytes) -> str:
    """Return the signature of a body under the secret of an administrator's webhook."""
    key = secret.get_secret_value().encode()
    return f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"
