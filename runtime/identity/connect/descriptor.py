"""The app descriptor, ``atlassian-connect.json``: read into a value, or a list of located problems.

Source:
    Connect documentation, "App descriptor".

Differs:
    ``baseUrl`` may be ``http``, on any port, where the host is the machine itself: the platform
    takes only ``https``. For modules see `module_rules`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from runtime.errors import ManifestError
from runtime.identity.connect.descriptor_rules import DescriptorProblem, check
from runtime.identity.connect.positions import (
    JsonFaultError,
    Located,
    Value,
    line_and_column,
    read_json,
)

JsonObject: TypeAlias = "Mapping[str, Value]"


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a descriptor.

    Attributes:
        type: Such as ``generalPages``.
        key: Its key; empty where it has none, as webhooks.
        fields: Its members as they stand.
    """

    type: str
    key: str
    fields: JsonObject

    @property
    def url(self) -> str:
        """Return its ``url``, or the empty text."""
        value = self.fields.get("url")
        return value if isinstance(value, str) else ""

    @property
    def name(self) -> str:
        """Return its name for people, or its key."""
        value = self.fields.get("name")
        if isinstance(value, dict):
            value = value.get("value")
        return value if isinstance(value, str) and value else self.key


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A valid descriptor.

    Attributes:
        key: The app's key; what it signs its tokens as (``iss``).
        name: Name for people; the key where it has none.
        base_url: Where the app is, without a slash at the end.
        uses_jwt: Its ``authentication`` is ``jwt``; otherwise it may ask nothing.
        lifecycle: Paths below `base_url`, by event.
        scopes: Names in upper case.
        modules: All modules, in order.
        licensing: It is a paid app (``enableLicensing``).
        text: What it was read from.
    """

    key: str
    name: str
    base_url: str
    uses_jwt: bool
    lifecycle: Mapping[str, str]
    scopes: frozenset[str]
    modules: tuple[Module, ...]
    licensing: bool
    text: str

    def find_module(self, key: str) -> Module | None:
        """Return the module with that key, or None."""
        return next((module for module in self.modules if module.key == key != ""), None)

    def modules_of(self, kind: str) -> tuple[Module, ...]:
        """Return the modules of one type."""
        return tuple(module for module in self.modules if module.type == kind)

    @property
    def origin(self) -> str:
        """Return scheme, host and port of the app."""
        return origin_of(self.base_url)


def read_descriptor(text: str, source: str = "atlassian-connect.json") -> Descriptor:
    """Read a descriptor.

    Args:
        text: The JSON text.
        source: Its file or URL, for messages.

    Raises:
        ManifestError: ``BAD_DESCRIPTOR`` with every problem as ``source:line:column: message``.
    """
    try:
        located = read_json(text.removeprefix("\ufeff"))
    except JsonFaultError as error:
        line, column = line_and_column(text, error.at)
        raise _bad(source, (DescriptorProblem(line, column, str(error)),)) from error
    problems = tuple(check(located))
    if problems:
        raise _bad(source, problems)
    return _build(located)


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, as a browser writes an origin."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def modules_from(value: object) -> tuple[Module, ...]:
    """Return the modules of a ``modules`` object that has been checked."""
    found: list[Module] = []
    for kind, entry in value.items() if isinstance(value, dict) else ():
        for fields in entry if isinstance(entry, list) else [entry]:
            key = fields.get("key", "")
            found.append(Module(kind, key if isinstance(key, str) else "", fields))
    return tuple(found)


def _bad(source: str, problems: tuple[DescriptorProblem, ...]) -> ManifestError:
    lines = [f"{source}:{one.line}:{one.column}: {one.message}" for one in problems]
    return ManifestError("BAD_DESCRIPTOR", "\n".join(lines))


def _build(located: Located) -> Descriptor:
    root = _object(located.value)
    key, name, scopes = str(root["key"]), root.get("name"), root.get("scopes")
    return Descriptor(
        key=key,
        name=name if isinstance(name, str) and name else key,
        base_url=str(root["baseUrl"]).rstrip("/"),
        uses_jwt=_object(root["authentication"])["type"] == "jwt",
        lifecycle={event: str(path) for event, path in _object(root.get("lifecycle")).items()},
        scopes=frozenset(str(scope).upper() for scope in scopes)
        if isinstance(scopes, list)
        else frozenset(),
        modules=modules_from(root.get("modules", {})),
        licensing=root.get("enableLicensing") is True,
        text=located.text,
    )


def _object(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}
