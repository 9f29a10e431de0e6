"""Names and numbers in a query to what the store holds: ids of projects, people, statuses, issues.

What the caller may not see resolves like what does not exist, so a query cannot be used to probe.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import ColumnElement, func, select

from runtime.identity.accounts import account_table
from runtime.jira.beans import CATEGORIES
from runtime.jira.context import Context
from runtime.jira.jql_ast import Function, Value
from runtime.jira.jql_dates import wrong_arguments
from runtime.jira.jql_errors import JqlError, no_such_value, not_evaluated
from runtime.jira.jql_fields import JqlField
from runtime.jira.schema import issue_table, site_user_table
from runtime.jira.visibility import visible_issues_clause

Ids = tuple[int, ...] | tuple[str, ...]
UNRESOLVED = "unresolved"
KNOWN_FUNCTIONS = frozenset(
    {"approved", "approver", "breached", "cascadeoption", "choiceoption", "closedsprints"}
    | {"completed", "componentsleadbyuser", "currentlogin", "earliestunreleasedversion"}
    | {
        "elapsed",
        "everbreached",
        "futuresprints",
        "issuehistory",
        "issueswithremotelinksbyglobalid",
    }
    | {
        "lastlogin",
        "latestreleasedversion",
        "linkedissue",
        "linkedissues",
        "myapproval",
        "mypending",
    }
    | {
        "opensprints",
        "parentepic",
        "paused",
        "pending",
        "pendingby",
        "projectswhereuserhaspermission",
    }
    | {
        "projectswhereuserhasrole",
        "releasedversions",
        "remaining",
        "running",
        "spaceswhereuserhasrole",
    }
    | {"unreleasedversions", "updatedby", "votedissues", "watchedissues", "withincalendarhours"}
)
"""Functions of the product that are known and not evaluated, lower case."""


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a query may name.

    Attributes:
        id: Its number.
        names: What it answers to, lower case.
    """

    id: int
    names: frozenset[str] = field(default_factory=frozenset)


def resolve_reference(context: Context, asked: JqlField, value: Value | Function) -> Ids:
    """Return the ids that one operand of a reference field means.

    Raises:
        JqlError: 400 if nothing has that name, or nothing the caller may see.
    """
    if isinstance(value, Function):
        return _reference_function(context, asked, value)
    known = _KNOWN[asked.id](context)
    text = value.text.lower()
    by_name = tuple(one.id for one in known if text in one.names)
    by_id = _by_id(known, value.text)
    found = (by_id or by_name) if value.is_number else (by_name or by_id)
    if not found:
        raise no_such_value(asked.names[0], value)
    return _column_ids(context, asked, found)


def resolve_users(
    context: Context, asked: JqlField, values: Iterable[Value | Function]
) -> list[str]:
    """Return the account ids that the operands of a user field mean, in one query.

    An account is named by its id; by its display name if the caller may browse users; by e-mail
    address only if it is the caller's own, since other addresses are hidden.

    Raises:
        JqlError: 400 naming each value that is no account of this site.
    """
    found: list[str] = []
    named = [value for value in values if isinstance(value, Value)]
    for function in (value for value in values if isinstance(value, Function)):
        found.extend(_user_function(context, function))
    by_name = _accounts_by_name(context, [value.text for value in named]) if named else {}
    missing = [value for value in named if value.text.lower() not in by_name]
    if missing:
        refusals = [no_such_value(asked.names[0], value) for value in missing]
        raise JqlError(*(message for one in refusals for message in one.messages))
    for value in named:
        found.extend(by_name[value.text.lower()])
    return list(dict.fromkeys(found))


def _accounts_by_name(context: Context, texts: list[str]) -> dict[str, list[str]]:
    """Return account ids of this site by what may name them, in lower case."""
    accounts, users = account_table.c, site_user_table.c
    wanted = [text.lower() for text in texts]
    matches: ColumnElement[bool] = accounts.account_id.in_(texts)
    may_pick = context.permissions.holds("USER_PICKER")
    if may_pick:
        matches |= func.lower(accounts.display_name).in_(wanted)
    own = context.account
    if own is not None and own.email is not None and own.email.lower() in wanted:
        matches |= accounts.account_id == own.account_id
    query = (
        select(accounts.account_id, accounts.display_name)
        .join(site_user_table, users.account_id == accounts.account_id)
        .where(users.cloud_id == context.site.cloud_id, matches)
        .order_by(accounts.account_id)
    )
    found: dict[str, list[str]] = {}
    for account_id, display_name in context.connection.execute(query):
        names = {account_id.lower(), *([display_name.lower()] if may_pick else [])}
        if own is not None and own.email is not None and account_id == own.account_id:
            names.add(own.email.lower())
        for name in names:
            found.setdefault(name, []).append(account_id)
    return found


def resolve_issues(context: Context, name: str, values: Iterable[Value]) -> dict[str, int]:
    """Return ids of visible issues by the text that named them, in one query.

    Raises:
        JqlError: 400 naming each one that is missing or hidden: the same for both.
    """
    wanted = {value.text: find_key(context, value.text) for value in values}
    table = issue_table.c
    numbers = [key for key in wanted.values() if isinstance(key, int)]
    pairs = [key for key in wanted.values() if isinstance(key, tuple)]
    condition: ColumnElement[bool] = table.id.in_(numbers)
    by_project: dict[int, list[int]] = {}
    for project_id, number in pairs:
        by_project.setdefault(project_id, []).append(number)
    for project_id, its_numbers in by_project.items():
        condition |= (table.project_id == project_id) & table.number.in_(its_numbers)
    visible = visible_issues_clause(context.site, context.permissions)
    query = select(table.id, table.project_id, table.number).where(condition, visible)
    found: dict[object, int] = {}
    for row in context.connection.execute(query):
        found[row[0]] = found[row[1], row[2]] = row[0]
    missing = [text for text, key in wanted.items() if key not in found]
    if missing:
        raise JqlError(*(_no_such_issue(name, text) for text in missing))
    return {text: found[key] for text, key in wanted.items()}


