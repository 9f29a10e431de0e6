from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from runtime.clock import ManualClock
from runtime.database import open_database, sqlite_url
from runtime.ids import Ids
from runtime.installation.model import AppVersion, Installation
from runtime.installation.store import InstallationStore
from runtime.tokens.broker import ACCESS_TOKEN_LIFETIME_S, TokenBroker, TokenGrant

SCOPES = frozenset({"read:jira-work", "write:jira-work"})
GRANT = TokenGrant("installation", "app", "cloud", "account", SCOPES)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(sqlite_url(tmp_path / "state.db"))


@pytest.fixture
def store(engine: Engine) -> InstallationStore:
    store = InstallationStore(engine)
    version = store.add_version(
        AppVersion(
            0, "app", "development", "1.0.0", "app", "", dict.fromkeys(SCOPES, False), (), "", "", 0
        )
    )
    with engine.begin() as connection:
        store.add_installation(
            connection,
            Installation(
                "installation", "app", "development", "cloud", version.id, SCOPES, "1:app",
                "1:admin", 0.0, True,
            ),
        )  # fmt: skip
    return store


@pytest.fixture
def broker(engine: Engine, store: InstallationStore, clock: ManualClock) -> TokenBroker:
    return TokenBroker(engine, clock, Ids())


@pytest.mark.hostile
def test_a_token_is_worth_what_its_installation_may_do_now(
    engine: Engine, store: InstallationStore, broker: TokenBroker
) -> None:
    token = broker.access_token(GRANT)
    store.set_granted("installation", frozenset({"read:jira-work", "manage:jira-project"}))
    held = broker.verify(token)
    assert held is not None
    assert held.scopes == {"read:jira-work"}
    with engine.begin() as connection:
        store.deactivate(connection, "installation")
    assert broker.verify(token) is None


def test_a_token_stands_for_its_grant_until_it_expires(
    broker: TokenBroker, clock: ManualClock
) -> None:
    token = broker.access_token(GRANT)
    assert broker.verify(token) == GRANT
    clock.advance(ACCESS_TOKEN_LIFETIME_S - 1)
    assert broker.verify(token) == GRANT
    clock.advance(1)
    assert broker.verify(token) is None


def test_a_held_token_is_reused_but_not_close_to_its_end(
    broker: TokenBroker, clock: ManualClock
) -> None:
    token = broker.access_token(GRANT)
    assert broker.access_token(GRANT) == token
    clock.advance(ACCESS_TOKEN_LIFETIME_S - 10)
    assert broker.access_token(GRANT) != token


def test_another_grant_gets_another_token(broker: TokenBroker) -> None:
    other = TokenGrant("installation", "app", "cloud", "account", frozenset())
    assert broker.access_token(GRANT) != broker.access_token(other)


@pytest.mark.parametrize("by", ["installation", "account"])
def test_revoking_kills_the_token_at_once_and_mints_a_new_one_after(
    broker: TokenBroker, by: str
) -> None:
    token = broker.access_token(GRANT)
    revoke = broker.revoke_installation if by == "installation" else broker.revoke_account
    assert revoke(by) == 1
    assert broker.verify(token) is None
    assert revoke(by) == 0
    assert broker.access_token(GRANT) != token


@pytest.mark.hostile
@pytest.mark.parametrize("guess", ["", "fbk_at_", "fbk_at_" + "0" * 64, "' or 1=1 --", "\0"])
def test_what_was_never_minted_is_nothing(broker: TokenBroker, guess: str) -> None:
    broker.access_token(GRANT)
    assert broker.verify(SecretStr(guess)) is None


@pytest.mark.hostile
def test_the_database_holds_no_token(tmp_path: Path, broker: TokenBroker) -> None:
    token = broker.access_token(GRANT).get_secret_value()
    for path in tmp_path.iterdir():
        assert token.encode() not in path.read_bytes()
    with open_database(sqlite_url(tmp_path / "state.db")).connect() as connection:
        rows = connection.execute(text("select * from access_token")).all()
    assert token not in str(rows)
    assert token not in repr(broker.live_tokens())


def test_live_digests_count_what_other_processes_minted(
    tmp_path: Path, broker: TokenBroker, clock: ManualClock
) -> None:
    other = TokenBroker(open_database(sqlite_url(tmp_path / "state.db")), clock, Ids())
    other.access_token(GRANT)
    assert len(broker.live_digests()) == 1
    assert broker.live_tokens() == ()
    clock.advance(ACCESS_TOKEN_LIFETIME_S)
    assert not broker.live_digests()
