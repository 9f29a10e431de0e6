"""Display conditions of Jira modules: known names, fitting values, bounded depth."""

from collections.abc import Iterator, Mapping

from runtime.manifest.draft import DOCUMENT, Draft, ModuleNode
from runtime.manifest.nearest import nearest
from runtime.manifest.nodes import Node
from runtime.manifest.problems import Problem, listed, quoted
from runtime.manifest.tables import conditions


def check_conditions(draft: Draft) -> Iterator[Problem]:
    """Yield display conditions that the platform does not know or cannot compare.

    Only modules of Jira are looked at; the conditions of service management are others.
    """
    for module in draft.modules:
        if module.type.startswith("jira:"):
            for part in module.node.walk():
                found = part.get("displayConditions")
                if found is not None:
                    yield from _group(draft, module, found, 1)


def _group(draft: Draft, module: ModuleNode, node: Node, depth: int) -> Iterator[Problem]:
    table = conditions()
    if depth > table.depth_limit:
        message = f"{module.title}: display conditions are deeper than {table.depth_limit} levels."
        yield draft.problem(node.position, DOCUMENT, message)
        return
    for name, value in node.entries.items():
        if name in table.operators:
            for part in value.items or (value,):
                yield from _group(draft, module, part, depth + 1)
            continue
        wanted = _wanted(name)
        if not wanted:
            yield _unknown(draft, module, node, name)
        elif not _fits(value, wanted):
            message = f"{module.title}: the condition {quoted(name)} takes {wanted}."
            yield draft.problem(value.position, DOCUMENT, message)


def _wanted(name: str) -> str:
    """Return in words what a condition is compared with; empty if there is no such condition."""
    table = conditions()
    rest = name.removeprefix(table.boolean_prefix)
    if name in table.booleans or (rest != name and rest[:1].isupper()):
        return "true or false"
    if name in table.texts:
        return "text"
    if name in table.texts_or_lists:
        return "text or a list of texts"
    return "a map" if name in table.maps else ""


def _fits(value: Node, wanted: str) -> bool:
    if wanted == "true or false":
        return isinstance(value.value, bool)
    if wanted == "a map":
        return isinstance(value.value, Mapping)
    is_text = isinstance(value.value, (str, int)) and not isinstance(value.value, bool)
    return is_text or (wanted != "text" and bool(value.items))


def _unknown(draft: Draft, module: ModuleNode, node: Node, name: str) -> Problem:
    table = conditions()
    near = nearest(name, sorted(table.booleans | table.texts | table.texts_or_lists | table.maps))
    hint = f"Nearest: {listed(near)}." if near else ""
    message = f"{module.title}: there is no display condition {quoted(name)}."
    return draft.problem(node.at(name), DOCUMENT, message, hint)
