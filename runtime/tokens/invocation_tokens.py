"""Forge invocation tokens (FIT): what the platform proves itself with to an app's own server.

A token says which app was invoked, where, by which module and for whom. It is for that app alone
(`aud`), lives for seconds, and opens nothing of the product.

Source:
    Forge documentation, "Forge Remote essentials", "The Forge Invocation Token (FIT)"; RFC 7519.
"""

import threading
from collections.abc import Mapping

import jwt
from pydantic import SecretStr

from runtime.clock import Clock
from runtime.ids import Ids
from runtime.tokens.signing_keys import SigningKeys

ALGORITHM = "RS256"
ISSUER = "forge/invocation-token"
LIFETIME_S = 25  # of the documentation's example
JTI_BYTES = 20


class InvocationTokens:
    """Mints invocation tokens.

    Args:
        keys: Sign them.
        clock: Says from when to when they are valid.
        ids: Makes the id of each.
    """

    def __init__(self, keys: SigningKeys, clock: Clock, ids: Ids) -> None:
        self._keys = keys
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._live: list[tuple[SecretStr, float]] = []

    def mint(self, audience: str, claims: Mapping[str, object]) -> SecretStr:
        """Return a new token.

        Args:
            audience: The app it is for, by its ARI.
            claims: What it says beside its issuer, its audience, its times and its id.

        Raises:
            StateError: ``KEY_MISMATCH`` if the signing key cannot be decrypted.
        """
        key = self._keys.current()
        issued_s = int(self._clock.now_s())
        said = {
            **claims,
            "iss": ISSUER,
            "aud": audience,
            "iat": issued_s,
            "nbf": issued_s,
            "exp": issued_s + LIFETIME_S,
            "jti": self._ids.random_bytes(JTI_BYTES).hex(),
        }
        private = key.private_key.get_secret_value()
        token = SecretStr(jwt.encode(said, private, ALGORITHM, headers={"kid": key.kid}))
        with self._lock:
            self._live = [one for one in self._live if one[1] > issued_s]
            self._live.append((token, float(issued_s + LIFETIME_S)))
        return token

    def live_tokens(self) -> tuple[SecretStr, ...]:
        """Return the tokens this process minted that have not expired: what a leak search seeks."""
        now_s = self._clock.now_s()
        with self._lock:
            return tuple(token for token, expires_at_s in self._live if expires_at_s > now_s)
