"""Seed the default world: one site, six people, three projects, forty issues."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Table, insert

from runtime.clock import Clock
from runtime.identity.accounts import Account, add_account, find_account
from runtime.ids import Ids
from runtime.jira import schema
from runtime.jira import world_data as data
from runtime.jira.store import next_id
from runtime.jira.world_issues import COMMENTS, CommentData, IssueData, default_issues

Row = dict[str, object]

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def seed_default_world(
    connection: Connection, ids: Ids, clock: Clock, site: data.SiteData = data.ACME
) -> str:
    """Add a site with the default world to a database and return its cloud id.

    The same clock and a seeded source of ids give the same world. Account ids, the cloud id and
    all numbers are fixed anyway; the newest issue was created one day before the clock's time. A
    second site has the same people, and other numbers.
    """
    _Seed(connection, ids, int(clock.now_s() * 1000), site).run()
    return site.cloud_id


class _Seed:
    """Writes the world table by table and remembers the numbers it gave out."""

    def __init__(self, connection: Connection, ids: Ids, now_ms: int, site: data.SiteData) -> None:
        self._connection = connection
        self._ids = ids
        self._now_ms = now_ms
        self._of = site
        self._accounts = {person.handle: person.account_id for person in data.PEOPLE}
        self._groups = {name: ids.uuid() for name in data.GROUPS}
        self._issues = default_issues()
        self._numbers: dict[tuple[str, str], int] = {}

    def run(self) -> None:
        self._site()
        self._people()
        self._shape_of_work()
        self._rights()
        self._projects()
        self._add_issues()
        self._comments()

    def _add(self, table: Table, rows: Sequence[Row]) -> list[int]:
        """Insert rows of a table with numbers of its own and return those."""
        first = next_id(self._connection, table.name, len(rows))
        numbers = list(range(first, first + len(rows)))
        self._insert(table, [{**row, "id": at} for row, at in zip(rows, numbers, strict=True)])
        return numbers

    def _add_named(self, table: Table, rows: Sequence[Row]) -> Mapping[str, int]:
        """Insert named rows of the site and remember their numbers by name."""
        numbers = self._add(table, [{**row, "cloud_id": self._of.cloud_id} for row in rows])
        found = {str(row["name"]): at for row, at in zip(rows, numbers, strict=True)}
        self._numbers.update({(table.name, name): at for name, at in found.items()})
        return found

    def _insert(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        self._connection.execute(insert(table), [dict(row) for row in rows])

    def _number(self, table: Table, name: str) -> int:
        return self._numbers[table.name, name]

    def _site(self) -> None:
        site = self._of_site(name=self._of.name, url=self._of.url, title=self._of.name.title())
        self._insert(schema.site_table, [{**site, "revision": 1}])

    def _people(self) -> None:
        for person in data.PEOPLE:
            if find_account(self._connection, person.account_id) is not None:
                continue
            add_account(
                self._connection,
                Account(
                    *(person.account_id, "atlassian", person.handle, person.email, person.name),
                    active=person.active,
                ),
            )
        members = [
            {"group_id": self._groups[name], "account_id": person.account_id}
            for person in data.PEOPLE
            for name in person.groups
        ]
        self._insert(
            schema.site_user_table, [self._of_site(account_id=at) for at in self._accounts.values()]
        )
        self._insert(
            schema.group_table,
            [
                self._of_site(group_id=group_id, name=name)
                for name, group_id in self._groups.items()
            ],
        )
        self._insert(schema.membership_table, members)
        self._group_rights()

    def _of_site(self, **values: object) -> Row:
        return {"cloud_id": self._of.cloud_id, **values}

    def _group_rights(self) -> None:
        self._insert(
            schema.global_permission_table,
            [
                self._of_site(permission=permission, group_id=self._groups[name])
                for permission, names in data.GLOBAL_GRANTS.items()
                for name in names
            ],
        )
        self._insert(
            schema.application_access_table,
            [
                self._of_site(application_key=key, group_id=self._groups[name])
                for key, names in data.APPLICATIONS.items()
                for name in names
            ],
        )

    # --- types, statuses, workflow ---------------------------------------------------------------

    def _shape_of_work(self) -> None:
        types = self._add_named(
            schema.issue_type_table,
            [
                {
                    "name": name,
                    "description": description,
                    "subtask": level < 0,
                    "hierarchy_level": level,
                    "avatar_id": avatar_id,
                }
                for name, description, level, avatar_id in data.ISSUE_TYPES
            ],
        )
        scheme = self._add_named(schema.issue_type_scheme_table, [_named("Issue types", "")])
        self._insert(
            schema.issue_type_scheme_item_table,
            [
                {"scheme_id": scheme["Issue types"], "issue_type_id": type_id, "position": at}
                for at, type_id in enumerate(types.values())
            ],
        )
        self._add_named(
            schema.status_table,
            [{**_named(name, text), "category": kind} for name, text, kind in data.STATUSES],
        )
        self._grades()
        self._workflow()

    def _grades(self) -> None:
        self._add_named(
            schema.priority_table,
            [
                {
                    **_named(name, description),
                    "status_color": color,
                    "icon": icon,
                    "position": at,
                    "is_default": name == data.DEFAULT_PRIORITY,
                }
                for at, (name, description, color, icon) in enumerate(data.PRIORITIES)
            ],
        )
        self._add_named(
            schema.resolution_table,
            [
                {**_named(name, text), "position": at}
                for at, (name, text) in enumerate(data.RESOLUTIONS)
            ],
        )

    def _workflow(self) -> None:
        roles = [_named(name, text) for name, text in data.ROLES]
        self._add_named(schema.role_table, roles)
        initial = self._number(schema.status_table, data.STATUSES[0][0])
        name, text = data.WORKFLOW
        workflow = self._add_named(
            schema.workflow_table, [{**_named(name, text), "initial_status_id": initial}]
        )[name]
        self._insert(
            schema.transition_table,
            [
                {"workflow_id": workflow, "position": at, **self._transition(transition)}
                for at, transition in enumerate(data.TRANSITIONS)
            ],
        )
        scheme = {**_named(f"{name} scheme", ""), "default_workflow_id": workflow}
        self._add_named(schema.workflow_scheme_table, [scheme])

    def _transition(self, transition: data.TransitionData) -> Row:
        conditions = []
        if transition.role is not None:
            role_id = self._number(schema.role_table, transition.role)
            conditions.append({"type": "role", "value": str(role_id)})
        resolution = transition.resolution
        return {
            "id": transition.id,
            "name": transition.name,
            "from_status_id": self._number(schema.status_table, transition.source),
            "to_status_id": self._number(schema.status_table, transition.target),
            "conditions": conditions,
            "resolution_id": resolution and self._number(schema.resolution_table, resolution),
        }

    # --- schemes and projects --------------------------------------------------------------------

    def _rights(self) -> None:
        schemes = self._add_named(
            schema.permission_scheme_table,
            [_named(scheme.name, scheme.description) for scheme in data.SCHEMES.values()],
        )
        self._add(
            schema.permission_grant_table,
            [
                {
                    "scheme_id": schemes[scheme.name],
                    "permission": permission,
                    "holder_type": holder_type,
                    "parameter": self._parameter(holder_type, whom),
                }
                for scheme in data.SCHEMES.values()
                for holder_type, whom, permissions in scheme.grants
                for permission in permissions
            ],
        )
        self._security()

    def _security(self) -> None:
        name, text = data.SECURITY_SCHEME
        scheme = self._add_named(schema.security_scheme_table, [_named(name, text)])[name]
        levels = self._add(
            schema.security_level_table,
            [
                {**_named(level, text), "scheme_id": scheme}
                for level, (text, _holders) in data.SECURITY_LEVELS.items()
            ],
        )
        for level, number in zip(data.SECURITY_LEVELS, levels, strict=True):
            self._numbers[schema.security_level_table.name, level] = number
        self._add(
            schema.security_member_table,
            [
                {
                    "level_id": self._number(schema.security_level_table, level),
                    "holder_type": holder_type,
                    "parameter": self._parameter(holder_type, whom),
                }
                for level, (_text, holders) in data.SECURITY_LEVELS.items()
                for holder_type, whom in holders
            ],
        )

    def _parameter(self, kind: str, whom: str | None) -> str | None:
        """Return what the store keeps of whom a holder or a role actor names."""
        if whom is None:
            return None
        if kind == "projectRole":
            return str(self._number(schema.role_table, whom))
        return {**self._groups, **self._accounts}.get(whom, whom)

    def _projects(self) -> None:
        numbers = self._add_named(
            schema.project_table, [self._project(project) for project in data.PROJECTS]
        )
        by_key = {project.key: numbers[project.name] for project in data.PROJECTS}
        self._numbers.update({("project", key): number for key, number in by_key.items()})
        self._insert(
            schema.project_key_table,
            [self._of_site(key=key, project_id=number) for key, number in by_key.items()],
        )
        actors = [
            self._actor(role, kind, whom, by_key[project.key])
            for project in data.PROJECTS
            for role, kind, whom in project.actors
        ]
        actors += [self._actor(role, kind, whom, None) for role, kind, whom in data.DEFAULT_ACTORS]
        self._add(schema.role_actor_table, actors)

    def _project(self, project: data.ProjectData) -> Row:
        scheme = data.SCHEMES[project.key]
        issues = [issue for issue in self._issues if issue.project == project.key]
        security = self._number(schema.security_scheme_table, data.SECURITY_SCHEME[0])
        return {
            **_named(project.name, project.description),
            "key": project.key,
            "uuid": self._ids.uuid(),
            "lead_id": self._accounts[project.lead],
            "avatar_id": 10400,
            "permission_scheme_id": self._number(schema.permission_scheme_table, scheme.name),
            "security_scheme_id": security if project.secured else None,
            "issue_type_scheme_id": self._number(schema.issue_type_scheme_table, "Issue types"),
            "workflow_scheme_id": self._number(
                schema.workflow_scheme_table, f"{data.WORKFLOW[0]} scheme"
            ),
            "last_issue_number": len(issues),
        }

    def _actor(self, role: str, kind: str, whom: str, project_id: int | None) -> Row:
        return {
            "role_id": self._number(schema.role_table, role),
            "project_id": project_id,
            "actor_type": kind,
            "parameter": self._parameter(kind, whom),
        }

    # --- issues ----------------------------------------------------------------------------------

    def _add_issues(self) -> None:
        first = next_id(self._connection, schema.issue_table.name, len(self._issues))
        self._numbers.update({("issue", at.key): first + n for n, at in enumerate(self._issues)})
        self._insert(
            schema.issue_table, [self._issue(at, issue) for at, issue in enumerate(self._issues)]
        )
        self._insert(
            schema.issue_label_table,
            [
                {"issue_id": self._numbers["issue", issue.key], "label": label}
                for issue in self._issues
                for label in issue.labels
            ],
        )

    def _issue(self, at: int, issue: IssueData) -> Row:
        created_ms = self._now_ms - (len(self._issues) - at) * DAY_MS
        done = issue.status == "Done"
        updated_ms = created_ms + (at % 7 + 1) * HOUR_MS
        return {
            "id": self._numbers["issue", issue.key],
            "project_id": self._numbers["project", issue.project],
            "number": int(issue.key.partition("-")[2]),
            "issue_type_id": self._number(schema.issue_type_table, issue.type),
            "status_id": self._number(schema.status_table, issue.status),
            "priority_id": self._number(schema.priority_table, issue.priority),
            "resolution_id": self._number(schema.resolution_table, "Done") if done else None,
            "security_level_id": issue.level
            and self._number(schema.security_level_table, issue.level),
            "parent_id": issue.parent and self._numbers["issue", issue.parent],
            "assignee_id": issue.assignee and self._accounts[issue.assignee],
            "reporter_id": self._accounts[issue.reporter],
            "creator_id": self._accounts[issue.reporter],
            "summary": issue.summary,
            "due": None if issue.due_day is None else self._day(issue.due_day),
            "created_ms": created_ms,
            "updated_ms": updated_ms,
            "resolved_ms": updated_ms if done else None,
            "rank": f"0|i{at:05d}:",
            "description_text": f"{issue.summary}. Part of the default world.",
            "fields": {
                "description": paragraph(f"{issue.summary}. Part of the default world."),
                "labels": sorted(issue.labels),
            },
        }

    def _day(self, days: int) -> str:
        newest = datetime.fromtimestamp(self._now_ms / 1000, UTC)
        return f"{newest + timedelta(days=days):%Y-%m-%d}"

    def _comments(self) -> None:
        self._add(
            schema.comment_table, [self._comment(at, said) for at, said in enumerate(COMMENTS)]
        )

    def _comment(self, at: int, said: CommentData) -> Row:
        created_ms = self._now_ms - DAY_MS + at * HOUR_MS
        author_id = self._accounts[said.author]
        role_id = said.role and str(self._number(schema.role_table, said.role))
        return {
            "issue_id": self._numbers["issue", said.issue],
            "author_id": author_id,
            "update_author_id": author_id,
            "body": paragraph(said.text),
            "created_ms": created_ms,
            "updated_ms": created_ms,
            "visibility_type": said.role and "role",
            "visibility_id": role_id,
        }


def paragraph(text: str) -> Row:
    """Return an Atlassian document of one paragraph."""
    words = {"type": "text", "text": text}
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [words]}]}


def _named(name: str, description: str) -> Row:
    return {"name": name, "description": description}
