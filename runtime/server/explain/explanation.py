"""One decision in words: the same for a question before the fact and a record after it.

Whoever asks, by whichever security model, is told the same way: who, by which credential, acting as
whom, which scopes are needed and held, which permission is needed and who grants it, the verdict,
its rule and its source.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from runtime.jira.explain import PermissionFact
from runtime.policy.scopes import SHOWN_IN_FULL

Verdict = Literal["allowed", "refused"]
LABEL_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked.

    Attributes:
        method: HTTP method; empty where the decision is about no request.
        path: The path as asked.
        operation: Key of the operation; None if nothing resolves.
        template: Its path template.
        served: Whether a handler exists; without one the answer is 501.
    """

    method: str
    path: str
    operation: str | None = None
    template: str = ""
    served: bool = False


@dataclass(frozen=True, slots=True)
class Scopes:
    """Which scopes are needed and held.

    Attributes:
        needed: Alternatives, of which one whole set is needed; none: closed to such credentials.
        held: What the credential could do; None where it has no scopes and none are asked for.
        lacking: What the nearest alternative lacks.
    """

    needed: tuple[tuple[str, ...], ...] = ()
    held: tuple[str, ...] | None = None
    lacking: tuple[str, ...] = ()


NO_SCOPES = Scopes()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision explained.

    Attributes:
        asked: What was asked.
        who: Who asks: an app, a person, nobody.
        credential: By which credential.
        acting_as: Whose permissions count.
        scopes: Which scopes are needed and held.
        permissions: Each permission that the operation's documentation names, whether whoever is
            acted as holds it, and who holds it here, how. They are told as of now.
        resource: What of the site the path names, and whether it exists for whoever is acted as.
        verdict: What was decided.
        status: HTTP status of the answer; None without one.
        rule: The deciding rule.
        reason: Why, and who could change it.
        source: Where the rule comes from.
        notes: What else is to be told, each with its label.
    """

    asked: Asked
    who: str
    verdict: Verdict
    rule: str
    credential: str = ""
    acting_as: str = ""
    scopes: Scopes = NO_SCOPES
    permissions: tuple[PermissionFact, ...] = ()
    resource: str = ""
    status: int | None = None
    reason: str = ""
    source: str = ""
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def is_request(self) -> bool:
        """Whether the decision is about a request to the product."""
        return bool(self.asked.method and self.acting_as)


def as_json(told: Explanation) -> dict[str, object]:
    """Return an explanation as JSON values."""
    return {
        "method": told.asked.method,
        "path": told.asked.path,
        "operation": told.asked.operation,
        "template": told.asked.template,
        "served": told.asked.served,
        "who": told.who,
        "credential": told.credential,
        "acting_as": told.acting_as,
        "scopes": {
            "needed": [list(names) for names in told.scopes.needed],
            "held": None if told.scopes.held is None else list(told.scopes.held),
            "lacking": list(told.scopes.lacking),
        },
        "permissions": [_fact(fact) for fact in told.permissions],
        "resource": told.resource,
        "verdict": told.verdict,
        "status": told.status,
        "rule": told.rule,
        "reason": told.reason,
        "source": told.source,
        "notes": [list(note) for note in told.notes],
    }


def as_text(told: Explanation) -> Iterator[tuple[str, str]]:
    """Yield the lines of an explanation: label and words; an empty label goes on."""
    yield "Who", told.who
    yield "Credential", told.credential
    yield "Acting as", told.acting_as
    if told.is_request:
        yield "Operation", _operation(told.asked)
    if told.asked.operation is not None:
        yield from _scopes(told.scopes)
    yield "Resource", told.resource
    for fact in told.permissions:
        yield "Permission", _permission(fact, told.acting_as)
        for way in fact.ways:
            yield "", f"{way.label}: {', '.join(way.handles) or 'nobody'}"
    yield from told.notes
    yield "Verdict", told.verdict if told.status is None else f"{told.verdict}, {told.status}"
    yield "Rule", told.rule
    yield "Reason", told.reason
    yield "Source", told.source


def text_lines(told: Explanation) -> Iterator[tuple[str, str]]:
    """Yield the lines as they are shown, each with the label it belongs to."""
    label = ""
    for name, words in as_text(told):
        label = name or label
        if words:
            yield label, f"{name:<{LABEL_CHARACTERS}}{words}"


def _operation(asked: Asked) -> str:
    if asked.operation is None:
        return "none has this method and path"
    served = "" if asked.served else "; not emulated: answers 501"
    return f"{asked.operation} ({asked.method} {asked.template}){served}"


def _scopes(scopes: Scopes) -> Iterator[tuple[str, str]]:
    needed = " or ".join(_listed(names) for names in scopes.needed)
    yield "Scopes", f"needed: {needed or 'closed to such credentials'}"
    if scopes.held is None:
        yield "", "held: the credential has none, and none are asked of it"
        return
    yield "", f"held: {', '.join(scopes.held) or 'none'}"
    if scopes.lacking:
        yield "", f"lacking: {', '.join(scopes.lacking)}"


def _listed(names: tuple[str, ...]) -> str:
    if not names:
        return "[none]"
    if len(names) > SHOWN_IN_FULL:
        return f"{len(names)} scopes of another set"
    return f"[{', '.join(names)}]"


def _permission(fact: PermissionFact, who: str) -> str:
    name = who.partition(",")[0]
    held = "holds it" if fact.held else "does not hold it"
    granted = "granted by" if fact.ways else "granted by nothing in this world"
    return f"{fact.key} ({fact.name}): {name} {held}; {granted}"


def _fact(fact: PermissionFact) -> dict[str, object]:
    return {
        "key": fact.key,
        "name": fact.name,
        "held": fact.held,
        "granted_by": [{"way": way.label, "who": list(way.handles)} for way in fact.ways],
    }
