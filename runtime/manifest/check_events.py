"""Product events: which exist, which scopes they need, which filters they take."""

from collections.abc import Iterator

from runtime.manifest.draft import MODULE, SCOPE, Draft, ModuleNode
from runtime.manifest.nearest import nearest
from runtime.manifest.nodes import Node
from runtime.manifest.problems import OURS, Fix, Problem, listed, quoted
from runtime.manifest.scope_sets import SHOWN, is_mixed, mixed_message
from runtime.manifest.tables import event_scopes, other_events

_CHECKED_PREFIXES = ("avi:jira:", "avi:jira-software:", "avi:jsm-entity:", "avi:confluence:")
"""Families whose members are all listed; lifecycle events and those of apps are not."""


def check_events(draft: Draft) -> Iterator[Problem]:
    """Yield events that do not exist, lack a scope, or carry a filter they do not take."""
    for module in draft.modules:
        if module.type == "trigger":
            for event in _events(module):
                yield from _known(draft, event)
                yield from missing_event_scopes(draft, event)
            yield from _ignore_self(draft, module)


def _events(module: ModuleNode) -> Iterator[Node]:
    events = module.node.get("events")
    for item in events.items if events else ():
        name = item if item.text is not None else item.get("eventType")
        if name is not None and name.text is not None:
            yield name


def _known(draft: Draft, event: Node) -> Iterator[Problem]:
    name = event.text or ""
    known = event_scopes().keys() | other_events()
    if name in known or not name.startswith(_CHECKED_PREFIXES):
        return
    near = nearest(name, sorted(known))
    message = f"{quoted(name)} is no product event, so the trigger never runs."
    hint = f"Nearest: {listed(near)}." if near else ""
    yield draft.problem(event.position, OURS + "unknown-event", message, hint, level="warning")


def missing_event_scopes(draft: Draft, event: Node) -> Iterator[Problem]:
    """Yield the scopes that an app lacks to receive an event.

    One whole set suffices, the classic or the granular one; a mixture of halves does not. What is
    reported are the missing members of the classic set.
    """
    sets = event_scopes().get(event.text or "", {})
    declared = draft.manifest.declared_scopes
    if any(names and names <= declared for names in sets.values()):
        return
    if is_mixed(sets.values(), declared):
        message, hint = mixed_message(f"The event {quoted(event.text)}", sets.values(), declared)
        rule = OURS + "mixed-scopes"
        yield draft.problem(event.position, rule, message, hint, level="warning")
    for scope in sorted(sets.get("classic", frozenset()) - declared):
        message = f"The event {quoted(event.text)} needs the scope {quoted(scope)}."
        granular = sorted(sets.get("granular", frozenset()) - declared)
        other = f" Or declare all of {listed(granular, SHOWN)}." if granular else ""
        hint = f"Add `{scope}` under `permissions.scopes`.{other}"
        yield draft.problem(event.position, SCOPE, message, hint, fix=Fix("scope", scope))


def _ignore_self(draft: Draft, module: ModuleNode) -> Iterator[Problem]:
    found = module.node.get("filter", "ignoreSelf")
    if found is None:
        return
    others = [e for e in _events(module) if not (e.text or "").startswith("avi:jira")]
    for event in others[:1]:
        message = f"{module.title}: `ignoreSelf` works only with Jira events."
        hint = f"{quoted(event.text)} is none."
        yield draft.problem(module.node.at("filter", "ignoreSelf"), MODULE, message, hint)
