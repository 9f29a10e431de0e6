"""The site as itself: what its administrators' webhooks tell, where no person's rights count."""

from runtime.jira.permissions import Permissions, SecuredIssue
from runtime.jira.site import Holder, Project, Site


class WholeSite(Permissions):
    """Permissions that let everything be seen; to be handed to what reads, and to nothing else.

    Args:
        site: The site.
    """

    def __init__(self, site: Site) -> None:
        super().__init__(site, None)
        self.group_ids = frozenset(site.groups)

    def holds(
        self,
        permission: str,
        *,
        project: Project | None = None,
        issue: SecuredIssue | None = None,
    ) -> bool:
        """Say yes."""
        return True

    def visible_projects(self, permission: str = "BROWSE_PROJECTS") -> tuple[Project, ...]:
        """Return all live projects, by key."""
        return tuple(self._site.live_projects())

    def in_role(self, project: Project, role_id: int) -> bool:
        """Say yes: a comment for a role is shown."""
        return True

    def fits(
        self,
        holder: Holder,
        project: Project,
        issue: SecuredIssue | None = None,
    ) -> bool:
        """Say yes: every holder is meant."""
        return True
