from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from runtime.clock import ManualClock
from runtime.database import open_database, sqlite_url
from runtime.errors import ForgeError
from runtime.identity.accounts import Account, add_account, list_accounts, set_account_active
from runtime.identity.api_tokens import DAY_S, ApiTokens, VerifiedToken
from runtime.identity.token_policy import TokenPolicy
from runtime.ids import Ids

ANNA = Account("1:anna", "atlassian", "anna", "Anna@example.com", "Anna")
BERT = Account("1:bert", "atlassian", "bert", "bert@example.com", "Bert")
ROBOT = Account("1:robot", "app", "robot", None, "Robot")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(sqlite_url(tmp_path / "state.db"))
    with engine.begin() as connection:
        for account in (ANNA, BERT, ROBOT):
            add_account(connection, account)
    return engine


@pytest.fixture
def tokens(engine: Engine, clock: ManualClock) -> ApiTokens:
    return ApiTokens(engine, clock, Ids())


def test_a_token_proves_its_owner_by_e_mail_in_any_case(tokens: ApiTokens) -> None:
    made, secret = tokens.create(ANNA, "test")
    assert tokens.verify("anna@EXAMPLE.com", secret) == VerifiedToken(ANNA, None, made.id)


@pytest.mark.hostile
def test_a_token_is_worth_nothing_with_another_e_mail(tokens: ApiTokens) -> None:
    _, secret = tokens.create(ANNA, "test")
    for email in ("bert@example.com", "", "anna", "1:anna", "%"):
        assert tokens.verify(email, secret) is None
    assert tokens.verify("anna@example.com", SecretStr("fbk_pat_" + "0" * 64)) is None


def test_a_token_ends_at_its_expiry_and_at_its_revocation(
    tokens: ApiTokens, clock: ManualClock
) -> None:
    first, secret = tokens.create(ANNA, "one day", 1)
    second, other = tokens.create(ANNA, "revoked")
    assert tokens.revoke(second.id)
    assert not tokens.revoke(second.id)
    assert tokens.verify("anna@example.com", other) is None
    assert len(tokens.live_digests()) == 1
    clock.advance(DAY_S)
    assert tokens.verify("anna@example.com", secret) is None
    assert {token.id for token in tokens.list(ANNA.account_id)} == {first.id, second.id}
    assert tokens.list(BERT.account_id) == ()


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_lifetime_outside_a_year_is_refused(tokens: ApiTokens, days: int) -> None:
    with pytest.raises(ForgeError, match="365") as caught:
        tokens.create(ANNA, "x", days)
    assert caught.value.code == "BAD_TOKEN_LIFETIME"


def test_apps_and_deactivated_people_own_no_tokens(tokens: ApiTokens, engine: Engine) -> None:
    with engine.begin() as connection:
        set_account_active(connection, BERT.account_id, active=False)
        accounts = {account.handle: account for account in list_accounts(connection)}
    for handle in ("bert", "robot"):
        with pytest.raises(ForgeError, match="cannot own"):
            tokens.create(accounts[handle], "x")


@pytest.mark.hostile
def test_no_file_of_the_state_holds_the_token(tokens: ApiTokens, tmp_path: Path) -> None:
    _, secret = tokens.create(ANNA, "test")
    for path in tmp_path.iterdir():
        assert secret.get_secret_value().encode() not in path.read_bytes()


def test_a_scoped_token_keeps_its_scopes(tokens: ApiTokens) -> None:
    made, secret = tokens.create(ANNA, "scoped", 1, frozenset({"read:jira-work", "read:me"}))
    assert tokens.verify("anna@example.com", secret) == VerifiedToken(
        ANNA, frozenset({"read:jira-work", "read:me"}), made.id
    )
    assert tokens.list()[0].scopes == frozenset({"read:jira-work", "read:me"})


@pytest.mark.hostile
def test_what_the_organisation_forbids_holds_for_tokens_made_before(
    engine: Engine, clock: ManualClock, tokens: ApiTokens
) -> None:
    _, secret = tokens.create(ANNA, "long", 365)
    assert (
        ApiTokens(engine, clock, Ids(), TokenPolicy(False)).verify(str(ANNA.email), secret) is None
    )
    short = ApiTokens(engine, clock, Ids(), TokenPolicy(max_days=7))
    clock.advance(6 * DAY_S)
    assert short.verify(str(ANNA.email), secret) is not None
    clock.advance(2 * DAY_S)
    assert short.verify(str(ANNA.email), secret) is None
    assert tokens.verify(str(ANNA.email), secret) is not None


def test_no_token_is_made_against_the_organisation(engine: Engine, clock: ManualClock) -> None:
    with pytest.raises(ForgeError) as caught:
        ApiTokens(engine, clock, Ids(), TokenPolicy(False)).create(ANNA, "x")
    assert caught.value.code == "TOKENS_FORBIDDEN"
    short = ApiTokens(engine, clock, Ids(), TokenPolicy(max_days=7))
    with pytest.raises(ForgeError, match="1 to 7 days"):
        short.create(ANNA, "x", 8)
    assert short.create(ANNA, "x")[0].expires_at_s == clock.now_s() + 7 * DAY_S
