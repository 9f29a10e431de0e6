"""Decisions of the trail in words: who asked, by which credential, as whom, and what decided.

What a record says was decided then, with the scopes of then; whoever holds a permission is told as
of now, and where the same request would be decided otherwise now, that is said.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

from runtime.audit.trail import AuditRecord
from runtime.identity.principal import Credential, Model
from runtime.installation.model import AppVersion, Installation
from runtime.invocation.records import InvocationRecord
from runtime.policy.impersonation import ActAs
from runtime.server.explain.askers import Asker
from runtime.server.explain.explaining import UNDECIDED, Explainer
from runtime.server.explain.explanation import Asked, Explanation
from runtime.server.explain.rehearsing import Outcome, Question
from runtime.server.explain.rule_sources import source_of
from runtime.server.forge.remote_words import words_of_remote

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

Notes = tuple[tuple[str, str], ...]

REQUESTS = ("door", "http")
KINDS: Mapping[str, str] = {
    "deploy": "a version was deployed",
    "install": "an installation changed",
    "grant": "a consent changed",
    "token": "a token changed",
    "world": "the world was made",
}
MODELS: Mapping[str, Model] = {name: name for name in get_args(Model)}
CREDENTIALS: Mapping[str, Credential] = {name: name for name in get_args(Credential)}
ADMITTED: Mapping[str, str] = {
    "egress_entry": "{} of the manifest",
    "egress_group": "the group {} that the customer approved",
    "egress_remote": "the remote {}, where the customer says it is",
}
ACTS: Mapping[str, ActAs] = {name: name for name in get_args(ActAs)}


class Reasons:
    """Explains what the trail holds.

    Args:
        firebrick: The state.
    """

    def __init__(self, firebrick: "Firebrick") -> None:
        self._firebrick = firebrick
        self._explainer = Explainer(firebrick)
        self._invocations: dict[str, InvocationRecord | None] = {}

    def explain(self, record: AuditRecord) -> Explanation:
        """Return one decision explained."""
        if record.kind in REQUESTS and record.method and record.path and record.cloud_id:
            question = Question(record.method, record.path, record.cloud_id)
            return self._request(record, question)
        return Explanation(
            asked=Asked(record.method or "", record.path or ""),
            who=self._who(record),
            credential=_credential(record),
            verdict="allowed" if record.allowed else "refused",
            status=record.status,
            rule=record.rule,
            reason=record.message,
            source=source_of(record.rule, None),
            notes=(*self._invocation_note(record), *_outside_notes(record)),
        )

    # --- requests --------------------------------------------------------------------------------

    def _request(self, record: AuditRecord, question: Question) -> Explanation:
        asker = self._asker(record)
        scopes = record.detail.get("scopes")
        outcome = Outcome(
            allowed=record.allowed,
            rule=record.rule,
            status=record.status,
            reason=record.message,
            scopes=tuple(map(str, scopes)) if isinstance(scopes, list) else None,
            operation=record.operation,
        )
        notes = (
            *self._invocation_note(record),
            *_dropped(record),
            *self._since(record, asker, question),
        )
        return self._explainer.fill(asker, question, outcome, notes)

    def _asker(self, record: AuditRecord) -> Asker:
        model = MODELS.get(record.model, "anonymous")
        if record.kind == "door" or model == "forge":
            return self._forge(record)
        shown = CREDENTIALS.get(str(record.detail.get("credential")), "none")
        account_id, app_id = record.account_id, record.app_id
        if model == "oauth" and app_id is not None:
            client = self._firebrick.oauth.clients.find(app_id)
            return Asker(model, "access-token", account_id, client=client)
        if model == "connect" and app_id is not None and record.cloud_id is not None:
            app = self._firebrick.connect.installations.find(record.cloud_id, app_id)
            return Asker(model, shown, account_id, connect=app)
        if model == "basic":
            wanted = record.detail.get("credential_id")
            tokens = self._firebrick.api_tokens.list(account_id)
            token = next((one for one in tokens if one.id == wanted), None)
            return Asker(model, "api-token", account_id, token=token)
        return Asker("anonymous", shown)

    def _forge(self, record: AuditRecord) -> Asker:
        installation, version = self._installed(record)
        account_id = record.account_id
        if record.kind != "door":
            return Asker(
                "forge", "access-token", account_id, installation=installation, version=version
            )
        act_as = ACTS.get(record.act_as or "none", "none")
        return Asker(
            "forge",
            "access-token",
            None if act_as == "none" else account_id,
            installation=installation,
            version=version,
            act_as=act_as,
            invoker_id=self._invoker_id(record),
        )

    def _invoker_id(self, record: AuditRecord) -> str | None:
        """Return who invoked the function: whom it acts as, where it impersonates nobody."""
        if record.act_as == "user" and not record.detail.get("impersonated"):
            return record.account_id
        invocation = self._invocation(record.invocation_id)
        return None if invocation is None else invocation.account_id

    def _installed(self, record: AuditRecord) -> tuple[Installation | None, AppVersion | None]:
        store = self._firebrick.installations
        installation = (
            store.find(record.installation_id)
            if record.installation_id is not None
            else next(
                (one for one in store.list_active(record.cloud_id) if one.app_id == record.app_id),
                None,
            )
        )
        if installation is None:
            return None, None
        return installation, store.find_version(installation.version_id)

    def _since(self, record: AuditRecord, asker: Asker, question: Question) -> Notes:
        """Say where the same request would be decided otherwise now, as far as its path tells."""
        if record.rule.startswith(UNDECIDED):
            return ()
        now = self._explainer.foresee(asker, question)
        undecided = now.rule.startswith(UNDECIDED)
        if record.allowed and not now.allowed and not undecided:
            return (("Since then", f"it would be refused now, by {now.rule}: {now.reason}"),)
        if not record.allowed and (now.allowed or undecided) and not _anonymous(record):
            return (("Since then", "nothing that the path tells would refuse it now"),)
        return ()

    # --- who -------------------------------------------------------------------------------------

    def _who(self, record: AuditRecord) -> str:
        if self._invocation(record.invocation_id) is not None or record.kind in REQUESTS:
            return self._explainer.words.who(self._asker(record))
        account = None if record.account_id is None else self._name(record.account_id)
        what = KINDS.get(record.kind, record.kind)
        return f"{account or 'the command line'}: {what} of {self._subject(record)}"

    def _subject(self, record: AuditRecord) -> str:
        if record.model == "oauth" and record.app_id is not None:
            client = self._firebrick.oauth.clients.find(record.app_id)
            if client is not None:
                return f"the OAuth app {client.name}"
        return record.path or "an app"

    def _invocation_note(self, record: AuditRecord) -> Notes:
        invocation = self._invocation(record.invocation_id)
        if invocation is None:
            return ()
        by = "nobody" if invocation.account_id is None else self._name(invocation.account_id)
        return (("Invocation", f"{invocation.function}, invoked by {by}"),)

    def _invocation(self, invocation_id: str | None) -> InvocationRecord | None:
        if not invocation_id:
            return None
        if invocation_id not in self._invocations:
            found = self._firebrick.records.read(invocation_id=invocation_id)
            self._invocations[invocation_id] = found[0] if found else None
        return self._invocations[invocation_id]

    def _name(self, account_id: str) -> str:
        return self._firebrick.name_of(account_id)


def _anonymous(record: AuditRecord) -> bool:
    """Say whether it is unknown who was refused, so that nothing can be asked again."""
    return record.rule.startswith("credential.") and record.model in ("anonymous", "oauth")


def _dropped(record: AuditRecord) -> Notes:
    names = record.detail.get("dropped_headers")
    if record.kind == "remote" or not isinstance(names, list) or not names:
        return ()
    return (("Headers", f"did not cross: {', '.join(map(str, names))}"),)


def _outside_notes(record: AuditRecord) -> Notes:
    """Say what else is told of a call that leaves the machine, or of none."""
    if record.kind == "egress":
        return _admitted(record)
    if record.kind != "remote":
        return _dropped(record)
    told = [one for one in words_of_remote(record) if one[0] != "credential"]
    return tuple((label.capitalize(), words) for label, words in told)


def _admitted(record: AuditRecord) -> Notes:
    """Say what let a request outside pass: an entry of the manifest, or a customer's word."""
    for name, words in ADMITTED.items():
        if name in record.detail:
            return (("Admitted by", words.format(record.detail[name])),)
    return ()


def _credential(record: AuditRecord) -> str:
    if record.kind == "egress":
        return "none: nothing of the platform goes outside"
    told = words_of_remote(record) if record.kind == "remote" else ()
    return "; ".join(words for label, words in told if label == "credential")
