"""The proof of I2: a guest's whole memory is searched for every live secret.

Secrets this process holds are searched as text in the encodings an engine may keep them in.
Secrets known only by their hash (another process minted them) are found by form: everything in
memory that has the form of a Firebrick credential is hashed and compared.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import SecretStr

_CREDENTIAL = re.compile(rb"fbk_[a-z]+_[0-9a-f]{64}")
_CREDENTIAL_UTF16 = re.compile(rb"f\0b\0k\0_\0(?:[a-z]\0)+_\0(?:[0-9a-f]\0){64}")
BASE64_ALIGNMENTS = 3  # a text inside a longer one encodes in three ways


@dataclass(frozen=True, slots=True)
class Proof:
    """What a search came to.

    Attributes:
        secrets: How many live secrets were searched for.
        bytes: How much memory was searched.
        found: How many times one was found; 0 is the promise.
    """

    secrets: int
    bytes: int
    found: int


def search_memory(memory: memoryview, held: Iterable[SecretStr], digests: frozenset[str]) -> Proof:
    """Search a guest's memory for live secrets.

    Args:
        memory: The whole linear memory.
        held: Secrets known in the clear.
        digests: SHA-256 (hex) of every live secret, known in the clear or not.
    """
    image = bytes(memory)
    clear = {secret.get_secret_value() for secret in held}
    hashes = digests | {hashlib.sha256(text.encode()).hexdigest() for text in clear}
    found = sum(image.count(form) for text in clear for form in _forms(text))
    found += sum(
        hashlib.sha256(candidate).hexdigest() in hashes - _hashes(clear)
        for candidate in _candidates(image)
    )
    return Proof(len(hashes), len(image), found)


def _hashes(clear: set[str]) -> set[str]:
    return {hashlib.sha256(text.encode()).hexdigest() for text in clear}


def _candidates(image: bytes) -> Iterable[bytes]:
    yield from _CREDENTIAL.findall(image)
    for wide in _CREDENTIAL_UTF16.findall(image):
        yield wide[::2]


def _forms(text: str) -> set[bytes]:
    """Return the byte strings a secret would stand as: plain, wide, reversed, hex, base64."""
    plain = text.encode()
    forms = {plain, text.encode("utf-16-le"), plain[::-1], plain.hex().encode()}
    for shift in range(BASE64_ALIGNMENTS):
        encoded = base64.b64encode(b"\0" * shift + plain)
        forms.add(encoded[4 if shift else 0 : -4])
    return forms
