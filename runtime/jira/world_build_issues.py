"""Write the issues and comments of a site's world."""

from dataclasses import dataclass

from runtime.jira import adf, schema
from runtime.jira.store import next_id
from runtime.jira.world_model import CommentEntry, IssueEntry, ProjectEntry, SiteWorld
from runtime.jira.world_names import Names, Row
from runtime.jira.world_text import UNITS_MS, day_text, document, moment_ms

NO_RESOLUTION = "none"


def add_issues(names: Names, now_ms: int) -> None:
    """Add the issues of a site whose configuration is there already."""
    world = names.world
    if not world.issues:
        return
    first = next_id(names.connection, schema.issue_table.name, len(world.issues))
    for at, issue in enumerate(world.issues):
        names.remember(schema.issue_table, issue.key, first + at)
    times = [_Times.of(issue, now_ms) for issue in world.issues]
    shape = Shape(world)
    pairs = list(zip(world.issues, times, strict=True))
    names.insert(
        schema.issue_table,
        (_issue(names, shape, at, issue, when, now_ms) for at, (issue, when) in enumerate(pairs)),
    )
    names.insert(
        schema.issue_label_table,
        (
            {"issue_id": names.number(schema.issue_table, issue.key), "label": label}
            for issue in world.issues
            for label in dict.fromkeys(issue.labels)
        ),
    )
    _add_comments(names, pairs, now_ms)
    names.insert(
        schema.property_table,
        (
            _property(names, "issue", names.number(schema.issue_table, issue.key), key, value)
            for issue in world.issues
            for key, value in issue.properties.items()
        ),
    )


class Shape:
    """What an issue gets where its entry says nothing.

    Args:
        world: The site.
    """

    def __init__(self, world: SiteWorld) -> None:
        self._world = world
        self._projects = {project.key: project for project in world.projects}
        self._types = {one.name: one for one in world.issue_types}
        self._type_schemes = {one.name: one for one in world.issue_type_schemes}
        self._workflows = {one.name: one for one in world.workflows}
        self._workflow_schemes = {one.name: one for one in world.workflow_schemes}
        self._categories = {one.name: one.category for one in world.statuses}

    def project(self, issue: IssueEntry) -> ProjectEntry:
        """Return the project of an issue."""
        return self._projects[issue.key.rpartition("-")[0]]

    def type(self, issue: IssueEntry) -> str:
        """Return the issue's type: by default its project's first that is no epic, no subtask."""
        if issue.type is not None:
            return issue.type
        scheme = self.project(issue).issue_type_scheme or self._world.issue_type_schemes[0].name
        names = self._type_schemes[scheme].types
        return next((name for name in names if self._types[name].level == 0), names[0])

    def status(self, issue: IssueEntry) -> str:
        """Return the issue's status: by default where its workflow begins."""
        if issue.status is not None:
            return issue.status
        name = self.project(issue).workflow_scheme or self._world.workflow_schemes[0].name
        scheme = self._workflow_schemes[name]
        return self._workflows[scheme.types.get(self.type(issue), scheme.workflow)].initial

    def priority(self, issue: IssueEntry) -> str | None:
        """Return the issue's priority: by default the default one, or the first."""
        listed = self._world.priorities
        if issue.priority is not None or not listed:
            return issue.priority
        return next((one.name for one in listed if one.default), listed[0].name)

    def resolution(self, issue: IssueEntry) -> str | None:
        """Return the issue's resolution: by default the first one if it is done."""
        if issue.resolution is not None:
            return None if issue.resolution == NO_RESOLUTION else issue.resolution
        done = self._categories[self.status(issue)] == "done"
        return self._world.resolutions[0].name if done and self._world.resolutions else None


