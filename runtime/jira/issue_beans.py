"""The JSON of issues: their fields as the API shows them, and as HTML.

Source:
    Jira Cloud REST API v3, schema ``IssueBean``; the field types of "Get fields".

Differs:
    Fields of features that are not emulated show what an issue without any of them has.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from runtime.jira.adf_html import to_html
from runtime.jira.beans import (
    Bean,
    find_accounts,
    issue_type_bean,
    priority_bean,
    project_reference,
    resolution_bean,
    security_level_bean,
    status_bean,
    status_category_bean,
    user_bean,
)
from runtime.jira.comment_store import Comment, comment_bean, load_comments, rich_text
from runtime.jira.context import Context
from runtime.jira.custom_values import CustomValues
from runtime.jira.issue_fields import ISSUE_FIELDS
from runtime.jira.issues_store import (
    Issue,
    People,
    children,
    family,
    load_issues,
    visible_only,
)
from runtime.jira.responses import jira_time

EXPAND = "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations"


class IssueBeans:
    """Shows a batch of issues; whatever they refer to is read once for all of them.

    Args:
        context: The call.
        issues: The issues; the caller has been found to see them.
        wanted: Ids of the fields that are shown.
        people: Accounts that are known already, if all of them are.
    """

    def __init__(
        self,
        context: Context,
        issues: Sequence[Issue],
        wanted: frozenset[str],
        people: People | None = None,
    ) -> None:
        self.context = context
        self.wanted = wanted
        self._issues = issues
        self._people = self._find_people() if people is None else people
        self._comments = load_comments(context, issues) if "comment" in wanted else {}
        self._relatives: dict[int, Issue] = {}
        self._children: dict[int, list[Issue]] = {}
        self._find_relatives()
        self._memory: dict[tuple[str, object], Bean] = {}
        self._shown = [(name, _SHOWN[name]) for name in ISSUE_FIELDS if name in wanted]
        self._custom = {
            name: one for name, one in context.site.custom_fields.items() if name in wanted
        }
        if self._custom:
            values = CustomValues(context, issues, self._custom.values())
            self._shown += [(name, _custom(values, name)) for name in self._custom]

    def bean(self, issue: Issue) -> Bean:
        """Return an issue with the wanted fields."""
        return {**self.reference(issue), "fields": self.fields(issue)}

    def reference(self, issue: Issue) -> Bean:
        """Return what identifies an issue."""
        return {
            "expand": EXPAND,
            "id": str(issue.id),
            "self": self.context.link(f"issue/{issue.id}"),
            "key": issue.key(self.context),
        }

    def fields(self, issue: Issue) -> Bean:
        """Return the wanted fields of an issue; one without a parent has no ``parent``."""
        shown = {name: show(self, issue) for name, show in self._shown}
        if shown.get("parent", True) is None:
            del shown["parent"]
        return shown

    def rendered(self, issue: Issue) -> Bean:
        """Return the wanted fields as HTML; None for those that have no other form."""
        return {name: self._renderer(name)(self, issue) for name, _show in self._shown}

    def _renderer(self, name: str) -> "Show":
        custom = self._custom.get(name)
        if custom is not None and custom.type == "rich_text":
            return _html(name)
        return _RENDERED.get(name, _nothing)

    def comments(self, issue: Issue) -> list[Comment]:
        """Return the readable comments of an issue, if the field is wanted."""
        return self._comments.get(issue.id, [])

    def once(self, kind: str, key: object, make: Callable[[], Bean]) -> Bean:
        """Return a bean that many issues of the batch show; it is made once."""
        found = self._memory.get((kind, key))
        if found is None:
            found = self._memory[kind, key] = make()
        return found

    def person(self, account_id: str | None) -> Bean | None:
        """Return an account in an issue."""
        account = None if account_id is None else self._people.get(account_id)
        if account is None:
            return None
        return self.once("user", account_id, lambda: user_bean(self.context, account))

    def parent(self, issue: Issue) -> Bean | None:
        """Return an issue's parent, if it has one that the caller may see."""
        found = None if issue.parent_id is None else self._relatives.get(issue.parent_id)
        return None if found is None else self.relative(found)

    def subtasks(self, issue: Issue) -> list[Bean]:
        """Return the subtasks of an issue that the caller may see."""
        types = self.context.site.issue_types
        below = self._children.get(issue.id, ())
        return [self.relative(child) for child in below if types[child.issue_type_id].subtask]

    def relative(self, issue: Issue) -> Bean:
        """Return another issue as a parent or a subtask is shown."""
        names = ("summary", "status", "priority", "issuetype")
        return {
            "id": str(issue.id),
            "key": issue.key(self.context),
            "self": self.context.link(f"issue/{issue.id}"),
            "fields": {name: _SHOWN[name](self, issue) for name in names},
        }

    def _find_people(self) -> People:
        wanted = self.wanted
        return find_accounts(
            self.context,
            [
                account_id
                for issue in self._issues
                for name, account_id in (
                    ("assignee", issue.assignee_id),
                    ("reporter", issue.reporter_id),
                    ("creator", issue.creator_id),
                )
                if name in wanted
            ],
        )

    def _find_relatives(self) -> None:
        for issue in visible_only(self.context, self._load_relatives()):
            self._relatives[issue.id] = issue
            if issue.parent_id is not None:
                self._children.setdefault(issue.parent_id, []).append(issue)

    def _load_relatives(self) -> list[Issue]:
        issues, wanted = self._issues, self.wanted
        if not wanted & {"parent", "subtasks"} or not issues:
            return []
        if len(issues) == 1:
            return family(self.context, issues[0])
        parents = sorted({one.parent_id for one in issues if one.parent_id is not None})
        above = load_issues(self.context, parents) if "parent" in wanted else []
        below = children(self.context, [one.id for one in issues]) if "subtasks" in wanted else []
        return list({one.id: one for one in (*above, *below)}.values())


