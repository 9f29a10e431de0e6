"""What an operation needs, who holds it, and what would be decided: for people and for tools."""

from typing import TYPE_CHECKING

from runtime.identity.principal import Credential
from runtime.jira.explain import Explanation as PermissionSide
from runtime.jira.explain import explain as permission_side
from runtime.jira.served import served_operations
from runtime.jira.store import Store
from runtime.policy.connect_scopes import HIERARCHY, implied_scopes
from runtime.policy.decision import Decision
from runtime.policy.operations import Operation, Resolved
from runtime.policy.target import parse_target
from runtime.server.explain.askers import NOBODY, Asker, Words
from runtime.server.explain.explanation import Asked, Explanation, Scopes
from runtime.server.explain.rehearsing import Outcome, Question, Rehearsal
from runtime.server.explain.rule_sources import source_of
from runtime.server.hosts import GATEWAY_PREFIX

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

REFUSED: Credential = "refused"
UNDECIDED = ("request.", "workflow.")
"""Families of rules that judge the request itself: with another body they might not refuse."""


class Explainer:
    """Explains decisions over the state of this moment.

    Args:
        firebrick: The state.
    """

    def __init__(self, firebrick: "Firebrick") -> None:
        self._firebrick = firebrick
        self._rehearsal = Rehearsal(firebrick)
        self._store = Store(firebrick.engine)
        self._served = frozenset(served_operations())
        self.words = Words(firebrick)

    def explain(self, asker: Asker, question: Question) -> Explanation:
        """Explain a request that nobody has sent, decided by what decides real ones."""
        outcome = self.foresee(asker, question)
        notes = []
        if question.body is None and question.content():
            notes.append(("Body", "{}, an empty object; --data asks about another"))
        if outcome.credential == REFUSED and asker != NOBODY:
            shown = self.words.credential(asker, outcome.rule)
            notes.append(("Shown", f"{shown}: it is not valid there, or not any more"))
            asker = Asker("anonymous", REFUSED)
        return self.fill(asker, question, outcome, tuple(notes))

    def foresee(self, asker: Asker, question: Question) -> Outcome:
        """Return what would be decided now."""
        return self._rehearsal.ask(asker, question)

    def fill(
        self,
        asker: Asker,
        question: Question,
        outcome: Outcome,
        notes: tuple[tuple[str, str], ...] = (),
    ) -> Explanation:
        """Say in words what was decided, or would be."""
        resolved = self._resolve(question)
        operation = resolved.operation
        side = None if operation is None else self._permissions(asker, question, resolved)
        return Explanation(
            asked=Asked(question.method, question.path)
            if operation is None
            else Asked(
                question.method,
                question.path,
                operation.key,
                operation.path,
                operation.key in self._served,
            ),
            who=self.words.who(asker),
            credential=self.words.credential(asker, outcome.rule),
            acting_as=self.words.acting_as(asker),
            scopes=scopes_of(asker, operation, outcome.scopes),
            permissions=() if side is None else side.facts,
            resource="" if side is None else self._resource(asker, side),
            verdict="allowed" if outcome.allowed else "refused",
            status=outcome.status,
            rule=outcome.rule,
            reason=outcome.reason,
            source=source_of(
                outcome.rule, None if operation is None else operation.key, asker.model
            ),
            notes=(*notes, *_for_connect(asker, operation)),
        )

    def _resolve(self, question: Question) -> Resolved:
        target = parse_target(question.path)
        if isinstance(target, Decision):
            return Resolved(None, {})
        path = target.path.removeprefix(f"{GATEWAY_PREFIX}{question.cloud_id}")
        return self._firebrick.operations.resolve(question.method, path)

    def _permissions(
        self, asker: Asker, question: Question, resolved: Resolved
    ) -> PermissionSide | None:
        account = None
        if asker.account_id is not None:
            account = self._firebrick.find_account(asker.account_id)
        with self._store.reading() as connection:
            entrance = self._store.enter(connection, question.cloud_id, None)
            if entrance is None:
                return None
            return permission_side(connection, entrance.site, resolved, account)

    def _resource(self, asker: Asker, side: PermissionSide) -> str:
        what = side.issue_key or (side.project_key and f"project {side.project_key}")
        if not what:
            return ""
        name = self.words.acting_as(asker).partition(",")[0].partition(":")[0]
        sees = "sees" if side.visible and side.passes_security else "does not see"
        level = f" (security level {side.security_level})" if side.security_level else ""
        return f"{name} {sees} {what}{level}"


def _for_connect(asker: Asker, operation: Operation | None) -> tuple[tuple[str, str], ...]:
    """Say what a Connect app would need, where no app asks: scopes of its own kind."""
    if operation is None or asker.model not in ("anonymous", "basic"):
        return ()
    return (("Connect", f"an app needs the scope {operation.connect_scope}"),)


def scopes_of(asker: Asker, operation: Operation | None, held: tuple[str, ...] | None) -> Scopes:
    """Return which scopes an operation needs of a credential, which are held, and which lack."""
    if operation is None:
        return Scopes(held=held)
    if asker.model == "connect":
        return _connect_scopes(operation, held)
    needed = tuple(tuple(sorted(names)) for names in operation.scopes)
    if held is None:
        return Scopes(needed)
    ways = [tuple(sorted(names - frozenset(held))) for names in operation.scopes]
    return Scopes(needed, held, min(ways, key=len, default=()))


def _connect_scopes(operation: Operation, held: tuple[str, ...] | None) -> Scopes:
    wanted = operation.connect_scope
    if wanted == "NONE":
        return Scopes(((),), held)
    needed = ((wanted,),) if wanted in HIERARCHY or held is not None else ()
    covered = held is None or wanted in implied_scopes(frozenset(held))
    return Scopes(needed, held, () if covered else (wanted,))
