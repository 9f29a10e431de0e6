"""Does every name in a world's issues and comments mean something?"""

from collections.abc import Iterable, Iterator, Set

from runtime.errors import JiraError
from runtime.jira.adf import check_document
from runtime.jira.world_build_issues import NO_RESOLUTION, Shape
from runtime.jira.world_model import CommentEntry, IssueEntry, ProjectEntry, SiteWorld
from runtime.jira.world_text import day_text, moment_ms
from runtime.manifest.problems import quoted
from runtime.server.world.places import FORM, REFERENCE, Finding, Place, unknown

TIMES = ("created", "updated", "resolved")
SUBTASK = -1


def check_issues(site: SiteWorld, handles: Set[str], place: Place) -> Iterator[Finding]:
    """Yield what is wrong with the issues of a site.

    Args:
        site: The site.
        handles: Every account of the world.
        place: Where the site stands.
    """
    checker = _Issues(site, handles)
    for number, issue in enumerate(site.issues):
        yield from checker.check(issue, (*place, "issues", number))


class _Issues:
    """Checks the issues of one site."""

    def __init__(self, site: SiteWorld, handles: Set[str]) -> None:
        self._site = site
        self._shape = Shape(site)
        self._handles = sorted(handles)
        self._projects = {one.key: one for one in site.projects}
        self._types = {one.name: one for one in site.issue_types}
        self._type_schemes = {one.name: one for one in site.issue_type_schemes}
        self._levels = {
            one.name: [level.name for level in one.levels] for one in site.security_schemes
        }
        self._issues = {one.key: one for one in site.issues}
        self._names = {
            "status": [one.name for one in site.statuses],
            "priority": [one.name for one in site.priorities],
            "resolution": [NO_RESOLUTION, *(one.name for one in site.resolutions)],
        }

    def check(self, issue: IssueEntry, place: Place) -> Iterator[Finding]:
        """Yield what is wrong with one issue."""
        project = self._projects.get(issue.key.rpartition("-")[0])
        if project is None:
            yield from unknown(
                "project", issue.key.rpartition("-")[0], self._projects, (*place, "key")
            )
            return
        for key, known in self._names.items():
            name = getattr(issue, key)
            if name is not None:
                yield from unknown(key, name, known, (*place, key))
        for key in ("reporter", "creator", "assignee"):
            handle = getattr(issue, key)
            if handle is not None:
                yield from unknown("user", handle, self._handles, (*place, key))
        yield from self._place_in_project(issue, project, place)
        yield from _times(issue, place)
        yield from _document(issue.description, (*place, "description"))
        for number, said in enumerate(issue.comments):
            yield from self._comment(said, (*place, "comments", number))

    def _place_in_project(
        self, issue: IssueEntry, project: ProjectEntry, place: Place
    ) -> Iterator[Finding]:
        scheme = project.issue_type_scheme or next(iter(self._type_schemes), "")
        types = self._type_schemes[scheme].types if scheme in self._type_schemes else []
        if issue.type is not None and issue.type not in types:
            yield from unknown(f"issue type in {project.key}", issue.type, types, (*place, "type"))
        elif types:
            yield from self._parent(issue, self._shape.type(issue), place)
        if issue.level is not None:
            levels = self._levels.get(project.security_scheme or "", [])
            yield from unknown(f"level in {project.key}", issue.level, levels, (*place, "level"))

    def _parent(self, issue: IssueEntry, kind: str, place: Place) -> Iterator[Finding]:
        known = self._types.get(kind)
        if issue.parent is None:
            if known is not None and known.level == SUBTASK:
                message = f"{issue.key} is a subtask and has no parent."
                yield Finding(place, REFERENCE, message, "Add `parent:` with the key of one.")
            return
        yield from unknown("issue", issue.parent, self._issues, (*place, "parent"))
        seen = {issue.key}
        above = self._issues.get(issue.parent)
        while above is not None:
            if above.key in seen:
                message = f"{issue.key} stands below itself."
                yield Finding((*place, "parent"), REFERENCE, message, "Name another parent.")
                return
            seen.add(above.key)
            above = self._issues.get(above.parent or "")

    def _comment(self, said: CommentEntry, place: Place) -> Iterator[Finding]:
        people = [("author", said.author), ("update_author", said.update_author)]
        for key, handle in people:
            if handle is not None:
                yield from unknown("user", handle, self._handles, (*place, key))
        roles, groups = (
            [one.name for one in self._site.roles],
            [one.name for one in self._site.groups],
        )
        if said.role is not None:
            yield from unknown("role", said.role, roles, (*place, "role"))
        if said.group is not None:
            yield from unknown("group", said.group, groups, (*place, "group"))
        if said.role is not None and said.group is not None:
            message = "A comment is for a role or for a group, not for both."
            yield Finding((*place, "group"), FORM, message, "Remove one.")
        yield from _moments(said, ("created", "updated"), place)
        yield from _document(said.body, (*place, "body"))


def _times(issue: IssueEntry, place: Place) -> Iterator[Finding]:
    yield from _moments(issue, TIMES, place)
    if issue.due is not None:
        try:
            day_text(issue.due, 0)
        except (ValueError, OverflowError):
            yield _no_time(issue.due, (*place, "due"))


def _moments(
    entry: IssueEntry | CommentEntry, keys: Iterable[str], place: Place
) -> Iterator[Finding]:
    for key in keys:
        text = getattr(entry, key)
        if text is None:
            continue
        try:
            moment_ms(text, 0)
        except (ValueError, OverflowError):
            yield _no_time(text, (*place, key))


def _no_time(text: str, place: Place) -> Finding:
    return Finding(place, FORM, f"There is no such time as {quoted(text)}.", "Check the date.")


def _document(body: object, place: Place) -> Iterator[Finding]:
    if not isinstance(body, dict):
        return
    try:
        check_document(body, "body")
    except JiraError as error:
        message = f"This is no document in Atlassian's format: {error.message}."
        yield Finding(place, FORM, message, "Write plain text instead.")
