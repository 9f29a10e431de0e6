"""The page on which admins say what apps may reach, driven as an admin would."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.policy.customer_egress import BACKEND, Choices, EgressEntry
from runtime.server.customer_egress import Custody, choices_of
from runtime.server.net.page_edges import PageOptions
from tests.flows.browser import Browser
from tests.flows.conftest import Bench
from tests.flows.serving import served
from tests.flows.test_customer_egress import ask as fetch
from tests.flows.test_customer_egress import deploy as deploy_fetching
from tests.flows.test_customer_remotes import MANIFEST, ask, deploy
from tests.hostile.oauth_place import Place

ADMIN = "/_firebrick/admin"


class Desk:
    """Two apps on a site, and browsers before their server."""

    def __init__(self, base: str, bench: Bench, folder: Path) -> None:
        self.base = base
        self.bench = bench
        self.folder = folder
        self.path = f"{ADMIN}/sites/{bench.cloud_id}/egress"
        self.fetching = deploy_fetching(bench, folder)
        self.roaming = deploy(bench, folder)

    def browser(self, handle: str) -> Browser:
        browser = Browser(self.base)
        browser.open(self.path)
        browser.sign_in(self.bench, handle)
        return browser

    def of(self, name: str) -> str:
        firebrick = self.bench.firebrick
        version = firebrick.find_app(name, "development")
        return firebrick.apps.find_installation(version, self.bench.cloud_id).id


@pytest.fixture
def desk(bench: Bench, tmp_path: Path) -> Iterator[Desk]:
    with served(bench.firebrick, PageOptions()) as base:
        yield Desk(base, bench, tmp_path)


def group(**more: str | list[str]) -> dict[str, str | list[str]]:
    fields: dict[str, str | list[str]] = {
        "key": "own", "description": "Our <own> server", "domains": "api.example.com\n*.b.example",
    }  # fmt: skip
    return {**fields, **more}


def test_an_admin_adds_a_group_and_takes_it_back_by_parts(desk: Desk) -> None:
    amy = desk.browser("amy")
    assert amy.page.status_code == 200
    assert "reaching (development)" in amy.page.text
    mine = {"installation": desk.of("reaching")}
    page = amy.press("Approve group", **group(**mine, type=[BACKEND, "IMAGES"]))
    assert (page.status_code, "Our &lt;own&gt; server" in page.text) == (200, True)
    (kept,) = choices_of(desk.bench.firebrick, desk.fetching, desk.bench.cloud_id).groups
    assert kept.entries[0] == EgressEntry("https://api.example.com", (BACKEND, "IMAGES"))
    assert fetch(desk.bench, "https://api.example.com/x") == 200
    amy.press("Remove", domain="https://api.example.com")
    assert fetch(desk.bench, "https://api.example.com/x") == 403
    assert fetch(desk.bench, "https://a.b.example/x") == 200
    assert "Nothing was added." in amy.press("Remove group").text
    assert fetch(desk.bench, "https://a.b.example/x") == 403
    record = next(
        one for one in desk.bench.firebrick.audit.read() if one.rule == "egress.group-set"
    )
    assert record.account_id == desk.bench.firebrick.find_person("amy").account_id


def test_an_admin_says_where_a_remote_is(desk: Desk) -> None:
    amy = desk.browser("amy")
    assert "Nobody has said where it is." in amy.page.text
    page = amy.press("Set address", remote="own", url="https://a.customer.example")
    assert "https://a.customer.example/" in page.text
    assert ask(desk.bench, remote="own") == "a.customer.example"
    amy.press("Reset address")
    assert ask(desk.bench, remote="own") == "DENIED"


def test_what_cannot_be_approved_is_said_and_what_was_typed_stays(desk: Desk) -> None:
    amy = desk.browser("amy")
    page = amy.press("Approve group", **group(domains="10.0.0.1", key="k9", type=BACKEND))
    assert page.status_code == 400
    for words in ('role="alert"', "10.0.0.1", "cannot be added", 'value="k9"'):
        assert words in page.text
    page = amy.press("Set address", remote="own", url="https://evil.test")
    assert (page.status_code, "fits none of the app" in page.text) == (400, True)


def test_an_app_that_closed_itself_shows_what_does_not_count(desk: Desk) -> None:
    firebrick = desk.bench.firebrick
    amy = firebrick.find_person("amy")
    custody = Custody.of(firebrick, desk.roaming, desk.bench.cloud_id, amy)
    custody.set_group("own", "x", [EgressEntry("api.example.com")])
    deploy(desk.bench, desk.folder, MANIFEST.replace("enabled: true", "enabled: false"))
    browser = desk.browser("amy")
    assert "does not let you add addresses" in browser.page.text
    assert "https://api.example.com" in browser.page.text
    browser.send(
        desk.path,
        [("form_token", token_of(browser)), ("action", "set-group"),
         ("installation", desk.of("roaming")), ("key", "n"), ("description", "d"),
         ("domains", "b.example"), ("type", BACKEND)],
    )  # fmt: skip
    assert browser.page.status_code == 400


def test_a_site_page_leads_here(desk: Desk) -> None:
    amy = desk.browser("amy")
    assert f'href="{desk.path}"' in amy.open(f"{ADMIN}/sites/{desk.bench.cloud_id}").text


@pytest.mark.hostile
def test_nobody_but_admins_of_the_site_gets_in_or_acts(desk: Desk) -> None:
    everything = [
        ("installation", desk.of("reaching")), ("key", "own"), ("description", "d"),
        ("domains", "api.example.com"), ("type", BACKEND), ("domain", "https://api.example.com"),
    ]  # fmt: skip
    for handle in ("dana", "vera", "otto"):
        browser = desk.browser(handle)
        assert browser.page.status_code == 403
        token = token_of(browser)
        for action in ("set-group", "remove-group", "remove-domain", "set-remote", "reset-remote"):
            fields = [("form_token", token), ("action", action), *everything]
            assert browser.send(desk.path, fields).status_code == 403
    amy = desk.browser("amy")
    elsewhere = desk.path.replace(desk.bench.cloud_id, "x" * 36)
    assert amy.open(elsewhere).status_code == 403
    amy.open(desk.path)
    for forged in ("", "fbk_x", token_of(amy) + "1"):
        fields = [("form_token", forged), ("action", "set-group"), *everything]
        assert amy.send(desk.path, fields).status_code == 403
    assert fetch(desk.bench, "https://api.example.com/x") == 403
    right = [("form_token", token_of(desk.browser("amy"))), ("action", "nonsense"), *everything]
    assert desk.browser("amy").send(desk.path, right).status_code == 403


@pytest.mark.hostile
def test_an_installation_of_another_site_is_not_changed_from_here(desk: Desk) -> None:
    amy = desk.browser("amy")
    for installation in ("", "x", desk.of("reaching").upper()):
        amy.open(desk.path)
        fields = [("form_token", token_of(amy)), ("action", "set-group"), ("key", "own"),
                  ("description", "d"), ("domains", "api.example.com"), ("type", BACKEND),
                  ("installation", installation)]  # fmt: skip
        amy.send(desk.path, fields)
    assert fetch(desk.bench, "https://api.example.com/x") == 403


@pytest.mark.hostile
def test_an_installation_of_the_other_site_is_out_of_reach(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.firebrick as firebrick, served(firebrick, PageOptions()) as base:
        here, there = (Bench(firebrick, one) for one in place.sites)
        version = deploy_fetching(there, tmp_path)
        installation = firebrick.apps.find_installation(version, there.cloud_id)
        browser = Browser(base)
        path = f"{ADMIN}/sites/{here.cloud_id}/egress"
        browser.open(path)
        browser.sign_in(here, "amy")
        assert "reaching" not in browser.page.text
        fields = [("form_token", token_of(browser)), ("action", "set-group"), ("key", "own"),
                  ("description", "d"), ("domains", "api.example.com"), ("type", BACKEND),
                  ("installation", installation.id)]  # fmt: skip
        browser.send(path, fields)
        assert choices_of(firebrick, version, there.cloud_id) == Choices()


def token_of(browser: Browser) -> str:
    return next(one["value"] for one in browser.tags("input") if one.get("name") == "form_token")
