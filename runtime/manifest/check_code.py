"""What the sources use must be declared: egress, remotes, storage, and the scopes of REST calls.

Calls are read off the tokens of ``src/``. What is computed at run time is not seen; the gateway
decides on every call anyway, so this check only says early what would be refused late.
"""

import re
from collections.abc import Iterator

from runtime.manifest.calls import beginning, requests_of, text_value
from runtime.manifest.check_as_app import check_as_app
from runtime.manifest.check_requests import check_requests
from runtime.manifest.draft import EGRESS, SCOPE, Draft
from runtime.manifest.model import EgressAddress
from runtime.manifest.problems import OURS, Fix, Problem, listed, quoted
from runtime.manifest.scope_use import STORAGE_SCOPE, ScopeUse
from runtime.manifest.sources import Call, Source, Sources, calls_of

MODULES_RULE = "https://developer.atlassian.com/platform/forge/manifest-reference/#modules"
"""The platform names this rule by the page that explains it."""

_PACKAGES = {
    "@forge/sql": "sql",
    "@forge/object-store": "objectStore",
    "@forge/llm": "llm",
}
_REMOTE_CALLS = frozenset({"invokeRemote", "requestRemote"})
_URL = re.compile(r"(https?|wss?)://([^/?#\\]+)", re.IGNORECASE)


def check_code(draft: Draft) -> Iterator[Problem]:
    """Yield what the sources use without the manifest declaring it, and scopes they do not use."""
    if draft.files is None:
        return
    sources, use = Sources(draft.files), ScopeUse(draft)
    for source in sources:
        calls = tuple(calls_of(source))
        requests = tuple(requests_of(source, calls))
        yield from _packages(draft, source)
        yield from _storage(draft, source)
        yield from _fetches(draft, source, calls)
        yield from _remotes(draft, source, calls)
        yield from check_requests(draft, source, requests)
        yield from check_as_app(source)
        use.add(source, calls, requests)
    yield from use.problems(is_complete=sources.is_complete)


def _packages(draft: Draft, source: Source) -> Iterator[Problem]:
    for package, module_type in _PACKAGES.items():
        found = next((one for one in source.imports if one.package == package), None)
        if found and not draft.by_key(module_type):
            message = f"`{package}` is used, but the manifest has no `{module_type}` module."
            hint = f"Add `{module_type}:` under `modules`."
            fix = Fix("module", module_type)
            yield source.problem(found.start, MODULES_RULE, message, hint, fix=fix)


def _storage(draft: Draft, source: Source) -> Iterator[Problem]:
    allowed = STORAGE_SCOPE in draft.manifest.declared_scopes
    hint = f"Add `{STORAGE_SCOPE}` under `permissions.scopes`."
    fix = Fix("scope", STORAGE_SCOPE)
    legacy = next((i for i in source.imported("@forge/api").values() if i.name == "storage"), None)
    if legacy:
        message = "`storage` of `@forge/api` is deprecated."
        rule, move = "deprecated-api-storage", "Use `@forge/kvs`."
        yield source.problem(legacy.start, rule, message, move, level="warning")
        if not allowed:
            message = f"`storage` needs the scope `{STORAGE_SCOPE}`."
            yield source.problem(legacy.start, SCOPE, message, hint, fix=fix)
    modern = next(iter(source.imported("@forge/kvs").values()), None)
    if modern and not allowed:
        message = f"`@forge/kvs` needs the scope `{STORAGE_SCOPE}`."
        rule = OURS + "storage-scope"
        yield source.problem(modern.start, rule, message, hint, level="warning", fix=fix)


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
        yield source.problem(call.start, EGRESS, message, hint, fix=fix)


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
            yield source.problem(call.start, "missing-remote-key", message, hint)
        elif remote and "compute" not in remote.operations:
            message = f"The remote {quoted(key)} is called, but is not declared for `compute`."
            hint = "Add `compute` to its `operations`."
            yield source.problem(call.start, "missing-remote-compute", message, hint)
