"""Tokens that an app outside of the sandbox holds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from runtime.clock import ManualClock
from runtime.database import open_database, sqlite_url
from runtime.ids import Ids
from runtime.installation.consents import ConsentStore
from runtime.installation.model import AppVersion, Installation
from runtime.installation.store import InstallationStore
from runtime.tokens.broker import TokenBroker
from runtime.tokens.handed import BEARER_KINDS, KEPT_S, HandedKind, Handing

SCOPES = {"read:jira-work": True, "write:jira-work": False}
HANDING = Handing("user", "installation", "app", "cloud", "1:user", frozenset(SCOPES))
Install = Callable[..., None]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(sqlite_url(tmp_path / "state.db"))


@pytest.fixture
def store(engine: Engine) -> InstallationStore:
    return InstallationStore(engine)


@pytest.fixture
def install(engine: Engine, store: InstallationStore) -> Install:
    def add(*, user_consent: bool = False) -> None:
        version = store.add_version(
            AppVersion(0, "app", "development", "1.0.0", "app", "", SCOPES, (), "", "", 0)
        )
        installation = Installation(
            "installation", "app", "development", "cloud", version.id, frozenset(SCOPES), "1:app",
            "1:admin", 0.0, True, user_consent,
        )  # fmt: skip
        with engine.begin() as connection:
            store.add_installation(connection, installation)

    return add


@pytest.fixture
def broker(engine: Engine, clock: ManualClock) -> TokenBroker:
    return TokenBroker(engine, clock, Ids())


def test_a_handed_token_is_a_bearer_token_of_its_account(
    install: Install, broker: TokenBroker
) -> None:
    install()
    for kind in ("system", "user"):
        token = broker.handed.issue(replace(HANDING, kind=kind), 60)
        held = broker.verify(token)
        assert held is not None
        assert (held.account_id, held.cloud_id) == ("1:user", "cloud")
        assert held.scopes == frozenset(SCOPES)


@pytest.mark.hostile
def test_a_proxy_token_is_no_bearer_token_and_a_bearer_token_no_proxy_token(
    install: Install, broker: TokenBroker
) -> None:
    install()
    proxy = broker.handed.issue(replace(HANDING, kind="proxy"), 60)
    assert broker.verify(proxy) is None
    assert broker.handed.find(proxy, ("proxy",)) is not None
    for kind in BEARER_KINDS:
        token = broker.handed.issue(replace(HANDING, kind=kind), 60)
        assert broker.handed.find(token, ("proxy",)) is None


@pytest.mark.hostile
def test_an_offline_token_holds_only_scopes_that_allow_impersonation(
    install: Install, broker: TokenBroker, store: InstallationStore
) -> None:
    install()
    token = broker.handed.issue(replace(HANDING, kind="offline"), 60)
    held = broker.verify(token)
    assert held is not None
    assert held.scopes == {"read:jira-work"}
    store.set_granted("installation", frozenset({"write:jira-work"}))
    assert broker.verify(token) is None


@pytest.mark.hostile
def test_a_token_is_cut_down_to_what_is_in_force_and_never_grows(
    install: Install, broker: TokenBroker, store: InstallationStore
) -> None:
    install()
    narrow = replace(HANDING, scopes=frozenset({"read:jira-work"}))
    token = broker.handed.issue(narrow, 60)
    held = broker.verify(token)
    assert held is not None
    assert held.scopes == {"read:jira-work"}
    store.set_granted("installation", frozenset({"write:jira-work"}))
    held = broker.verify(token)
    assert held is not None
    assert held.scopes == set()


@pytest.mark.hostile
def test_a_user_token_dies_with_the_consent_of_its_user(
    install: Install, broker: TokenBroker, engine: Engine, clock: ManualClock
) -> None:
    install(user_consent=True)
    token = broker.handed.issue(HANDING, 60)
    consents = ConsentStore(engine, clock)
    assert broker.verify(token) is None
    consents.grant("installation", "1:user", frozenset(SCOPES))
    assert broker.verify(token) is not None
    consents.grant("installation", "1:user", frozenset({"read:jira-work"}))
    assert broker.verify(token) is None
    consents.grant("installation", "1:other", frozenset(SCOPES))
    consents.revoke("installation", "1:user")
    assert broker.verify(token) is None


@pytest.mark.hostile
@pytest.mark.parametrize("kind", ["system", "user", "offline", "proxy"])
def test_a_token_ends_by_time_by_revocation_and_with_its_installation(
    kind: HandedKind, install: Install, broker: TokenBroker, engine: Engine, clock: ManualClock
) -> None:
    install()
    store = InstallationStore(engine)
    handing = replace(HANDING, kind=kind, invocation_id="run")

    def made() -> SecretStr:
        token = broker.handed.issue(handing, 60)
        assert broker.handed.find(token, (kind,)) is not None
        return token

    late = made()
    clock.advance(60)
    assert broker.handed.find(late, (kind,)) is None
    for revoke, of in (
        (broker.handed.revoke_invocation, "run"),
        (broker.revoke_account, "1:user"),
        (broker.revoke_installation, "installation"),
    ):
        token = made()
        assert revoke(of) >= 1
        assert revoke(of) == 0
        assert broker.handed.find(token, (kind,)) is None
    last = made()
    with engine.begin() as connection:
        store.deactivate(connection, "installation")
    assert broker.handed.find(last, (kind,)) is None


@pytest.mark.hostile
def test_no_guess_comes_near_a_token_and_only_its_hash_is_kept(
    install: Install, broker: TokenBroker, engine: Engine
) -> None:
    install()
    token = broker.handed.issue(HANDING, 60).get_secret_value()
    with engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM handed_token")).all())
        digest = connection.execute(text("SELECT token_hash FROM handed_token")).scalar_one()
    assert token not in kept
    assert token.removeprefix("fbk_fut_") not in kept
    assert broker.live_digests() == {digest}
    guesses = (token[:-1], token.upper(), f" {token}", f"{token}\n", token.replace("fut", "fst"))
    for guess in (*guesses, digest, "", "fbk_fut_é", f"fbk_fut_{digest}", f"fbk_fut_{'0' * 64}"):
        assert broker.verify(SecretStr(guess)) is None, guess


def test_what_ended_long_ago_is_forgotten(
    install: Install, broker: TokenBroker, engine: Engine, clock: ManualClock
) -> None:
    install()
    for _ in range(3):
        broker.handed.issue(HANDING, 60)
        clock.advance(60 + KEPT_S)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM handed_token")).scalar_one() == 1


def test_open_invocations_are_listed(install: Install, broker: TokenBroker) -> None:
    install()
    proxy = replace(HANDING, kind="proxy", invocation_id="run", function_key="main")
    for handing in (HANDING, proxy, replace(proxy, installation_id="other")):
        broker.handed.issue(handing, 60)
    assert [one.function_key for one, _ in broker.handed.list_open()] == ["main", "main"]
    broker.handed.revoke_invocation("run")
    assert broker.handed.list_open() == ()
