"""The files of an app that may become modules: inside its folder, plain, bounded, UTF-8."""

import os
from pathlib import Path

from runtime.errors import ManifestError
from runtime.manifest.files import read_limited

FILE_LIMIT = 5_000  # files of an app, as the platform's bundles
FILE_LIMIT_BYTES = 10 * 1024 * 1024  # of one file; a hand-written source is a thousandth of it


class SourceFolder:
    """An app's folder, read only through names below it and never through a link.

    Args:
        folder: The folder with ``manifest.yml``; it may itself be reached through a link.
    """

    def __init__(self, folder: Path) -> None:
        self._root = Path(os.path.realpath(folder))
        self._read = 0

    def exists(self, name: str) -> bool:
        """Return whether a file stands there, also one that will be refused."""
        try:
            return (self._root / name).is_file()
        except (OSError, ValueError):  # a NUL or an endless name
            return False

    def read(self, name: str) -> str:
        """Return the text of a file.

        Raises:
            ManifestError: ``SOURCE_OUTSIDE`` if a link is on the way, ``SOURCE_LIMIT`` if it is too
                large or one too many, ``SOURCE_TEXT`` if it is not UTF-8.
        """
        path = self._root / name
        if Path(os.path.realpath(path)) != path:
            raise ManifestError(
                "SOURCE_OUTSIDE",
                f"{name}: there is a symbolic link on the way; put the file there.",
            )
        self._read += 1
        if self._read > FILE_LIMIT:
            raise ManifestError("SOURCE_LIMIT", f"The app imports more than {FILE_LIMIT} files.")
        return self._text(name, read_limited(path, FILE_LIMIT_BYTES))

    def _text(self, name: str, raw: bytes | None) -> str:
        if raw is None:
            raise ManifestError("SOURCE_NOT_FOUND", f"{name}: the file cannot be read.")
        if len(raw) > FILE_LIMIT_BYTES:
            raise ManifestError(
                "SOURCE_LIMIT", f"{name}: the file has more than {FILE_LIMIT_BYTES} bytes."
            )
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ManifestError(
                "SOURCE_TEXT", f"{name}: not UTF-8 at byte {error.start}; save the file as UTF-8."
            ) from None
