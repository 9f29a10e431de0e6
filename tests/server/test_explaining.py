"""An explanation says what a real call gets: for every model, every caller, every operation."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from runtime.database import metadata
from runtime.identity.oauth.blocks import EVERY
from runtime.identity.oauth.values import Distribution
from runtime.server.explain.explanation import Explanation, as_json
from tests.hostile.rights.place import APP_KEY
from tests.server.explaining_place import ASKS, READ, WRITE, Ask, ExplainingPlace, Got, everybody

TOLD_ALIKE = ("who", "credential", "acting_as", "scopes", "verdict", "status", "rule", "reason",
              "source", "operation", "template")  # fmt: skip
CALLERS = (
    "nobody", "nobody at the gateway", "dana's token", "paul's token",
    "paul's token at the gateway", "paul's reading token", "paul's managing token",
    "a revoked token", "a revoked scoped token", "any of otto", "oauth of paul", "oauth of dana",
    "oauth of vera, ended", "connect as itself", "connect as paul", "connect as dana",
    "connect as dora", "forge as itself", "forge as dana", "forge as paul",
    "forge as paul, by dana", "forge as dora, by nobody",
)  # fmt: skip


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExplainingPlace]:
    made = everybody(tmp_path_factory.mktemp("everyone"))
    yield made
    made.place.close()


def verdict(told: Explanation) -> tuple[bool, str, int | None]:
    return told.verdict == "allowed", told.rule, told.status


def recorded(got: Got) -> tuple[bool, str, int | None]:
    return got.record.allowed, got.record.rule, got.record.status


def rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def agree(everyone: ExplainingPlace, name: str, ask: Ask) -> None:
    """Explain first, for the call changes things; then ask, and compare with answer and record."""
    told = everyone.told(name, ask)
    got = everyone.ask(name, ask)
    assert verdict(told) == recorded_or_token(got), (name, ask, told)
    assert told.status == got.status, (name, ask, told)
    if got.record.kind == "token" or got.record.rule.startswith("credential."):
        return  # nobody has proved who they are, so the record does not say it either
    why = as_json(everyone.why(got.record))
    before = as_json(told)
    alike = [key for key in TOLD_ALIKE if key != "credential" or not anything(everyone, name)]
    assert {key: why[key] for key in alike} == {key: before[key] for key in alike}


def anything(everyone: ExplainingPlace, name: str) -> bool:
    """Say whether somebody is asked about with any token, and really asks with one of a name."""
    names = everyone.who[name].names
    return names.user is not None and names.app is None


def recorded_or_token(got: Got) -> tuple[bool, str, int | None]:
    allowed, rule, status = recorded(got)
    return allowed, rule, status if status is not None else got.status


@pytest.mark.parametrize("name", CALLERS)
def test_it_says_what_each_caller_gets_and_the_record_says_it_in_the_same_words(
    everyone: ExplainingPlace, name: str
) -> None:
    assert set(CALLERS) == set(everyone.who)
    for ask in ASKS:
        agree(everyone, name, ask)


def test_the_combinations_are_of_every_kind(everyone: ExplainingPlace) -> None:
    """The table above proves little if everything is refused, or by one rule."""
    some = (
        "nobody", "dana's token", "paul's reading token", "oauth of dana", "oauth of paul",
        "oauth of vera, ended", "connect as paul", "connect as dora", "forge as dora, by nobody",
    )  # fmt: skip
    rules = {everyone.told(name, ask).rule for name in some for ask in ASKS}
    assert rules >= {
        "allowed", "scope.undeclared", "scope.unconsented", "scope.not-in-token",
        "permission.ADMINISTER_PROJECTS", "permission.ADMINISTER", "entity.hidden-or-missing",
        "credential.refused", "credential.assertion", "caller.anonymous", "operation.unknown",
        "operation.not-emulated", "request.invalid", "act.impersonated-user",
    }  # fmt: skip


def test_it_changes_nothing(everyone: ExplainingPlace) -> None:
    before = rows(everyone.place.firebrick.engine)
    for name in ("paul's token", "oauth of paul", "connect as paul", "forge as paul"):
        for ask in ASKS:
            everyone.told(name, ask)
    assert rows(everyone.place.firebrick.engine) == before


# ----------------------------------------------------------------------- whatever admins do to them


Change = Callable[[ExplainingPlace, bool], object]


def _forge_scopes(everyone: ExplainingPlace, *, on: bool) -> None:
    store = everyone.place.firebrick.installations
    for installation in store.list_active():
        store.set_granted(installation.id, frozenset({READ, WRITE} if on else {WRITE}))


def _oauth_scopes(everyone: ExplainingPlace, *, on: bool) -> None:
    place = everyone.place
    scopes = place.client.scopes if on else frozenset({WRITE})
    place.firebrick.oauth.clients.update(replace(place.now_client(), scopes=scopes))


def _private(everyone: ExplainingPlace, *, on: bool) -> None:
    place = everyone.place
    distribution: Distribution = "shared" if on else "private"
    place.firebrick.oauth.clients.update(replace(place.now_client(), distribution=distribution))


def _blocked(everyone: ExplainingPlace, *, on: bool, cloud_id: str) -> None:
    blocks = everyone.place.firebrick.oauth.blocks
    (blocks.unblock if on else blocks.block)(everyone.place.client.client_id, cloud_id)


def _access(everyone: ExplainingPlace, *, on: bool, app_id: str = EVERY) -> None:
    place = everyone.place
    place.firebrick.app_access.set(place.sites[0], "TEAM", app_id, blocked=not on)


def _connect_scopes(everyone: ExplainingPlace, *, on: bool) -> None:
    scopes = {"READ", "WRITE", "ACT_AS_USER"} if on else {"READ"}
    everyone.place.install_connect(frozenset(scopes), 0)


def _connect_enabled(everyone: ExplainingPlace, *, on: bool) -> None:
    place = everyone.place
    place.connect_apps.set_enabled(APP_KEY, place.sites[0], place.root, enabled=on)


CHANGES: dict[str, Change] = {
    "dana is a developer": lambda one, on: one.place.set_member("dana", "Developers", 0, member=on),
    "paul is a manager": lambda one, on: one.place.set_member(
        "paul", "Administrators", 0, member=on
    ),
    "the Forge app may read": lambda one, on: _forge_scopes(one, on=on),
    "the OAuth app has its scopes": lambda one, on: _oauth_scopes(one, on=on),
    "the OAuth app is shared": lambda one, on: _private(one, on=on),
    "the OAuth app is not blocked": lambda one, on: _blocked(one, on=on, cloud_id=EVERY),
    "nor on the site": lambda one, on: _blocked(one, on=on, cloud_id=one.place.sites[0]),
    "apps may read the project": lambda one, on: _access(one, on=on),
    "the Connect app may": lambda one, on: _access(one, on=on, app_id=APP_KEY),
    "the Connect app has its scopes": lambda one, on: _connect_scopes(one, on=on),
    "the Connect app is on": lambda one, on: _connect_enabled(one, on=on),
    "dana is active": lambda one, on: one.place.set_active("dana", active=on),
    "paul is active": lambda one, on: one.place.set_active("paul", active=on),
}  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.sets(st.sampled_from(list(CHANGES)), max_size=4),
    asked=st.lists(
        st.tuples(st.sampled_from(CALLERS), st.sampled_from(ASKS)), min_size=1, max_size=4
    ),
)
def test_it_says_what_a_call_gets_whatever_was_changed_before(
    everyone: ExplainingPlace, changes: set[str], asked: list[tuple[str, Ask]]
) -> None:
    ended = [change for change in CHANGES if change in changes]  # nobody inactive joins a role
    for change in ended:
        CHANGES[change](everyone, False)
    try:
        for name, ask in asked:
            agree(everyone, name, ask)
    finally:
        for change in reversed(ended):
            CHANGES[change](everyone, True)
