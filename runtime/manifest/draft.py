"""A manifest whose form is right, as the checks of its meaning see it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from runtime.manifest.building import text_at
from runtime.manifest.files import AppFiles
from runtime.manifest.model import Manifest
from runtime.manifest.nodes import Node
from runtime.manifest.problems import Fix, Level, Position, Problem, quoted

FILE = "manifest-file-required"
DOCUMENT = "valid-document-required"
DEPRECATED = "deprecated-property"
PERMISSIONS = "valid-permissions-required"
MODULE = "valid-module-required"
RESOURCE = "valid-resource-required"
APP_CONFIG = "valid-app-config-required"
SCOPE = "permission-scope-required"
EGRESS = "egress-permission-required"

PLUMBING = frozenset({"function", "endpoint"})
"""Module types that do nothing by themselves."""


class OperationScopes(Protocol):
    """Knows which scopes a product's REST call needs; the product's room provides it."""

    def __call__(self, method: str, path: str, /) -> tuple[frozenset[str], ...] | None:
        """Return the scope sets of an operation, any one of which suffices; None if unknown."""


@dataclass(frozen=True, slots=True)
class ModuleNode:
    """A module of the draft: its type, its key (empty if it has none) and its node."""

    type: str
    key: str
    node: Node

    @property
    def title(self) -> str:
        """The module in words, for messages."""
        return f"{self.type} {quoted(self.key)}" if self.key else self.type

    @property
    def at_key(self) -> Position:
        """Where the value of its key stands, else where the module begins."""
        key = self.node.get("key")
        return key.position if key else self.node.position


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that has the right form, with what the checks may look at.

    Attributes:
        root: The document.
        path: Name of the manifest file in problems.
        manifest: What it declares; not yet vouched for.
        modules: Every module in the order of the file.
        keyed: Modules by type and key.
        files: The app's files; None if there are none to look at.
        operations: Scopes of REST calls; None if calls in the source are not to be checked.
    """

    root: Node
    path: str
    manifest: Manifest
    modules: tuple[ModuleNode, ...]
    keyed: Mapping[str, Mapping[str, ModuleNode]]
    files: AppFiles | None = None
    operations: OperationScopes | None = None

    @classmethod
    def of(
        cls,
        root: Node,
        path: str,
        manifest: Manifest,
        files: AppFiles | None = None,
        operations: OperationScopes | None = None,
    ) -> "Draft":
        """Return the draft of a document."""
        modules = tuple(modules_of(root))
        keyed: dict[str, dict[str, ModuleNode]] = {}
        for module in modules:
            keyed.setdefault(module.type, {}).setdefault(module.key, module)
        return cls(root, path, manifest, modules, keyed, files, operations)

    def by_key(self, module_type: str) -> Mapping[str, ModuleNode]:
        """Return the modules of one type by key; the first one has a key that is there twice."""
        return self.keyed.get(module_type, {})

    def problem(
        self,
        place: Position,
        rule: str,
        message: str,
        hint: str = "",
        *,
        level: Level = "error",
        fix: Fix | None = None,
    ) -> Problem:
        """Return a problem of the manifest file."""
        return Problem(self.path, place.line, place.column, level, rule, message, hint, fix)


Check: TypeAlias = Callable[[Draft], Iterator[Problem]]
"""One family of rules: reads a draft, yields what is wrong."""


def modules_of(root: Node) -> Iterator[ModuleNode]:
    """Yield every module of a document in the order of the file."""
    modules = root.get("modules")
    for module_type, group in (modules.entries if modules else {}).items():
        for node in group.items:
            yield ModuleNode(module_type, text_at(node, "key"), node)
