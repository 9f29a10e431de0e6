"""What modules name must exist: functions, endpoints, remotes, actions, pages, resources."""

from collections.abc import Iterable, Iterator

from runtime.manifest.building import text_at
from runtime.manifest.draft import MODULE, RESOURCE, Draft, ModuleNode
from runtime.manifest.nearest import nearest
from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Problem, listed, quoted

NEEDS_ROUTE = frozenset({"trigger", "scheduledTrigger"})
"""Module types whose endpoint must say a path, because no caller brings one."""

_NO_RESOURCE = frozenset({"automation:i18n"})  # its `resource` is no key of the resources section


def check_references(draft: Draft) -> Iterator[Problem]:
    """Yield every name in a module that nothing in the manifest has."""
    for module in draft.modules:
        if module.type not in ("workflow", "remote"):
            yield from _functions(draft, module)
            yield from _endpoints(draft, module)
        if module.type not in _NO_RESOURCE:
            yield from _resources(draft, module)
        yield from _remotes(draft, module)
        yield from _named_modules(draft, module)
    yield from _connect_remote(draft)


def _texts(node: Node, name: str) -> Iterator[Node]:
    """Yield the text values of every property of that name at any depth of a module."""
    for part in node.walk():
        value = part.entries.get(name)
        if value is not None and value.text is not None:
            yield value


def _missing(name: str, kind: str, known: Iterable[str]) -> str:
    """Return the hint for a name that nothing has."""
    names = tuple(known)
    if not names:
        return f"The manifest declares no {kind}."
    near = nearest(name, names, 1)
    return f"Did you mean {listed(near)}?" if near else f"Declared: {listed(names)}."


def _functions(draft: Draft, module: ModuleNode) -> Iterator[Problem]:
    known = draft.by_key("function")
    for value in _texts(module.node, "function"):
        name = str(value.text)
        if name not in known:
            message = f"{module.title} names the function {quoted(name)}, which is not declared."
            yield draft.problem(value.position, MODULE, message, _missing(name, "function", known))


def _endpoints(draft: Draft, module: ModuleNode) -> Iterator[Problem]:
    known = draft.by_key("endpoint")
    for value in _texts(module.node, "endpoint"):
        name = str(value.text)
        if name not in known:
            message = f"{module.title} names the endpoint {quoted(name)}, which is not declared."
            yield draft.problem(value.position, MODULE, message, _missing(name, "endpoint", known))
        elif module.type in NEEDS_ROUTE and _lacks_route(known[name].node):
            message = f"{module.title} needs a route, and the endpoint {quoted(name)} has none."
            hint = "Add `route: {path: /…}` to the endpoint."
            yield draft.problem(value.position, MODULE, message, hint)


def _lacks_route(endpoint: Node) -> bool:
    return endpoint.get("remote") is not None and endpoint.get("route") is None


def _resources(draft: Draft, module: ModuleNode) -> Iterator[Problem]:
    known = draft.manifest.resources
    section = draft.root.get("resources")
    rule = RESOURCE if section else OURS + "resource-undeclared"
    for value in _texts(module.node, "resource"):
        key, _, entry = str(value.text).partition("/")
        if key not in known:
            message = f"{module.title} names the resource {quoted(key)}, which is not declared."
            yield draft.problem(value.position, rule, message, _missing(key, "resource", known))
        elif entry and entry not in known[key].entries:
            message = f"{module.title}: the resource {quoted(key)} has no entry {quoted(entry)}."
            hint = _missing(entry, "entry", known[key].entries)
            yield draft.problem(value.position, RESOURCE, message, hint)


def _remotes(draft: Draft, module: ModuleNode) -> Iterator[Problem]:
    remote = module.node.get("remote")
    known = draft.manifest.remotes
    if remote is None or remote.text is None or remote.text in known:
        return
    message = f"{module.title} names the remote {quoted(remote.text)}, which is not declared."
    hint = _missing(remote.text, "remote", known)
    yield draft.problem(remote.position, MODULE, message, hint)


_LISTS = (
    ("rovo:agent", "actions", "action"),
    ("rovo:agent", "skills", "rovo:skill"),
    ("rovo:mcp", "tools", "action"),
    ("automation:actionProvider", "actions", "action"),
)
"""Module type, its property with a list of keys, and the module type that these must have."""


def _named_modules(draft: Draft, module: ModuleNode) -> Iterator[Problem]:
    for module_type, name, kind in _LISTS:
        values = module.node.get(name) if module.type == module_type else None
        known = draft.by_key(kind)
        for value in values.items if values else ():
            if value.text is not None and value.text not in known:
                message = (
                    f"{module.title} names the {kind} {quoted(value.text)}, which is not declared."
                )
                hint = _missing(value.text, kind, known)
                yield draft.problem(value.position, MODULE, message, hint)


def _connect_remote(draft: Draft) -> Iterator[Problem]:
    name = text_at(draft.root, "app", "connect", "remote")
    remote = draft.root.get("app", "connect", "remote")
    if remote is None or name in draft.manifest.remotes:
        return
    message = f"`app.connect.remote` is {quoted(name)}, which is no declared remote."
    hint = _missing(name, "remote", draft.manifest.remotes)
    yield draft.problem(remote.position, MODULE, message, hint)
