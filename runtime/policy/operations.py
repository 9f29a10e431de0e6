"""The platform's REST operations as data, and the one resolution of method and path.

The table holds all operations of the platform, software and service-management APIs: method, path
template, accepted scope sets, Connect scope, anonymous and app-access rules, named permissions.

Source:
    The public OpenAPI documents of the three APIs (``x-atlassian-oauth2-scopes``, ``security``,
    ``x-atlassian-connect-scope``, "Permissions required").
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict
from urllib.parse import unquote

JIRA_PREFIX = ("rest", "api")
VERSIONS = {"2": 2, "3": 3, "latest": 2}  # `latest` behaves as version 2 does


class OperationTableData(TypedDict):
    """The shape of ``operations.json``."""

    columns: list[str]
    flags: dict[str, str]
    scope_sets: list[list[str]]
    rows: list[tuple[str, str, str, list[int], str, str, list[str]]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One REST operation.

    Attributes:
        key: The operationId, prefixed with ``software:`` or ``servicedesk:`` outside the platform
            API, where ids repeat.
        method: HTTP method.
        path: Template with version 3, such as ``/rest/api/3/issue/{issueIdOrKey}``.
        scopes: Alternatives: one whole set must be held. Empty: closed to OAuth and Forge tokens.
            A set may be empty: any authenticated app will do.
        connect_scope: Descriptor scope, ``NONE`` or ``INACCESSIBLE``.
        anonymous: A request without credentials reaches the operation.
        basic: Basic authentication is accepted.
        app_access_rule_exempt: An app access rule of an admin does not touch it.
        deprecated: The vendor calls it deprecated.
        permissions: Keys of the permissions its documentation names; names, not a formula.
        issue_security: Issue security levels apply on top.
    """

    key: str
    method: str
    path: str
    scopes: tuple[frozenset[str], ...]
    connect_scope: str
    anonymous: bool
    basic: bool
    app_access_rule_exempt: bool
    deprecated: bool
    permissions: tuple[str, ...]
    issue_security: bool


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a method and a path mean.

    Attributes:
        operation: The operation; None if no operation has this path and method.
        params: Path parameters, percent-decoded once.
        version: API version of the path, 2 or 3; 3 outside ``/rest/api``.
        allowed_methods: Methods the path has, where the method alone did not fit.
    """

    operation: Operation | None
    params: Mapping[str, str]
    version: int = 3
    allowed_methods: tuple[str, ...] = ()


class _Node:
    """One level of the routing tree: literal segments first, then at most one parameter."""

    __slots__ = ("literals", "operations", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.operations: dict[str, tuple[Operation, tuple[str, ...]]] = {}


class OperationTable:
    """All operations and the router over them. Immutable once built.

    Args:
        operations: The operations; keys must be unique.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_key: dict[str, Operation] = {}
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    @classmethod
    def from_data(cls, data: OperationTableData) -> "OperationTable":
        """Build the table from the parsed ``operations.json``."""
        sets = [frozenset(names) for names in data["scope_sets"]]
        return cls(_operation(row, sets) for row in data["rows"])

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def find(self, key: str) -> Operation | None:
        """Return the operation with that key, or None."""
        return self._by_key.get(key)

    def resolve(self, method: str, path: str) -> Resolved:
        """Return what a method and a canonical path mean.

        Literal segments win over parameters. ``/rest/api/2`` and ``/rest/api/latest`` are answered
        by the same operations with version 2. Matching is exact and case-sensitive: a trailing
        slash, an empty segment or another spelling is another path, and so no operation. The
        method ``HEAD`` resolves as ``GET``.

        Args:
            method: Upper-case HTTP method.
            path: Canonical percent-encoded path; see the gateway's `parse_target`.
        """
        segments = path.split("/")[1:]
        version = 3
        if tuple(segments[:2]) == JIRA_PREFIX and len(segments) > 2:  # noqa: PLR2004  # the version
            version = VERSIONS.get(segments[2], 0)
            if not version:
                return Resolved(None, {})
            segments[2] = "3"
        found = _match(self._root, segments, 0, ())
        if found is None:
            return Resolved(None, {}, version)
        return _pick(found, "GET" if method == "HEAD" else method, version)

    def _add(self, operation: Operation) -> None:
        if operation.key in self._by_key:
            raise ValueError(f"two operations have the key {operation.key}")
        self._by_key[operation.key] = operation
        node, names = self._root, []
        for segment in operation.path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        node.operations[operation.method] = (operation, tuple(names))


def _match(
    node: _Node, segments: Sequence[str], at: int, values: tuple[str, ...]
) -> tuple[_Node, tuple[str, ...]] | None:
    if at == len(segments):
        return (node, values) if node.operations else None
    literal = node.literals.get(segments[at])
    if literal is not None:
        found = _match(literal, segments, at + 1, values)
        if found is not None:
            return found
    if node.parameter is not None and segments[at]:
        return _match(node.parameter, segments, at + 1, (*values, segments[at]))
    return None


def _pick(found: tuple[_Node, tuple[str, ...]], method: str, version: int) -> Resolved:
    node, values = found
    entry = node.operations.get(method)
    if entry is None:
        return Resolved(None, {}, version, tuple(sorted(node.operations)))
    operation, names = entry
    params = {name: unquote(value) for name, value in zip(names, values, strict=True)}
    return Resolved(operation, params, version)


def _operation(
    row: tuple[str, str, str, list[int], str, str, list[str]], sets: Sequence[frozenset[str]]
) -> Operation:
    key, method, path, indexes, connect_scope, flags, permissions = row
    return Operation(
        key=key,
        method=method,
        path=path,
        scopes=tuple(sets[index] for index in indexes),
        connect_scope=connect_scope,
        anonymous="a" in flags,
        basic="b" in flags,
        app_access_rule_exempt="x" in flags,
        deprecated="d" in flags,
        permissions=tuple(permissions),
        issue_security="s" in flags,
    )
