"""Scopes that are declared and that nothing in the app can need.

The finding is made only where everything that could need a scope was read: one call whose path is
not known, one package that was not looked into, and nothing is said.
"""

import re
from collections.abc import Iterator

from runtime.manifest.calls import Request
from runtime.manifest.check_permissions import scope_nodes
from runtime.manifest.draft import Draft
from runtime.manifest.files import AppFiles
from runtime.manifest.problems import OURS, Problem, quoted
from runtime.manifest.reach import is_whole
from runtime.manifest.sources import Call, Source
from runtime.manifest.tables import event_scopes, scopes

STORAGE_SCOPE = "storage:app"
_STORAGE_PACKAGES = frozenset({"@forge/kvs", "@forge/storage"})
_READ_PACKAGES = frozenset(
    {
        *_STORAGE_PACKAGES, "@forge/api", "@forge/resolver", "@forge/events", "@forge/bridge",
        "@forge/react", "@forge/auth", "@forge/sql", "@forge/object-store", "@forge/llm", "react",
    }
)  # fmt: skip
"""Packages of which is known what they need a scope for."""

_NEEDY_NAMES = re.compile(r"use\w*Property$|requestGraph$|privacy$")
"""Names of those packages that need scopes which are not worked out here."""

_READ_MODULES = re.compile(
    r"(jira|dashboards):.+|jiraServiceManagement:(?!assets).+|trigger|scheduledTrigger|webtrigger"
    r"|function|consumer|event|sql|objectStore|llm"
)
"""Module types that need no scope by themselves, but for the events of a trigger."""

_PERMISSION_CHECK = ("POST", "/rest/api/3/permissions/check")  # what `authorize()` asks
_SCRIPT = re.compile(r"<script", re.IGNORECASE)
_PAGE_FILES = 50  # files of a Custom UI folder that are looked at
_CODE = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".wasm")


class ScopeUse:
    """Gathers what the scopes of one app are needed for, source by source.

    Args:
        draft: The manifest, whose events and storage count too.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._used: set[str] = set(_used_by_manifest(draft))
        self._is_known = draft.operations is not None and _is_readable(draft)

    def add(self, source: Source, calls: tuple[Call, ...], requests: tuple[Request, ...]) -> None:
        """Add what one source needs; a call that cannot be read makes the whole unknown."""
        self._is_known = self._is_known and is_whole(source, calls, requests)
        for one in source.imports:
            self._is_known = self._is_known and _is_read(self._draft.files, source, one.package)
            self._is_known = self._is_known and not _NEEDY_NAMES.match(one.name)
            if one.package in _STORAGE_PACKAGES or one.name == "storage":
                self._used.add(STORAGE_SCOPE)
            elif one.name == "authorize":
                self._add_operation(*_PERMISSION_CHECK, is_fixed=True)
        for request in requests:
            self._add_operation(request.method, request.path, is_fixed=request.is_fixed)

    def _add_operation(self, method: str, path: str, *, is_fixed: bool) -> None:
        sets = self._draft.operations(method, path) if self._draft.operations else None
        if sets is None:
            self._is_known = self._is_known and is_fixed  # a fixed path nowhere needs nothing
        self._used.update(*(sets or ()))

    def problems(self, *, is_complete: bool) -> Iterator[Problem]:
        """Yield a warning for every scope that nothing needs.

        Args:
            is_complete: Whether every source was added.
        """
        table = scopes()
        judged = table.classic | table.granular | {STORAGE_SCOPE}
        if not (is_complete and self._is_known):
            return
        for scope, place in scope_nodes(self._draft.root):
            if scope in judged and scope not in self._used:
                message = f"Nothing in the app needs the scope {quoted(scope)}."
                hint = "Take it away: whoever installs the app is asked for every scope."
                rule = OURS + "unused-scope"
                yield self._draft.problem(place, rule, message, hint, level="warning")


def _used_by_manifest(draft: Draft) -> Iterator[str]:
    for module in draft.modules:
        events = module.node.get("events") if module.type == "trigger" else None
        for item in events.items if events else ():
            name = item if item.text is not None else item.get("eventType")
            for names in event_scopes().get((name.text if name else None) or "", {}).values():
                yield from names
    if draft.root.get("app", "storage") is not None:
        yield STORAGE_SCOPE


def _is_readable(draft: Draft) -> bool:
    """Return whether all that can need a scope is read: no back end elsewhere, no pages' code."""
    has_backend = bool(draft.manifest.remotes) or draft.root.get("app", "connect") is not None
    modules = all(_READ_MODULES.fullmatch(module.type) for module in draft.modules)
    paths = [resource.path for resource in draft.manifest.resources.values()]
    return not has_backend and modules and all(_is_plain_page(draft.files, p) for p in paths)


def _is_plain_page(files: AppFiles | None, path: str) -> bool:
    """Return whether a resource has no code of its own: a source below ``src/``, or no script."""
    if files is None:
        return False
    if files.kind(path) == "file":
        return path.removeprefix("./").startswith("src/")
    return _has_no_script(files, path)


def _has_no_script(files: AppFiles, folder: str) -> bool:
    names = files.names(folder)
    for name in names[:_PAGE_FILES]:
        path = f"{folder}/{name}"
        if files.kind(path) != "file" or name.endswith(_CODE):
            return False
        if name.endswith((".html", ".htm", ".svg")) and _SCRIPT.search(
            files.read(path) or "<script"
        ):
            return False
    return len(names) <= _PAGE_FILES


def _is_read(files: AppFiles | None, source: Source, package: str) -> bool:
    """Return whether what an import brings in was read, or is known to make no call."""
    if package.startswith("."):
        return _climbs(package) < source.path.count("/")
    if package in _READ_PACKAGES or package.startswith("node:"):
        return True
    name = "/".join(package.split("/")[: 2 if package.startswith("@") else 1])
    text = files.read(f"node_modules/{name}/package.json") if files else None
    return text is not None and "@forge/" not in text


def _climbs(relative: str) -> int:
    return relative.split("/").count("..")
