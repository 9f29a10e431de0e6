"""Service accounts: scripts with scoped tokens, on the gateway alone, with or without an e-mail."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from runtime.errors import ForgeError
from runtime.identity.accounts import Account, set_account_active
from runtime.identity.oauth.values import AuthorizeFault
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings
from tests.flows.browser import Browser, authorize_path
from tests.flows.serving import served

EMAIL = "ci-bot@serviceaccount.atlassian.com"
WORLD = f"""
users:
  - handle: bot
    name: CI Bot
    email: {EMAIL}
sites:
  - name: acme
    users: [amy, dana, bot]
    groups:
      - name: jira-software-users
        members: [dana, bot]
"""


@dataclass
class Shop:
    """A site with a service account."""

    firebrick: Firebrick
    base: str

    @property
    def bot(self) -> Account:
        return self.firebrick.find_person("bot")

    @property
    def gateway(self) -> str:
        return f"{self.base}/ex/jira/{self.firebrick.find_site(None)}/rest/api/3"

    def token(self, who: str = "bot", *scopes: str) -> str:
        person = self.firebrick.find_person(who)
        _, secret = self.firebrick.api_tokens.create(person, "ci", scopes=frozenset(scopes))
        return secret.get_secret_value()


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    world = tmp_path / "firebrick.yml"
    world.write_text(WORLD)
    settings = Settings(state=tmp_path / "state", world=world)
    with open_firebrick(settings) as firebrick, served(firebrick) as base:
        yield Shop(firebrick, base)


def test_its_token_works_as_bearer_and_as_basic(shop: Shop) -> None:
    token = shop.token("bot", "read:jira-user")
    for options in ({"headers": bearer(token)}, {"auth": (EMAIL, token)}):
        me = httpx.get(f"{shop.gateway}/myself", **options)
        assert (me.status_code, me.json()["displayName"]) == (200, "CI Bot")
        mismatch = httpx.get(f"{shop.gateway}/project/search", **options)
        assert mismatch.json() == {"code": 401, "message": "Unauthorized; scope does not match"}
    record = shop.firebrick.audit.read()[-1]
    assert (record.model, record.account_id) == ("basic", shop.bot.account_id)


def test_its_tokens_need_scopes(shop: Shop) -> None:
    with pytest.raises(ForgeError) as caught:
        shop.firebrick.api_tokens.create(shop.bot, "ci")
    assert caught.value.code == "BAD_TOKEN_OWNER"


@pytest.mark.hostile
def test_without_an_email_no_other_token_works(shop: Shop) -> None:
    scoped = shop.token("dana", "read:jira-user")
    _, unscoped = shop.firebrick.api_tokens.create(shop.firebrick.find_person("dana"), "x")
    for token in (scoped, unscoped.get_secret_value(), "fbk_pat_" + "0" * 64):
        answer = httpx.get(f"{shop.gateway}/myself", headers=bearer(token))
        assert (answer.status_code, answer.json()) == (
            401,
            {"code": 401, "message": "Unauthorized"},
        )


@pytest.mark.hostile
def test_its_token_is_nothing_on_the_site_and_nothing_once_it_ended(shop: Shop) -> None:
    token = shop.token("bot", "read:jira-user")
    myself = "/rest/api/3/myself"
    assert httpx.get(shop.base + myself, headers=bearer(token)).status_code == 403
    site = httpx.get(shop.base + myself, auth=(EMAIL, token))
    assert (site.status_code, site.headers["x-seraph-loginreason"]) == (401, "AUTHENTICATED_FAILED")
    url = f"{shop.gateway}/myself"
    (made,) = shop.firebrick.api_tokens.list(shop.bot.account_id)
    shop.firebrick.api_tokens.revoke(made.id)
    assert httpx.get(url, headers=bearer(token)).status_code == 401
    token = shop.token("bot", "read:jira-user")
    assert httpx.get(url, headers=bearer(token)).status_code == 200
    with shop.firebrick.engine.begin() as connection:
        set_account_active(connection, shop.bot.account_id, active=False)
    assert httpx.get(url, headers=bearer(token)).status_code == 401


@pytest.mark.hostile
def test_it_neither_signs_in_nor_consents(shop: Shop) -> None:
    browser = Browser(shop.base)
    page = browser.open("/_firebrick/account/apps")
    assert "Dana Developer" in page.text
    assert "CI Bot" not in page.text
    assert browser.press("Sign in", account=shop.bot.account_id).status_code == 403
    client, _ = shop.firebrick.oauth.clients.create(
        "Notes", shop.bot.account_id, scopes={"read:me"}, callback_urls=("https://app.example/callback",)
    )  # fmt: skip
    query = urlsplit(authorize_path(client.client_id, scope="read:me")).query
    asked = shop.firebrick.oauth.flow.prepare_authorize(parse_qsl(query), shop.bot)
    assert isinstance(asked, AuthorizeFault)
    assert asked.rule == "credential.authorize-account"
