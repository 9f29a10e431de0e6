"""Every permission of the product: its key, number, name and kind.

Source:
    Jira Cloud REST API v3, "Get all permissions" and "Permission schemes" (built-in permissions).
    The descriptions are our own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["GLOBAL", "PROJECT"]
PLUGIN_ID = "-1"  # permissions that are not the platform's own carry no number


@dataclass(frozen=True, slots=True)
class PermissionKey:
    """One permission."""

    key: str
    id: str
    name: str
    kind: Kind
    description: str


_GLOBAL = (
    ("ADMINISTER", "0", "Administer Jira", "Run the product's administration."),
    ("SYSTEM_ADMIN", "44", "Administer Jira System", "Run all administration, the system's too."),
    ("USER_PICKER", "27", "Browse users and groups", "Pick users and groups from a list."),
    ("CREATE_SHARED_OBJECTS", "22", "Share dashboards and filters", "Share what one made."),
    ("MANAGE_GROUP_FILTER_SUBSCRIPTIONS", "24", "Manage group filter subscriptions",
     "Subscribe groups to filters."),
    ("BULK_CHANGE", "33", "Make bulk changes", "Change many issues in one step."),
    ("CREATE_PROJECT", PLUGIN_ID, "Create team-managed projects", "Create a team-managed project."),
)  # fmt: skip
_PROJECT = (
    ("ADMINISTER_PROJECTS", "23", "Administer Projects", "Configure a project."),
    ("EDIT_WORKFLOW", PLUGIN_ID, "Edit Workflows", "Change the workflow of a project."),
    ("EDIT_ISSUE_LAYOUT", PLUGIN_ID, "Edit Issue Layout", "Change how issues are laid out."),
    ("BROWSE_PROJECTS", "10", "Browse Projects", "See a project and the issues in it."),
    ("MANAGE_SPRINTS_PERMISSION", PLUGIN_ID, "Manage Sprints", "Plan, start and close sprints."),
    ("SERVICEDESK_AGENT", PLUGIN_ID, "Service Project Agent", "Work on customers' requests."),
    ("VIEW_DEV_TOOLS", "29", "View Development Tools", "See branches, commits and builds."),
    ("VIEW_READONLY_WORKFLOW", "45", "View Read-Only Workflow", "See the workflow of an issue."),
    ("VIEW_AGGREGATED_DATA", PLUGIN_ID, "View Aggregated Data", "See figures over issues."),
    ("ARCHIVE_ISSUES", PLUGIN_ID, "Archive Issues", "Archive issues of a project."),
    ("ASSIGNABLE_USER", "17", "Assignable User", "Be assigned to issues."),
    ("ASSIGN_ISSUES", "13", "Assign Issues", "Assign issues to people."),
    ("CLOSE_ISSUES", "18", "Close Issues", "Close issues."),
    ("CREATE_ISSUES", "11", "Create Issues", "Create issues."),
    ("DELETE_ISSUES", "16", "Delete Issues", "Delete issues."),
    ("EDIT_ISSUES", "12", "Edit Issues", "Edit issues."),
    ("LINK_ISSUES", "21", "Link Issues", "Link issues to each other."),
    ("MODIFY_REPORTER", "30", "Modify Reporter", "Say who reported an issue."),
    ("MOVE_ISSUES", "25", "Move Issues", "Move issues to other projects and workflows."),
    ("RESOLVE_ISSUES", "14", "Resolve Issues", "Resolve and reopen issues."),
    ("SCHEDULE_ISSUES", "28", "Schedule Issues", "See and set due dates."),
    ("SET_ISSUE_SECURITY", "26", "Set Issue Security", "Set the security level of an issue."),
    ("TRANSITION_ISSUES", "46", "Transition Issues", "Move issues through the workflow."),
    ("MANAGE_WATCHERS", "32", "Manage Watchers", "Say who watches an issue."),
    ("VIEW_VOTERS_AND_WATCHERS", "31", "View Voters and Watchers", "See who votes and watches."),
    ("ADD_COMMENTS", "15", "Add Comments", "Comment on issues."),
    ("DELETE_ALL_COMMENTS", "36", "Delete All Comments", "Delete anybody's comments."),
    ("DELETE_OWN_COMMENTS", "37", "Delete Own Comments", "Delete one's own comments."),
    ("EDIT_ALL_COMMENTS", "34", "Edit All Comments", "Edit anybody's comments."),
    ("EDIT_OWN_COMMENTS", "35", "Edit Own Comments", "Edit one's own comments."),
    ("CREATE_ATTACHMENTS", "19", "Create Attachments", "Attach files to issues."),
    ("DELETE_ALL_ATTACHMENTS", "38", "Delete All Attachments", "Delete anybody's attachments."),
    ("DELETE_OWN_ATTACHMENTS", "39", "Delete Own Attachments", "Delete one's own attachments."),
    ("WORK_ON_ISSUES", "20", "Work On Issues", "Log work on issues."),
    ("DELETE_ALL_WORKLOGS", "43", "Delete All Worklogs", "Delete anybody's work logs."),
    ("DELETE_OWN_WORKLOGS", "42", "Delete Own Worklogs", "Delete one's own work logs."),
    ("EDIT_ALL_WORKLOGS", "41", "Edit All Worklogs", "Edit anybody's work logs."),
    ("EDIT_OWN_WORKLOGS", "40", "Edit Own Worklogs", "Edit one's own work logs."),
)

GLOBAL_PERMISSIONS: Mapping[str, PermissionKey] = {
    key: PermissionKey(key, number, name, "GLOBAL", description)
    for key, number, name, description in _GLOBAL
}
PROJECT_PERMISSIONS: Mapping[str, PermissionKey] = {
    key: PermissionKey(key, number, name, "PROJECT", description)
    for key, number, name, description in _PROJECT
}
ALL_PERMISSIONS: Mapping[str, PermissionKey] = {**GLOBAL_PERMISSIONS, **PROJECT_PERMISSIONS}
