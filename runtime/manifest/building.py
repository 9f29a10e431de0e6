"""Build the frozen `Manifest` out of nodes, taking what is there and leaving what is malformed."""

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from runtime.manifest.model import (
    EGRESS_KINDS,
    DeclaredScope,
    EgressAddress,
    External,
    Function,
    Manifest,
    Module,
    Permissions,
    Remote,
    Resource,
)
from runtime.manifest.nodes import Node, Plain, node_of, to_json

APP_ID = re.compile(r"ari:cloud:ecosystem::app/(\S+)")
HANDLER = re.compile(r"([\w-]+(?:/[\w-]+)*)\.([\w-]+)\Z")
"""``module.export``; the platform's pattern, with Python's idea of a letter."""

NOTHING = Node(None)


def build_manifest(root: Node) -> Manifest | None:
    """Return the manifest of a document, or None if it does not say which app it is.

    Nothing is checked here: what has the wrong form is left out, so that the result is usable in
    spite of problems elsewhere.
    """
    app_id = text_at(root, "app", "id")
    found = APP_ID.search(app_id)
    if found is None:
        return None
    remotes = {remote.key: remote for remote in _remotes(root)}
    modules = tuple(_modules(root))
    functions = (_function(node) for node in module_nodes(root, "function"))
    return Manifest(
        app_id=app_id,
        app_uuid=found.group(1),
        name=text_at(root, "app", "name"),
        runtime=text_at(root, "app", "runtime", "name"),
        permissions=_permissions(root.get("permissions") or NOTHING, remotes),
        modules=modules,
        functions=MappingProxyType({one.key: one for one in functions if one}),
        resources=MappingProxyType({one.key: one for one in _resources(root)}),
        remotes=MappingProxyType(remotes),
        sections=MappingProxyType({key: node.plain() for key, node in root.entries.items()}),
        document=to_json(root.plain()),
    )


def manifest_from_json(document: str) -> Manifest:
    """Return the manifest whose `Manifest.document` this is; equal to the first, without places.

    Raises:
        ValueError: The text is no such document.
    """
    manifest = build_manifest(node_of(json.loads(document)))
    if manifest is None:
        raise ValueError("not the document of a manifest")
    return manifest


def text_at(node: Node, *path: str) -> str:
    """Return the text under a path, or the empty string."""
    found = node.get(*path)
    return (found.text or "") if found else ""


def texts(node: Node | None) -> tuple[str, ...]:
    """Return the texts of a list; none if there is no list."""
    return tuple(item.text for item in node.items if item.text is not None) if node else ()


def module_nodes(root: Node, module_type: str) -> tuple[Node, ...]:
    """Return the entries of one module type."""
    group = root.get("modules", module_type)
    return group.items if group else ()


def split_handler(handler: str) -> tuple[str, str] | None:
    """Return source module and export of a handler, or None if it is not ``module.export``."""
    found = HANDLER.match(handler)
    return (found.group(1), found.group(2)) if found else None


def _modules(root: Node) -> Iterator[Module]:
    for module_type, group in (root.get("modules") or NOTHING).entries.items():
        for node in group.items:
            properties = node.plain()
            if isinstance(properties, Mapping):
                yield Module(module_type, text_at(node, "key"), properties, node.position)


def _function(node: Node) -> Function | None:
    key, handler = text_at(node, "key"), text_at(node, "handler")
    parts = split_handler(handler)
    if not key or parts is None:
        return None
    return Function(
        key=key,
        handler=handler,
        module=parts[0],
        export=parts[1],
        timeout_s=_number(node.get("timeoutSeconds")),
        memory_mb=_number(node.get("runtime", "memoryMB")),
        position=node.position,
    )


def _resources(root: Node) -> Iterator[Resource]:
    for node in (root.get("resources") or NOTHING).items:
        entries = {key: text_at(node, "entry", key) for key in (node.get("entry") or node).entries}
        yield Resource(
            key=text_at(node, "key"),
            path=text_at(node, "path"),
            entries=MappingProxyType(entries if node.get("entry") else {}),
            position=node.position,
        )


def _remotes(root: Node) -> Iterator[Remote]:
    for node in (*(root.get("remotes") or NOTHING).items, *module_nodes(root, "remote")):
        yield Remote(
            key=text_at(node, "key"),
            base_urls=MappingProxyType(_base_urls(node.get("baseUrl") or NOTHING)),
            operations=texts(node.get("operations")),
            properties=_mapping(node.plain()),
            position=node.position,
        )


def _base_urls(node: Node) -> dict[str, str]:
    if node.text is not None:
        return {"default": node.text}
    return {key: value.text for key, value in node.entries.items() if value.text is not None}


def _permissions(node: Node, remotes: Mapping[str, Remote]) -> Permissions:
    external = node.get("external") or NOTHING
    kinds = {kind: _addresses(external.get(kind), remotes) for kind in EGRESS_KINDS}
    return Permissions(
        scopes=tuple(_scopes(node.get("scopes") or NOTHING)),
        external=External(
            fetch_backend=_addresses(external.get("fetch", "backend"), remotes),
            fetch_client=_addresses(external.get("fetch", "client"), remotes),
            others=MappingProxyType(kinds),
        ),
        content_scripts=texts(node.get("content", "scripts")),
        content_styles=texts(node.get("content", "styles")),
        enforcement=text_at(node, "enforcement") or None,
    )


def _scopes(node: Node) -> Iterator[DeclaredScope]:
    for name in dict.fromkeys(texts(node)):
        yield DeclaredScope(name)
    for name, options in node.entries.items():
        allowed = options.get("allowImpersonation")
        yield DeclaredScope(name, allowed is not None and allowed.value is True)


def _addresses(node: Node | None, remotes: Mapping[str, Remote]) -> tuple[EgressAddress, ...]:
    items = node.items if node else ()
    return tuple(address for item in items for address in _address(item, remotes))


def _address(node: Node, remotes: Mapping[str, Remote]) -> Iterator[EgressAddress]:
    remote = remotes.get(text_at(node, "remote"))
    if remote is not None:
        urls = dict.fromkeys(remote.base_urls.values())
        yield from (EgressAddress(url, remote=remote.key) for url in urls)
        return
    address = node.text or text_at(node, "address")
    if address:
        data = node.get("inScopeEUD")
        in_scope = data.value if data and isinstance(data.value, bool) else None
        yield EgressAddress(address, text_at(node, "category") or None, in_scope)


def _mapping(value: Plain) -> Mapping[str, Plain]:
    return value if isinstance(value, Mapping) else {}


def _number(node: Node | None) -> float | None:
    value = node.value if node else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
