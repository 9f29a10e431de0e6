"""The default world as plain values: who is there, what they may do, and what they work on.

``docs/world.md`` shows the same in tables; a test compares the two.
"""

from collections.abc import Mapping
from typing import NamedTuple

from runtime.jira.permission_keys import PROJECT_PERMISSIONS


class SiteData(NamedTuple):
    """A site: its cloud id, and the name that its address and its title come from."""

    cloud_id: str
    name: str

    @property
    def url(self) -> str:
        """Return the site's address."""
        return f"https://{self.name}.atlassian.net"


ACME = SiteData("0acde000-0000-4000-8000-000000000001", "acme")


class Person(NamedTuple):
    """A person: handle, number of the account id, name, whether active, and groups."""

    handle: str
    number: int
    name: str
    active: bool
    groups: tuple[str, ...]

    @property
    def account_id(self) -> str:
        """Return the fixed account id."""
        return f"712020:acc00000-0000-4000-8000-{self.number:012d}"

    @property
    def email(self) -> str:
        """Return the e-mail address."""
        return f"{self.handle}@acme.example"


USERS = "jira-software-users"
ADMINS = "jira-administrators"
SITE_ADMINS = "site-admins"
ADDON_ADMINS = "atlassian-addons-admin"
GROUPS = (SITE_ADMINS, ADMINS, USERS, ADDON_ADMINS)
APPLICATIONS = {"jira-software": (USERS,)}

PEOPLE = (
    Person("amy", 1, "Amy Admin", True, (SITE_ADMINS, ADMINS, USERS)),
    Person("paul", 2, "Paul Projectadmin", True, (USERS,)),
    Person("dana", 3, "Dana Developer", True, (USERS,)),
    Person("vera", 4, "Vera Viewer", True, (USERS,)),
    Person("otto", 5, "Otto Outsider", True, ()),
    Person("dora", 6, "Dora Deactivated", False, (USERS,)),
)

GLOBAL_GRANTS: Mapping[str, tuple[str, ...]] = {
    "ADMINISTER": (SITE_ADMINS, ADMINS, ADDON_ADMINS),
    "SYSTEM_ADMIN": (SITE_ADMINS,),
    "USER_PICKER": (SITE_ADMINS, ADMINS, USERS, ADDON_ADMINS),
    "CREATE_SHARED_OBJECTS": (USERS, ADDON_ADMINS),
    "MANAGE_GROUP_FILTER_SUBSCRIPTIONS": (ADMINS,),
    "BULK_CHANGE": (USERS, ADDON_ADMINS),
    "CREATE_PROJECT": (USERS,),
}

ADMINISTRATORS = "Administrators"
DEVELOPERS = "Developers"
VIEWERS = "Viewers"
ADDONS = "atlassian-addons-project-access"
ROLES = (
    (ADMINISTRATORS, "Configure the project and approve finished work."),
    (DEVELOPERS, "Do the work of the project."),
    (VIEWERS, "Look on."),
    (ADDONS, "The accounts of installed apps."),
)
DEFAULT_ACTORS = ((ADMINISTRATORS, "group", ADMINS),)
"""Who is in a role of every project created later: role, kind, group or handle."""

ALL = tuple(PROJECT_PERMISSIONS)
_WORK = (
    *("CREATE_ISSUES", "EDIT_ISSUES", "ASSIGN_ISSUES", "ASSIGNABLE_USER", "TRANSITION_ISSUES"),
    *("CLOSE_ISSUES", "RESOLVE_ISSUES", "SCHEDULE_ISSUES", "LINK_ISSUES", "MOVE_ISSUES"),
    *("ADD_COMMENTS", "EDIT_OWN_COMMENTS", "DELETE_OWN_COMMENTS", "WORK_ON_ISSUES"),
    *("EDIT_OWN_WORKLOGS", "DELETE_OWN_WORKLOGS", "CREATE_ATTACHMENTS", "DELETE_OWN_ATTACHMENTS"),
    *("VIEW_DEV_TOOLS", "VIEW_READONLY_WORKFLOW", "VIEW_AGGREGATED_DATA"),
    *("VIEW_VOTERS_AND_WATCHERS", "MANAGE_SPRINTS_PERMISSION"),
)
_RUN = tuple(key for key in ALL if key not in {"SERVICEDESK_AGENT", "DELETE_ISSUES"})
_COMMENT = ("ADD_COMMENTS", "EDIT_OWN_COMMENTS", "DELETE_OWN_COMMENTS")

Grants = tuple[tuple[str, str | None, tuple[str, ...]], ...]
"""Holder type, role, group, handle or application, and permissions."""


class SchemeData(NamedTuple):
    """A permission scheme."""

    name: str
    description: str
    grants: Grants


