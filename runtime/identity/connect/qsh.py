"""The query string hash: what ties a JSON web token to one method, path and query.

Source:
    Connect documentation, "Understanding JWT", "Creating a query string hash"; the vectors in the
    tests were recomputed with the published npm libraries.
"""

import hashlib
import hmac
from collections.abc import Iterable
from itertools import groupby
from urllib.parse import parse_qsl, quote, urlsplit

CONTEXT_QSH = "context-qsh"
"""Stands instead of a hash in tokens that are for no single request; never valid at the host."""
TOKEN_PARAMETER = "jwt"  # noqa: S105  # the parameter's name

Pairs = Iterable[tuple[str, str]]


def canonical_request(method: str, path: str, query: Pairs) -> str:
    """Return the text that is hashed: method, path and query, each in its one form.

    Args:
        method: HTTP method, in any case.
        path: Percent-encoded path below the base URL's own; empty means ``/``.
        query: Decoded name/value pairs; their order does not count, ``jwt`` is left out.
    """
    return f"{method.upper()}&{canonical_path(path)}&{canonical_query(query)}"


def canonical_path(path: str) -> str:
    """Return a path with a leading slash, without a trailing one, and ``&`` as ``%26``."""
    text = "/" + path.removeprefix("/").replace("&", "%26")
    return text if text == "/" else text.removesuffix("/")


def canonical_query(query: Pairs) -> str:
    """Return a query sorted by name, repeated values sorted and joined by commas."""
    pairs = sorted(
        (_encode(name), _encode(value)) for name, value in query if name != TOKEN_PARAMETER
    )
    return "&".join(
        f"{name}={','.join(value for _, value in values)}"
        for name, values in groupby(pairs, key=lambda pair: pair[0])
    )


def query_hash(method: str, path: str, query: Pairs) -> str:
    """Return the hash of a request, in hexadecimal."""
    return _digest(canonical_request(method, path, query))


def url_hash(method: str, url: str) -> str:
    """Return the hash of a request to a URL whose base has no path of its own."""
    parts = urlsplit(url)
    return query_hash(method, parts.path, parse_qsl(parts.query, keep_blank_values=True))


def matches(claimed: object, method: str, path: str, query: Pairs) -> tuple[bool, bool]:
    """Say whether a claimed hash is that of a request, and whether only by its trailing slash.

    Some clients keep the slash at the end of a path. That variant is accepted, and said, so that it
    can be logged; any other difference is none of ours.
    """
    if not isinstance(claimed, str):
        return False, False
    pairs = tuple(query)
    if _same(claimed, query_hash(method, path, pairs)):
        return True, False
    slashed = f"{method.upper()}&{canonical_path(path)}/&{canonical_query(pairs)}"
    sloppy = path.endswith("/") and path != "/" and _same(claimed, _digest(slashed))
    return sloppy, sloppy


def _encode(text: str) -> str:
    return quote(text, safe="-._~")  # RFC 3986, unreserved characters


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _same(claimed: str, known: str) -> bool:
    return hmac.compare_digest(claimed.encode(), known.encode())
