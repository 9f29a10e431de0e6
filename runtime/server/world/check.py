"""Does every name in a world mean something, and can the world be made?"""

import os
from collections.abc import Callable, Iterable, Iterator

from runtime.jira.permission_keys import GLOBAL_PERMISSIONS, PROJECT_PERMISSIONS
from runtime.jira.permissions import HOLDER_TYPES
from runtime.jira.world_model import ProjectEntry
from runtime.jira.world_text import split_actor, split_holder
from runtime.manifest.problems import quoted
from runtime.server.world.access import check_access
from runtime.server.world.check_issues import check_issues
from runtime.server.world.customer import check_customer
from runtime.server.world.model import InstallEntry, SiteFile, World
from runtime.server.world.places import APP, MISSING, NOBODY, REFERENCE, Finding, Place, unknown

NAMED = frozenset({"projectRole", "group", "user"})
"""Holders that name something of the site."""
CONDITIONS = ("role", "group", "permission")


def check_world(world: World) -> Iterator[Finding]:
    """Yield what is wrong with a world whose form is right."""
    yield from _accounts(world)
    yield from _sites(world)
    for number, site in enumerate(world.file.sites):
        yield from _Site(world, site, ("sites", number)).check()
    yield from _variables(world)


def _variables(world: World) -> Iterator[Finding]:
    for number, variable in enumerate(world.file.variables):
        place: Place = ("variables", number)
        yield from check_app(world, variable.app, (*place, "app"))
        if (variable.value is None) == (variable.from_env is None):
            hint = "Give one of `value` and `from_env`."
            yield Finding(place, MISSING, f"{quoted(variable.key)} has no one value.", hint)
        elif world.environ is not None and variable.from_env not in (None, *world.environ):
            message = f"The environment has no {quoted(variable.from_env)}."
            hint = f"Set {variable.from_env} before the world is made."
            yield Finding((*place, "from_env"), MISSING, message, hint)


def check_app(world: World, app: str, place: Place) -> Iterator[Finding]:
    """Yield the fault of an app that looks like a folder and is none."""
    folder = world.folder / app
    is_folder = app in (".", "..") or os.sep in app or folder.is_dir()
    if is_folder and not (folder / "manifest.yml").is_file():
        message = f"There is no `manifest.yml` in {quoted(app)}."
        hint = f"Folders are seen from the folder of {world.path}."
        yield Finding(place, APP, message, hint)


def _accounts(world: World) -> Iterator[Finding]:
    for field in ("account_id", "email"):
        seen: dict[str, str] = {}
        for number, user in enumerate(world.file.users):
            value = getattr(user, field)
            if value is not None and value.lower() in seen:
                message = f"{user.handle} has the {field} of {seen[value.lower()]}."
                yield Finding(("users", number, field), REFERENCE, message, "Give it another.")
            elif value is not None:
                seen[value.lower()] = user.handle


def _sites(world: World) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for number, site in enumerate(world.file.sites):
        if site.cloud_id in seen:
            message = f"{site.name} has the cloud id of {seen[site.cloud_id]}."
            yield Finding(("sites", number, "cloud_id"), REFERENCE, message, "Give it another.")
        seen[site.cloud_id] = site.name


