"""The keys that invocation tokens are signed with: one that signs, and older ones still published.

Private keys stand encrypted in the database; only the public half ever leaves this room.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from pydantic import SecretStr
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from runtime.clock import Clock
from runtime.database import metadata, writing
from runtime.errors import StateError
from runtime.ids import Ids
from runtime.tokens.vault import Vault

RSA_BITS = 2048  # RFC 7518 section 3.3 asks for at least that
KID_PREFIX = "forge/invocation-token/"  # as the platform's own key ids begin
SIGNS_FOR_S = 90 * 86_400.0
"""A key signs so long; the next one is made when it is needed."""
PUBLISHED_AFTER_S = 3_600.0
"""A key that signs no more is published so long: its last token has expired by then, and a remote
that keeps the set of keys for an hour has not missed it."""

forge_signing_key_table = Table(
    "forge_signing_key",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("public_key", Text, nullable=False),
    Column("private_key", Text, nullable=False),  # encrypted
    Column("made_at_s", Float, nullable=False),
    Column("retired_at_s", Float),
)
_KEYS = forge_signing_key_table.c


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair that signs.

    Attributes:
        kid: Names the public half in the published set.
        private_key: PEM text.
    """

    kid: str
    private_key: SecretStr


_Find = Callable[[Connection], SigningKey | None]


class SigningKeys:
    """Makes, keeps, replaces and publishes the keys of one state.

    Args:
        engine: The state database.
        clock: Decides when a key is too old.
        ids: Makes key ids.
        vault: Encrypts private keys.
    """

    def __init__(self, engine: Engine, clock: Clock, ids: Ids, vault: Vault) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._vault = vault

    def current(self) -> SigningKey:
        """Return the key that signs now; one is made where there is none, or none young enough.

        Raises:
            StateError: ``KEY_MISMATCH`` if its private half cannot be decrypted; `rotate` mends it.
        """
        with self._engine.connect() as connection:
            found = self._find(connection)
        return found or self._replace(self._find)

    def rotate(self) -> SigningKey:
        """Retire the key that signs, whatever its age, and return a new one."""
        return self._replace(lambda _connection: None)

    def published(self) -> tuple[dict[str, str], ...]:
        """Return the public keys as JSON Web Keys: the signing one first, then those retired.

        Source:
            RFC 7517 section 4; RFC 7518 section 6.3.1.
        """
        since_s = self._clock.now_s() - PUBLISHED_AFTER_S
        query = (
            select(_KEYS.kid, _KEYS.public_key)
            .where(_KEYS.retired_at_s.is_(None) | (_KEYS.retired_at_s > since_s))
            .order_by(_KEYS.retired_at_s.isnot(None), _KEYS.made_at_s.desc())
        )
        with self._engine.connect() as connection:
            return tuple(_as_jwk(kid, pem) for kid, pem in connection.execute(query))

    def _find(self, connection: Connection) -> SigningKey | None:
        row = connection.execute(
            select(_KEYS.kid, _KEYS.private_key)
            .where(
                _KEYS.retired_at_s.is_(None), _KEYS.made_at_s > self._clock.now_s() - SIGNS_FOR_S
            )
            .order_by(_KEYS.made_at_s.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else SigningKey(row.kid, self._opened(row.private_key))

    def _opened(self, encrypted: str) -> SecretStr:
        try:
            return self._vault.decrypt(encrypted)
        except StateError as error:
            raise StateError(
                "KEY_MISMATCH",
                "The key that invocation tokens are signed with does not fit the state's key file: "
                "bring the right secrets.key back, or make a new key with 'firebrick remote "
                "rotate-key'.",
            ) from error

    def _replace(self, find: _Find) -> SigningKey:
        """Make a key, unless `find` finds one that another process made meanwhile."""
        kid, (private, public) = KID_PREFIX + self._ids.uuid(), _make_pair()
        encrypted = self._vault.encrypt(private)
        now_s = self._clock.now_s()
        with writing(self._engine) as connection:
            found = find(connection)
            if found is not None:
                return found
            connection.execute(
                update(forge_signing_key_table)
                .where(_KEYS.retired_at_s.is_(None))
                .values(retired_at_s=now_s)
            )
            connection.execute(
                insert(forge_signing_key_table).values(
                    kid=kid, public_key=public, private_key=encrypted, made_at_s=now_s
                )
            )
        return SigningKey(kid, private)


def _make_pair() -> tuple[SecretStr, str]:
    private = rsa.generate_private_key(public_exponent=65_537, key_size=RSA_BITS)
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return SecretStr(secret), public.decode()


def _as_jwk(kid: str, pem: str) -> dict[str, str]:
    public = cast("rsa.RSAPublicKey", load_pem_public_key(pem.encode()))
    numbers = public.public_numbers()
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": kid,
        "n": _base64url(numbers.n),
        "e": _base64url(numbers.e),
    }


def _base64url(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
