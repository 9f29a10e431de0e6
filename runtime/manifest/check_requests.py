"""REST calls of the sources, held against the scopes that the manifest declares."""

from collections.abc import Iterator

from runtime.manifest.calls import Request
from runtime.manifest.draft import SCOPE, Draft
from runtime.manifest.problems import OURS, Fix, Problem, listed, quoted
from runtime.manifest.scope_sets import SHOWN, ScopeNames, is_mixed, mixed_message, nearest_set
from runtime.manifest.sources import Source


def check_requests(
    draft: Draft, source: Source, requests: tuple[Request, ...]
) -> Iterator[Problem]:
    """Yield calls that the declared scopes do not cover, that are closed, or that are none."""
    if draft.operations is None:
        return
    for request in requests:
        sets = draft.operations(request.method, request.path)
        if sets:
            yield from _scopes(draft, source, request, sets)
        elif sets is not None:
            message = f"{_title(request)} is closed to apps."
            hint = "No scope opens it; it would be answered with 401."
            rule = OURS + "closed-operation"
            yield source.problem(request.start, rule, message, hint)
        elif request.is_fixed:
            message = f"{_title(request)} is no operation of Jira."
            hint = "It would be answered with 404."
            rule = OURS + "unknown-operation"
            yield source.problem(request.start, rule, message, hint, level="warning")


def _title(request: Request) -> str:
    return f"{request.method} {quoted(request.shown)}"


def _scopes(
    draft: Draft, source: Source, request: Request, sets: tuple[ScopeNames, ...]
) -> Iterator[Problem]:
    declared = draft.manifest.declared_scopes
    if any(names <= declared for names in sets):
        return
    if is_mixed(sets, declared):
        message, hint = mixed_message(_title(request), sets, declared)
        rule = OURS + "mixed-scopes"
        yield source.problem(request.start, rule, message, hint, level="warning")
    near = nearest_set(sets, declared)
    rule = SCOPE if request.is_literal else OURS + "operation-scope"
    for scope in sorted(near - declared):
        message = f"{_title(request)} needs the scope {quoted(scope)}."
        rest = (names - declared for names in sets if names != near)
        others = "; or ".join(listed(sorted(names), SHOWN) for names in rest)
        hint = f"Add `{scope}`" + (f", or in its place {others}." if others else ".")
        yield source.problem(request.start, rule, message, hint, fix=Fix("scope", scope))