class _Site:
    """Checks one site."""

    def __init__(self, world: World, site: SiteFile, place: Place) -> None:
        self._world = world
        self._site = site
        self._place = place
        self._handles = {user.handle for user in world.file.users}
        self._groups = {group.name for group in site.groups}
        self._roles = {role.name for role in site.roles}

    def check(self) -> Iterator[Finding]:
        yield from self._people()
        yield from self._work()
        yield from self._rights()
        yield from self._projects()
        yield from check_issues(self._site, self._handles, self._place)
        yield from self._apps()
        yield from check_access(self._site, self._place)

    def _at(self, *parts: str | int) -> Place:
        return (*self._place, *parts)

    def _handle(self, handle: str, place: Place) -> Iterator[Finding]:
        return unknown("user", handle, sorted(self._handles), place)

    def _actor(self, actor: str, place: Place) -> Iterator[Finding]:
        kind, name = split_actor(actor)
        if kind == "group":
            return unknown("group", name, sorted(self._groups), place)
        return self._handle(name, place)

    # --- people ----------------------------------------------------------------------------------

    def _people(self) -> Iterator[Finding]:
        site = self._site
        for number, handle in enumerate(site.users):
            yield from self._handle(handle, self._at("users", number))
        for handle in site.user_properties:
            yield from unknown("user", handle, site.users, self._at("user_properties", handle))
        for number, group in enumerate(site.groups):
            for at, handle in enumerate(group.members):
                yield from self._handle(handle, self._at("groups", number, "members", at))
        for number, right in enumerate(site.global_permissions):
            place = self._at("global_permissions", number, "permission")
            yield from unknown("global permission", right.permission, GLOBAL_PERMISSIONS, place)
            yield from self._group_names(right.groups, "global_permissions", number)
        for number, application in enumerate(site.applications):
            yield from self._group_names(application.groups, "applications", number)
        yield from self._admins()

    def _admins(self) -> Iterator[Finding]:
        site = self._site
        for number, role in enumerate(site.roles):
            for at, actor in enumerate(role.default):
                yield from self._actor(actor, self._at("roles", number, "default", at))
        if not any(self._is_admin(user.handle) for user in self._world.file.users if user.active):
            message = f"Nobody on {site.name} is active and holds ADMINISTER."
            hint = "Put somebody into a group that has it; without, no app can be installed."
            yield Finding(self._place, NOBODY, message, hint, "warning")

    def _group_names(self, names: list[str], section: str, number: int) -> Iterator[Finding]:
        for at, name in enumerate(names):
            place = self._at(section, number, "groups", at)
            yield from unknown("group", name, sorted(self._groups), place)

    def _is_admin(self, handle: str) -> bool:
        rights = ("ADMINISTER", "SYSTEM_ADMIN")
        names = {
            name
            for one in self._site.global_permissions
            if one.permission in rights
            for name in one.groups
        }
        return any(handle in one.members for one in self._site.groups if one.name in names)

    # --- work ------------------------------------------------------------------------------------

    def _work(self) -> Iterator[Finding]:
        site = self._site
        types = [one.name for one in site.issue_types]
        statuses = [one.name for one in site.statuses]
        for number, scheme in enumerate(site.issue_type_schemes):
            for at, name in enumerate(scheme.types):
                place = self._at("issue_type_schemes", number, "types", at)
                yield from unknown("issue type", name, types, place)
        for number, workflow in enumerate(site.workflows):
            place = self._at("workflows", number)
            yield from unknown("status", workflow.initial, statuses, (*place, "initial"))
            yield from self._transitions(number, statuses)
        workflows = [one.name for one in site.workflows]
        for number, chosen in enumerate(site.workflow_schemes):
            place = self._at("workflow_schemes", number)
            yield from unknown("workflow", chosen.workflow, workflows, (*place, "workflow"))
            for name, workflow_name in chosen.types.items():
                below = (*place, "types", name)
                yield from unknown("issue type", name, types, below)
                yield from unknown("workflow", workflow_name, workflows, below)

    def _transitions(self, number: int, statuses: list[str]) -> Iterator[Finding]:
        seen: set[int] = set()
        resolutions = [one.name for one in self._site.resolutions]
        for at, one in enumerate(self._site.workflows[number].transitions):
            place = self._at("workflows", number, "transitions", at)
            for key, name in (("from", one.source), ("to", one.to)):
                if name is not None:
                    yield from unknown("status", name, statuses, (*place, key))
            if one.resolution is not None:
                yield from unknown(
                    "resolution", one.resolution, resolutions, (*place, "resolution")
                )
            if one.id in seen:
                message = f"The workflow has two transitions with the id {one.id}."
                yield Finding((*place, "id"), REFERENCE, message, "Number them 11, 21, 31, …")
            seen.add(one.id)
            for index, condition in enumerate(one.conditions):
                yield from self._condition(condition, (*place, "conditions", index))

    def _condition(self, text: str, place: Place) -> Iterator[Finding]:
        kind, _, name = text.partition(" ")
        known: dict[str, Callable[[], Iterable[str]]] = {
            "role": lambda: sorted(self._roles),
            "group": lambda: sorted(self._groups),
            "permission": lambda: PROJECT_PERMISSIONS,
        }
        if kind in known:
            yield from unknown(kind, name, known[kind](), place)
        else:
            yield from unknown("kind of condition", kind, CONDITIONS, place)

    # --- rights ----------------------------------------------------------------------------------

    def _rights(self) -> Iterator[Finding]:
        site = self._site
        for number, scheme in enumerate(site.permission_schemes):
            for at, grant in enumerate(scheme.grants):
                place = self._at("permission_schemes", number, "grants", at)
                yield from self._grant(grant.to, grant.permissions, place)
        yield from self._changes()
        yield from self._security()

    def _changes(self) -> Iterator[Finding]:
        site = self._site
        names = [one.name for one in site.permission_schemes]
        for number, change in enumerate(site.permission_changes):
            place = self._at("permission_changes", number)
            yield from unknown("permission scheme", change.scheme, names, (*place, "scheme"))
            for key in ("grant", "revoke"):
                for at, grant in enumerate(getattr(change, key)):
                    yield from self._grant(grant.to, grant.permissions, (*place, key, at))

    def _security(self) -> Iterator[Finding]:
        for number, secured in enumerate(self._site.security_schemes):
            place = self._at("security_schemes", number)
            levels = [one.name for one in secured.levels]
            if secured.default is not None:
                yield from unknown("level", secured.default, levels, (*place, "default"))
            for at, level in enumerate(secured.levels):
                for index, member in enumerate(level.members):
                    yield from self._holder(member, (*place, "levels", at, "members", index))

    def _grant(
        self, holder: str, permissions: "list[str] | str", place: Place
    ) -> Iterator[Finding]:
        yield from self._holder(holder, (*place, "to"))
        for at, key in enumerate([] if isinstance(permissions, str) else permissions):
            below = (*place, "permissions", at)
            yield from unknown("project permission", key, PROJECT_PERMISSIONS, below)

    def _holder(self, text: str, place: Place) -> Iterator[Finding]:
        kind, name = split_holder(text)
        if kind not in HOLDER_TYPES:
            yield from unknown("kind of holder", kind, sorted(HOLDER_TYPES), place)
        elif kind in NAMED and name is None:
            yield Finding(place, MISSING, f"{quoted(kind)} lacks a name.", f"Write `{kind} NAME`.")
        elif kind == "projectRole":
            yield from unknown("role", str(name), sorted(self._roles), place)
        elif kind == "group":
            yield from unknown("group", str(name), sorted(self._groups), place)
        elif kind == "user":
            yield from self._handle(str(name), place)

    # --- projects and apps -----------------------------------------------------------------------

    def _projects(self) -> Iterator[Finding]:
        site = self._site
        keys: dict[str, str] = {}
        for number, project in enumerate(site.projects):
            place = self._at("projects", number)
            yield from self._handle(project.lead, (*place, "lead"))
            yield from self._schemes(project, place)
            for role, actors in project.roles.items():
                yield from unknown("role", role, sorted(self._roles), (*place, "roles", role))
                for at, actor in enumerate(actors):
                    yield from self._actor(actor, (*place, "roles", role, at))
            for key in (project.key, *project.former_keys):
                if key in keys:
                    message = f"{keys[key]} has the key {quoted(key)} too."
                    yield Finding((*place, "former_keys"), REFERENCE, message, "Remove one.")
                keys[key] = project.key

    def _schemes(self, project: ProjectEntry, place: Place) -> Iterator[Finding]:
        site = self._site
        wanted = {
            "permission_scheme": [one.name for one in site.permission_schemes],
            "issue_type_scheme": [one.name for one in site.issue_type_schemes],
            "workflow_scheme": [one.name for one in site.workflow_schemes],
            "security_scheme": [one.name for one in site.security_schemes],
            "category": [one.name for one in site.categories],
        }
        for key, known in wanted.items():
            name = getattr(project, key)
            if name is not None:
                yield from unknown(key.replace("_", " "), name, known, (*place, key))
            elif not known and key not in ("security_scheme", "category"):
                message = f"{project.key} needs a {key.replace('_', ' ')}, and the site has none."
                yield Finding(place, MISSING, message, f"Add one under `{key}s`.")

    def _apps(self) -> Iterator[Finding]:
        seen: set[tuple[str, str]] = set()
        for number, one in enumerate(self._site.installs):
            place = self._at("installs", number)
            yield from check_app(self._world, one.app, (*place, "app"))
            if (one.app, one.environment) in seen:
                message = f"{one.app} ({one.environment}) is installed twice."
                yield Finding(place, REFERENCE, message, "Remove one.")
            seen.add((one.app, one.environment))
            yield from self._install(one, place)

    def _install(self, one: InstallEntry, place: Place) -> Iterator[Finding]:
        for at, handle in enumerate(one.consents):
            yield from self._handle(handle, (*place, "consents", at))
        if one.by is not None:
            yield from self._handle(one.by, (*place, "by"))
            if one.by in self._handles and not self._is_admin(one.by):
                message = f"{one.by} does not hold ADMINISTER, so could not approve an app now."
                hint = "Name an admin of the site."
                yield Finding((*place, "by"), REFERENCE, message, hint, "warning")
        if one.account is not None:
            apps = [user.handle for user in self._world.file.users if user.type == "app"]
            yield from unknown("user of type app", one.account, apps, (*place, "account"))
        yield from check_customer(one, place)
