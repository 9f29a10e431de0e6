"""What the sources use must be declared: egress, remotes, storage, and the scopes of REST calls.

Calls are read off the tokens of ``src/``. What is computed at run time is not seen; the gateway
decides on every call anyway, so this check only says early what would be refused late.
"""

import re
from collections.abc import Iterator

from runtime.manifest.calls import Request, beginning, requests_of, text_value
from runtime.manifest.draft import EGRESS, SCOPE, Draft
from runtime.manifest.model import EgressAddress
from runtime.manifest.problems import OURS, Fix, Level, Problem, listed, quoted
from runtime.manifest.sources import Call, Source, calls_of, read_sources

MODULES_RULE = "https://developer.atlassian.com/platform/forge/manifest-reference/#modules"
"""The platform names this rule by the page that explains it."""

_PACKAGES = {
    "@forge/sql": "sql",
    "@forge/object-store": "objectStore",
    "@forge/llm": "llm",
}
_STORAGE_SCOPE = "storage:app"
_REMOTE_CALLS = frozenset({"invokeRemote", "requestRemote"})
_URL = re.compile(r"(https?|wss?)://([^/?#\\]+)", re.IGNORECASE)


def check_code(draft: Draft) -> Iterator[Problem]:
    """Yield what the sources use without the manifest declaring it."""
    for source in read_sources(draft.files) if draft.files else ():
        calls = tuple(calls_of(source))
        yield from _packages(draft, source)
        yield from _storage(draft, source)
        yield from _fetches(draft, source, calls)
        yield from _remotes(draft, source, calls)
        yield from _requests(draft, source, calls)
        yield from _unchecked_as_app(source, calls)


def _problem(
    source: Source,
    start: int,
    rule: str,
    message: str,
    hint: str,
    *,
    level: Level = "error",
    fix: Fix | None = None,
) -> Problem:
    place = source.place(start)
    return Problem(source.path, place.line, place.column, level, rule, message, hint, fix)


def _packages(draft: Draft, source: Source) -> Iterator[Problem]:
    for package, module_type in _PACKAGES.items():
        found = next((one for one in source.imports if one.package == package), None)
        if found and not draft.by_key(module_type):
            message = f"`{package}` is used, but the manifest has no `{module_type}` module."
            hint = f"Add `{module_type}:` under `modules`."
            fix = Fix("module", module_type)
            yield _problem(source, found.start, MODULES_RULE, message, hint, fix=fix)


def _storage(draft: Draft, source: Source) -> Iterator[Problem]:
    allowed = _STORAGE_SCOPE in draft.manifest.declared_scopes
    hint = f"Add `{_STORAGE_SCOPE}` under `permissions.scopes`."
    fix = Fix("scope", _STORAGE_SCOPE)
    legacy = next((i for i in source.imported("@forge/api").values() if i.name == "storage"), None)
    if legacy:
        message = "`storage` of `@forge/api` is deprecated."
        rule, move = "deprecated-api-storage", "Use `@forge/kvs`."
        yield _problem(source, legacy.start, rule, message, move, level="warning")
        if not allowed:
            message = f"`storage` needs the scope `{_STORAGE_SCOPE}`."
            yield _problem(source, legacy.start, SCOPE, message, hint, fix=fix)
    modern = next(iter(source.imported("@forge/kvs").values()), None)
    if modern and not allowed:
        message = f"`@forge/kvs` needs the scope `{_STORAGE_SCOPE}`."
        rule = OURS + "storage-scope"
        yield _problem(source, modern.start, rule, message, hint, level="warning", fix=fix)


def _fetches(draft: Draft, source: Source, calls: tuple[Call, ...]) -> Iterator[Problem]:
    for call in calls:
        if call.name != "fetch" or call.chain not in ((), ("api",), ("globalThis",)):
            continue
        url = _fixed_host(call, source)
        if url is None or allows(draft.manifest.permissions.external.fetch_backend, url.group()):
            continue
        message = f"The host of {quoted(url.group())} is not in `permissions.external.fetch`."
        hint = f"Add `- address: {url.group()}` under `permissions.external.fetch.backend`."
        fix = Fix("egress", url.group())
        yield _problem(source, call.start, EGRESS, message, hint, fix=fix)