def find_key(context: Context, text: str) -> int | tuple[int, int] | None:
    """Return what an issue id or key says: an id, or a project and a number; None if nothing."""
    if text.isascii() and text.isdigit():
        return int(text) if len(text) < 19 else None  # noqa: PLR2004  # digits of a 64-bit integer
    key, _, number = text.upper().rpartition("-")
    project_id = context.site.project_ids.get(key)
    if project_id is None or not (number.isascii() and number.isdigit()):
        return None
    return (project_id, int(number)) if len(number) < 10 else None  # noqa: PLR2004  # of a 32-bit one


def _no_such_issue(name: str, text: str) -> str:
    if text.isascii() and text.isdigit():
        return f"A value with ID '{text}' does not exist for the field '{name}'."
    return f"An issue with key '{text}' does not exist for field '{name}'."


# --- what there is to name ------------------------------------------------------------------------


def _projects(context: Context) -> list[Named]:
    return [
        Named(
            project.id,
            frozenset(name.lower() for name in (project.key, project.name, *project.former_keys)),
        )
        for project in context.permissions.visible_projects()
    ]


def _levels(context: Context) -> list[Named]:
    return _named(
        level
        for project in context.permissions.visible_projects()
        for level in context.site.levels_of(project)
    )


def _status_categories(_context: Context) -> list[Named]:
    return [
        Named(number, frozenset({key, name.lower()}))
        for key, (number, _, name) in CATEGORIES.items()
    ]


def _resolutions(context: Context) -> list[Named]:
    return [*_named(context.site.resolutions.values()), Named(-1, frozenset({UNRESOLVED}))]


class _HasName(Protocol):
    @property
    def id(self) -> int: ...

    @property
    def name(self) -> str: ...


def _named(things: Iterable[_HasName]) -> list[Named]:
    return [Named(thing.id, frozenset({thing.name.lower()})) for thing in things]


_KNOWN: Mapping[str, Callable[[Context], list[Named]]] = {
    "project": _projects,
    "issuetype": lambda context: _named(context.site.issue_types.values()),
    "status": lambda context: _named(context.site.statuses.values()),
    "statusCategory": _status_categories,
    "priority": lambda context: _named(context.site.priorities.values()),
    "resolution": _resolutions,
    "security": _levels,
}


def _by_id(known: list[Named], text: str) -> tuple[int, ...]:
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        return ()
    return tuple(one.id for one in known if str(one.id) == text)


def _column_ids(context: Context, asked: JqlField, found: tuple[int, ...]) -> Ids:
    """Return the ids that stand in the issue's column for what was named."""
    if asked.id == "statusCategory":
        wanted = {key for key, (number, _, _) in CATEGORIES.items() if number in found}
        statuses = context.site.statuses.values()
        return tuple(status.id for status in statuses if status.category in wanted)
    return found


# --- functions ------------------------------------------------------------------------------------


def _reference_function(context: Context, asked: JqlField, function: Function) -> Ids:
    name = function.name.lower()
    found = _REFERENCE_FUNCTIONS.get((asked.id, name))
    if found is None:
        raise unknown_function(function)
    if function.arguments:
        raise wrong_arguments(function, "0")
    return found(context)


def _led_projects(context: Context) -> Ids:
    visible = context.permissions.visible_projects()
    return tuple(project.id for project in visible if project.lead_id == context.account_id)


_REFERENCE_FUNCTIONS: Mapping[tuple[str, str], Callable[[Context], Ids]] = {
    ("project", "projectsleadbyuser"): _led_projects,
    ("project", "spacesleadbyuser"): _led_projects,
    ("issuetype", "standardissuetypes"): lambda context: tuple(
        one.id for one in context.site.issue_types.values() if not one.subtask
    ),
    ("issuetype", "subtaskissuetypes"): lambda context: tuple(
        one.id for one in context.site.issue_types.values() if one.subtask
    ),
}
LIST_FUNCTIONS = frozenset({"membersof", *(name for _field, name in _REFERENCE_FUNCTIONS)})
"""Functions that give a list, and so go with IN only; lower case."""


def _user_function(context: Context, function: Function) -> tuple[str, ...]:
    name = function.name.lower()
    if name == "currentuser":
        if function.arguments:
            raise wrong_arguments(function, "0")
        return () if context.account_id is None else (context.account_id,)
    if name != "membersof":
        raise unknown_function(function)
    if len(function.arguments) != 1:
        raise wrong_arguments(function, "1")
    group = context.site.find_group(function.arguments[0])
    if group is None:
        raise JqlError(
            f"Function 'membersOf' can not generate a list of usernames for group "
            f"'{function.arguments[0]}'; the group does not exist."
        )
    return context.site.members_of_group(group.group_id)


def unknown_function(function: Function) -> JqlError:
    """Return the refusal of a function that does not exist, or is not evaluated here."""
    if function.name.lower() in KNOWN_FUNCTIONS:
        return not_evaluated(f"the JQL function '{function.name}()'")
    shown = f"{function.name}({', '.join(function.arguments)})"
    return JqlError(f"Unable to find JQL function '{shown}'.")
