"""The ``app`` section, its storage entities, remotes, and Connect modules."""

import re
from collections.abc import Iterator

from runtime.manifest.building import module_nodes, text_at
from runtime.manifest.draft import APP_CONFIG, DEPRECATED, Draft
from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Problem, quoted

ATTRIBUTE_LIMIT = 50
INDEX_LIMIT = 7
ENTITY_LIMIT = 20  # documented, "Storage limits"
RESERVED_INDEX = "by-key"
_ATTRIBUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,29}\Z")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


def check_app(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong under ``app`` and ``remotes``."""
    yield from _deprecated(draft)
    yield from _identity(draft)
    yield from _compatibility(draft)
    yield from _entities(draft)
    yield from _remotes(draft)
    yield from _connect(draft)


def _deprecated(draft: Draft) -> Iterator[Problem]:
    if draft.root.get("app", "name") is not None:
        message = "`app.name` is deprecated: the name is kept in the developer console."
        place = draft.root.at("app", "name")
        yield draft.problem(place, DEPRECATED, message, "Remove it.", level="warning")
    if draft.root.get("app", "features", "autoUserConsent") is not None:
        message = "`app.features.autoUserConsent` is deprecated: it has no effect any more."
        place = draft.root.at("app", "features", "autoUserConsent")
        yield draft.problem(place, DEPRECATED, message, "Remove it.", level="warning")


def _identity(draft: Draft) -> Iterator[Problem]:
    if _UUID.match(draft.manifest.app_uuid):
        return
    place = draft.root.at("app", "id")
    message = f"The app id ends in {quoted(draft.manifest.app_uuid)}, which is no UUID."
    hint = "`getAppContext()` throws on such an id."
    yield draft.problem(place, OURS + "app-id-uuid", message, hint, level="warning")


def _compatibility(draft: Draft) -> Iterator[Problem]:
    found = draft.root.get("app", "compatibility")
    products = found.entries.items() if found else ()
    required = [name for name, node in products if _is_true(node.get("required"))]
    for name in required[1:]:
        message = f"Only one product may be required; {quoted(required[0])} is already."
        place = draft.root.at("app", "compatibility", name)
        yield draft.problem(place, APP_CONFIG, message)


def _is_true(node: Node | None) -> bool:
    return node is not None and node.value is True


def _entities(draft: Draft) -> Iterator[Problem]:
    found = draft.root.get("app", "storage", "entities")
    entities = found.items if found else ()
    for entity in entities[ENTITY_LIMIT:]:
        message = f"An app may have {ENTITY_LIMIT} storage entities."
        yield draft.problem(entity.position, OURS + "entity-limit", message)
    seen: set[str] = set()
    for entity in entities:
        name = text_at(entity, "name")
        if name in seen:
            message = f"There are two storage entities {quoted(name)}."
            yield draft.problem(entity.at("name"), APP_CONFIG, message)
        seen.add(name)
        yield from _attributes(draft, entity)
        yield from _indexes(draft, entity)


def _attributes(draft: Draft, entity: Node) -> Iterator[Problem]:
    attributes = entity.get("attributes")
    names = attributes.entries if attributes else {}
    title = f"Entity {quoted(text_at(entity, 'name'))}"
    if len(names) > ATTRIBUTE_LIMIT:
        message = f"{title} has more than {ATTRIBUTE_LIMIT} attributes."
        yield draft.problem(entity.at("attributes"), APP_CONFIG, message)
    for name in names:
        if not _ATTRIBUTE.match(name):
            message = f"{title}: {quoted(name)} is no attribute name."
            hint = "A letter, then letters, digits and `_`; 30 characters at most."
            yield draft.problem(entity.at("attributes", name), APP_CONFIG, message, hint)


def _indexes(draft: Draft, entity: Node) -> Iterator[Problem]:
    found = entity.get("indexes")
    indexes = found.items if found else ()
    title = f"Entity {quoted(text_at(entity, 'name'))}"
    if len(indexes) > INDEX_LIMIT:
        message = f"{title} has more than {INDEX_LIMIT} indexes."
        yield draft.problem(entity.at("indexes"), APP_CONFIG, message)
    attributes = entity.get("attributes")
    known = attributes.entries if attributes else {}
    for index in indexes:
        name = index.text if index.text is not None else text_at(index, "name")
        if name == RESERVED_INDEX:
            message = f"{title}: the index name `{RESERVED_INDEX}` is reserved."
            yield draft.problem(index.at("name"), APP_CONFIG, message)
        for part in _indexed(index):
            if part.text not in known:
                message = f"{title}: an index names the attribute {quoted(part.text)}."
                yield draft.problem(part.position, APP_CONFIG, message, "It has no such attribute.")


def _indexed(index: Node) -> Iterator[Node]:
    if index.text is not None:
        yield index
    for name in ("partition", "range"):
        found = index.get(name)
        yield from found.items if found else ()


def _remotes(draft: Draft) -> Iterator[Problem]:
    found = draft.root.get("remotes")
    seen: set[str] = set()
    for remote in (*(found.items if found else ()), *module_nodes(draft.root, "remote")):
        key = text_at(remote, "key")
        if key in seen:
            message = f"There are two remotes {quoted(key)}."
            yield draft.problem(remote.at("key"), APP_CONFIG, message)
        seen.add(key)
        operations = remote.get("operations")
        stores = any(one.text == "storage" for one in (operations.items if operations else ()))
        if stores and remote.get("storage", "inScopeEUD") is None:
            message = (
                f"The remote {quoted(key)} stores data, but does not say whether of end users."
            )
            hint = "Add `storage: {inScopeEUD: true}` or `false`."
            yield draft.problem(remote.at("operations"), APP_CONFIG, message, hint)


def _connect(draft: Draft) -> Iterator[Problem]:
    if draft.root.get("connectModules") and not draft.root.get("app", "connect", "remote"):
        message = "Connect modules need `app.connect.remote`, the server that they call."
        hint = "Add it under `app.connect`, and the remote under `remotes`."
        yield draft.problem(draft.root.at("connectModules"), APP_CONFIG, message, hint)
