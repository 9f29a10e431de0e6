"""Host names: what each name of the platform stands for, and which paths answer under it.

One process is all of the platform's hosts. Under a loopback name every path answers; under a name
of the platform only the paths of that host do, so a client that asks the wrong host finds out.

Source:
    The hosts that the documentation and the sources of public clients name; measured calls of
    unmodified clients.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Role = Literal[
    "everything", "site", "gateway", "authorization", "identity", "impersonation", "keys",
    "forge-keys", "scripts",
]  # fmt: skip
"""What a host name stands for; ``everything`` is a loopback name."""

PLATFORM: Mapping[str, Role] = MappingProxyType({
    "api.atlassian.com": "gateway",
    "auth.atlassian.com": "authorization",
    "id.atlassian.com": "identity",
    "oauth-2-authorization-server.services.atlassian.com": "impersonation",
    "auth.atlassian.io": "impersonation",
    "connect-install-keys.atlassian.com": "keys",
    "asap-distribution.us-west-2.prod.atl-asap.net": "keys",
    "forge.cdn.prod.atlassian-dev.net": "forge-keys",
    "connect-cdn.atl-paas.net": "scripts",
})  # fmt: skip
"""The platform's names that are the same for all sites; the sites' own stand in the state."""

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "testserver"})
SITES = "atlassian.net"  # the sites' names lie below it
GATEWAY_PREFIX = "/ex/jira/"
KEYS_PREFIX = "/connect-keys/"
FORGE_PREFIX = "/forge/"
ACCOUNT_PAGES = "/_firebrick/account/"
ADMIN_PAGES = "/_firebrick/admin"
CONNECTED_APPS = f"{ACCOUNT_PAGES}apps"
PAGE_STYLE = "/_firebrick/pages.css"


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of a host.

    Attributes:
        exact: Whole paths.
        below: Beginnings of paths.
        under: What is put before a path on this host, to get the path it has on loopback.
        home: What ``/`` is; empty for nothing.
    """

    exact: frozenset[str] = frozenset()
    below: tuple[str, ...] = ()
    under: str = ""
    home: str = ""

    def find(self, path: str) -> str | None:
        """Return the path as it is on loopback; None if it is none of these."""
        if path == "/" and self.home:
            return self.home
        return self.under + path if self.hold(path) else None

    def hold(self, path: str) -> bool:
        """Whether a path is one of these."""
        return path in self.exact or path.startswith(self.below)

    def __str__(self) -> str:
        return ", ".join((*sorted(self.exact), *(f"{one}…" for one in self.below)))


OWN_PATHS: Mapping[Role, Paths] = MappingProxyType({
    "gateway": Paths(
        frozenset({"/oauth/token/accessible-resources", "/me", "/graphql"}), (GATEWAY_PREFIX,)
    ),
    "authorization": Paths(
        frozenset({"/authorize", "/oauth/token", "/oauth/revoke", PAGE_STYLE}),
        ("/.well-known/", ACCOUNT_PAGES),
        home=CONNECTED_APPS,
    ),
    "identity": Paths(
        frozenset({PAGE_STYLE, ADMIN_PAGES}), (ACCOUNT_PAGES, f"{ADMIN_PAGES}/"),
        home=CONNECTED_APPS,
    ),
    "impersonation": Paths(frozenset({"/oauth2/token"})),
    "keys": Paths(below=("/",), under=KEYS_PREFIX.rstrip("/")),
    "forge-keys": Paths(frozenset({"/.well-known/jwks.json"}), under=FORGE_PREFIX.rstrip("/")),
    "scripts": Paths(frozenset({"/all.js"})),
})  # fmt: skip
"""What answers under each name of `PLATFORM`."""

ELSEWHERE = Paths(
    frozenset({
        "/authorize", "/oauth/token", "/oauth/revoke", "/oauth/token/accessible-resources", "/me",
        "/graphql", "/egress", "/oauth2/token", "/all.js", "/connect-keys", "/console",
        ADMIN_PAGES,
    }),
    (
        "/ex/", "/.well-known/", KEYS_PREFIX, FORGE_PREFIX, ACCOUNT_PAGES, f"{ADMIN_PAGES}/",
        "/console/", "/fpp/",
    ),
)  # fmt: skip
"""What is no part of a site: under a site's name the product itself answers there."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a ``Host`` header names.

    Attributes:
        name: The name, in lower case and without a port.
        role: What it stands for.
        cloud_id: The site that it leads to; the first one under names of no site.
    """

    name: str
    role: Role
    cloud_id: str

    def edge_path(self, path: str) -> str | None:
        """Return the path as it is on loopback; None if this host does not have it."""
        if self.role == "everything":
            return path
        if self.role == "site":
            return None if ELSEWHERE.hold(path) else path
        return OWN_PATHS[self.role].find(path)


class Hosts:
    """The names that this server answers to.

    Args:
        load_sites: Returns the cloud id of each site by its name, the default site first.
        extra: Further names for everything, beside those of loopback. A name of the platform stays
            what it is.
    """

    def __init__(self, load_sites: Callable[[], dict[str, str]], extra: Iterable[str] = ()) -> None:
        self._load_sites = load_sites
        self._open = LOOPBACK_HOSTS | frozenset(name.lower() for name in extra)
        self._sites = load_sites()

    def find(self, host: str) -> Place | None:
        """Return what a ``Host`` header names; None for a name that is not ours.

        A site that came into the state after this server had started is found, too.
        """
        place = self.find_known(host)
        if place is None:
            self._sites = self._load_sites()
            place = self.find_known(host)
        return place

    def find_known(self, host: str) -> Place | None:
        """Return the same as `find`, without a look into the state."""
        name, sites = host_name(host), self._sites
        if name in sites:
            return Place(name, "site", sites[name])
        role = PLATFORM.get(name)
        if role is None and name in self._open:
            role = "everything"
        return None if role is None else Place(name, role, next(iter(sites.values())))

    def has_site(self, cloud_id: str) -> bool:
        """Whether there is a site with that cloud id."""
        if cloud_id not in self._sites.values():
            self._sites = self._load_sites()
        return cloud_id in self._sites.values()

    def names(self) -> tuple[str, ...]:
        """Return the platform's names and those of the sites."""
        return (*PLATFORM, *self._sites)

    def is_platform(self, name: str) -> bool:
        """Whether a name, in lower case, is one of the platform's: a host of it, or a site's."""
        if name not in PLATFORM and name not in self._sites:
            self._sites = self._load_sites()
        return name in PLATFORM or name in self._sites


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header; empty if there is none that could be read.

    Source:
        RFC 9110 section 7.2; RFC 3986 section 3.2.2 for addresses in brackets.
    """
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return name.lower() if bracket and _is_port(rest) else ""
    name, colon, port = host.partition(":")
    return name.lower() if _is_port(colon + port) else ""


def _is_port(text: str) -> bool:
    digits = text.removeprefix(":")
    return not digits or (text.startswith(":") and digits.isascii() and digits.isdigit())