@dataclass(frozen=True, slots=True)
class _Times:
    created_ms: int
    updated_ms: int
    resolved_ms: int

    @classmethod
    def of(cls, issue: IssueEntry, now_ms: int) -> "_Times":
        day_before = now_ms - UNITS_MS["d"]
        created_ms = day_before if issue.created is None else moment_ms(issue.created, now_ms)
        updated_ms = created_ms if issue.updated is None else moment_ms(issue.updated, now_ms)
        resolved_ms = updated_ms if issue.resolved is None else moment_ms(issue.resolved, now_ms)
        return cls(created_ms, updated_ms, resolved_ms)


def _issue(  # noqa: PLR0917  # one call site
    names: Names, shape: Shape, at: int, issue: IssueEntry, when: _Times, now_ms: int
) -> Row:
    project = shape.project(issue)
    resolution = shape.resolution(issue)
    reporter = issue.reporter or project.lead
    level = issue.level and f"{project.security_scheme}\n{issue.level}"
    return {
        "id": names.number(schema.issue_table, issue.key),
        "project_id": names.number(schema.project_table, f"\n{project.key}"),
        "number": int(issue.key.rpartition("-")[2]),
        "issue_type_id": names.number(schema.issue_type_table, shape.type(issue)),
        "status_id": names.number(schema.status_table, shape.status(issue)),
        "priority_id": names.find(schema.priority_table, shape.priority(issue)),
        "resolution_id": names.find(schema.resolution_table, resolution),
        "security_level_id": names.find(schema.security_level_table, level),
        "parent_id": names.find(schema.issue_table, issue.parent),
        "assignee_id": issue.assignee and names.accounts[issue.assignee],
        "reporter_id": names.accounts[reporter],
        "creator_id": names.accounts[issue.creator or reporter],
        "summary": issue.summary,
        "due": issue.due and day_text(issue.due, now_ms),
        "created_ms": when.created_ms,
        "updated_ms": when.updated_ms,
        "resolved_ms": None if resolution is None else when.resolved_ms,
        "rank": issue.rank or f"0|i{at:05d}:",
        **_contents(issue),
    }


def _contents(issue: IssueEntry) -> Row:
    """Return the fields that are kept as JSON, and what a search sees of the description."""
    fields: Row = dict(issue.fields)
    text = ""
    if issue.description is not None:
        described = document(issue.description)
        fields["description"] = described
        text = adf.plain_text(described)
    fields["labels"] = sorted(set(issue.labels))
    return {"description_text": text, "fields": fields}


def _add_comments(names: Names, pairs: list[tuple[IssueEntry, _Times]], now_ms: int) -> None:
    listed = [(issue, said, when.updated_ms) for issue, when in pairs for said in issue.comments]
    numbers = names.add(
        schema.comment_table,
        [_comment(names, issue, said, at_ms, now_ms) for issue, said, at_ms in listed],
    )
    names.insert(
        schema.property_table,
        (
            _property(names, "comment", number, key, value)
            for number, (_, said, _) in zip(numbers, listed, strict=True)
            for key, value in said.properties.items()
        ),
    )


def _comment(names: Names, issue: IssueEntry, said: CommentEntry, at_ms: int, now_ms: int) -> Row:
    created_ms = at_ms if said.created is None else moment_ms(said.created, now_ms)
    updated_ms = created_ms if said.updated is None else moment_ms(said.updated, now_ms)
    kind = "role" if said.role else "group" if said.group else None
    visible = None
    if said.role is not None:
        visible = str(names.number(schema.role_table, said.role))
    elif said.group is not None:
        visible = names.groups[said.group]
    return {
        "issue_id": names.number(schema.issue_table, issue.key),
        "author_id": names.accounts[said.author],
        "update_author_id": names.accounts[said.update_author or said.author],
        "body": document(said.body),
        "created_ms": created_ms,
        "updated_ms": updated_ms,
        "visibility_type": kind,
        "visibility_id": visible,
        "jsd_public": said.jsd_public,
    }


def _property(names: Names, entity: str, number: int, key: str, value: object) -> Row:
    return names.of_site(entity=entity, entity_id=str(number), key=key, value=value)
