"""The frozen `Manifest`: what an app declares, as the other rooms read it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from runtime.manifest.nodes import START, Plain, to_json
from runtime.manifest.problems import Position

NO_PLAIN: Mapping[str, Plain] = MappingProxyType({})
EGRESS_KINDS = ("fonts", "frames", "images", "media", "scripts", "styles", "navigation")
"""Keys of ``permissions.external`` beside ``fetch``."""


@dataclass(frozen=True, slots=True)
class DeclaredScope:
    """A scope of ``permissions.scopes``; `allow_impersonation` permits ``asUser(accountId)``."""

    name: str
    allow_impersonation: bool = False


@dataclass(frozen=True, slots=True)
class EgressAddress:
    """One external address that the app declares.

    Attributes:
        address: As written: a URL, a host, or a pattern such as ``*.example.com``.
        category: ``analytics`` if an administrator may switch it off; else None.
        in_scope_eud: Whether end-user data goes there; None if not said.
        remote: Key of the remote whose base URL this is; None for a plain address.
    """

    address: str
    category: str | None = None
    in_scope_eud: bool | None = None
    remote: str | None = None


@dataclass(frozen=True, slots=True)
class External:
    """``permissions.external``: where the app's functions and pages may reach.

    Attributes:
        fetch_backend: Addresses for functions; a remote stands with each of its base URLs.
        fetch_client: Addresses for pages in the browser.
        others: Addresses by kind, one entry for each of `EGRESS_KINDS`.
    """

    fetch_backend: tuple[EgressAddress, ...] = ()
    fetch_client: tuple[EgressAddress, ...] = ()
    others: Mapping[str, tuple[EgressAddress, ...]] = field(
        default_factory=lambda: MappingProxyType(dict.fromkeys(EGRESS_KINDS, ()))
    )

    @property
    def images(self) -> tuple[EgressAddress, ...]:
        """Addresses that pages may load images from."""
        return self.others["images"]

    def addresses(self) -> tuple[EgressAddress, ...]:
        """Return every address once, in the order of the manifest."""
        of_pages = (one for group in self.others.values() for one in group)
        return tuple(dict.fromkeys((*self.fetch_backend, *self.fetch_client, *of_pages)))


@dataclass(frozen=True, slots=True)
class Permissions:
    """The ``permissions`` section.

    Attributes:
        scopes: Declared scopes in the order of the manifest.
        external: Declared egress.
        content_scripts: Extra sources for the script part of the content security policy.
        content_styles: The same for styles.
        enforcement: ``app-managed``, or None.
    """

    scopes: tuple[DeclaredScope, ...] = ()
    external: External = External()
    content_scripts: tuple[str, ...] = ()
    content_styles: tuple[str, ...] = ()
    enforcement: str | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """One entry under ``modules``.

    Attributes:
        type: Its type, such as ``jira:issuePanel``.
        key: Its key, unique in the manifest.
        properties: Everything it says, its key included, as frozen plain values.
        position: Where it stands; the start of the file in a manifest that was not read from one.
    """

    type: str
    key: str
    properties: Mapping[str, Plain]
    position: Position = field(default=START, compare=False)


@dataclass(frozen=True, slots=True)
class Function:
    """A ``function`` module.

    Attributes:
        key: What other modules name it by.
        handler: As written, such as ``lib/index.run``.
        module: The source file below ``src/`` without its ending, such as ``lib/index``.
        export: The exported name that is called.
        timeout_s: Declared ``timeoutSeconds``; None leaves the platform's limit.
        memory_mb: Declared memory in MiB; None leaves the app's.
        position: Where it stands.
    """

    key: str
    handler: str
    module: str
    export: str
    timeout_s: float | None = None
    memory_mb: float | None = None
    position: Position = field(default=START, compare=False)


@dataclass(frozen=True, slots=True)
class Resource:
    """An entry of ``resources``: a folder (Custom UI) or a file (UI Kit).

    Attributes:
        key: What modules name it by.
        path: Relative to the app folder, as written.
        entries: Files by entry key, for resources with several pages.
        position: Where it stands.
    """

    key: str
    path: str
    entries: Mapping[str, str] = field(default_factory=dict)
    position: Position = field(default=START, compare=False)


@dataclass(frozen=True, slots=True)
class Remote:
    """An entry of ``remotes``: a back end outside the platform.

    Attributes:
        key: What endpoints and egress entries name it by.
        base_urls: Base URL by region; the one for all others under ``default``.
        operations: What it is used for: storage, compute, fetch, other.
        properties: Everything it says, as frozen plain values.
        position: Where it stands.
    """

    key: str
    base_urls: Mapping[str, str]
    operations: tuple[str, ...] = ()
    properties: Mapping[str, Plain] = field(default_factory=lambda: NO_PLAIN)
    position: Position = field(default=START, compare=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an app declares.

    Attributes:
        app_id: The app's ARI, ``ari:cloud:ecosystem::app/<uuid>``.
        app_uuid: What stands behind ``app/`` in it.
        name: ``app.name`` if the author still writes one; else empty.
        runtime: ``app.runtime.name``; empty for apps from before runtimes were named.
        permissions: Scopes and egress.
        modules: Every module of every type, functions included, in the order of the file.
        functions: Functions by key.
        resources: Resources by key.
        remotes: Remotes by key.
        sections: Every top-level section as frozen plain values.
        document: The document as JSON, in the order of the file; what a deployment can keep.
    """

    app_id: str
    app_uuid: str
    name: str
    runtime: str
    permissions: Permissions
    modules: tuple[Module, ...]
    functions: Mapping[str, Function]
    resources: Mapping[str, Resource]
    remotes: Mapping[str, Remote]
    sections: Mapping[str, Plain]
    document: str

    @property
    def digest(self) -> str:
        """SHA-256 of the document's meaning: comments, order and layout do not change it."""
        return hashlib.sha256(to_json(self.sections, canonical=True).encode()).hexdigest()

    @property
    def declared_scopes(self) -> frozenset[str]:
        """Names of the declared scopes."""
        return frozenset(scope.name for scope in self.permissions.scopes)

    @property
    def impersonating_scopes(self) -> frozenset[str]:
        """Names of the declared scopes with ``allowImpersonation``."""
        return frozenset(s.name for s in self.permissions.scopes if s.allow_impersonation)

    def modules_of(self, module_type: str) -> tuple[Module, ...]:
        """Return the modules of one type."""
        return tuple(module for module in self.modules if module.type == module_type)

    def find_module(self, key: str) -> Module | None:
        """Return the module with a key, or None; a function module only if no other has it."""
        found = [module for module in self.modules if module.key == key]
        return next((one for one in found if one.type != "function"), found[0] if found else None)

    def resolver_function(self, module: Module) -> Function | None:
        """Return the function that answers the module's own page, or None if it has no resolver."""
        return self._named(module.properties.get("resolver"))

    def function_of(self, module_key: str) -> Function | None:
        """Return the function that runs for a module: its own, else its resolver's; or None."""
        module = self.find_module(module_key)
        if module is None:
            return None
        if module.type == "function":
            return self.functions.get(module.key)
        return self._named(module.properties) or self.resolver_function(module)

    def _named(self, holder: Plain) -> Function | None:
        key = holder.get("function") if isinstance(holder, Mapping) else None
        return self.functions.get(key) if isinstance(key, str) else None
