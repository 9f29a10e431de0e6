"""Scopes that exist, egress addresses that can be granted, content sources that are allowed."""

import re
from collections.abc import Iterator

from runtime.manifest.draft import PERMISSIONS, Draft
from runtime.manifest.model import EGRESS_KINDS
from runtime.manifest.nearest import nearest
from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Fix, Position, Problem, listed, quoted
from runtime.manifest.tables import scopes

REFUSED_SCHEMES = frozenset({"http", "ws", "ftp", "file", "data", "javascript", "vbscript", "blob"})
"""Schemes that no egress address may have; letters before a colon that are none of these pass."""

SUGGESTION_LIMIT = 20  # unknown scopes that get suggestions; looking for them takes milliseconds

_SCHEME = re.compile(r"([A-Za-z]+):")
_CONTENT_WORDS = frozenset({"unsafe-inline", "unsafe-eval", "unsafe-hashes", "blob:"})
_HASH = re.compile(r"sha(256|384|512)-[A-Za-z0-9+/_-]+={0,2}\Z")
_BUNDLED = ("fonts", "styles")  # what the platform would rather see packaged with the app


def check_permissions(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong under ``permissions``."""
    yield from _scopes(draft)
    yield from _egress(draft)
    scripts = draft.root.get("permissions", "content", "scripts")
    for item in scripts.items if scripts else ():
        text = item.text or ""
        if text not in _CONTENT_WORDS and not _HASH.match(text):
            message = f"{quoted(text)} is no source for `content.scripts`."
            hint = f"Allowed: {listed(sorted(_CONTENT_WORDS))} and sha256, sha384 or sha512 hashes."
            yield draft.problem(item.position, PERMISSIONS, message, hint)


def scope_nodes(root: Node) -> Iterator[tuple[str, Position]]:
    """Yield every declared scope with its place, in list and in map form."""
    found = root.get("permissions", "scopes")
    if found is None:
        return
    yield from ((item.text, item.position) for item in found.items if item.text is not None)
    yield from ((name, found.keys[name]) for name in found.entries)


def _scopes(draft: Draft) -> Iterator[Problem]:
    table = scopes()
    known, unknown = sorted(table.names), 0
    seen: set[str] = set()
    for scope, place in scope_nodes(draft.root):
        if scope in seen:
            message = f"The scope {quoted(scope)} is declared twice."
            yield draft.problem(place, OURS + "duplicate-scope", message, level="warning")
        elif scope not in table.names and table.is_of_other_product(scope):
            message = f"The scope {quoted(scope)} is of a product that is not emulated: unchecked."
            yield draft.problem(place, OURS + "unchecked-scope", message, level="warning")
        elif scope not in table.names:
            unknown += 1
            near = nearest(scope, known) if unknown <= SUGGESTION_LIMIT else ()
            hint = f"Nearest scopes: {listed(near)}." if near else ""
            message = f"There is no scope {quoted(scope)}."
            yield draft.problem(place, PERMISSIONS, message, hint)
        seen.add(scope)


def _egress(draft: Draft) -> Iterator[Problem]:
    external = draft.root.get("permissions", "external")
    if external is None:
        return
    for side in ("backend", "client"):
        yield from _kind(draft, f"fetch.{side}", external.get("fetch", side))
    for kind in EGRESS_KINDS:
        yield from _kind(draft, kind, external.get(kind))
    for kind in _BUNDLED:
        if kind in external.entries:
            message = f"`external.{kind}` is seldom needed."
            hint = f"Package {kind} with the app's pages instead."
            place = external.at(kind)
            yield draft.problem(place, PERMISSIONS, message, hint, level="warning")


def _kind(draft: Draft, kind: str, group: Node | None) -> Iterator[Problem]:
    items = group.items if group else ()
    plain = [item for item in items if item.text is not None]
    for item in plain[:1]:
        message = f"`external.{kind}` has plain addresses, a form that is deprecated."
        hint = f"Write `- address: {item.text}`."
        fix = Fix("egress-object", kind)
        yield draft.problem(item.position, PERMISSIONS, message, hint, level="warning", fix=fix)
    for item in items:
        address = item if item.text is not None else item.get("address")
        if address is not None:
            yield from _address(draft, kind, address)
        else:
            yield from _remote(draft, kind, item)


def _remote(draft: Draft, kind: str, item: Node) -> Iterator[Problem]:
    remote = item.get("remote")
    if remote is None or remote.text is None or remote.text in draft.manifest.remotes:
        return
    message = f"`external.{kind}` names the remote {quoted(remote.text)}, which is not declared."
    yield draft.problem(remote.position, PERMISSIONS, message)


def _address(draft: Draft, kind: str, node: Node) -> Iterator[Problem]:
    text = node.text or ""
    reason = address_fault(text)
    if reason:
        message = f"{quoted(text)} is no address for `external.{kind}`: {reason}."
        yield draft.problem(node.position, PERMISSIONS, message)
    elif text == "*":
        message = f"`external.{kind}` lets the app reach every address there is."
        hint = "Name the hosts that the app needs."
        yield draft.problem(node.position, PERMISSIONS, message, hint, level="warning")
    elif kind == "fetch.backend" and _path_of(text):
        message = f"The path of {quoted(text)} is ignored: functions may reach the whole host."
        hint = f"Write {quoted(text.removesuffix(_path_of(text)))}."
        yield draft.problem(node.position, PERMISSIONS, message, hint, level="warning")


def address_fault(address: str) -> str:
    """Return why an egress address cannot be granted, or the empty string.

    Source:
        Measured on the platform's validator: https, wss or no scheme, with a dot and without a
        blank; a scheme of letters that is not refused passes whatever follows it.
    """
    if address == "*":
        return ""
    found = _SCHEME.match(address)
    scheme = found.group(1).lower() if found else "https"
    if scheme in REFUSED_SCHEMES:
        return f"the scheme `{scheme}:` is refused"
    if scheme not in ("https", "wss"):
        return ""
    if any(character.isspace() for character in address):
        return "it has a blank"
    return "" if "." in address else "its host has no dot"


def _path_of(address: str) -> str:
    host = address.partition("://")[2] if "://" in address else address
    _, slash, path = host.partition("/")
    return slash + path if path else ""
