"""Look at a state after a kill: is what was acknowledged there, and is anything half done."""

import json
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any  # JSON

from pydantic import SecretStr
from sqlalchemy import Connection as Database
from sqlalchemy import func, select, text

from runtime.audit.trail import audit_table
from runtime.identity.accounts import account_table
from runtime.installation.store import app_version_table, installation_table
from runtime.invocation.records import invocation_table
from runtime.jira import schema
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from runtime.tokens.broker import access_token_table
from tests.durability.load import Diary, IssueLoad, States, in_process, words_of

HANGING = (  # tables whose rows hang on an issue
    schema.comment_table,
    schema.changelog_table,
    schema.issue_label_table,
)


def check(
    settings: Settings, states: States, credential: tuple[str, str], mouth: Connection
) -> None:
    """Open a state, say how its entities are and what is wrong with it, and write to it."""
    with open_firebrick(settings) as firebrick:
        said = look_around(firebrick, states)
        go_on(firebrick, credential)
        with firebrick.engine.connect() as database:
            said["wrong"] += sound(database)
    mouth.send(said)


def look_around(firebrick: Firebrick, states: States) -> Any:
    """Say how entities are, what is wrong, and how many requests the trail has."""
    with firebrick.engine.connect() as database:
        return {
            "found": {name: look(firebrick, database, name, states[name]) for name in states},
            "wrong": [*sound(database), *issues(database), *apps(database), *records(database)],
            "http": count_of(database, audit_table, kind="http"),
        }


def go_on(firebrick: Firebrick, credential: tuple[str, str]) -> None:
    """Do every kind of write to an issue, and leave nothing behind."""
    from random import Random  # noqa: PLC0415

    diary = Diary(lambda _said: None, {})
    load = IssueLoad(in_process(firebrick, *credential), diary, Random(1), "after")
    for _ in range(8):
        load.step()
    ask = in_process(firebrick, *credential)
    for state in diary.states.values():
        if state is not None:
            assert ask("DELETE", f"/rest/api/3/issue/{state['key']}", None)[0] == 204


# --- entities ------------------------------------------------------------------------------------


def look(firebrick: Firebrick, database: Database, name: str, known: Any) -> Any:
    """Return how an entity is now, in the form in which the load tells it; None if it is not."""
    if name == "app":
        return app_now(database)
    if name.startswith("token"):
        return token_now(firebrick, name, known)
    if name.startswith("invocation"):
        return invocation_now(database, known)
    return issue_now(database, name)


def issue_now(database: Database, name: str) -> Any:
    """Find an issue by the label that is its name."""
    table, label = schema.issue_table, schema.issue_label_table
    query = (
        select(table, schema.status_table.c.name.label("status"), schema.project_table.c.key)
        .join(label, label.c.issue_id == table.c.id)
        .join(schema.status_table, schema.status_table.c.id == table.c.status_id)
        .join(schema.project_table, schema.project_table.c.id == table.c.project_id)
        .where(label.c.label == name.lower())
    )
    row = database.execute(query).one_or_none()
    if row is None:
        return None
    comments = database.execute(
        select(schema.comment_table.c.body).where(schema.comment_table.c.issue_id == row.id)
    ).scalars()
    kept = schema.property_table.c
    return {
        "key": f"{row.key}-{row.number}",
        "summary": row.summary,
        "labels": sorted(row.fields["labels"]),
        "status": row.status,
        "comments": sorted(words_of(body) for body in comments),
        "history": count_of(database, schema.changelog_table, issue_id=row.id),
        "property": database.execute(
            select(kept.value).where(
                kept.entity == "issue", kept.entity_id == str(row.id), kept.key == "load"
            )
        ).scalar(),
    }


def app_now(database: Database) -> Any:
    """Say how many versions there are, whether the newest is wide, and which one is installed."""
    versions = list(
        database.execute(
            select(app_version_table.c.id, app_version_table.c.scopes).order_by(
                app_version_table.c.id
            )
        )
    )
    if not versions:
        return None
    numbers = {row.id: at for at, row in enumerate(versions, 1)}
    active = installation_table.c
    on = database.execute(select(active.version_id).where(active.active)).scalar()
    return {
        "versions": len(versions),
        "wide": len(json.loads(versions[-1].scopes)) > 1,
        "on": None if on is None else numbers[on],
    }


def token_now(firebrick: Firebrick, name: str, known: Any) -> Any:
    """Find a token by its label; one whose secret is known is tried, too."""
    found = [one for one in firebrick.api_tokens.list() if one.label == name]
    if not found:
        return None
    (token,) = found
    live = not token.revoked
    if known is not None and "secret" in known:
        owner = firebrick.api_tokens.verify("amy@acme.example", SecretStr(known["secret"]))
        assert live == (owner is not None), name
        return {"live": live, "id": token.id, "secret": known["secret"]}
    return {"live": live, "id": token.id}


def invocation_now(database: Database, known: Any) -> Any:
    """Count what the trail has of an invocation."""
    if known is None or "id" not in known:
        return None
    if not count_of(database, invocation_table, id=known["id"], succeeded=True):
        return None
    calls = count_of(database, audit_table, invocation_id=known["id"], kind="door", allowed=True)
    return {"calls": calls, "id": known["id"]}


# --- the whole -----------------------------------------------------------------------------------


def sound(database: Database) -> Iterator[str]:
    """Ask the database itself; PostgreSQL answers for its files without being asked."""
    if database.dialect.name != "sqlite":
        return
    verdict = database.execute(text("PRAGMA integrity_check")).scalar()
    if verdict != "ok":
        yield f"integrity_check: {verdict}"
    for row in database.execute(text("PRAGMA foreign_key_check")):
        yield f"foreign key: {row}"


