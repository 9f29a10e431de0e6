"""The reference: what is so now, in plain sets, and the rule of four lines over it.

Nothing of the emulator is asked here. A person is a handle, an app is the name of its model, a site
is its number; scopes of the platform and the ranks of Connect stand side by side.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

PEOPLE = ("dana", "vera")
FORGE, CONNECT = "forge", "connect"
SITES = (0, 1)
SITE, GATEWAY = "site", "gateway"
BROWSE, EDIT, CONFIGURE = "BROWSE_PROJECTS", "EDIT_ISSUES", "ADMINISTER_PROJECTS"
DEVELOPERS, VIEWERS, MANAGERS = "Developers", "Viewers", "Administrators"
ADDONS = "atlassian-addons-project-access"
ROLES = (DEVELOPERS, VIEWERS, MANAGERS, ADDONS)
READ_SCOPE, WRITE_SCOPE = "read:jira-work", "write:jira-work"
PROJECT_SCOPE, ADMIN_SCOPE = "manage:jira-project", "manage:jira-configuration"
RANKS = ("READ", "WRITE", "DELETE", "PROJECT_ADMIN", "ADMIN")
TEAM_ISSUE = "/rest/api/3/issue/TEAM-1"

Grants = frozenset[tuple[str, str]]
"""Permission and role: what the permission scheme of the project TEAM says."""


class Operation(NamedTuple):
    """One request, what it needs, and the status that says it was done."""

    name: str
    method: str
    path: str
    body: str
    scope: str
    rank: str
    done: int


READ = Operation("read", "GET", TEAM_ISSUE, "", READ_SCOPE, "READ", 200)
CHANGE = Operation(
    "edit", "PUT", TEAM_ISSUE, '{"fields":{"summary":"x"}}', WRITE_SCOPE, "WRITE", 204
)
RENAME = Operation(
    "configure", "PUT", "/rest/api/3/project/TEAM", '{"description":"x"}', PROJECT_SCOPE,
    "PROJECT_ADMIN", 200,
)  # fmt: skip
GLOBAL = Operation("global", "GET", "/rest/api/3/role", "", ADMIN_SCOPE, "ADMIN", 200)
PUBLIC = Operation("public", "GET", "/rest/api/3/issue/PUB-2", "", READ_SCOPE, "READ", 200)
OPERATIONS = (READ, CHANGE, RENAME, GLOBAL, PUBLIC)


class Held(Protocol):
    """A credential that somebody still holds, live or dead."""

    who: str

    def alive(self, site: int, host: str) -> bool:
        """Say whether it proves who is asking, there and now."""

    def covers(self, operation: Operation) -> bool:
        """Say whether its scopes, as they are now, cover an operation."""

    def silent(self, host: str) -> bool:
        """Say whether a dead one is as good as none instead of refused."""


@dataclass
class Facts:
    """What the rules have done so far.

    Attributes:
        now_s: The time.
        active: People whose account is active.
        members: Who, in which role of TEAM, on which site.
        admins: Who holds *Administer Jira* on which site.
        schemes: The permission scheme of TEAM on each site.
    """

    now_s: float = 0.0
    active: set[str] = field(default_factory=lambda: set(PEOPLE))
    members: set[tuple[str, str, int]] = field(
        default_factory=lambda: {
            (who, role, site)
            for who, role in (("dana", DEVELOPERS), ("vera", VIEWERS))
            for site in SITES
        }
    )
    admins: set[tuple[str, int]] = field(default_factory=set)
    schemes: dict[int, Grants] = field(default_factory=dict)

    def permits(self, who: str | None, operation: Operation, site: int) -> bool:
        """Say whether somebody's permissions allow an operation."""
        has = {
            permission
            for permission, role in self.schemes[site]
            if who is not None and (who, role, site) in self.members
        }
        admin = (who, site) in self.admins
        return {
            PUBLIC: True,
            GLOBAL: admin,
            RENAME: admin or CONFIGURE in has,
            CHANGE: {BROWSE, EDIT} <= has,
            READ: BROWSE in has,
        }[operation]

    def allows(self, held: Held, operation: Operation, site: int, host: str) -> bool:
        """Say whether a call goes through: the credential alive, scopes and permissions, now."""
        alive = held.alive(site, host)
        who = held.who if alive else None
        scoped = held.covers(operation) if alive else held.silent(host)
        return scoped and self.permits(who, operation, site)

    def enter_app(self, app: str, site: int) -> None:
        """Give an app's account what an installed app has."""
        self.members.add((app, ADDONS, site))
        self.admins.add((app, site))
        if not any(role == ADDONS for _, role in self.schemes[site]):
            self.schemes[site] |= {(one, ADDONS) for one in (BROWSE, EDIT, CONFIGURE)}

    def leave_app(self, app: str, site: int) -> None:
        """Take from an app's account what it had."""
        self.members = {one for one in self.members if (one[0], one[2]) != (app, site)}
        self.admins.discard((app, site))


def rank(scopes: Iterable[str]) -> int:
    """Return how far the scopes of a Connect app reach; each implies those before it."""
    return max((RANKS.index(one) for one in scopes if one in RANKS), default=-1)
