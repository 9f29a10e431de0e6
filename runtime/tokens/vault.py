"""Encryption at rest of secrets that must come back in the clear: a key file of mode 0600."""

import os
import tempfile
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
        """Return the ciphertext of a secret.

        Raises:
            StateError: ``KEY_MISMATCH`` if the key file is damaged; it is never replaced, for what
                was encrypted with it may be needed.
        """
        try:
            fernet = Fernet(self._read() or self._make_key())
        except ValueError as error:
            raise self._mismatch() from error
        return fernet.encrypt(secret.get_secret_value().encode()).decode()

    def decrypt(self, ciphertext: str) -> SecretStr:
        """Return the secret of a ciphertext.

        Raises:
            StateError: ``KEY_MISMATCH`` if it was encrypted with another key, or was changed, or
                the key file is damaged or missing.
        """
        try:
            text = Fernet(self._read() or b"").decrypt(ciphertext.encode())
        except (InvalidToken, ValueError) as error:
            raise self._mismatch() from error
        return SecretStr(text.decode())

    def _mismatch(self) -> StateError:
        return StateError(
            "KEY_MISMATCH",
            f"A stored secret does not fit the key file {self._path}: bring the right key file "
            "back, or remove it, set the variable again and deploy.",
        )

    def _read(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError("STATE_UNUSABLE", f"{self._path}: {error.strerror}.") from error

    def _make_key(self) -> bytes:
        """Make the key file, whole or not at all; of several processes the first one's counts."""
        folder, key = self._path.parent, Fernet.generate_key()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, fresh = tempfile.mkstemp(dir=folder, prefix=f"{KEY_NAME}.")  # of mode 0600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(key)
                os.link(fresh, self._path)
            except FileExistsError:
                return self._path.read_bytes()
            finally:
                Path(fresh).unlink(missing_ok=True)
        except OSError as error:
            raise StateError("STATE_UNUSABLE", f"{self._path}: {error.strerror}.") from error
        return key
