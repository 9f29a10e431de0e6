"""The default world is what ``docs/world.md`` says it is."""

from pathlib import Path

from sqlalchemy import func, select

from runtime.clock import ManualClock
from runtime.database import open_database
from runtime.ids import Ids
from runtime.jira.holders import holder_label
from runtime.jira.schema import comment_table, issue_label_table, issue_table
from runtime.jira.visibility import visible_issues_clause
from runtime.jira.world import seed_default_world
from runtime.jira.world_data import PEOPLE
from tests.jira.worlds import World

DOCUMENT = Path(__file__).parents[2] / "docs" / "world.md"


def table(heading: str) -> list[tuple[str, ...]]:
    """Return the rows of the first table below a heading, without its head."""
    text = DOCUMENT.read_text("utf-8").split(f"## {heading}\n", 1)[1]
    lines = [line for line in text.split("\n## ", 1)[0].splitlines() if line.startswith("|")]
    rows = [tuple(cell.strip(" `") for cell in line.strip("|").split("|")) for line in lines]
    return rows[2:]


def cell(values: list[str]) -> str:
    return ", ".join(values) or "—"


def test_the_people_are_those_of_the_document(world: World) -> None:
    site = world.site()
    rows = []
    for person in PEOPLE:
        account = world.account(person.handle)
        groups = site.group_ids.get(account.account_id, frozenset())
        names = [group.name for group in site.groups.values() if group.group_id in groups]
        rows.append(
            (
                account.handle,
                account.display_name,
                account.account_id,
                "yes" if account.active else "no",
                cell(names),
            )
        )
    assert table("People") == rows


def test_the_roles_are_those_of_the_document(world: World) -> None:
    site = world.site()
    names = {world.account(one.handle).account_id: one.handle for one in PEOPLE}
    names |= {group.group_id: f"group {group.name}" for group in site.groups.values()}
    rows = []
    for project in site.live_projects():
        for role in site.roles.values():
            actors = [
                names[actor.parameter]
                for actor in site.role_actors
                if (actor.project_id, actor.role_id) == (project.id, role.id)
            ]
            if actors:
                rows.append((project.key, role.name, cell(actors)))
    assert table("Roles") == rows


def test_the_global_permissions_are_those_of_the_document(world: World) -> None:
    site = world.site()
    rows = [
        (key, cell([group.name for group in site.groups.values() if group.group_id in ids]))
        for key, ids in sorted(site.global_permissions.items())
    ]
    assert table("Global permissions") == rows


def test_what_each_project_grants_is_what_the_document_says(world: World) -> None:
    site = world.site()
    shown = table("Project permissions")
    assert {row[0] for row in shown} == set(site.permission_schemes[10001].holders) | {
        "ADMINISTER_PROJECTS"
    }
    for key, *cells in shown:
        for project, text in zip(site.live_projects(), cells, strict=True):
            holders = site.permission_schemes[project.permission_scheme_id].holders.get(key, ())
            labels = [holder_label(site, holder) for holder in holders]
            names = [label.removeprefix("role ") for label in labels]
            people = {one.account_id: one.handle for one in PEOPLE}
            words = [
                people.get(name.removeprefix("user "), name)
                for name in names
                if name != "atlassian-addons-project-access"
            ]
            assert text == cell(words), (key, project.key)


def test_each_person_sees_as_many_issues_as_the_document_says(world: World) -> None:
    site = world.site()
    for who, *counts in table("Who sees how many issues"):
        handle = None if who == "anonymous" else who
        clause = visible_issues_clause(site, world.permissions(handle))
        with world.engine.connect() as connection:
            rows = connection.execute(
                select(issue_table.c.project_id, func.count())
                .where(clause)
                .group_by(issue_table.c.project_id)
            )
            found = dict(tuple(row) for row in rows)
        seen = [str(found.get(project.id, 0)) for project in site.live_projects()]
        assert counts == seen, who


def test_the_transitions_are_those_of_the_document(world: World) -> None:
    site = world.site()
    (workflow,) = site.workflows.values()
    rows = []
    for transition in workflow.transitions:
        roles = [site.roles[int(condition.value)].name for condition in transition.conditions]
        start = transition.from_status_id
        rows.append(
            (
                str(transition.id),
                transition.name,
                "any" if start is None else site.statuses[start].name,
                site.statuses[transition.to_status_id].name,
                f"role {roles[0]}" if roles else "TRANSITION_ISSUES",
            )
        )
    assert table("Workflow") == rows


def test_the_security_levels_are_those_of_the_document(world: World) -> None:
    site = world.site()
    (scheme,) = site.security_schemes.values()
    rows = []
    for level in scheme.levels:
        labels = [holder_label(site, holder) for holder in level.holders]
        with world.engine.connect() as connection:
            numbers = connection.execute(
                select(issue_table.c.number)
                .where(issue_table.c.security_level_id == level.id)
                .order_by(issue_table.c.number)
            ).scalars()
            keys = [f"VAULT-{number}" for number in numbers]
        rows.append((level.name, cell(labels), cell(keys)))
    assert table("Security levels") == rows


def test_the_same_seed_makes_the_same_world() -> None:
    def dump() -> list[object]:
        engine = open_database("sqlite://")
        with engine.begin() as connection:
            seed_default_world(connection, Ids.seeded(3), ManualClock())
            tables = (issue_table, comment_table, issue_label_table)
            rows = [tuple(row) for one in tables for row in connection.execute(select(one))]
        engine.dispose()
        return [*rows]

    first = dump()
    assert first == dump()
    assert len(first) == 40 + 12 + 33


def test_every_restricted_comment_names_a_role_of_the_site(world: World) -> None:
    with world.engine.connect() as connection:
        rows = connection.execute(
            select(comment_table.c.visibility_id).where(comment_table.c.visibility_type == "role")
        ).scalars()
        assert {int(role_id) for role_id in rows} <= set(world.site().roles)
