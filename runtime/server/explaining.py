"""What an operation needs, who holds it, and what would be decided: for people and for tools."""

from collections.abc import Set
from dataclasses import dataclass

from sqlalchemy import Engine

from runtime.identity.accounts import Account
from runtime.installation.model import LiveGrant
from runtime.jira.explain import Explanation as PermissionSide
from runtime.jira.explain import PermissionFact, explain
from runtime.jira.failures import HIDDEN
from runtime.policy.decision import Decision
from runtime.policy.operations import Operation, OperationTable
from runtime.policy.scopes import decide_scopes
from runtime.policy.target import parse_target


@dataclass(frozen=True, slots=True)
class Explanation:
    """One operation explained.

    Attributes:
        method: HTTP method.
        path: The path as asked.
        operation: Key of the operation; None if nothing resolves.
        template: Its path template.
        served: Whether a handler exists; without one the answer is 501.
        scope_sets: Alternatives, of which one whole set is needed.
        missing: What each alternative lacks for the app, in the same order; None without an app.
        anonymous: Whether a request without credentials reaches it.
        connect_scope: Descriptor scope.
        basic: Whether basic authentication is accepted.
        project: Key of the project in the path; None if it names none, or none that exists.
        issue: Key of the issue in the path, likewise.
        visible: Whether the account sees what the path names; hidden and missing are the same.
        security_level: Security level of the issue; None without one.
        permissions: Each named permission, whether it is held, and who holds it here.
        allowed: The verdict, as far as scopes and named permissions decide it.
        rule: The deciding rule.
        reason: Why, in words.
    """

    method: str
    path: str
    operation: str | None
    template: str
    served: bool
    scope_sets: tuple[tuple[str, ...], ...]
    missing: tuple[tuple[str, ...], ...] | None
    anonymous: bool
    connect_scope: str
    basic: bool
    project: str | None
    issue: str | None
    visible: bool
    security_level: str | None
    permissions: tuple[PermissionFact, ...]
    allowed: bool
    rule: str
    reason: str


class Explainer:
    """Explains operations over the state of this moment.

    Args:
        engine: The state database.
        operations: The operation table.
        served: Keys of the operations that have a handler.
    """

    def __init__(self, engine: Engine, operations: OperationTable, served: Set[str]) -> None:
        self._engine = engine
        self._operations = operations
        self._served = served

    def explain(
        self,
        method: str,
        path: str,
        *,
        cloud_id: str,
        grant: LiveGrant | None = None,
        account: Account | None = None,
    ) -> Explanation:
        """Explain one method and path for an app, a person, an app acting as a person, or nobody.

        Args:
            method: Upper-case HTTP method.
            path: Path with query, as a guest or a client would write it.
            cloud_id: The site.
            grant: What the app may do now; None if no app asks.
            account: Whom the call acts as; None for nobody.
        """
        target = parse_target(path)
        if isinstance(target, Decision):
            return _unresolved(method, path, target)
        resolved = self._operations.resolve(method, target.path)
        if resolved.operation is None:
            detail = f"No operation has the path {target.path} and the method {method}."
            if resolved.allowed_methods:
                detail += f" The path has: {', '.join(resolved.allowed_methods)}."
            return _unresolved(method, path, Decision(False, "operation.unknown", detail))
        with self._engine.connect() as connection:
            side = explain(connection, cloud_id, resolved, account)
        return self._resolved(method, path, resolved.operation, grant, account, side)

    def _resolved(  # noqa: PLR0917  # one call site
        self,
        method: str,
        path: str,
        operation: Operation,
        grant: LiveGrant | None,
        account: Account | None,
        side: PermissionSide,
    ) -> Explanation:
        held = None if grant is None else grant.installation.granted & frozenset(grant.declared)
        decision = _verdict(operation, grant, account, side)
        return Explanation(
            method=method,
            path=path,
            operation=operation.key,
            template=operation.path,
            served=operation.key in self._served,
            scope_sets=tuple(tuple(sorted(names)) for names in operation.scopes),
            missing=None
            if held is None
            else tuple(tuple(sorted(names - held)) for names in operation.scopes),
            anonymous=operation.anonymous,
            connect_scope=operation.connect_scope,
            basic=operation.basic,
            project=side.project_key,
            issue=side.issue_key,
            visible=side.visible and side.passes_security and not side.missing,
            security_level=side.security_level,
            permissions=side.facts,
            allowed=decision.allowed,
            rule=decision.rule,
            reason=decision.message,
        )


def _verdict(
    operation: Operation, grant: LiveGrant | None, account: Account | None, side: PermissionSide
) -> Decision:
    if grant is not None:
        scopes = decide_scopes(operation, frozenset(grant.declared), grant.installation.granted)
        if not scopes.allowed:
            return scopes
    if account is None and not operation.anonymous:
        return Decision(False, "caller.anonymous", "Nobody is logged in, and somebody must be.")
    if account is not None and not account.active:
        return Decision(False, "credential.inactive-account", "The account is deactivated.")
    return _permission_verdict(side)


def _permission_verdict(side: PermissionSide) -> Decision:
    if side.missing:
        return Decision(False, HIDDEN, "What the path names does not exist: 404.")
    if not (side.visible and side.passes_security):
        return Decision(
            False,
            HIDDEN,
            "The account does not see what the path names: 404, as if it were missing.",
        )
    lacking = [fact.key for fact in side.facts if not fact.held]
    if not lacking:
        return Decision(True, "allowed")
    names = ", ".join(lacking)
    if len(lacking) == len(side.facts):
        of_project = [fact.key for fact in side.facts if fact.kind == "PROJECT"]
        nearest = (of_project or lacking)[0]
        return Decision(False, f"permission.{nearest}", f"Holds none of: {names}.")
    return Decision(
        True, "permission.partly", f"Depends on what is asked: {names} is not held, the rest is."
    )


def _unresolved(method: str, path: str, decision: Decision) -> Explanation:
    return Explanation(
        method=method,
        path=path,
        operation=None,
        template="",
        served=False,
        scope_sets=(),
        missing=None,
        anonymous=False,
        connect_scope="",
        basic=False,
        project=None,
        issue=None,
        visible=False,
        security_level=None,
        permissions=(),
        allowed=False,
        rule=decision.rule,
        reason=decision.message,
    )
