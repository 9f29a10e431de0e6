"""Changes of permission schemes, laid over the schemes as they stand."""

from runtime.jira.world_build import permissions_of
from runtime.jira.world_model import GrantEntry, PermissionSchemeEntry
from runtime.server.world.model import ChangeEntry, SiteFile


def with_changes(site: SiteFile) -> SiteFile:
    """Return a site whose permission schemes are changed as it says."""
    schemes = {one.name: one for one in site.permission_schemes}
    for change in site.permission_changes:
        schemes[change.scheme] = _changed(schemes[change.scheme], change)
    update = {"permission_schemes": list(schemes.values()), "permission_changes": []}
    return site.model_copy(update=update)


def _changed(scheme: PermissionSchemeEntry, change: ChangeEntry) -> PermissionSchemeEntry:
    gone = {(one.to, key) for one in change.revoke for key in permissions_of(one)}
    kept = [_without(grant, gone) for grant in scheme.grants]
    grants = [*(grant for grant in kept if grant.permissions), *change.grant]
    return scheme.model_copy(update={"grants": grants})


def _without(grant: GrantEntry, gone: set[tuple[str, str]]) -> GrantEntry:
    left = [key for key in permissions_of(grant) if (grant.to, key) not in gone]
    return grant.model_copy(update={"permissions": left})
