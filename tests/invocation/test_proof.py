"""The search that proves I2 must itself be proved: a planted secret is found in every disguise."""

import base64
import hashlib

import pytest
from pydantic import SecretStr

from runtime.invocation.proof import search_memory

SECRET = "fbk_at_" + "0123456789abcdef" * 4
NONE: frozenset[str] = frozenset()


def search(memory: bytes, held: tuple[str, ...] = (SECRET,), digests: frozenset[str] = NONE) -> int:
    secrets = [SecretStr(text) for text in held]
    return search_memory(memoryview(memory), secrets, digests).found


def test_a_clean_memory_holds_nothing() -> None:
    proof = search_memory(memoryview(bytes(1000)), [SecretStr(SECRET)], NONE)
    assert (proof.secrets, proof.bytes, proof.found) == (1, 1000, 0)


@pytest.mark.hostile
@pytest.mark.parametrize(
    "disguise",
    [
        SECRET.encode(),
        SECRET.encode("utf-16-le"),
        SECRET[::-1].encode(),
        SECRET.encode().hex().encode(),
        base64.b64encode(SECRET.encode() + b"!!"),
        base64.b64encode(b"a" + SECRET.encode() + b"!"),
        base64.b64encode(b"ab" + SECRET.encode()),
        base64.b64encode(f"amy@acme.example:{SECRET}".encode()),
    ],
)
def test_a_held_secret_is_found_in_every_form(disguise: bytes) -> None:
    assert search(b"\0" * 77 + disguise + b"\0" * 33) >= 1


@pytest.mark.hostile
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_secret_known_only_by_its_hash_is_found_by_its_form(encoding: str) -> None:
    digest = frozenset({hashlib.sha256(SECRET.encode()).hexdigest()})
    assert search(b"\0" + SECRET.encode(encoding), held=(), digests=digest) == 1
    assert search(b"\0" + SECRET.encode(encoding), held=(), digests=NONE) == 0


def test_a_secret_known_both_ways_is_counted_once() -> None:
    digest = frozenset({hashlib.sha256(SECRET.encode()).hexdigest()})
    proof = search_memory(memoryview(SECRET.encode()), [SecretStr(SECRET)], digest)
    assert (proof.secrets, proof.found) == (1, 1)
