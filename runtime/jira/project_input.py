"""What a client wants of a project, checked: the columns to write, or the product's errors.

Source:
    Jira Cloud REST API v3, "Create project" and "Update project".

Differs:
    Notification, field and screen schemes are not emulated; naming one is refused.
"""

import re
from collections.abc import Mapping

from runtime.errors import JiraError
from runtime.jira.beans import find_accounts
from runtime.jira.context import Context
from runtime.jira.payload import Payload
from runtime.jira.site import Project

KEY = re.compile(r"[A-Z][A-Z0-9_]{1,9}")
NAME_LENGTH = 80
TYPES = frozenset({"software", "service_desk", "business"})
ASSIGNEE_TYPES = frozenset({"PROJECT_LEAD", "UNASSIGNED"})
NO_CATEGORY = -1
OWN_MEMBERS = frozenset(
    {
        "name",
        "description",
        "lead",
        "leadAccountId",
        "assigneeType",
        "url",
        "avatarId",
        "categoryId",
    }
)
"""What a project's own administrators may set."""
SCHEMES: Mapping[str, str] = {
    "permissionScheme": "permission_scheme_id",
    "issueSecurityScheme": "security_scheme_id",
    "issueTypeScheme": "issue_type_scheme_id",
    "workflowScheme": "workflow_scheme_id",
}
UNSUPPORTED = frozenset(
    {"notificationScheme", "fieldScheme", "fieldConfigurationScheme", "issueTypeScreenScheme"}
)
KEY_ERROR = (
    "Project keys must start with an uppercase letter, followed by one or more uppercase "
    "alphanumeric characters."
)

Columns = dict[str, object]
Errors = dict[str, str]


class ProjectInput:
    """Checks the members of a request one by one and gathers columns and errors.

    Args:
        context: The call.
        payload: The request's body.
        project: The project to change; None for a new one.
    """

    def __init__(self, context: Context, payload: Payload, project: Project | None) -> None:
        self._context = context
        self._payload = payload
        self._project = project
        self._columns: Columns = {}
        self._errors: Errors = {}

    def columns(self) -> Columns:
        """Return the columns to write.

        Raises:
            JiraError: 400 with one message for each member that is wrong.
        """
        self._name()
        self._key()
        self._lead()
        self._plain()
        self._schemes()
        if self._errors:
            raise JiraError(400, fields=self._errors)
        return self._columns

    def changes_schemes_or_key(self) -> bool:
        """Say whether the request asks for what only Jira's administrators may change."""
        project, payload = self._project, self._payload
        if "key" in payload and (project is None or payload.text("key") != project.key):
            return True
        named = (name for name in (*SCHEMES, *UNSUPPORTED) if name in payload)
        return any(
            project is None or payload.number(name) != getattr(project, SCHEMES.get(name, ""), None)
            for name in named
        ) or bool(payload.items("releasedProjectKeys"))

    def _name(self) -> None:
        name = self._payload.text("name")
        if name is None and self._project is not None:
            return
        if not name or not name.strip() or len(name) > NAME_LENGTH:
            self._errors["projectName"] = "You must specify a valid project name."
        elif any(other.name == name for other in self._others()):
            self._errors["projectName"] = "A project with that name already exists."
        self._columns["name"] = name

    def _key(self) -> None:
        key = self._payload.text("key")
        if key is None and self._project is not None:
            return
        owner = self._context.site.find_any_project(key or "")
        if key is None or not KEY.fullmatch(key):
            self._errors["projectKey"] = KEY_ERROR
        elif owner is not None and owner != self._project:
            self._errors["projectKey"] = f"Project '{owner.name}' uses this project key."
        self._columns["key"] = key

    def _lead(self) -> None:
        lead_id = self._payload.text("leadAccountId") or self._payload.text("lead")
        if lead_id is None and self._project is not None:
            return
        account = find_accounts(self._context, (lead_id,)).get(lead_id or "")
        if account is None or not account.active or account.account_type != "atlassian":
            self._errors["projectLead"] = "You must specify a valid project lead."
        self._columns["lead_id"] = lead_id

    def _plain(self) -> None:
        payload = self._payload
        assignee = payload.text("assigneeType")
        if assignee is not None and assignee not in ASSIGNEE_TYPES:
            self._errors["assigneeType"] = "The assignee type is not valid."
        category = payload.number("categoryId")
        if category not in (None, NO_CATEGORY, *self._context.site.categories):
            self._errors["categoryId"] = "The project category does not exist."
        values: Columns = {
            "description": payload.text("description"),
            "url": payload.text("url"),
            "assignee_type": assignee,
            "avatar_id": payload.number("avatarId"),
            "category_id": category,
        }
        self._columns.update({name: at for name, at in values.items() if at is not None})
        if category == NO_CATEGORY:
            self._columns["category_id"] = None

    def _schemes(self) -> None:
        for name in sorted(UNSUPPORTED):
            if name in self._payload:
                self._errors[name] = f"Firebrick does not emulate the {name} yet."
        site = self._context.site
        existing = {
            "permissionScheme": site.permission_schemes,
            "issueSecurityScheme": site.security_schemes,
            "issueTypeScheme": site.issue_type_ids,
            "workflowScheme": site.workflow_schemes,
        }
        for name, column in SCHEMES.items():
            number = self._payload.number(name)
            if number is None:
                continue
            if number not in existing[name]:
                self._errors[name] = f"The {name} {number} does not exist."
            self._columns[column] = number

    def _others(self) -> list[Project]:
        return [other for other in self._context.site.projects.values() if other != self._project]
