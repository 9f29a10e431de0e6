"""Encryption at rest of secrets that must come back in the clear: a key file of mode 0600."""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from runtime.errors import StateError

KEY_NAME = "secrets.key"


class Vault:
    """Encrypts and decrypts with the key of one state.

    Args:
        folder: The state folder; the key file is made when the first secret is stored.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEY_NAME

    def encrypt(self, secret: SecretStr) -> str:
        """Return the ciphertext of a secret."""
        return Fernet(self._key()).encrypt(secret.get_secret_value().encode()).decode()

    def decrypt(self, ciphertext: str) -> SecretStr:
        """Return the secret of a ciphertext.

        Raises:
            StateError: ``KEY_MISMATCH`` if it was encrypted with another key, or was changed.
        """
        try:
            return SecretStr(Fernet(self._key()).decrypt(ciphertext.encode()).decode())
        except InvalidToken as error:
            raise StateError(
                "KEY_MISMATCH",
                f"A stored secret does not fit the key file {self._path}: bring the right key file "
                "back, or set the variable again and deploy.",
            ) from error

    def _key(self) -> bytes:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return self._make_key()
        except OSError as error:
            raise StateError("STATE_UNUSABLE", f"{self._path}: {error.strerror}.") from error

    def _make_key(self) -> bytes:
        key = Fernet.generate_key()
        fresh = self._path.with_suffix(f".{os.getpid()}")
        try:
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(key)
            os.link(fresh, self._path)  # fails if another process was first: its key counts
        except FileExistsError:
            return self._path.read_bytes()
        except OSError as error:
            raise StateError("STATE_UNUSABLE", f"{self._path}: {error.strerror}.") from error
        finally:
            fresh.unlink(missing_ok=True)
        return key
