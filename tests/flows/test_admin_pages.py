"""The pages and the JSON of admins, driven as an admin would."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select

from runtime.audit.trail import AuditRecord
from runtime.identity.oauth.blocks import EVERY
from runtime.identity.oauth.values import AuthorizeFault
from runtime.jira.schema import global_permission_table, membership_table
from runtime.server.net.page_edges import PageOptions
from tests.flows.browser import Browser, authorize_path
from tests.flows.serving import served
from tests.hostile.oauth_place import CALLBACK, Place

ADMIN = "/_firebrick/admin"
ORGANIZATION = f"{ADMIN}/organization"
ACCESS_TOKEN = "fbk_ctl_" + "7" * 64
READ = frozenset({"read:jira-work", "offline_access"})
ISSUE = "/rest/api/3/issue/TEAM-1"


class Desk:
    """Two sites with an app that dana uses on the first, and browsers before their server."""

    def __init__(self, base: str, place: Place) -> None:
        self.base = base
        self.place = place
        self.site = place.sites[0]
        self.page = f"{ADMIN}/sites/{self.site}"
        self.token = place.exchange(place.code("dana", READ, self.site)).access_token

    def browser(self, handle: str, path: str = ADMIN) -> Browser:
        browser = Browser(self.base)
        browser.open(path)
        account = self.place.person(handle).account_id
        browser.press("Sign in", account=account)
        return browser

    def make_admin(self, handle: str) -> None:
        """Let a person administer the first site, and it alone."""
        right, group = global_permission_table.c, select(global_permission_table.c.group_id)
        with self.place.firebrick.engine.begin() as connection:
            (group_id,) = connection.execute(
                group.where(right.cloud_id == self.site, right.permission == "ADMINISTER").limit(1)
            ).scalars()
            account_id = self.place.person(handle).account_id
            row = {"group_id": group_id, "account_id": account_id}
            connection.execute(insert(membership_table).values(row))

    def record(self, rule: str) -> AuditRecord:
        (found,) = (one for one in self.place.firebrick.audit.read() if one.rule == rule)
        return found

    def works(self) -> bool:
        return self.place.call(self.token, self.site, "GET", ISSUE).status == 200

    def may_consent(self, handle: str = "vera") -> bool:
        flow = self.place.firebrick.oauth.flow
        asked = flow.prepare_authorize(self.place.params(READ), self.place.person(handle))
        return not isinstance(asked, AuthorizeFault)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    place = Place(tmp_path)
    options = PageOptions(SecretStr(ACCESS_TOKEN))
    with place.firebrick, served(place.firebrick, options) as base:
        yield Desk(base, place)


@pytest.fixture
def api(desk: Desk) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {ACCESS_TOKEN}"}
    with httpx.Client(base_url=f"{desk.base}/console/api", headers=headers) as client:
        yield client


def test_an_admin_signs_in_and_sees_who_uses_which_app(desk: Desk) -> None:
    page = desk.browser("amy").page
    assert str(page.url) == desk.base + desk.page
    for words in (desk.place.client.name, "Used by Dana Developer", "View projects, issues",
                  "allowed</span>", "Organization</a>"):  # fmt: skip
        assert words in page.text


def test_a_block_is_felt_at_once_and_taken_back(desk: Desk) -> None:
    amy = desk.browser("amy")
    assert "refused</span>" in amy.press("Block").text
    record = desk.record("consent.blocked")
    assert record.account_id == desk.place.person("amy").account_id
    assert not desk.works()
    amy.press("Unblock")
    assert desk.works()


def test_a_site_on_which_an_app_is_blocked_is_not_offered(desk: Desk) -> None:
    desk.place.firebrick.oauth.blocks.block(desk.place.client.client_id, desk.site)
    vera = desk.browser(
        "vera",
        authorize_path(desk.place.client.client_id, redirect_uri=CALLBACK),
    )
    offered = [one["value"] for one in vera.tags("input") if one.get("name") == "site"]
    assert desk.site not in offered


def test_uninstalling_ends_what_everybody_allowed(desk: Desk) -> None:
    amy = desk.browser("amy")
    assert "No OAuth app is in use on this site" in amy.press("Uninstall").text
    assert not desk.works()
    assert desk.place.firebrick.oauth.grants.list() == ()
    record = desk.record("consent.revoked")
    assert record.account_id == desk.place.person("dana").account_id
    assert record.detail == {"by": desk.place.person("amy").account_id}
    assert desk.may_consent()


def test_every_app_of_a_site_is_refused_at_once(desk: Desk) -> None:
    amy = desk.browser("amy")
    page = amy.press("Block every app on this site").text
    assert "Every OAuth app is refused on this site." in page
    assert "A block of wider reach" in page
    assert not desk.works()
    amy.press("Let apps in again")
    assert desk.works()


def test_the_policy_stops_new_consent_and_a_block_stops_calls(desk: Desk) -> None:
    amy = desk.browser("amy")
    amy.open(ORGANIZATION)
    amy.press("Save consent rule", user_apps="block")
    assert desk.works()
    assert not desk.may_consent()
    assert "lets nobody consent to further apps" in amy.open(desk.page).text
    amy.open(ORGANIZATION)
    amy.press("Save consent rule", user_apps="allow")
    amy.press("Block every app everywhere")
    assert not desk.works()
    assert not desk.may_consent()
    assert "The organization refuses every OAuth app." in amy.open(desk.page).text
    amy.open(ORGANIZATION)
    amy.press("Let apps in again")
    assert desk.works()
    assert desk.may_consent()
    rules = [one.rule for one in desk.place.firebrick.audit.read()]
    assert rules.count("consent.policy") == 2


def test_the_rules_of_api_tokens_hold_for_tokens_there_are(desk: Desk) -> None:
    firebrick = desk.place.firebrick
    dana = firebrick.find_person("dana")
    _, secret = firebrick.api_tokens.create(dana, "x", 30)
    amy = desk.browser("amy")
    amy.open(ORGANIZATION)
    amy.press("Save token rules", tokens="block", max_days="365")
    assert firebrick.api_tokens.verify(str(dana.email), secret) is None
    amy.press("Save token rules", tokens="allow", max_days="7")
    assert firebrick.api_tokens.verify(str(dana.email), secret) is not None
    assert firebrick.token_policies.find().max_days == 7
    page = amy.press("Save token rules", tokens="allow", max_days="0")
    assert page.status_code == 400
    assert 'value="0"' in page.text
    assert firebrick.token_policies.find().max_days == 7
    rules = [one.rule for one in firebrick.audit.read()]
    assert rules.count("credential.policy") == 2


@pytest.mark.hostile
def test_nobody_but_admins_gets_in_or_acts(desk: Desk) -> None:
    for handle in ("dana", "vera", "paul", "otto"):
        browser = desk.browser(handle)
        for path in (ADMIN, desk.page, ORGANIZATION, f"{ADMIN}/sites/x", f"{ADMIN}/y"):
            assert browser.open(path).status_code == 403
        token = next(one["value"] for one in browser.tags("input"))
        for path in (desk.page, ORGANIZATION):
            for action in ("block", "uninstall", "user-apps", "tokens"):
                fields = [
                    ("form_token", token), ("action", action), ("client_id", EVERY),
                    ("user_apps", "block"), ("tokens", "block"), ("max_days", "1"),
                ]  # fmt: skip
                assert browser.send(path, fields).status_code == 403
    assert desk.works()
    assert desk.place.firebrick.oauth.blocks.list() == ()
    assert desk.place.firebrick.token_policies.find().allowed


@pytest.mark.hostile
def test_who_administers_one_site_rules_neither_the_other_nor_the_organization(desk: Desk) -> None:
    desk.make_admin("paul")
    paul = desk.browser("paul")
    assert str(paul.page.url) == desk.base + desk.page
    assert "Organization</a>" not in paul.page.text
    other = f"{ADMIN}/sites/{desk.place.sites[1]}"
    for path in (other, ORGANIZATION):
        assert paul.open(path).status_code == 403
    token = next(one["value"] for one in paul.tags("input"))
    for path in (other, ORGANIZATION):
        paul.send(path, [("form_token", token), ("action", "block"), ("client_id", EVERY)])
    assert desk.place.firebrick.oauth.blocks.list() == ()
    paul.open(desk.page)
    for action in ("user-apps", "tokens"):  # of the organization: nothing at a site's page
        paul.send(desk.page, [("form_token", token), ("action", action), ("user_apps", "block"),
                              ("tokens", "block"), ("max_days", "1")])  # fmt: skip
    assert desk.may_consent()
    assert desk.place.firebrick.token_policies.find().allowed


@pytest.mark.hostile
def test_a_forged_form_of_an_admin_changes_nothing(desk: Desk) -> None:
    amy = desk.browser("amy")
    for path in (desk.page, ORGANIZATION):
        for pairs in ([], [("form_token", "0" * 64)]):
            fields = [*pairs, ("action", "block"), ("client_id", EVERY)]
            assert amy.send(path, fields).status_code == 403
    assert desk.place.firebrick.oauth.blocks.list() == ()


def test_an_app_that_is_none_cannot_be_blocked(desk: Desk) -> None:
    amy = desk.browser("amy")
    form = next(form for form in amy.forms() if "Block" in form.buttons)
    token = [pair for pair in form.fields if pair[0] == "form_token"]
    for client_id in ("", "0" * 32, "<script>"):
        amy.send(desk.page, [*token, ("action", "block"), ("client_id", client_id)])
    amy.send(desk.page, [*token, ("action", "destroy"), ("client_id", EVERY)])
    assert desk.place.firebrick.oauth.blocks.list() == ()


# --- as JSON -------------------------------------------------------------------------------------


def test_the_same_as_json(desk: Desk, api: httpx.Client) -> None:
    client_id = desk.place.client.client_id
    assert desk.site in {one["cloudId"] for one in api.get("/sites").json()}
    for place in (f"/sites/{desk.site}", "/organization"):
        apps = f"{place}/apps"
        (one,) = api.get(apps).json()
        assert (one["clientId"], one["people"], one["refused"]) == (
            client_id, ["Dana Developer"], False,
        )  # fmt: skip
        for named in (client_id, "every"):
            assert api.put(f"{apps}/{named}/block").json() == {"changed": True}
            assert not desk.works()
            assert api.get(apps).json()[0]["refused"] is True
            assert api.delete(f"{apps}/{named}/block").json() == {"changed": True}
            assert desk.works()
    assert api.delete(f"/sites/{desk.place.sites[1]}/apps/{client_id}/grants").json() == {
        "ended": 0
    }
    assert api.delete(f"/organization/apps/{client_id}/grants").json() == {"ended": 1}
    assert not desk.works()


def test_the_organizations_rules_as_json(desk: Desk, api: httpx.Client) -> None:
    wanted = {"userAppsAllowed": True, "apiTokensAllowed": True, "apiTokenMaxDays": 365}
    assert api.get("/organization").json() == wanted
    for change in ({"userAppsAllowed": False}, {"apiTokensAllowed": False}, {"apiTokenMaxDays": 9}):
        wanted |= change
        assert api.put("/organization", json=change).json() == wanted
    assert not desk.place.firebrick.oauth.policy.user_apps_allowed()
    for bad in (
        {"apiTokenMaxDays": 0},
        {"apiTokenMaxDays": 366},
        {"apiTokenMaxDays": "9"},
        {"x": 1},
    ):
        assert api.put("/organization", json=bad).status_code == 400
    assert api.get("/organization").json() == wanted


@pytest.mark.hostile
def test_the_json_takes_nothing_odd_and_nobody_without_the_token(
    desk: Desk, api: httpx.Client
) -> None:
    client_id = desk.place.client.client_id
    for path, status in (
        ("/sites/none/apps", 404), (f"/sites/{desk.site}", 404), ("/sites/x", 404),
        (f"/sites/{desk.site}/apps/{'0' * 32}/block", 404), ("/organizations", 404),
        (f"/sites/{desk.site}/apps/{client_id}", 404),
        (f"/sites/{desk.site}/apps/every/grants", 405),
    ):  # fmt: skip
        assert api.delete(path).status_code == status, path
    assert api.post("/organization").status_code == 405
    assert api.post(f"/sites/{desk.site}/apps").status_code == 405
    for path in ("/sites", f"/sites/{desk.site}/apps", "/organization"):
        for shown in ("", "Bearer x", f"Basic {ACCESS_TOKEN}"):
            answer = httpx.get(f"{desk.base}/console/api{path}", headers={"authorization": shown})
            assert answer.status_code == 401
    assert desk.works()
