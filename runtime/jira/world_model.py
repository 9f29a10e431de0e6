"""A site's world as people write it: everything by name, nothing by number.

These values are what a world file says, what the builder writes into a database, and what the
reader gets out of one. Lists keep their order: it decides the numbers that things get.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from runtime.jira.schema import KEY_LENGTH

MOST_TEXT = 32_767  # characters of a description or a comment, as the product has it

Name = Annotated[str, Field(min_length=1, max_length=KEY_LENGTH)]


def _own_field(name: str) -> str:
    if name.startswith("customfield_"):
        raise ValueError("custom fields belong to apps, and their values are no part of a world")
    return name


IssueFieldName = Annotated[Name, AfterValidator(_own_field)]
Handle = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
ProjectKey = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,9}$")]
IssueKey = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,9}-[1-9][0-9]{0,8}$")]
Moment = Annotated[
    str,
    Field(
        pattern=r"^(-?\d{1,6}[dhms]|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))$",
        description="A time: `2026-01-31T09:00:00Z`, or `-3d`, `-5h`, `-20m`, `-1s` from the "
        "world's clock.",
    ),
]
Day = Annotated[
    str,
    Field(
        pattern=r"^(-?\d{1,6}d|\d{4}-\d\d-\d\d)$",
        description="A day: `2026-01-31`, or `7d`, `-2d` from the day of the world's clock.",
    ),
]
Document = Annotated[
    str | dict[str, Any],  # Any: an Atlassian document
    Field(description="Plain text, one paragraph a line, or a document in Atlassian's format."),
]
Properties = dict[Name, Any]  # Any: JSON
Holder = Annotated[
    str,
    Field(
        min_length=1,
        description="Whom a grant names: `anyone`, `reporter`, `assignee`, `projectLead`, "
        "`applicationRole` (users of the product), or with a name behind it: `projectRole "
        "Developers`, `group testers`, `user dana`, `applicationRole jira-software`, "
        "`userCustomField customfield_10010`, `groupCustomField customfield_10011`.",
    ),
]
Actor = Annotated[
    str, Field(min_length=1, description="A person by handle, or a group as `group testers`.")
]


class Part(BaseModel):
    """A part of a world; unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class GroupEntry(Part):
    """A group and who is in it."""

    name: Name
    members: list[Handle] = []
    id: str | None = Field(None, max_length=36, description="Its id; made up by default.")


class Right(Part):
    """A global permission and the groups that hold it."""

    permission: Annotated[str, Field(pattern=r"^[A-Z][A-Z_]{1,63}$")]
    groups: list[Name]


class Application(Part):
    """A product and the groups whose members may use it."""

    key: Annotated[str, Field(min_length=1, max_length=64)]
    groups: list[Name]


class RoleEntry(Part):
    """A project role, and who is in it in projects created later."""

    name: Name
    description: str = ""
    default: list[Actor] = []


class GrantEntry(Part):
    """Permissions of a scheme for one holder."""

    to: Holder
    permissions: list[str] | Literal["all"]


class PermissionSchemeEntry(Part):
    """A permission scheme."""

    name: Name
    description: str = ""
    grants: list[GrantEntry] = []


class LevelEntry(Part):
    """A security level and whom it lets pass."""

    name: Name
    description: str = ""
    members: list[Holder] = []


class SecuritySchemeEntry(Part):
    """An issue security scheme."""

    name: Name
    description: str = ""
    default: Name | None = Field(None, description="The level that new issues get.")
    levels: list[LevelEntry] = []


class IssueTypeEntry(Part):
    """An issue type."""

    name: Name
    description: str = ""
    level: int = Field(0, ge=-1, le=3, description="-1 a subtask, 0 a task, 1 an epic.")
    avatar: int = Field(10318, ge=0)
    properties: Properties = {}


class IssueTypeSchemeEntry(Part):
    """The issue types that a project has, the default one first."""

    name: Name
    description: str = ""
    types: Annotated[list[Name], Field(min_length=1)]


class StatusEntry(Part):
    """A status."""

    name: Name
    description: str = ""
    category: Literal["new", "indeterminate", "done"]


class PriorityEntry(Part):
    """A priority."""

    name: Name
    description: str = ""
    color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = "#707070"
    icon: Annotated[str, Field(max_length=64)] = "medium"
    default: bool = False


class ResolutionEntry(Part):
    """A resolution."""

    name: Name
    description: str = ""


class TransitionEntry(Part):
    """A way from one status to another."""

    id: int = Field(gt=0, lt=1_000_000)
    name: Name
    source: Name | None = Field(None, alias="from", description="Every status if left out.")
    to: Name
    conditions: list[str] = Field(
        [], description="All must hold: `role Developers`, `group testers`, `permission KEY`."
    )
    resolution: Name | None = Field(None, description="What the issue gets on the way.")