SCHEMES: Mapping[str, SchemeData] = {
    "": SchemeData(  # the site's first scheme is what a new project gets
        "Default scheme",
        "Users of the product read and take part, roles do the rest.",
        (
            ("applicationRole", None, ("BROWSE_PROJECTS", "CREATE_ISSUES", "ASSIGNABLE_USER")),
            ("applicationRole", None, _COMMENT),
            ("projectRole", DEVELOPERS, _WORK),
            ("projectRole", ADMINISTRATORS, ALL),
            ("projectRole", ADDONS, ALL),
        ),
    ),
    "PUB": SchemeData(
        "Open scheme",
        "Everybody reads, users of the product take part, developers work.",
        (
            ("anyone", None, ("BROWSE_PROJECTS",)),
            ("applicationRole", None, ("CREATE_ISSUES", "ASSIGNABLE_USER", *_COMMENT)),
            ("reporter", None, ("EDIT_ISSUES", "CLOSE_ISSUES")),
            ("projectRole", DEVELOPERS, _WORK),
            ("projectRole", ADMINISTRATORS, _RUN),
            ("projectLead", None, ("DELETE_ISSUES",)),
            ("projectRole", ADDONS, ALL),
        ),
    ),
    "TEAM": SchemeData(
        "Team scheme",
        "Only who has a role in the project sees it.",
        (
            ("projectRole", VIEWERS, ("BROWSE_PROJECTS", "VIEW_READONLY_WORKFLOW")),
            ("projectRole", DEVELOPERS, ("BROWSE_PROJECTS", *_WORK)),
            ("assignee", None, ("DELETE_ISSUES",)),
            ("projectRole", ADMINISTRATORS, _RUN),
            ("projectLead", None, ("DELETE_ISSUES",)),
            ("projectRole", ADDONS, ALL),
        ),
    ),
    "VAULT": SchemeData(
        "Vault scheme",
        "As the team scheme; security levels hide single issues on top.",
        (
            ("projectRole", VIEWERS, ("BROWSE_PROJECTS", *_COMMENT)),
            ("projectRole", DEVELOPERS, ("BROWSE_PROJECTS", *_WORK)),
            ("projectRole", ADMINISTRATORS, _RUN),
            ("projectLead", None, ("DELETE_ISSUES",)),
            ("user", "dana", ("SET_ISSUE_SECURITY",)),
            ("projectRole", ADDONS, ALL),
        ),
    ),
}

STAFF, LEAD_ONLY = "Staff", "Lead only"
SECURITY_SCHEME = ("Vault levels", "Who sees which issue of the vault.")
SECURITY_LEVELS: Mapping[str, tuple[str, tuple[tuple[str, str | None], ...]]] = {
    STAFF: (
        "Developers and administrators.",
        (("projectRole", DEVELOPERS), ("projectRole", ADMINISTRATORS)),
    ),
    LEAD_ONLY: ("The project lead and the reporter.", (("projectLead", None), ("reporter", None))),
}


class ProjectData(NamedTuple):
    """A project: key, name, description, lead, role actors, whether it has security levels."""

    key: str
    name: str
    description: str
    lead: str
    actors: tuple[tuple[str, str, str], ...]
    secured: bool = False


PROJECTS = (
    ProjectData(
        "PUB",
        "Public Roadmap",
        "What comes next; everybody may read along, even without a login.",
        "paul",
        (
            (ADMINISTRATORS, "user", "paul"),
            (ADMINISTRATORS, "group", ADMINS),
            (DEVELOPERS, "user", "dana"),
            (VIEWERS, "group", USERS),
        ),
    ),
    ProjectData(
        "TEAM",
        "Team Workshop",
        "The team's own work; only those with a role see it.",
        "paul",
        (
            (ADMINISTRATORS, "user", "paul"),
            (DEVELOPERS, "user", "dana"),
            (DEVELOPERS, "user", "dora"),
            (VIEWERS, "user", "vera"),
        ),
    ),
    ProjectData(
        "VAULT",
        "Security Vault",
        "Findings with security levels; a role shows the project, a level hides issues.",
        "paul",
        (
            (ADMINISTRATORS, "user", "paul"),
            (DEVELOPERS, "user", "dana"),
            (VIEWERS, "user", "vera"),
        ),
        secured=True,
    ),
)

ISSUE_TYPES = (  # name, description, hierarchy level, avatar
    ("Epic", "A large piece of work that holds others.", 1, 10307),
    ("Story", "Something a user wants.", 0, 10315),
    ("Task", "Something to do.", 0, 10318),
    ("Bug", "Something that is wrong.", 0, 10303),
    ("Subtask", "A part of another issue.", -1, 10316),
)
STATUSES = (
    ("To Do", "Not begun.", "new"),
    ("In Progress", "Somebody works on it.", "indeterminate"),
    ("In Review", "Waits for approval.", "indeterminate"),
    ("Done", "Finished.", "done"),
)
PRIORITIES = (
    ("Highest", "Before all else.", "#d04437", "highest"),
    ("High", "Soon.", "#f15C75", "high"),
    ("Medium", "In its turn.", "#f79232", "medium"),
    ("Low", "When there is time.", "#707070", "low"),
    ("Lowest", "Perhaps never.", "#999999", "lowest"),
)
DEFAULT_PRIORITY = "Medium"
RESOLUTIONS = (
    ("Done", "The work is complete."),
    ("Won't Do", "It will not be done."),
    ("Duplicate", "Another issue says the same."),
    ("Cannot Reproduce", "It could not be seen again."),
)
WORKFLOW = ("Reviewed work", "Work is approved by an administrator of the project.")


class TransitionData(NamedTuple):
    """A transition, perhaps for a role only, perhaps setting a resolution."""

    id: int
    name: str
    source: str
    target: str
    role: str | None = None
    resolution: str | None = None


TRANSITIONS = (
    TransitionData(11, "Start", "To Do", "In Progress"),
    TransitionData(21, "Send to review", "In Progress", "In Review"),
    TransitionData(31, "Approve", "In Review", "Done", ADMINISTRATORS, "Done"),
    TransitionData(41, "Send back", "In Review", "In Progress"),
    TransitionData(51, "Stop", "In Progress", "To Do"),
    TransitionData(61, "Reopen", "Done", "To Do"),
)