def _fixed_host(call: Call, source: Source) -> re.Match[str] | None:
    """Return scheme and host of a fetched URL, if they are the same in every run."""
    text = beginning(call.arguments[0], source.constants) if call.arguments else None
    url = _URL.match(text) if text else None
    return url if url and "${" not in url.group() else None


def allows(addresses: tuple[EgressAddress, ...], url: str) -> bool:
    """Return whether declared addresses let functions reach a URL's host.

    Only a pattern that begins with ``*`` matches more than one host. A guess for authors: the
    policy room decides at run time, and more strictly.
    """
    found = _URL.match(url)
    return found is not None and any(_admits(one.address, found) for one in addresses)


def _admits(address: str, url: re.Match[str]) -> bool:
    if address == "*":
        return True
    scheme, colon, rest = address.partition("://")
    host = (rest if colon else address).partition("/")[0].lower()
    wanted_scheme, wanted_host = url.group(1).lower(), url.group(2).lower()
    if wanted_scheme != (scheme.lower() if colon else "https"):
        return False
    return wanted_host == host or (host.startswith("*") and wanted_host.endswith(host[1:]))


def _remotes(draft: Draft, source: Source, calls: tuple[Call, ...]) -> Iterator[Problem]:
    for call in calls:
        if call.name not in _REMOTE_CALLS or not call.arguments:
            continue
        key = text_value(call.arguments[0], source.constants)
        remote = draft.manifest.remotes.get(key or "")
        if key and remote is None:
            message = f"There is no remote {quoted(key)} under `remotes`."
            hint = f"Declared: {listed(draft.manifest.remotes) or 'none'}."
            yield _problem(source, call.start, "missing-remote-key", message, hint)
        elif remote and "compute" not in remote.operations:
            message = f"The remote {quoted(key)} is called, but is not declared for `compute`."
            hint = "Add `compute` to its `operations`."
            yield _problem(source, call.start, "missing-remote-compute", message, hint)


def _requests(draft: Draft, source: Source, calls: tuple[Call, ...]) -> Iterator[Problem]:
    if draft.operations is None:
        return
    for request in requests_of(source, calls):
        sets = draft.operations(request.method, request.path)
        if sets:
            yield from _scopes(draft, source, request, sets)
        elif sets is not None:
            message = f"{request.method} {quoted(request.shown)} is closed to apps."
            hint = "No scope opens it; it would be answered with 401."
            yield _problem(source, request.start, OURS + "closed-operation", message, hint)
        elif request.is_fixed:
            message = f"{request.method} {quoted(request.shown)} is no operation of Jira."
            hint = "It would be answered with 404."
            rule = OURS + "unknown-operation"
            yield _problem(source, request.start, rule, message, hint, level="warning")


def _scopes(
    draft: Draft, source: Source, request: Request, sets: tuple[frozenset[str], ...]
) -> Iterator[Problem]:
    declared = draft.manifest.declared_scopes
    if any(names <= declared for names in sets):
        return
    rule = SCOPE if request.is_literal else OURS + "operation-scope"
    for scope in sorted(sets[0] - declared):
        message = f"{request.method} {quoted(request.shown)} needs the scope {quoted(scope)}."
        others = "; or ".join(listed(sorted(names), 20) for names in sets[1:])
        hint = f"Add `{scope}`" + (f", or in its place {others}." if others else ".")
        yield _problem(source, request.start, rule, message, hint, fix=Fix("scope", scope))


_CHECKS_PERMISSIONS = frozenset({"authorize", "asUser"})
_PERMISSION_PATHS = ("/mypermissions", "/permissions/check")


def _unchecked_as_app(source: Source, calls: tuple[Call, ...]) -> Iterator[Problem]:
    """Warn where a resolver acts as the app and nothing in its file looks at the user's rights."""
    defines = any(call.name == "define" and call.chain for call in calls)
    as_app = next((call for call in calls if call.name == "asApp"), None)
    checks = any(call.name in _CHECKS_PERMISSIONS for call in calls)
    if not defines or as_app is None or checks:
        return
    if any(path in source.text for path in _PERMISSION_PATHS):
        return
    message = "A resolver calls `asApp()` and nothing here asks what the user may do."
    hint = (
        "`asApp()` has the app's rights, not the viewer's, and any viewer can call a resolver: "
        "use `asUser()`, or `authorize()` first."
    )
    yield _problem(source, as_app.start, OURS + "as-app-unchecked", message, hint, level="warning")