class WorkflowEntry(Part):
    """A workflow."""

    name: Name
    description: str = ""
    initial: Name
    transitions: list[TransitionEntry] = []


class WorkflowSchemeEntry(Part):
    """Which workflow each issue type follows."""

    name: Name
    workflow: Name
    types: dict[Name, Name] = Field({}, description="Issue types that follow another workflow.")


class CategoryEntry(Part):
    """A category of projects."""

    name: Name
    description: str = ""


class ProjectEntry(Part):
    """A project.

    Attributes:
        roles: Who is in each role; people by handle, groups as ``group NAME``.
        last_number: The highest number an issue of it ever had, where that issue is gone.
    """

    key: ProjectKey
    name: Name
    description: str = ""
    lead: Handle
    permission_scheme: Name | None = Field(None, description="The site's first by default.")
    security_scheme: Name | None = None
    issue_type_scheme: Name | None = Field(None, description="The site's first by default.")
    workflow_scheme: Name | None = Field(None, description="The site's first by default.")
    category: Name | None = None
    type: Literal["software", "business", "service_desk"] = "software"
    assignee_type: Literal["UNASSIGNED", "PROJECT_LEAD"] = "UNASSIGNED"
    url: Annotated[str, Field(max_length=KEY_LENGTH)] = ""
    avatar: int = Field(10400, ge=0)
    uuid: str | None = Field(None, max_length=36, description="Its id; made up by default.")
    former_keys: list[ProjectKey] = []
    roles: dict[Name, list[Actor]] = {}
    last_number: int = Field(0, ge=0)
    properties: Properties = {}


class CommentEntry(Part):
    """A comment on an issue.

    Attributes:
        role: Only who is in this role sees it.
        group: Only who is in this group sees it.
    """

    author: Handle
    body: Document
    role: Name | None = None
    group: Name | None = None
    created: Moment | None = Field(None, description="As the issue's last change by default.")
    updated: Moment | None = Field(None, description="As `created` by default.")
    update_author: Handle | None = Field(None, description="The author by default.")
    jsd_public: bool = True
    properties: Properties = {}


class IssueEntry(Part):
    """An issue.

    Attributes:
        level: Security level.
        rank: Where it stands among the others; in the order of the file by default.
        fields: Further fields by id.
    """

    key: IssueKey
    type: Name | None = Field(None, description="The first standard type of its project.")
    summary: Name
    status: Name | None = Field(None, description="Where its workflow begins.")
    priority: Name | None = Field(None, description="The default one.")
    resolution: str | None = Field(
        None, description="By default the first one if the status is done; `none` for none."
    )
    reporter: Handle | None = Field(None, description="The project's lead by default.")
    creator: Handle | None = Field(None, description="The reporter by default.")
    assignee: Handle | None = None
    labels: list[Annotated[str, Field(pattern=r"^\S{1,255}$")]] = []
    level: Name | None = None
    parent: IssueKey | None = None
    due: Day | None = None
    created: Moment | None = Field(None, description="One day before the world's clock.")
    updated: Moment | None = Field(None, description="As `created` by default.")
    resolved: Moment | None = Field(None, description="As `updated` by default, if resolved.")
    rank: Annotated[str, Field(max_length=64)] | None = None
    description: Document | None = None
    fields: dict[IssueFieldName, Any] = {}  # Any: JSON
    comments: list[CommentEntry] = []
    properties: Properties = {}


class SiteWorld(Part):
    """Everything of one site.

    Attributes:
        users: Who may log in.
        user_properties: Entity properties of people on this site.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    cloud_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    title: Name
    users: list[Handle] = []
    user_properties: dict[Handle, Properties] = {}
    groups: list[GroupEntry] = []
    global_permissions: list[Right] = []
    applications: list[Application] = []
    roles: list[RoleEntry] = []
    issue_types: list[IssueTypeEntry] = []
    issue_type_schemes: list[IssueTypeSchemeEntry] = []
    statuses: list[StatusEntry] = []
    priorities: list[PriorityEntry] = []
    resolutions: list[ResolutionEntry] = []
    workflows: list[WorkflowEntry] = []
    workflow_schemes: list[WorkflowSchemeEntry] = []
    permission_schemes: list[PermissionSchemeEntry] = []
    security_schemes: list[SecuritySchemeEntry] = []
    categories: list[CategoryEntry] = []
    projects: list[ProjectEntry] = []
    issues: list[IssueEntry] = []

    @property
    def url(self) -> str:
        """Return the site's address."""
        return f"https://{self.name}.atlassian.net"
