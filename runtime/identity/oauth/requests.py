"""A request at the token endpoint: who the client is, and the fields of each grant type."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from pydantic import SecretStr

from runtime.errors import OAuthError

CODE = "authorization_code"
REFRESH = "refresh_token"
CLOSED_TYPES = frozenset(
    {"client_credentials", "password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"}
)
"""Grant types that exist, and that no app of users is allowed."""
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 section 4.1
_TYPE = re.compile(r"[!-~]{1,80}")


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """How a client shows who it is."""

    client_id: str
    secret: SecretStr


def read_credentials(form: Mapping[str, str], authorization: str | None) -> ClientCredentials:
    """Return the client's credentials, from the header or from the body.

    Raises:
        OAuthError: ``invalid_request`` (400) if they are missing or said twice differently,
            ``access_denied`` (401) if the header cannot be read.

    Source:
        RFC 6749 section 2.3.1; clients of both habits, measured.
    """
    if authorization is None or authorization == "":
        return ClientCredentials(
            required(form, "client_id"), SecretStr(required(form, "client_secret"))
        )
    shown = _basic(authorization)
    if form.get("client_id", shown.client_id) != shown.client_id or "client_secret" in form:
        raise OAuthError("invalid_request", "The client shows who it is in two ways.")
    return shown


def read_grant_type(form: Mapping[str, str]) -> str:
    """Return the grant type.

    Raises:
        OAuthError: 400 ``unsupported_grant_type``; 403 ``unauthorized_client`` for those that
            exist and are not for apps of users.
    """
    kind = required(form, "grant_type")
    if kind in (CODE, REFRESH):
        return kind
    shown = kind if _TYPE.fullmatch(kind) else "of that name"
    if kind in CLOSED_TYPES:
        text = f"Grant type '{shown}' not allowed for the client."
        raise OAuthError("unauthorized_client", text, 403)
    raise OAuthError("unsupported_grant_type", f"Unsupported grant type: {shown}")


def required(form: Mapping[str, str], name: str) -> str:
    """Return a field that must have a value.

    Raises:
        OAuthError: ``invalid_request``.
    """
    value = form.get(name)
    if not value:
        raise OAuthError("invalid_request", f"Missing required parameter: {name}")
    return value


def verifier_fits(challenge: str | None, verifier: str | None) -> bool:
    """Say whether a verifier answers a challenge; without a challenge there must be none.

    A verifier for a code that was asked for without a challenge is a sign that somebody took the
    challenge out on the way.

    Source:
        RFC 7636 section 4.6; RFC 9700 sections 2.1.1 and 4.8.2.
    """
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    if not _VERIFIER.fullmatch(verifier):
        return False
    hashed = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(hashed).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def _basic(authorization: str) -> ClientCredentials:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            text = ""
        client_id, colon, secret = text.partition(":")
        if colon:
            return ClientCredentials(unquote_plus(client_id), SecretStr(unquote_plus(secret)))
    raise OAuthError("access_denied", "Unauthorized", 401)