# --- one function per field -----------------------------------------------------------------------

Show = Callable[[IssueBeans, Issue], object]


def _configured(
    kind: str, key: Callable[[Issue], object], make: Callable[[IssueBeans, Issue], Bean]
) -> Show:
    """Show something of the site's configuration, made once per batch."""

    def show(beans: IssueBeans, issue: Issue) -> object:
        return beans.once(kind, key(issue), lambda: make(beans, issue))

    return show


def _priority(beans: IssueBeans, issue: Issue) -> object:
    priority = issue.priority(beans.context)
    if priority is None:
        return None
    return beans.once("priority", priority.id, lambda: priority_bean(beans.context, priority))


def _resolution(beans: IssueBeans, issue: Issue) -> object:
    resolution = issue.resolution(beans.context)
    if resolution is None:
        return None
    return beans.once(
        "resolution", resolution.id, lambda: resolution_bean(beans.context, resolution)
    )


def _security(beans: IssueBeans, issue: Issue) -> object:
    level = issue.security_level(beans.context)
    return None if level is None else security_level_bean(beans.context, level)


def _moment(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else jira_time(milliseconds)


def _comment_page(beans: IssueBeans, issue: Issue) -> Bean:
    comments = beans.comments(issue)
    return {
        "comments": [comment_bean(beans.context, comment) for comment in comments],
        "self": beans.context.link(f"issue/{issue.id}/comment"),
        "maxResults": len(comments),
        "total": len(comments),
        "startAt": 0,
    }


def _votes(beans: IssueBeans, issue: Issue) -> object:
    link = beans.context.link(f"issue/{issue.key(beans.context)}/votes")
    return {"self": link, "votes": 0, "hasVoted": False}


def _watches(beans: IssueBeans, issue: Issue) -> object:
    link = beans.context.link(f"issue/{issue.key(beans.context)}/watchers")
    return {"self": link, "watchCount": 0, "isWatching": False}


def _nothing(_beans: IssueBeans, _issue: Issue) -> object:
    return None


def _no_items(_beans: IssueBeans, _issue: Issue) -> object:
    return []


def _no_progress(_beans: IssueBeans, _issue: Issue) -> object:
    return {"progress": 0, "total": 0}


def _custom(values: CustomValues, name: str) -> Show:
    return lambda _beans, issue: values.show(name, issue)


def _rich(name: str) -> Show:
    return lambda beans, issue: rich_text(beans.context, issue.fields.get(name))


_SHOWN: Mapping[str, Show] = {
    "statusCategory": _configured(
        "category",
        lambda issue: issue.status_id,
        lambda beans, issue: status_category_bean(
            beans.context, issue.status(beans.context).category
        ),
    ),
    "summary": lambda _beans, issue: issue.summary,
    "issuetype": _configured(
        "type",
        lambda issue: issue.issue_type_id,
        lambda beans, issue: issue_type_bean(beans.context, issue.issue_type(beans.context)),
    ),
    "project": _configured(
        "project",
        lambda issue: issue.project_id,
        lambda beans, issue: project_reference(beans.context, issue.project(beans.context)),
    ),
    "parent": lambda beans, issue: beans.parent(issue),
    "status": _configured(
        "status",
        lambda issue: issue.status_id,
        lambda beans, issue: status_bean(beans.context, issue.status(beans.context)),
    ),
    "resolution": _resolution,
    "resolutiondate": lambda _beans, issue: _moment(issue.resolved_ms),
    "priority": _priority,
    "assignee": lambda beans, issue: beans.person(issue.assignee_id),
    "reporter": lambda beans, issue: beans.person(issue.reporter_id),
    "creator": lambda beans, issue: beans.person(issue.creator_id),
    "labels": lambda _beans, issue: issue.fields.get("labels", []),
    "description": _rich("description"),
    "environment": _rich("environment"),
    "duedate": lambda _beans, issue: issue.due,
    "created": lambda _beans, issue: _moment(issue.created_ms),
    "updated": lambda _beans, issue: _moment(issue.updated_ms),
    "security": _security,
    "subtasks": lambda beans, issue: beans.subtasks(issue),
    "issuelinks": _no_items,
    "attachment": _no_items,
    "components": _no_items,
    "versions": _no_items,
    "fixVersions": _no_items,
    "votes": _votes,
    "watches": _watches,
    "progress": _no_progress,
    "aggregateprogress": _no_progress,
    "workratio": lambda _beans, _issue: -1,
    "timespent": _nothing,
    "timeestimate": _nothing,
    "timeoriginalestimate": _nothing,
    "lastViewed": _nothing,
    "timetracking": lambda _beans, _issue: {},
    "comment": _comment_page,
    "worklog": lambda _beans, _issue: {"startAt": 0, "maxResults": 20, "total": 0, "worklogs": []},
}


def _html(name: str) -> Show:
    def show(_beans: IssueBeans, issue: Issue) -> object:
        document = issue.fields.get(name)
        return None if document is None else to_html(document)

    return show


def _spoken(milliseconds: int) -> str:
    """Write a time as the product's screens do: ``21/May/24 2:00 PM``."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%d/%b/%y} {moment.hour % 12 or 12}:{moment:%M %p}"


def _rendered_comments(beans: IssueBeans, issue: Issue) -> object:
    page = _comment_page(beans, issue)
    page["comments"] = [
        {
            **comment_bean(beans.context, comment),
            "body": to_html(comment.body),
            "created": _spoken(comment.created_ms),
            "updated": _spoken(comment.updated_ms),
        }
        for comment in beans.comments(issue)
    ]
    return page


_RENDERED: Mapping[str, Show] = {
    "description": _html("description"),
    "environment": _html("environment"),
    "created": lambda _beans, issue: _spoken(issue.created_ms),
    "updated": lambda _beans, issue: _spoken(issue.updated_ms),
    "comment": _rendered_comments,
}
