"""The chain of one decision in words: who asked, by which credential, as whom, and what decided.

What a record says was decided then; whoever holds a permission is told as of now, and where the
same request would be decided otherwise now, that is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.audit.trail import AuditRecord
from runtime.identity.accounts import Account, find_account
from runtime.identity.oauth.tokens import in_force
from runtime.identity.oauth.values import OAuthClient
from runtime.installation.model import LiveGrant
from runtime.invocation.records import InvocationRecord
from runtime.jira.explain import PermissionFact
from runtime.jira.served import served_operations
from runtime.policy.scopes import SHOWN_IN_FULL
from runtime.server.explaining import Explainer, Explanation
from runtime.server.remote_words import words_of_remote
from runtime.server.runtime import Firebrick

REQUESTS = ("door", "http")
BEFORE_TOKEN = frozenset(
    {"path", "header", "method", "body", "remote", "scope", "operation", "installation", "act"}
)
"""Families of rules by which the gateway refuses before it attaches a token."""

CREDENTIALS: Mapping[str, str] = {
    "forge": "an access token of the installation, attached by the gateway",
    "basic": "an API token, by basic authentication",
    "oauth": "an access token of an OAuth 2.0 client",
    "connect": "a token of a Connect app",
    "anonymous": "none",
}
ACTS: Mapping[str, str] = {
    "user": "asUser(): {}",
    "app": "asApp(): the app's own account {}",
    "none": "nobody: the request carries no credential",
}
KINDS: Mapping[str, str] = {
    "deploy": "a version was deployed",
    "install": "an installation changed",
    "grant": "a consent changed",
    "token": "a token changed",
    "world": "the world was made",
}


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a chain: what it is about, and what it came to."""

    step: str
    words: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain of one decision.

    Attributes:
        record: The decision.
        links: Its steps, in the order in which they are decided.
    """

    record: AuditRecord
    links: tuple[Link, ...]


class Reasons:
    """Tells the chains of decisions.

    Args:
        firebrick: The state.
    """

    def __init__(self, firebrick: Firebrick) -> None:
        self._firebrick = firebrick
        self._explainer = Explainer(
            firebrick.engine, firebrick.operations, frozenset(served_operations())
        )
        self._invocations: dict[str, InvocationRecord | None] = {}

    def chain(self, record: AuditRecord) -> Chain:
        """Return the chain of one decision."""
        links = [Link("who", self._who(record))]
        if record.kind in REQUESTS:
            links += self._request(record)
        elif record.kind == "remote":
            links += [Link(*one) for one in words_of_remote(record)]
        elif record.kind == "egress":
            links.append(Link("credential", "none: nothing of the platform goes outside"))
        links.append(Link("verdict", _verdict(record)))
        if record.message:
            links.append(Link("reason", record.message))
        return Chain(record, tuple(links))

    # --------------------------------------------------------------------------------------- who

    def _who(self, record: AuditRecord) -> str:
        invocation = self._invocation(record.invocation_id)
        if invocation is not None:
            by = "nobody" if invocation.account_id is None else self._name(invocation.account_id)
            return (
                f"{invocation.function} of {invocation.app_name} ({invocation.environment}), "
                f"invoked by {by}"
            )
        account = None if record.account_id is None else self._name(record.account_id)
        if record.kind == "http":
            return f"a client over HTTP: {account or 'nobody'}"
        what = KINDS.get(record.kind, record.kind)
        return f"{account or 'the command line'}: {what} of {self._subject(record)}"

    def _subject(self, record: AuditRecord) -> str:
        client = self._client(record)
        return record.path or "an app" if client is None else f"the OAuth app {client.name}"

    def _client(self, record: AuditRecord) -> OAuthClient | None:
        if record.model != "oauth" or record.app_id is None:
            return None
        return self._firebrick.oauth.clients.find(record.app_id)

    def _invocation(self, invocation_id: str | None) -> InvocationRecord | None:
        if invocation_id is None:
            return None
        if invocation_id not in self._invocations:
            found = self._firebrick.records.read(invocation_id=invocation_id)
            self._invocations[invocation_id] = found[0] if found else None
        return self._invocations[invocation_id]

    def _name(self, account_id: str) -> str:
        return self._firebrick.name_of(account_id)

    # ----------------------------------------------------------------------------------- request

    def _request(self, record: AuditRecord) -> list[Link]:
        family = record.rule.partition(".")[0]
        early = record.kind == "door" and not record.allowed and family in BEFORE_TOKEN
        client = self._client(record)
        links = [Link("credential", _credential(record, client, early=early))]
        if record.kind == "door":
            links.append(Link("acts as", self._acts_as(record)))
        dropped = record.detail.get("dropped_headers")
        if isinstance(dropped, list) and dropped:
            links.append(Link("headers", f"did not cross: {', '.join(map(str, dropped))}"))
        explanation = self._explain(record)
        if explanation is None or explanation.operation is None:
            links.append(Link("operation", "none has this method and path"))
            return links
        shown = f"{explanation.operation} ({record.method} {explanation.template})"
        links.append(Link("operation", shown))
        if record.kind == "door":
            links.append(Link("scopes", _scopes(explanation, self._grant(record))))
        elif client is not None:
            links.append(Link("scopes", self._consented(record, client, explanation)))
        if family not in BEFORE_TOKEN or record.allowed:
            links += _permissions(explanation, self._acting(record))
        return links + _since(record, explanation)

    def _consented(self, record: AuditRecord, client: OAuthClient, explanation: Explanation) -> str:
        """Say which scopes are needed, and what of them the person consented to for the app now."""
        grants = self._firebrick.oauth.grants.list(
            client_id=client.client_id, account_id=record.account_id, cloud_id=record.cloud_id
        )
        if not explanation.scope_sets:
            return "the operation is closed to apps"
        needed = f"needs {' or '.join(_listed(names) for names in explanation.scope_sets)}"
        if not grants:
            return f"{needed}; the consent has ended"
        held = in_force(grants[0].scopes, client.scopes)
        lacking = min((sorted({*names} - held) for names in explanation.scope_sets), key=len)
        shown = f"{needed}; consented to now: {', '.join(sorted(held)) or 'none'}"
        return f"{shown}; lacks {_listed(lacking)}" if lacking else f"{shown}: covered"

    def _acts_as(self, record: AuditRecord) -> str:
        act_as = record.act_as or "none"
        if act_as != "none" and record.account_id is None:
            return "asUser(), and nobody invoked the function"
        invocation = self._invocation(record.invocation_id)
        name = "" if record.account_id is None else self._name(record.account_id)
        words = ACTS[act_as].format(name)
        if act_as == "user" and invocation and record.account_id != invocation.account_id:
            words += ", who did not invoke the function: impersonation"
        return words

    def _acting(self, record: AuditRecord) -> str:
        return "nobody" if record.account_id is None else self._name(record.account_id)

    def _account(self, record: AuditRecord) -> Account | None:
        if record.account_id is None or record.act_as == "none":
            return None
        with self._firebrick.engine.connect() as connection:
            return find_account(connection, record.account_id)

    def _grant(self, record: AuditRecord) -> LiveGrant | None:
        if record.installation_id is None:
            return None
        return self._firebrick.installations.find_live_grant(record.installation_id)

    def _explain(self, record: AuditRecord) -> Explanation | None:
        if record.method is None or record.path is None or record.cloud_id is None:
            return None
        return self._explainer.explain(
            record.method,
            record.path,
            cloud_id=record.cloud_id,
            grant=self._grant(record),
            account=self._account(record),
        )


def _verdict(record: AuditRecord) -> str:
    verdict = "allowed" if record.allowed else "refused"
    rule = "" if record.rule == verdict else f" by {record.rule}"
    answered = "" if record.status is None else f", answered {record.status}"
    return f"{verdict}{rule}{answered}"


def _credential(record: AuditRecord, client: OAuthClient | None, *, early: bool) -> str:
    if early:
        return "none was attached: it was refused before"
    if record.kind == "door" and record.act_as == "none":
        return "none: the guest asked without one"
    if client is not None:
        return f"an access token of the OAuth app {client.name}"
    return CREDENTIALS.get(record.model, record.model)


def _scopes(explanation: Explanation, grant: LiveGrant | None) -> str:
    """Say which scopes are needed, and what of them is declared and approved now."""
    if not explanation.scope_sets:
        return "the operation is closed to apps"
    needed = f"needs {' or '.join(_listed(names) for names in explanation.scope_sets)}"
    if grant is None:
        return f"{needed}; the app is not installed any more"
    held = grant.installation.granted & frozenset(grant.declared)
    shown = f"{needed}; held now: {', '.join(sorted(held)) or 'none'}"
    sets: tuple[tuple[str, ...], ...] = explanation.missing or ((),)
    lacking = min(sets, key=len)
    return f"{shown}; lacks {_listed(lacking)}" if lacking else f"{shown}: covered"


def _listed(names: Sequence[str]) -> str:
    if len(names) > SHOWN_IN_FULL:
        return f"{len(names)} scopes of another set"
    return f"[{', '.join(names)}]"


def _permissions(explanation: Explanation, who: str) -> list[Link]:
    links = []
    if explanation.project is not None:
        what = explanation.issue or f"project {explanation.project}"
        seen = "sees" if explanation.visible else "does not see"
        level = f" (security level {explanation.security_level})"
        links.append(
            Link("resource", f"{who} {seen} {what}{level if explanation.security_level else ''}")
        )
    links += [Link("permission", _permission(fact, who)) for fact in explanation.permissions]
    return links


def _permission(fact: PermissionFact, who: str) -> str:
    ways = "; ".join(f"{way.label}: {', '.join(way.handles) or 'nobody'}" for way in fact.ways)
    held = "holds it" if fact.held else "does not hold it"
    return f"{fact.key} ({fact.name}): {who} {held}; granted by {ways or 'nothing in this world'}"


def _since(record: AuditRecord, explanation: Explanation) -> list[Link]:
    """Say where the same request would be decided otherwise now."""
    if explanation.rule == "permission.partly" or record.allowed == explanation.allowed:
        return []
    if record.allowed:
        return [Link("since then", f"it would be refused now, by {explanation.rule}")]
    if not explanation.permissions and record.rule.startswith(("permission", "request")):
        return []  # what is asked in the body decides, and a path does not tell it
    return [Link("since then", "nothing that the path tells would refuse it now")]
