"""Credentials taken out of what comes back from outside.

A remote is handed tokens, and may send them back: in an error page, a debug answer, or from what it
stored. None of that may reach a guest. What a server encodes in a way of its own is not recognised:
it is the app's own server, and holds these tokens by right.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import replace

from pydantic import SecretStr

from runtime.audit.webtokens import replace_web_tokens
from runtime.gateway.outside import ExternalReply
from runtime.tokens.invocation_tokens import ISSUER

MARK = b"***"
BASE64_ALIGNMENTS = 3  # a text inside a longer one encodes in three ways
_OURS = re.compile(rb"fbk_[a-z]+_[0-9A-Za-z]{16,}")


def without_credentials(
    reply: ExternalReply, known: Iterable[SecretStr] = ()
) -> tuple[ExternalReply, int]:
    """Return an answer without credentials, and how many were taken out.

    Args:
        reply: What came back.
        known: Tokens that went out with the request; found in hex and base64 too. Any other
            Firebrick credential, and any invocation token, is found as it is.
    """
    forms = [form for secret in known for form in _forms(secret.get_secret_value())]
    body, found = _cleaned(reply.body, forms)
    headers = []
    for name, value in reply.headers:
        cleaned, count = _cleaned(value.encode("latin-1", "replace"), forms)
        headers.append((name, cleaned.decode("latin-1") if count else value))
        found += count
    return (replace(reply, headers=tuple(headers), body=body), found) if found else (reply, 0)


def _cleaned(data: bytes, forms: list[bytes]) -> tuple[bytes, int]:
    found = 0
    for form in forms:
        found += data.count(form)
        data = data.replace(form, MARK)
    if b"fbk_" in data:
        data, count = _OURS.subn(MARK, data)
        found += count
    if b"eyJ" in data:
        text = replace_web_tokens(data.decode("latin-1"), _is_invocation)
        kept = text.encode("latin-1")
        found += kept != data
        data = kept
    return data, found


def _is_invocation(payload: str) -> bool:
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(claims, dict) and claims.get("iss") == ISSUER


def _forms(text: str) -> list[bytes]:
    """Return the byte strings a token may stand as: plain, hex, base64, the longest first."""
    plain = text.encode()
    forms = {plain, plain.hex().encode(), plain.hex().upper().encode()}
    for shift in range(BASE64_ALIGNMENTS):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(bytes(shift) + plain)[4 if shift else 0 : -4])
    return sorted(forms, key=len, reverse=True)
