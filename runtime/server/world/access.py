"""App access rules of a world: checked, written into a state, read out of one."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from runtime.errors import ManifestError
from runtime.jira.app_access import AppRule, list_app_rules, write_app_rules
from runtime.jira.configuration import load_site
from runtime.jira.site import EVERY_APP
from runtime.manifest.problems import quoted
from runtime.server.world.model import AppAccessEntry, SiteFile
from runtime.server.world.places import REFERENCE, Finding, Place, unknown


def check_access(site: SiteFile, place: Place) -> Iterator[Finding]:
    """Yield what is wrong with the app access rules of a site."""
    projects = [one.key for one in site.projects]
    apps = list(dict.fromkeys(one.app for one in site.installs))
    closed = {one.project for one in site.app_access if one.for_every_app() and one.blocks()}
    seen: set[tuple[str, str | None, str | None]] = set()
    for number, one in enumerate(site.app_access):
        at: Place = (*place, "app_access", number)
        yield from unknown("project", one.project, projects, (*at, "project"))
        if one.app is not None:
            yield from unknown("app", one.app, apps, (*at, "app"))
        if None not in (one.app, one.id):
            hint = "Keep one of `app` and `id`."
            yield Finding((*at, "id"), REFERENCE, "The rule names two apps.", hint)
        key = (one.project, one.app, one.id)
        if key in seen:
            message = f"{one.project} has two rules for {quoted(one.app or one.id or 'every app')}."
            yield Finding(at, REFERENCE, message, "Remove one.")
        seen.add(key)
        if one.blocks() == (one.project in closed and not one.for_every_app()):
            message = f"The rule says nothing new: {_default(one, closed)}."
            yield Finding(at, REFERENCE, message, "Remove it.", "warning")


def write_access(connection: Connection, site: SiteFile, app_ids: Mapping[str, str]) -> None:
    """Write the rules of a site, whose projects are there, inside the caller's transaction.

    Args:
        connection: A transaction for writing.
        site: The site, checked.
        app_ids: The id of each Forge app by how the file names it.

    Raises:
        ManifestError: ``BAD_WORLD`` if one app has two rules in a project, by two names.
    """
    if not site.app_access:
        return
    loaded = load_site(connection, site.cloud_id)
    said: dict[tuple[int, str], bool] = {}
    for one in site.app_access:
        key = (loaded.project_ids[one.project], _app_id(one, app_ids))
        if key in said:
            name = quoted(one.app or one.id or "every app")
            raise ManifestError(
                "BAD_WORLD", f"{name} has two app access rules in {one.project}, by two names."
            )
        said[key] = one.blocks()
    closed = {project_id for (project_id, app_id), on in said.items() if on and app_id == EVERY_APP}
    rules = [
        AppRule(project_id, app_id, on)
        for (project_id, app_id), on in said.items()
        if on != (project_id in closed and app_id != EVERY_APP)
    ]
    write_app_rules(connection, site.cloud_id, rules)


def read_access(
    connection: Connection, cloud_id: str, forge: Mapping[str, str]
) -> list[AppAccessEntry]:
    """Return the rules of a site as a world file has them.

    Args:
        connection: A transaction.
        cloud_id: The site.
        forge: How the file names each installed Forge app, by its id.
    """
    site = load_site(connection, cloud_id)
    rules = [one for one in list_app_rules(site) if one.project_id in site.projects]
    live = [one for one in rules if site.projects[one.project_id].deleted_ms is None]
    return [
        AppAccessEntry.model_validate(
            {
                "project": site.projects[one.project_id].key,
                **_name(one.app_id, forge),
                "access": "blocked" if one.blocked else "allowed",
            }
        )
        for one in live
    ]


def _name(app_id: str, forge: Mapping[str, str]) -> dict[str, str]:
    if app_id == EVERY_APP:
        return {}
    return {"app": forge[app_id]} if app_id in forge else {"id": app_id}


def _app_id(one: AppAccessEntry, app_ids: Mapping[str, str]) -> str:
    return (one.id or EVERY_APP) if one.app is None else app_ids[one.app]


def _default(one: AppAccessEntry, closed: set[str]) -> str:
    if one.project in closed:
        return f"every app is blocked in {one.project}"
    return f"no rule blocks every app in {one.project}"
