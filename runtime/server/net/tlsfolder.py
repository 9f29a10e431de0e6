"""The certificates of a state on disk: one authority that clients trust, one leaf that is served.

The folder ``tls`` of the state holds them; private keys are of mode 0600. A leaf is made anew when
it grows old or a site has come, the authority only when a person asks for it: clients trust it.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from runtime.errors import StateError
from runtime.server.net.certificates import (
    Pair,
    ends_at_s,
    fingerprint,
    is_current,
    is_whole,
    leaf_names,
    make_authority,
    make_leaf,
    uncovered,
)

FOLDER = "tls"
AUTHORITY, AUTHORITY_KEY = "ca.pem", "ca-key.pem"
LEAF, LEAF_KEY = "server.pem", "server-key.pem"
OTHERS = 0o077  # rights of anybody but the owner
MAX_PEM_BYTES = 64 * 1024  # our own files have some 3 KB

Change = Literal["made", "renewed", "kept"]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What a TLS listener and its clients need.

    Attributes:
        authority: File that clients trust.
        leaf: File with the served certificate.
        key: File with its private key.
        fingerprint: Of the authority, SHA-256.
        ends_at_s: When the leaf ends, in seconds since 1970-01-01 UTC.
        authority_ends_at_s: When the authority ends, likewise.
        change: Whether the authority was just made, the leaf renewed, or everything kept.
    """

    authority: Path
    leaf: Path
    key: Path
    fingerprint: str
    ends_at_s: float
    authority_ends_at_s: float
    change: Change


class TlsFolder:
    """The certificates of one state.

    Args:
        state: The state folder; the certificates stand in a folder of it.
    """

    def __init__(self, state: Path) -> None:
        self.folder = (state / FOLDER).absolute()

    @property
    def authority(self) -> Path:
        """Return the file that clients trust, whether it is there or not."""
        return self.folder / AUTHORITY

    def prepare(self, sites: Iterable[str], now_s: float, *, force: bool = False) -> TlsFiles:
        """Return certificates for the platform's names and the sites; make what is missing or old.

        Args:
            sites: Host names of the state's sites.
            now_s: Seconds since 1970-01-01 UTC.
            force: Make a new authority, whatever is there.

        Raises:
            StateError: ``TLS_UNUSABLE`` if the files cannot be used, ``TLS_OUTDATED`` if the
                authority has ended or may not speak for a site.
        """
        names = leaf_names(sites)
        with self._reported(), self._alone():
            change: Change = "kept"
            if force or not self.authority.exists():
                authority, change = make_authority(names, now_s), "made"
                self._write(authority, AUTHORITY, AUTHORITY_KEY)
            else:
                authority = self._authority(names, now_s)
            leaf = self._find_leaf()
            if leaf is None or not is_current(leaf, authority, names, now_s):
                leaf = make_leaf(authority, names, now_s)
                self._write(leaf, LEAF, LEAF_KEY)
                change = "renewed" if change == "kept" else change
        return TlsFiles(
            authority=self.authority,
            leaf=self.folder / LEAF,
            key=self.folder / LEAF_KEY,
            fingerprint=fingerprint(authority),
            ends_at_s=ends_at_s(leaf),
            authority_ends_at_s=ends_at_s(authority),
            change=change,
        )

    def _authority(self, names: Iterable[str], now_s: float) -> Pair:
        """Return the authority there is, if it can sign what is needed now."""
        key = self.folder / AUTHORITY_KEY
        if not key.exists():
            raise self._unusable(f"{key} is missing")
        if _is_open(key):
            raise self._unusable(f"{key} can be read by others than its owner")
        found = Pair(_read(self.authority), SecretStr(_read(key)))
        if not is_whole(found):
            raise self._unusable(f"{self.authority} and its key are damaged, or not a pair")
        if ends_at_s(found) <= now_s:
            raise _outdated(f"The authority {self.authority} has ended.")
        foreign = uncovered(found, names)
        if foreign:
            raise _outdated(
                f"The authority {self.authority} may not speak for {', '.join(foreign)}: it was "
                "made for the sites there were."
            )
        return found

    def _find_leaf(self) -> Pair | None:
        key = self.folder / LEAF_KEY
        try:
            if _is_open(key):
                return None
            return Pair(_read(self.folder / LEAF), SecretStr(_read(key)))
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def _write(self, pair: Pair, certificate: str, key: str) -> None:
        """Write the key first: a certificate is there only where its key is."""
        self._replace(self.folder / key, pair.key.get_secret_value(), 0o600)
        self._replace(self.folder / certificate, pair.certificate, 0o644)

    def _replace(self, path: Path, text: str, mode: int) -> None:
        handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".tmp")  # of mode 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
                os.fchmod(handle, mode)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            where = getattr(error, "filename", None) or self.folder
            raise self._unusable(f"{where}: {reason}") from error

    def _unusable(self, what: str) -> StateError:
        return StateError(
            "TLS_UNUSABLE",
            f"{what}. Put it right, or make a new authority with 'firebrick tls init --force' "
            "and let your clients trust that one.",
        )


def _outdated(what: str) -> StateError:
    return StateError(
        "TLS_OUTDATED",
        f"{what} Make a new one with 'firebrick tls init --force' and let your clients trust it.",
    )


def _is_open(key: Path) -> bool:
    return bool(stat.S_IMODE(key.stat().st_mode) & OTHERS)


def _read(path: Path) -> str:
    """Return the text of a plain file: not through a link, and never waiting for a pipe."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is no plain file", str(path))
        return file.read(MAX_PEM_BYTES).decode("ascii")