def issues(database: Database) -> Iterator[str]:
    """Issues and what hangs on them belong together."""
    table = schema.issue_table
    rows = {row.id: row for row in database.execute(select(table))}
    labels = Counter[int]()
    for row in database.execute(select(schema.issue_label_table)):
        labels[row.issue_id] += 1
    for issue_id, row in rows.items():
        if labels[issue_id] != len({label.lower() for label in row.fields.get("labels", [])}):
            yield f"issue {issue_id}: its labels and those that a search finds differ"
    yield from orphans(database, rows)
    yield from numbers(database, rows)
    yield from histories(database, rows)


def orphans(database: Database, rows: Any) -> Iterator[str]:
    """Nothing hangs on an issue that is not there."""
    for hanging in HANGING:
        for issue_id in database.execute(select(hanging.c.issue_id)).scalars():
            if issue_id not in rows:
                yield f"{hanging.name} hangs on issue {issue_id}, which is not there"
    kept = schema.property_table.c
    for owner in database.execute(select(kept.entity_id).where(kept.entity == "issue")).scalars():
        if int(owner) not in rows:
            yield f"a property hangs on issue {owner}, which is not there"


def numbers(database: Database, rows: Any) -> Iterator[str]:
    """No number was given twice, and none that was given is to be given again."""
    taken = Counter((row.project_id, row.number) for row in rows.values())
    yield from (f"issue number {at} twice" for at, times in taken.items() if times > 1)
    projects = schema.project_table.c
    for row in database.execute(select(projects.id, projects.last_issue_number)):
        highest = max((number for project, number in taken if project == row.id), default=0)
        if highest > row.last_issue_number:
            yield f"project {row.id} will give the number {highest} again"
    following = {row.kind: row.next_id for row in database.execute(select(schema.sequence_table))}
    for table in (schema.issue_table, schema.comment_table, schema.changelog_table):
        highest = database.execute(select(func.max(table.c.id))).scalar() or 0
        if highest and highest >= following[table.name]:
            yield f"{table.name} will give the id {highest} again"


def histories(database: Database, rows: Any) -> Iterator[str]:
    """What the history says last of a summary or a status is what the issue has."""
    names = {row.id: row.name for row in database.execute(select(schema.status_table))}
    last: dict[tuple[int, str], str] = {}
    for row in database.execute(select(schema.changelog_table).order_by(text("id"))):
        for item in row.items:
            last[row.issue_id, item["field"]] = item["toString"]
    for (issue_id, field), value in last.items():
        issue = rows.get(issue_id)
        now = {"summary": issue.summary, "status": names[issue.status_id]}.get(field, value)
        if now != value:
            yield f"issue {issue_id}: {field} is {now!r}, its history says {value!r}"


def apps(database: Database) -> Iterator[str]:
    """An installation has its version, its account with its rights; an ended one has none."""
    versions = {row.id: row for row in database.execute(select(app_version_table))}
    numbered = Counter((row.app_id, row.environment, row.version) for row in versions.values())
    yield from (f"version {one} twice" for one, times in numbered.items() if times > 1)
    for row in versions.values():
        if not (json.loads(row.sources) and json.loads(row.scopes) and row.manifest_text):
            yield f"version {row.id} has no sources"
    rows = list(database.execute(select(installation_table)))
    places = Counter((row.app_id, row.environment, row.cloud_id) for row in rows if row.active)
    yield from (f"{place} installed twice" for place, times in places.items() if times > 1)
    living = {row.app_account_id for row in rows if row.active}
    for row in rows:
        if row.version_id not in versions:
            yield f"installation {row.id} has no version"
        elif not set(json.loads(versions[row.version_id].scopes)) <= set(json.loads(row.granted)):
            yield f"installation {row.id} is granted less than its version asks"
        if not row.active and count_of(
            database, access_token_table, installation_id=row.id, revoked=False
        ):
            yield f"installation {row.id} has ended, its tokens live"
        yield from account(database, row.app_account_id, lives=row.app_account_id in living)


def account(database: Database, account_id: str, *, lives: bool) -> Iterator[str]:
    """The account of an installed app is active, in groups and in roles; of any other, neither."""
    active = count_of(database, account_table, account_id=account_id, active=True)
    groups = count_of(database, schema.membership_table, account_id=account_id)
    roles = count_of(database, schema.role_actor_table, parameter=account_id)
    projects = count_of(database, schema.project_table)
    expected = (1, True, projects + 1) if lives else (0, False, 0)
    if (active, groups > 0, roles) != expected:
        yield f"account {account_id}: active {active}, {groups} groups, {roles} roles"


def records(database: Database) -> Iterator[str]:
    """Each change of an app, and each invocation, has its record in the trail, and only one."""
    rules = Counter(database.execute(select(audit_table.c.rule)).scalars())
    installed = count_of(database, installation_table)
    ended = count_of(database, installation_table, active=False)
    for rule, times in (
        ("app.deployed", count_of(database, app_version_table)),
        ("app.installed", installed),
        ("app.uninstalled", ended),
    ):
        if rules[rule] != times:
            yield f"{rule} stands {rules[rule]} times in the trail, not {times}"
    kinds = Counter(database.execute(select(audit_table.c.kind)).scalars())
    invocations = count_of(database, invocation_table)
    if kinds["invocation"] != invocations:
        yield f"{kinds['invocation']} records of {invocations} invocations"


def count_of(database: Database, table: Any, **wanted: Any) -> int:
    """Count the rows of a table that are as wanted."""
    query = select(func.count()).select_from(table)
    for name, value in wanted.items():
        query = query.where(table.c[name] == value)
    return database.execute(query).scalar_one()
