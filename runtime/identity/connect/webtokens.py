"""JSON web tokens: minted and verified with the algorithm that the place allows, and no other.

Source:
    RFC 7519; RFC 8725 sections 3.1 (algorithm), 3.8 and 3.9 (issuer, audience); Connect
    documentation, "Understanding JWT".
"""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import jwt
from pydantic import SecretStr

from runtime.errors import CredentialError

HOST_ALGORITHM = "HS256"
INSTALL_ALGORITHM = "RS256"
LEEWAY_S = 30.0  # clocks of two machines differ; the published verifiers allow up to 90 s
MAX_TOKEN_CHARACTERS = 16_384  # header lines of HTTP servers end at about that
MAX_SECONDS = 2.0**40  # a time beyond the year 36,000 is no time

Claims = Mapping[str, object]

_NOBODYS = SecretStr("fbk_sec_" + "0" * 64)  # of the form of a shared secret, and nobody's

# Only the signature is the library's to judge: times are told by our clock, issuer and audience
# depend on the place.
_SIGNATURE_ONLY = {
    "verify_signature": True,
    **{f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}


class WebTokenError(CredentialError):
    """A token that is not accepted; `rule` says why, in the audit and nowhere else.

    Args:
        rule: Dotted name of the refusing rule.
        message: Why, in words that quote nothing of the token.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message, rule)


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself. Only good for finding the key to verify it with."""

    algorithm: str
    issuer: str


def mint_symmetric(claims: Claims, secret: SecretStr) -> str:
    """Return a token signed with a shared secret."""
    return jwt.encode(dict(claims), secret.get_secret_value(), algorithm=HOST_ALGORITHM)


def mint_signed(claims: Claims, private_key: SecretStr, kid: str) -> str:
    """Return a token signed with the site's private key, whose public half `kid` names."""
    return jwt.encode(
        dict(claims),
        private_key.get_secret_value(),
        algorithm=INSTALL_ALGORITHM,
        headers={"kid": kid},
    )


def peek(token: str) -> Unverified:
    """Return who a token claims to be from, so that the key can be looked up.

    Raises:
        WebTokenError: It is no token, or its algorithm is not HS256.
    """
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise WebTokenError("credential.jwt-malformed", "The token is too long.")
    try:
        whole = jwt.decode_complete(token, options={"verify_signature": False})
        _require_text(whole["payload"])
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise WebTokenError("credential.jwt-malformed", "The token cannot be read.") from error
    algorithm, issuer = whole["header"].get("alg"), whole["payload"].get("iss")
    if algorithm != HOST_ALGORITHM:
        raise WebTokenError("credential.jwt-algorithm", "Only HS256 is accepted here.")
    if not isinstance(issuer, str):
        raise WebTokenError("credential.jwt-issuer", "The token names no issuer.")
    return Unverified(algorithm, issuer)


def verify_symmetric(token: str, secret: SecretStr) -> Claims:
    """Return the claims of a token that was signed with a shared secret.

    Raises:
        WebTokenError: It was not.
    """
    try:
        claims: Claims = jwt.decode(
            token,
            secret.get_secret_value(),
            algorithms=[HOST_ALGORITHM],
            options=_SIGNATURE_ONLY,  # type: ignore[arg-type]  # its keys are those of the library
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise WebTokenError(
            "credential.jwt-signature", "The signature does not fit the shared secret."
        ) from error
    return claims


def pretend_to_verify(token: str) -> None:
    """Do the work of a verification where there is no secret to verify with.

    Without it the time of a refusal would tell whether there is an app of that name.
    """
    with suppress(WebTokenError):
        verify_symmetric(token, _NOBODYS)


def check_times(claims: Claims, now_s: float, max_lifetime_s: float | None = None) -> None:
    """Refuse a token that is not valid at this moment.

    ``exp`` and ``iat`` are required. A token far in the future of its ``iat`` is a forgery or a
    wrong clock. Long lives are accepted, as clients in the wild ask for hours; a cap is a switch.

    Args:
        claims: Verified claims.
        now_s: Seconds since 1970.
        max_lifetime_s: The longest ``exp`` minus ``iat``; None for any.

    Raises:
        WebTokenError: It is not valid now.
    """
    expires_s, issued_s = _seconds(claims, "exp"), _seconds(claims, "iat")
    begins_s = _seconds(claims, "nbf") if "nbf" in claims else issued_s
    if expires_s + LEEWAY_S <= now_s:
        raise WebTokenError("credential.jwt-expired", "The token has expired.")
    if max(issued_s, begins_s) - LEEWAY_S > now_s:
        raise WebTokenError("credential.jwt-early", "The token is not valid yet.")
    if max_lifetime_s is not None and expires_s - issued_s > max_lifetime_s:
        raise WebTokenError(
            "credential.jwt-lifetime", f"The token lives longer than {max_lifetime_s:.0f} s."
        )


def audience(claims: Claims) -> tuple[str, ...] | None:
    """Return whom a token is for; None if it does not say.

    Raises:
        WebTokenError: The claim is neither a text nor a list of texts.
    """
    named = claims.get("aud")
    if named is None:
        return None
    values = named if isinstance(named, list) else [named]
    if not all(isinstance(value, str) for value in values):
        raise WebTokenError("credential.jwt-audience", "The audience cannot be read.")
    return tuple(values)


def _require_text(payload: object) -> None:
    """Refuse half a surrogate pair: JSON can escape one, and no database takes it.

    Raises:
        ValueError: There is one.
    """
    json.dumps(payload, ensure_ascii=False).encode()


def _seconds(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WebTokenError("credential.jwt-times", f"The claim {name} is missing or no number.")
    if not (abs(value) < MAX_SECONDS and math.isfinite(value)):
        raise WebTokenError("credential.jwt-times", f"The claim {name} is no time.")
    return float(value)
