"""The tables of the emulated product.

Several sites share one database. What stands at the top carries ``cloud_id`` and is only ever found
with it; what hangs below (grants, actors, issues, comments) is reached through its parent. Accounts
belong to `runtime.identity.accounts`, since one person may use several sites.

Ids are integers that start at 10000 (`FIRST_ID`) and are never used twice, so ``INTEGER PRIMARY
KEY`` is SQLite's row id; outside they are strings. Times are milliseconds since 1970-01-01 UTC.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from runtime.database import metadata
from runtime.identity.accounts import account_table

FIRST_ID = 10_000
KEY_LENGTH = 255  # of a property key and of most names
NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # of ids; SQLite's integers are all long


def _site() -> Column[str]:
    return Column("cloud_id", ForeignKey("site.cloud_id"), nullable=False, index=True)


def _id() -> Column[int]:
    return Column("id", NUMBER, primary_key=True, autoincrement=False)


def _parent(name: str, target: str) -> Column[int]:
    return Column(name, NUMBER, ForeignKey(target, ondelete="CASCADE"), nullable=False, index=True)


def _reference(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, NUMBER, ForeignKey(target), nullable=nullable)


def _name() -> Column[str]:
    return Column("name", String(KEY_LENGTH), nullable=False)


def _description() -> Column[str]:
    return Column("description", Text, nullable=False, default="")


site_table = Table(
    "site",
    metadata,
    Column("cloud_id", String(36), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("url", String(KEY_LENGTH), nullable=False),
    Column("title", String(KEY_LENGTH), nullable=False),
    Column("revision", Integer, nullable=False, default=1),  # of the configuration
)

sequence_table = Table(
    "sequence",
    metadata,
    Column("kind", String(64), primary_key=True),  # a table's name
    Column("next_id", NUMBER, nullable=False),
)

# --- who: groups, memberships, global permissions, product access ---------------------------------

site_user_table = Table(
    "site_user",
    metadata,
    Column("cloud_id", ForeignKey("site.cloud_id"), primary_key=True),
    Column("account_id", ForeignKey(account_table.c.account_id), primary_key=True),
)

group_table = Table(
    "jira_group",
    metadata,
    Column("group_id", String(36), primary_key=True),
    _site(),
    _name(),
    UniqueConstraint("cloud_id", "name"),
)

membership_table = Table(
    "membership",
    metadata,
    Column("group_id", ForeignKey("jira_group.group_id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", ForeignKey(account_table.c.account_id), primary_key=True, index=True),
)

application_access_table = Table(
    "application_access",
    metadata,
    Column("cloud_id", ForeignKey("site.cloud_id"), primary_key=True),
    Column("application_key", String(64), primary_key=True),  # such as jira-software
    Column("group_id", ForeignKey("jira_group.group_id", ondelete="CASCADE"), primary_key=True),
)

global_permission_table = Table(
    "global_permission",
    metadata,
    Column("cloud_id", ForeignKey("site.cloud_id"), primary_key=True),
    Column("permission", String(64), primary_key=True),
    Column("group_id", ForeignKey("jira_group.group_id", ondelete="CASCADE"), primary_key=True),
)

# --- what may be done: permission schemes, roles, issue security ----------------------------------

permission_scheme_table = Table(
    "permission_scheme", metadata, _id(), _site(), _name(), _description()
)

permission_grant_table = Table(
    "permission_grant",
    metadata,
    _id(),
    _parent("scheme_id", "permission_scheme.id"),
    Column("permission", String(128), nullable=False),
    Column("holder_type", String(32), nullable=False),
    # group: group id; projectRole: role id; user: account id; applicationRole: application key or
    # None for whoever may use the product; other types: None (or a custom field's id)
    Column("parameter", String(128)),
)

role_table = Table(
    "project_role",
    metadata,
    _id(),
    _site(),
    _name(),
    _description(),
    UniqueConstraint("cloud_id", "name"),
)

role_actor_table = Table(
    "role_actor",
    metadata,
    _id(),
    _parent("role_id", "project_role.id"),
    # None: a default actor, copied into each project that is created later
    Column("project_id", NUMBER, ForeignKey("project.id", ondelete="CASCADE"), index=True),
    Column("actor_type", String(8), nullable=False),  # user or group
    Column("parameter", String(128), nullable=False),  # account id or group id
    UniqueConstraint("role_id", "project_id", "actor_type", "parameter"),
)

security_scheme_table = Table(
    "issue_security_scheme",
    metadata,
    _id(),
    _site(),
    _name(),
    _description(),
    Column("default_level_id", NUMBER),
)

security_level_table = Table(
    "issue_security_level",
    metadata,
    _id(),
    _parent("scheme_id", "issue_security_scheme.id"),
    _name(),
    _description(),
)

security_member_table = Table(
    "issue_security_member",
    metadata,
    _id(),
    _parent("level_id", "issue_security_level.id"),
    Column("holder_type", String(32), nullable=False),
    Column("parameter", String(128)),  # as in permission_grant
)

# --- how work is shaped: types, statuses, workflows, priorities -----------------------------------

issue_type_table = Table(
    "issue_type",
    metadata,
    _id(),
    _site(),
    _name(),
    _description(),
    Column("subtask", Boolean, nullable=False, default=False),
    Column("hierarchy_level", Integer, nullable=False, default=0),  # -1 subtask, 0, 1 epic
    Column("avatar_id", Integer, nullable=False),
)

issue_type_scheme_table = Table(
    "issue_type_scheme", metadata, _id(), _site(), _name(), _description()
)

issue_type_scheme_item_table = Table(
    "issue_type_scheme_item",
    metadata,
    Column("scheme_id", ForeignKey("issue_type_scheme.id", ondelete="CASCADE"), primary_key=True),
    Column("issue_type_id", ForeignKey("issue_type.id"), primary_key=True),
    Column("position", Integer, nullable=False),
)

status_table = Table(
    "status",
    metadata,
    _id(),
    _site(),
    _name(),
    _description(),
    Column("category", String(16), nullable=False),  # new, indeterminate or done
)

priority_table = Table(
    "priority",
    metadata,
    _id(),
    _site(),
    _name(),
    _description(),
    Column("status_color", String(7), nullable=False),
    Column("icon", String(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("is_default", Boolean, nullable=False, default=False),
)

resolution_table = Table(
    "resolution",
    metadata,
    _id(),
    _site(),
    _name(),
    _description(),
    Column("position", Integer, nullable=False),
)

workflow_table = Table(
    "workflow",
    metadata,
    _id(),
    _site(),
    _name(),
    _description(),
    _reference("initial_status_id", "status.id"),
)

transition_table = Table(
    "transition",
    metadata,
    Column("workflow_id", ForeignKey("workflow.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),  # 11, 21, … within its workflow
    _name(),
    _reference("from_status_id", "status.id", nullable=True),  # None: from every status
    _reference("to_status_id", "status.id"),
    Column("position", Integer, nullable=False),
    # [{"type": "role" | "group" | "permission", "value": id or key}]: all must hold
    Column("conditions", JSON, nullable=False),
    _reference("resolution_id", "resolution.id", nullable=True),  # set on the way; None clears it
)

workflow_scheme_table = Table(
    "workflow_scheme",
    metadata,
    _id(),
    _site(),
    _name(),
    _description(),
    _reference("default_workflow_id", "workflow.id"),
)

workflow_scheme_item_table = Table(
    "workflow_scheme_item",
    metadata,
    Column("scheme_id", ForeignKey("workflow_scheme.id", ondelete="CASCADE"), primary_key=True),
    Column("issue_type_id", ForeignKey("issue_type.id"), primary_key=True),
    _reference("workflow_id", "workflow.id"),
)

# --- projects -------------------------------------------------------------------------------------

project_category_table = Table(
    "project_category", metadata, _id(), _site(), _name(), _description()
)

project_table = Table(
    "project",
    metadata,
    _id(),
    _site(),
    Column("key", String(10), nullable=False),
    _name(),
    _description(),
    Column("uuid", String(36), nullable=False),
    Column("lead_id", ForeignKey(account_table.c.account_id), nullable=False),
    Column("assignee_type", String(16), nullable=False, default="UNASSIGNED"),
    Column("project_type", String(16), nullable=False, default="software"),
    Column("url", String(KEY_LENGTH), nullable=False, default=""),
    Column("avatar_id", Integer, nullable=False),
    _reference("category_id", "project_category.id", nullable=True),
    _reference("permission_scheme_id", "permission_scheme.id"),
    _reference("security_scheme_id", "issue_security_scheme.id", nullable=True),
    _reference("issue_type_scheme_id", "issue_type_scheme.id"),
    _reference("workflow_scheme_id", "workflow_scheme.id"),
    # counts issues up; not configuration, so it is never cached
    Column("last_issue_number", Integer, nullable=False, default=0),
    Column("deleted_ms", BigInteger),  # in the recycle bin since; None: live
    Column("deleted_by", ForeignKey(account_table.c.account_id)),
    UniqueConstraint("cloud_id", "key"),
)

project_key_table = Table(  # the current and all former keys; each resolves to its project
    "project_key",
    metadata,
    Column("cloud_id", ForeignKey("site.cloud_id"), primary_key=True),
    Column("key", String(10), primary_key=True),
    _parent("project_id", "project.id"),
)

app_access_rule_table = Table(  # what administrators say of apps and the content of a project
    "app_access_rule",
    metadata,
    Column("cloud_id", ForeignKey("site.cloud_id"), primary_key=True),
    Column("project_id", Integer, primary_key=True),  # ids are never used twice
    Column("app_id", String(254), primary_key=True),
    Column("blocked", Boolean, nullable=False),
)

custom_field_table = Table(  # what the modules of apps add to issues
    "custom_field",
    metadata,
    _id(),
    _site(),
    Column("key", String(KEY_LENGTH), nullable=False),  # never used for another field again
    _name(),
    _description(),
    Column("type", String(16), nullable=False),
    Column("collection", String(8), nullable=False, default="none"),  # none or list
    Column("model", String(8), nullable=False),  # connect or forge
    Column("owner", String(KEY_LENGTH), nullable=False),  # of Connect the app key, of Forge the id
    Column("read_only", Boolean, nullable=False, default=False),
    Column("active", Boolean, nullable=False, default=True),  # its app is there
    Column("settings", JSON, nullable=False),  # what else its module says
    Column("configuration", JSON(none_as_null=True)),  # what its app keeps in its context
    UniqueConstraint("cloud_id", "key"),
)

custom_field_option_table = Table(  # what may be selected in a field of an app
    "custom_field_option",
    metadata,
    Column("field_id", NUMBER, ForeignKey("custom_field.id"), primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", String(KEY_LENGTH), nullable=False),
    Column("properties", JSON, nullable=False),
    Column("config", JSON, nullable=False),
)

# --- issues ---------------------------------------------------------------------------------------

issue_table = Table(
    "issue",
    metadata,
    _id(),
    Column("project_id", ForeignKey("project.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # the key is <project key>-<number>
    _reference("issue_type_id", "issue_type.id"),
    _reference("status_id", "status.id"),
    _reference("priority_id", "priority.id", nullable=True),
    _reference("resolution_id", "resolution.id", nullable=True),
    _reference("security_level_id", "issue_security_level.id", nullable=True),
    Column("parent_id", NUMBER, ForeignKey("issue.id"), index=True),
    Column("assignee_id", ForeignKey(account_table.c.account_id)),
    Column("reporter_id", ForeignKey(account_table.c.account_id)),
    Column("creator_id", ForeignKey(account_table.c.account_id), nullable=False),
    Column("summary", String(KEY_LENGTH), nullable=False),
    Column("due", String(10)),  # yyyy-mm-dd
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("resolved_ms", BigInteger),
    Column("rank", String(64), nullable=False),
    Column("description_text", Text, nullable=False, default=""),  # what a search sees of it
    Column("fields", JSON, nullable=False),  # the rest by field id: ADF, labels, customfield_…
    UniqueConstraint("project_id", "number"),
    Index("ix_issue_project_created", "project_id", "created_ms"),
    Index("ix_issue_project_updated", "project_id", "updated_ms"),
    Index("ix_issue_project_status", "project_id", "status_id"),
    Index("ix_issue_assignee", "assignee_id"),
    Index("ix_issue_reporter", "reporter_id"),
    Index("ix_issue_created", "created_ms"),
    Index("ix_issue_updated", "updated_ms"),
    Index("ix_issue_rank", "rank"),
)

issue_label_table = Table(  # a searchable copy of the labels in issue.fields
    "issue_label",
    metadata,
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True),
    Column("label", String(KEY_LENGTH), primary_key=True),
    Index("ix_issue_label_label", "label"),
)

field_migration_table = Table(  # values of Connect fields that Forge fields took over
    "field_migration",
    metadata,
    Column("field_id", NUMBER, ForeignKey("custom_field.id"), primary_key=True),
    Column("moved", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("finished_ms", BigInteger, nullable=False),
)

custom_value_table = Table(  # a searchable copy of the values of custom fields in issue.fields
    "custom_value",
    metadata,
    Column("issue_id", ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True),
    Column("field_id", NUMBER, ForeignKey("custom_field.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("text", Text),  # in lower case
    Column("number", Float),
    Index("ix_custom_value_number", "field_id", "number"),
)

comment_table = Table(
    "comment",
    metadata,
    _id(),
    _parent("issue_id", "issue.id"),
    Column("author_id", ForeignKey(account_table.c.account_id), nullable=False),
    Column("update_author_id", ForeignKey(account_table.c.account_id), nullable=False),
    Column("body", JSON, nullable=False),  # ADF
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("visibility_type", String(8)),  # role, group or None
    Column("visibility_id", String(36)),  # role id or group id
    Column("jsd_public", Boolean, nullable=False, default=True),
)

changelog_table = Table(
    "changelog",
    metadata,
    _id(),
    _parent("issue_id", "issue.id"),
    Column("author_id", ForeignKey(account_table.c.account_id), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("items", JSON, nullable=False),  # [{field, fieldtype, fieldId, from, fromString, …}]
)

property_table = Table(
    "property",
    metadata,
    Column("cloud_id", ForeignKey("site.cloud_id"), primary_key=True),
    Column("entity", String(16), primary_key=True),  # issue, project, comment, user, issuetype
    Column("entity_id", String(128), primary_key=True),
    Column("key", String(KEY_LENGTH), primary_key=True),
    Column("value", JSON(none_as_null=False), nullable=False),
)
