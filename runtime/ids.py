"""Identifiers and credentials, made from one source of randomness that is handed in."""

import secrets
import uuid
from random import Random
from typing import Protocol

from pydantic import SecretStr

TOKEN_BYTES = 32  # 256 random bits; RFC 6749 section 10.10 asks for at least 128
TOKEN_KINDS = ("at", "rt", "pat", "sec", "code", "cs", "ses", "ctl", "fst", "fut", "fot", "fpt")
"""``fbk_<kind>_``: access token, refresh token, API token, app secret, authorization code, the
session token of a Connect app that acts as a user, a browser's session, the access token of the
control plane, and what a Forge app outside of the sandbox holds: system token, user token, offline
user token, proxy token of an invocation."""


class RandomBytes(Protocol):
    """A source of random bytes."""

    def __call__(self, count: int, /) -> bytes:
        """Return `count` random bytes."""


class Ids:
    """Makes ids and tokens.

    Args:
        random_bytes: Where randomness comes from; the system's by default. Tests and seeded worlds
            hand in a deterministic one.
    """

    def __init__(self, random_bytes: RandomBytes = secrets.token_bytes) -> None:
        self._random_bytes = random_bytes

    @classmethod
    def seeded(cls, seed: int) -> "Ids":
        """Return a source whose ids are the same for the same seed; not for real secrets."""
        return cls(Random(seed).randbytes)  # noqa: S311  # reproducible ids, asked for by name

    def random_bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return self._random_bytes(count)

    def uuid(self) -> str:
        """Return a random UUID (version 4)."""
        return str(uuid.UUID(bytes=self._random_bytes(16), version=4))

    def account_id(self) -> str:
        """Return an account id in the form of today's cloud accounts: ``712020:<uuid>``."""
        return f"712020:{self.uuid()}"

    def token(self, kind: str) -> SecretStr:
        """Return a new credential ``fbk_<kind>_<64 hex digits>``."""
        if kind not in TOKEN_KINDS:
            raise ValueError(f"unknown token kind {kind!r}")
        return SecretStr(f"fbk_{kind}_{self._random_bytes(TOKEN_BYTES).hex()}")
