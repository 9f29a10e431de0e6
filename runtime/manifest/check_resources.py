"""Resources: keys, and the files or folders that pages are served from."""

from collections.abc import Iterator, Set

from runtime.manifest.building import text_at
from runtime.manifest.draft import RESOURCE, Draft, ModuleNode
from runtime.manifest.files import AppFiles
from runtime.manifest.model import Resource
from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Problem, quoted

PROMPT_PREFIX = "resource:"
"""An agent's prompt may stand in a file: ``resource:<key>;<file>``."""


def check_resources(draft: Draft) -> Iterator[Problem]:
    """Yield resources that are declared twice or whose files are not what their users need.

    A resource that a module renders natively (UI Kit) is a file; any other (Custom UI) is a folder
    with an ``index.html``.
    """
    yield from _duplicates(draft)
    if draft.files is None:
        return
    natives = _natives(draft)
    section = draft.root.get("resources")
    for node in section.items if section else ():
        resource = draft.manifest.resources.get(text_at(node, "key"))
        if resource is not None and node.position == resource.position:
            rendered = natives.get(resource.key, set())
            yield from _paths(draft, node, resource, rendered, draft.files)
    for module in draft.modules:
        if module.type == "rovo:agent":
            yield from _prompt(draft, module, draft.files)


def _duplicates(draft: Draft) -> Iterator[Problem]:
    section = draft.root.get("resources")
    seen: set[str] = set()
    for node in section.items if section else ():
        key = text_at(node, "key")
        if key in seen:
            message = f"There are two resources {quoted(key)}."
            yield draft.problem(node.at("key"), RESOURCE, message)
        seen.add(key)


def _natives(draft: Draft) -> dict[str, set[bool]]:
    """Return, for each resource, the ways it is rendered: natively, otherwise, or both."""
    natives: dict[str, set[bool]] = {}
    for module in draft.modules:
        own = text_at(module.node, "render")
        for part in module.node.walk():
            key = text_at(part, "resource").partition("/")[0]
            if key:
                native = (text_at(part, "render") or own) == "native"
                natives.setdefault(key, set()).add(native)
    return natives


def _paths(
    draft: Draft, node: Node, resource: Resource, natives: Set[bool], files: AppFiles
) -> Iterator[Problem]:
    place = node.get("path") or node
    kind = files.kind(resource.path)
    title = f"Resource {quoted(resource.key)}"
    if kind == "outside":
        message = f"{title}: {quoted(resource.path)} lies outside the app folder."
        yield draft.problem(place.position, OURS + "outside-folder", message)
    elif kind is None:
        message = f"{title}: there is nothing at {quoted(resource.path)}."
        hint = "Build the app's pages first, or mend the path."
        yield draft.problem(place.position, RESOURCE, message, hint)
    elif resource.entries:
        yield from _entries(draft, node, resource, files)
    else:
        for fault in _unusable(resource, natives, kind == "folder", files):
            yield draft.problem(place.position, RESOURCE, f"{title}: {fault}")


def _entries(draft: Draft, node: Node, resource: Resource, files: AppFiles) -> Iterator[Problem]:
    for key, name in resource.entries.items():
        if files.kind(f"{resource.path}/{name}") != "file":
            message = (
                f"Resource {quoted(resource.key)} has no file {quoted(name)} for {quoted(key)}."
            )
            yield draft.problem(node.at("entry", key), RESOURCE, message)


def _unusable(
    resource: Resource, natives: Set[bool], is_folder: bool, files: AppFiles
) -> Iterator[str]:
    if True in natives and is_folder:
        yield "UI Kit needs a file here, not a folder."
    if False not in natives:
        return
    if not is_folder:
        yield "Custom UI needs a folder here, not a file."
    elif "index.html" not in files.names(resource.path):
        yield f"the folder {quoted(resource.path)} has no `index.html`."


def _prompt(draft: Draft, module: ModuleNode, files: AppFiles) -> Iterator[Problem]:
    node = module.node.get("prompt")
    text = (node.text or "") if node else ""
    if node is None or not text.startswith(PROMPT_PREFIX):
        return
    key, _, name = text.removeprefix(PROMPT_PREFIX).partition(";")
    resource = draft.manifest.resources.get(key)
    if resource is None or files.kind(f"{resource.path}/{name}") != "file":
        message = f"{module.title}: the prompt names {quoted(text)}, and no such file is there."
        yield draft.problem(node.position, RESOURCE, message)
