"""The form of the whole document: sections, module types, properties of each module."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from runtime.manifest.building import text_at
from runtime.manifest.draft import DOCUMENT, ModuleNode
from runtime.manifest.nodes import Node
from runtime.manifest.problems import Problem, listed
from runtime.manifest.shapes import Fault, Where, faults
from runtime.manifest.tables import Variant, document_shape, module_variants

INTERNAL = frozenset({"renderRuntimeType", "resolvedResourceEntry", "unlicensedAccess"})
"""Properties that the platform writes itself; a check of modules refuses them."""


def shape_problems(root: Node | None, path: str) -> Iterator[Problem]:
    """Yield what is wrong with the form of a document.

    Unknown module types are left to the checks of modules, as on the platform: they do not make
    the rest unreadable.

    Source:
        Forge manifest reference; the tables in ``data/``.
    """
    found = _document(root) if root else iter([_empty()])
    for fault in found:
        place = fault.position
        yield Problem(path, place.line, place.column, "error", DOCUMENT, fault.message, fault.hint)


def _empty() -> Fault:
    hint = "Write `app:` and `modules:`; the manifests folder has examples."
    return Fault(Node(None).position, "The manifest is empty.", hint)


def _document(root: Node) -> Iterator[Fault]:
    yield from faults(root, document_shape(), Where(""))
    modules = root.get("modules")
    for module_type, group in (modules.entries if modules else {}).items():
        yield from _group(module_type, group)


def _group(module_type: str, group: Node) -> Iterator[Fault]:
    where = Where("", f"modules.{module_type}")
    if not isinstance(group.value, tuple):
        yield Fault(group.position, f"{where} must be a list of modules.", "Begin each with `-`.")
    elif not group.items:
        yield Fault(group.position, f"{where} must have at least one entry.", "Or remove it.")
    for index, node in enumerate(group.items):
        if isinstance(node.value, Mapping):
            yield from module_faults(module_type, index, node)
        else:
            yield Fault(node.position, f"{where.item(index)} must be a map.")


def module_faults(module_type: str, index: int, node: Node) -> Iterator[Fault]:
    """Yield what is wrong with the form of one module.

    A type that can be written in several ways is held against those whose telling property is
    there, or against all; the one that it comes nearest to is the one that is reported on.
    """
    variants = module_variants().get(module_type, ())
    module = ModuleNode(module_type, text_at(node, "key"), node)
    where = Where(module.title if module.key else f"modules.{module_type}[{index}]")
    public = _without_internal(node)
    undecided = _undecided(public, variants, where)
    if undecided:
        yield undecided
        return
    meant = [one for one in variants if one.by in public.entries] or list(variants)
    found = [list(faults(public, variant.shape, where)) for variant in meant]
    if all(found):
        best = min(found, key=lambda one: sum(fault.weight for fault in one), default=[])
        yield from best


def _without_internal(node: Node) -> Node:
    entries = {key: value for key, value in node.entries.items() if key not in INTERNAL}
    return Node(MappingProxyType(entries), node.position, node.keys)


def _undecided(node: Node, variants: tuple[Variant, ...], where: Where) -> Fault | None:
    """Return the fault of a module that chooses none, or more than one, of its ways."""
    if any(one.by not in one.shape.required for one in variants):
        return None
    ways = tuple(dict.fromkeys(one.by for one in variants))
    chosen = [way for way in ways if way in node.entries]
    if len(ways) > 1 and not chosen:
        words = " or ".join(f"`{way}`" for way in ways)
        return Fault(node.position, f"{where} lacks {words}.", f"Add one of them: {words}.")
    together = [one for one in variants if all(way in one.shape.known for way in chosen)]
    if len(chosen) > 1 and not together:
        place = node.keys.get(chosen[1], node.position)
        return Fault(place, f"{where} may have only one of {listed(chosen)}.", "Remove the others.")
    return None
