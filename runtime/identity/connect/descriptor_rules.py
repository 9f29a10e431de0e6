"""What a descriptor must be; each rule yields problems with their place."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from runtime.identity.connect.module_rules import Faults, has_dots, module_faults, path_fault
from runtime.identity.connect.positions import Located, Path, Value

KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")
AUTHENTICATIONS = ("jwt", "none")
EVENTS = ("installed", "enabled", "disabled", "uninstalled")
SCOPES = frozenset(
    {"NONE", "READ", "WRITE", "DELETE", "PROJECT_ADMIN", "ADMIN", "ACT_AS_USER",
     "ACCESS_EMAIL_ADDRESSES"}
)  # fmt: skip
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class DescriptorProblem:
    """One thing wrong with a descriptor, at a line and column from 1."""

    line: int
    column: int
    message: str


def check(located: Located) -> Iterator[DescriptorProblem]:
    """Yield everything that is wrong with a descriptor, in the order of the rules."""
    root = located.value
    if not isinstance(root, dict):
        yield _problem(located, (), "A descriptor is a JSON object.")
        return
    for rule in (_key, _base_url, _authentication, _lifecycle, _scopes, _modules, _others):
        for path, message in rule(root):
            yield _problem(located, path, message)


def is_loopback_host(host: str) -> bool:
    """Return whether a host name or address is the machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _problem(located: Located, path: Path, message: str) -> DescriptorProblem:
    return DescriptorProblem(*located.place(path), message)


def _key(root: dict[str, Value]) -> Faults:
    value = root.get("key")
    if not isinstance(value, str) or not KEY.fullmatch(value):
        yield (
            ("key",),
            "`key` is required: 1 to 64 of the characters A-Z, a-z, 0-9, '.', '_' and '-'.",
        )


def _base_url(root: dict[str, Value]) -> Faults:
    value = root.get("baseUrl")
    fault = "is required" if not isinstance(value, str) else url_fault(value)
    if fault:
        yield ("baseUrl",), f"`baseUrl` {fault}."


def url_fault(url: str) -> str | None:
    """Return what keeps a text from being the base of an app, or None."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no URL"
    host = parts.hostname or ""
    if _UNSAFE.search(url) or not host or "@" in parts.netloc:
        return "must be an absolute URL without blanks, backslashes and user names"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_host(host)):
        return "must begin with https:// (http:// is for this machine alone)"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return "must have no query and no fragment"
    if "//" in parts.path or has_dots(parts.path):
        return "must not have an empty, '.' or '..' segment"
    return None


def _authentication(root: dict[str, Value]) -> Faults:
    value = root.get("authentication")
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in AUTHENTICATIONS:
        yield ("authentication", "type"), "`authentication.type` is required: jwt or none."
    lifecycle = root.get("lifecycle")
    if kind == "jwt" and not (isinstance(lifecycle, dict) and "installed" in lifecycle):
        yield (
            ("authentication",),
            "Authentication by jwt needs `lifecycle.installed`, where the secret is sent.",
        )


def _lifecycle(root: dict[str, Value]) -> Faults:
    value = root.get("lifecycle", {})
    if not isinstance(value, dict):
        yield ("lifecycle",), "`lifecycle` must be an object."
        return
    for name, path in value.items():
        if name not in EVENTS:
            yield ("lifecycle", name), f"`lifecycle` knows {', '.join(EVENTS)}, not `{name}`."
        elif not isinstance(path, str):
            yield ("lifecycle", name), f"`lifecycle.{name}` must be a text."
        elif fault := path_fault(path):
            yield ("lifecycle", name), f"`lifecycle.{name}` {fault}."


def _scopes(root: dict[str, Value]) -> Faults:
    value = root.get("scopes", [])
    if not isinstance(value, list):
        yield ("scopes",), "`scopes` must be a list."
        return
    texts = [scope for scope in value if isinstance(scope, str)]
    if not (all(one.isupper() for one in texts) or all(one.islower() for one in texts)):
        yield ("scopes",), "`scopes` must be all in upper case, or all in lower case."
    for at, scope in enumerate(value):
        if not isinstance(scope, str) or scope.upper() not in SCOPES:
            yield ("scopes", at), f"There is no such scope; known are {', '.join(sorted(SCOPES))}."


def _modules(root: dict[str, Value]) -> Faults:
    value = root.get("modules", {})
    if not isinstance(value, dict):
        yield ("modules",), "`modules` must be an object."
        return
    yield from module_faults(value)


def _others(root: dict[str, Value]) -> Faults:
    for name, kinds, words in (
        ("name", str, "a text"),
        ("description", str, "a text"),
        ("vendor", dict, "an object"),
        ("links", dict, "an object"),
        ("apiMigrations", dict, "an object"),
        ("translations", dict, "an object"),
        ("regionBaseUrls", dict, "an object"),
        ("enableLicensing", bool, "true or false"),
    ):
        if name in root and not isinstance(root[name], kinds):
            yield (name,), f"`{name}` must be {words}."
    version = root.get("apiVersion", 1)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        yield ("apiVersion",), "`apiVersion` must be a whole number from 1."
