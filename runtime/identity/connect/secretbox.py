"""What encrypts secrets at rest; handed in, so that this room needs no key of its own."""

from typing import Protocol

from pydantic import SecretStr


class SecretBox(Protocol):
    """Encrypts secrets that must come back in the clear."""

    def encrypt(self, secret: SecretStr) -> str:
        """Return the ciphertext of a secret."""

    def decrypt(self, ciphertext: str) -> SecretStr:
        """Return the secret of a ciphertext."""
