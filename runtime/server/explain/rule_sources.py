"""Where each rule comes from: the page whose behaviour it copies, or the emulator's own wall."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

REST = "Jira Cloud REST API v3"
OWN = "the emulator's own rule, docs/rules.md"

SOURCES: Mapping[str, str] = {
    "allowed": "{rest}, the scopes and the permissions that {operation} requires",
    "path.*": "the emulator's own wall: one canonical path is decided on and sent",
    "header.*": "Forge API reference, requestJira: which headers cross",
    "method.*": "Forge API reference, requestJira; Fetch standard",
    "body.*": "Fetch standard: no body with GET or HEAD",
    "remote.endpoint*": "Forge documentation, \"Customer-managed egress and remotes\"",
    "remote.unconfigured": "Forge documentation, \"Customer-managed egress and remotes\"",
    "remote.*": "Forge documentation, \"Forge Remote\"",
    "egress.group*": "Forge documentation, \"Customer-managed egress and remotes\"",
    "egress.domain*": "Forge documentation, \"Customer-managed egress and remotes\"",
    "egress.customer": "Forge documentation, \"Customer-managed egress and remotes\"",
    "egress.*": "Forge manifest reference, \"Permissions\": external.fetch",
    "operation.unknown": "{rest}, the list of operations",
    "operation.closed": "{rest}, {operation}: {scopes}",
    "operation.*": "{rest}, the list of operations",
    "scope.ungranted": "Forge manifest reference, \"Permissions\"; {rest}, {operation}: {scopes}",
    "scope.*": "{rest}, {operation}: {scopes}",
    "permission.product-access": "Jira administrator's guide, product access",
    "permission.*": "{rest}, {operation}: \"Permissions required\"",
    "entity.*": "{rest}, {operation}: \"Permissions required\"; hidden and missing answer alike",
    "caller.*": "{rest}, {operation}: \"Permissions required\", anonymous access",
    "workflow.*": "Jira administrator's guide, transitions and their conditions",
    "request.xsrf*": "Atlassian security documentation, XSRF and X-Atlassian-Token",
    "request.*": "{rest}, {operation}: request",
    "app-access.*": "Data security policy developer guide, app access rules",
    "act.*": "Forge API reference, asUser and asApp; manifest reference, allowImpersonation",
    "consent.*": "Forge documentation, user consent",
    "installation.*": "Forge documentation, \"Distribute your apps\": installations",
    "credential.jwt*": "Connect documentation, \"Understanding JWT\"",
    "credential.session-token": "Connect documentation, \"User impersonation for Connect apps\"",
    "credential.assertion": "Connect documentation, \"User impersonation for Connect apps\"",
    "credential.password": "Basic auth for REST APIs",
    "credential.locked": "Basic auth for REST APIs: CAPTCHA and lock-out",
    "credential.inactive*": "Jira administrator's guide, deactivated accounts",
    "credential.app-blocked": "Administrator's guide, user-installed apps",
    "credential.app-private": "OAuth 2.0 (3LO) apps, \"Distribute your app\"",
    "credential.site-not-granted": "OAuth 2.0 (3LO) apps, \"Make calls to the API\": cloudid",
    "credential.too-large": "OAuth 2.0 (3LO) apps: scopes that a token can carry",
    "credential.proxy*": "Forge Containers reference, API contract",
    "credential.authorize*": "OAuth 2.0 (3LO) apps; RFC 6749 section 4.1",
    "credential.token*": "OAuth 2.0 (3LO) apps; RFC 6749 section 5",
    "credential.*": "probes of the real service, host and scheme",
    "site.*": "OAuth 2.0 (3LO) apps, \"Make calls to the API\": cloudid",
    "app.*": "life of apps on a site: Forge and Connect documentation",
    "invocation.*": "Forge documentation, invocation limits",
}  # fmt: skip
"""By rule, or by how it begins, with a star; the longest that fits counts."""


def source_of(rule: str, operation: str | None, model: str = "") -> str:
    """Return where a rule comes from.

    Args:
        rule: Its name.
        operation: The operation it was applied to; None if there is none.
        model: The security model: each has its own list of scopes.
    """
    fitting = [known for known in SOURCES if fnmatchcase(rule, known)]
    found = SOURCES[max(fitting, key=len)] if fitting else OWN
    scopes = "Connect app scope" if model == "connect" else "OAuth 2.0 scopes"
    return found.format(
        rest=REST, operation=operation or "the operation", scopes=f'"{scopes} required"'
    )
