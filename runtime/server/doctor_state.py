"""What ``doctor`` finds inside a state: sites, apps, recordings, tokens, clocks, secrets."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from runtime.audit.trail import audit_table
from runtime.clock import Clock
from runtime.database import metadata
from runtime.errors import ForgeError, StateError
from runtime.identity.accounts import list_accounts
from runtime.installation.store import InstallationStore
from runtime.installation.variables import variable_table
from runtime.invocation.recordfile import read_record
from runtime.invocation.recording import RecordingStore, recording_table
from runtime.jira.configuration import load_site
from runtime.jira.permissions import Permissions
from runtime.jira.schema import issue_table, project_table, site_table, site_user_table
from runtime.server.finding import Finding
from runtime.server.settings import Settings
from runtime.server.world.state import recall
from runtime.tokens.broker import access_token_table
from runtime.tokens.vault import Vault

DAY_S = 86_400
SKEW_S = 60  # a host's clock may be set by so much without anybody wondering
MANY_STALE = 10_000  # expired tokens that make a look-up noticeably slower

Check = Callable[[Engine, Settings, Clock], Iterator[Finding]]


def _sites(engine: Engine, _settings: Settings, _clock: Clock) -> Iterator[Finding]:
    with engine.connect() as connection:
        sites = connection.execute(select(site_table.c.cloud_id, site_table.c.name)).all()
        if not sites:
            mend = "'firebrick reset' makes one"
            yield Finding("failed", "sites", "the state has no site", mend)
        for cloud_id, name in sites:
            yield _site(connection, cloud_id, name)


def _site(connection: Connection, cloud_id: str, name: str) -> Finding:
    site = load_site(connection, cloud_id)
    users = select(site_user_table.c.account_id).where(site_user_table.c.cloud_id == cloud_id)
    here = set(connection.execute(users).scalars())
    issues = connection.execute(
        select(func.count())
        .select_from(
            issue_table.join(project_table, project_table.c.id == issue_table.c.project_id)
        )
        .where(project_table.c.cloud_id == cloud_id)
    ).scalar_one()
    shown = f"{name}: {len(here)} users, {len(site.live_projects())} projects, {issues} issues"
    people = [one for one in list_accounts(connection) if one.account_id in here and one.active]
    if any(
        Permissions(site, one).holds("ADMINISTER") for one in people if one.account_type != "app"
    ):
        return Finding("ok", "site", shown)
    mend = (
        "nobody may install apps there: put somebody into a group that holds ADMINISTER, "
        "in firebrick.yml, and 'firebrick seed'"
    )
    return Finding("warn", "site", f"{shown}, no active administrator", mend)


def _world(engine: Engine, _settings: Settings, clock: Clock) -> Iterator[Finding]:
    world = recall(engine)
    if not world.source:
        yield Finding("ok", "world", "the default world")
        return
    there = Path(world.source).is_file()
    yield Finding(
        "ok" if there else "warn",
        "world",
        f"made of {world.source}" + ("" if there else ", which is gone"),
        "" if there else "'firebrick export-world -o FILE' writes the world as it is now",
    )
    if world.ahead_s:
        days = round(abs(world.ahead_s) / DAY_S, 1)
        way = "ahead of" if world.ahead_s > 0 else "behind"
        yield Finding(
            "ok", "world clock", f"{days} days {way} the host's: 'clock' in {world.source}"
        )
    del clock


def _apps(engine: Engine, _settings: Settings, _clock: Clock) -> Iterator[Finding]:
    store = InstallationStore(engine)
    newest = {(one.app_id, one.environment): one for one in store.list_latest_versions()}
    active = store.list_active()
    yield Finding("ok", "apps", f"{len(newest)} deployed, {len(active)} installed")
    with engine.connect() as connection:
        names = dict(
            tuple(row)
            for row in connection.execute(select(site_table.c.cloud_id, site_table.c.name))
        )
    for one in active:
        version = store.find_version(one.version_id)
        latest = newest.get((one.app_id, one.environment))
        site = names.get(one.cloud_id, one.cloud_id)
        if version is None:
            mend = "'firebrick deploy' and 'firebrick install' it again"
            yield Finding("failed", "apps", f"the version installed on {site} is gone", mend)
        elif latest is not None and latest.id != version.id:
            found = f"{latest.name} {latest.version} waits for approval on {site}"
            mend = f"'firebrick install --app {latest.name} --site {site}'; {version.version} runs"
            yield Finding("warn", "apps", found, mend)


def _recordings(engine: Engine, settings: Settings, _clock: Clock) -> Iterator[Finding]:
    with engine.connect() as connection:
        count, size = connection.execute(
            select(func.count(), func.coalesce(func.sum(func.length(recording_table.c.body)), 0))
        ).one()
    if settings.recordings == 0:
        mend = "set FIREBRICK_RECORDINGS to how many are to be kept"
        yield Finding("warn", "recordings", "none are kept: nothing can be replayed", mend)
    newest = RecordingStore(engine, settings.recordings).newest()
    try:
        if newest is not None:
            read_record(newest.body)
    except ForgeError as error:
        mend = "invoke the function again: the next recording replaces it in time"
        yield Finding("failed", "recordings", f"the newest cannot be read: {error}", mend)
        return
    yield Finding(
        "ok",
        "recordings",
        f"{count} of at most {settings.recordings}, {size // 2**10} KiB",
    )


def _tokens(engine: Engine, _settings: Settings, clock: Clock) -> Iterator[Finding]:
    now_s = clock.now_s()
    live = stale = 0
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if "expires_at_s" in table.c and "token_hash" in table.c:
                ends = table.c.expires_at_s
                alive = select(func.count()).select_from(table).where(ends > now_s)
                every = select(func.count()).select_from(table)
                count = connection.execute(alive).scalar_one()
                live += count
                stale += connection.execute(every).scalar_one() - count
    many = stale > MANY_STALE
    yield Finding(
        "warn" if many else "ok",
        "tokens",
        f"{live} live, {stale} expired (refused, and kept for the trail)",
        "'firebrick reset' or 'firebrick seed' removes them with all else" if many else "",
    )
    yield from _orphans(engine, now_s)


def _orphans(engine: Engine, now_s: float) -> Iterator[Finding]:
    """Yield live tokens whose installation has ended: uninstalling revokes them."""
    active = {one.id for one in InstallationStore(engine).list_active()}
    table = access_token_table.c
    query = select(table.installation_id).where(~table.revoked, table.expires_at_s > now_s)
    with engine.connect() as connection:
        orphans = [one for one in connection.execute(query).scalars() if one not in active]
    if orphans:
        mend = "they are worth nothing, since a token is checked against its installation"
        yield Finding("warn", "tokens", f"{len(orphans)} live tokens of ended installations", mend)


def _clocks(engine: Engine, _settings: Settings, clock: Clock) -> Iterator[Finding]:
    with engine.connect() as connection:
        last_s = connection.execute(select(func.max(audit_table.c.at_s))).scalar()
    ahead_s = 0.0 if last_s is None else last_s - clock.now_s()
    if ahead_s > SKEW_S:
        found = f"the trail ends {ahead_s:.0f} s in the future: the host's clock went back"
        mend = "set the clock right; until then tokens live longer than they should"
        yield Finding("warn", "clock", found, mend)
    else:
        yield Finding("ok", "clock", "not behind the audit trail")


def _variables(engine: Engine, settings: Settings, _clock: Clock) -> Iterator[Finding]:
    table = variable_table.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(table.key, table.value).where(table.secure).order_by(table.key)
        ).all()
    if not rows:
        return
    vault = Vault(settings.state)
    for key, value in rows:
        try:
            vault.decrypt(value)
        except StateError as error:
            mend = f"bring the key file back, or 'firebrick variables set {key} VALUE --encrypt'"
            yield Finding("failed", "variables", f"{key} cannot be decrypted: {error}", mend)
            return
    yield Finding("ok", "variables", f"{len(rows)} encrypted, all can be decrypted")


STATE_CHECKS: Mapping[str, Check] = {
    "sites": _sites,
    "world": _world,
    "apps": _apps,
    "recordings": _recordings,
    "tokens": _tokens,
    "clock": _clocks,
    "variables": _variables,
}
"""Everything that is looked at inside a state, by name."""
