"""The pages of a person's API tokens, driven as a person would."""

import re
from collections.abc import Iterator

import httpx
import pytest

from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.browser import Browser
from tests.flows.conftest import Bench
from tests.flows.serving import served

TOKENS = "/_firebrick/account/tokens"
MYSELF = "/rest/api/3/myself"


@pytest.fixture
def base(bench: Bench) -> Iterator[str]:
    with served(bench.firebrick) as url:
        yield url


@pytest.fixture
def dana(bench: Bench, base: str) -> Browser:
    """A browser that dana has signed in with, at her tokens."""
    browser = Browser(base)
    browser.open(TOKENS)
    browser.sign_in(bench, "dana")
    return browser


def secret_of(page: str) -> str:
    (found,) = re.findall(r"fbk_pat_[0-9a-f]{64}", page)
    return str(found)


def test_signing_in_leads_to_the_tokens(dana: Browser) -> None:
    assert "<h1>API tokens</h1>" in dana.page.text
    assert "You have no API token." in dana.page.text


def test_a_token_is_shown_once_works_and_is_revoked(base: str, dana: Browser) -> None:
    secret = secret_of(dana.press("Create token", label="nightly", days="30").text)
    assert secret not in dana.open(TOKENS).text
    login = ("dana@acme.example", secret)
    assert httpx.get(base + MYSELF, auth=login).json()["emailAddress"] == login[0]
    assert "nightly" not in dana.press("Revoke").text
    refused = httpx.get(base + MYSELF, auth=login)
    assert refused.headers["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"


def test_a_token_with_scopes_is_for_the_gateway(bench: Bench, base: str, dana: Browser) -> None:
    page = dana.press("Create token", label="x", days="7", scopes="read:jira-user").text
    gateway = f"{base}/ex/jira/{bench.cloud_id}"
    assert f"{gateway}{MYSELF}" in page
    login = ("dana@acme.example", secret_of(page))
    assert httpx.get(gateway + MYSELF, auth=login).status_code == 200
    assert httpx.get(f"{gateway}/rest/api/3/issue/TEAM-1", auth=login).status_code == 401


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"days": "0"}, "1 to 365 days"), ({"days": "366"}, "1 to 365 days"),
     ({"days": ""}, "in days"), ({"days": "-1"}, "in days"), ({"days": "9" * 5000}, "in days"),
     ({"days": "²"}, "in days"), ({"scopes": "read:jira-wrk"}, "Near it: read:jira-work"),
     ({"label": "x" * 255}, "254 characters"), ({"label": "a\x00b"}, "254 characters"),
     ({"label": ""}, "254 characters")],
)  # fmt: skip
def test_what_cannot_be_is_told_and_what_was_typed_stays(
    bench: Bench, dana: Browser, fields: dict[str, str], words: str
) -> None:
    page = dana.press("Create token", **({"label": "kept", "days": "7"} | fields))
    assert page.status_code == 400
    assert words in page.text
    assert "label" in fields or 'value="kept"' in page.text
    assert bench.firebrick.api_tokens.list() == ()


def test_an_organization_without_tokens_offers_no_form(bench: Bench) -> None:
    settings = Settings(state=bench.firebrick.settings.state.parent / "other", api_tokens=False)
    with open_firebrick(settings) as firebrick, served(firebrick) as base:
        browser = Browser(base)
        browser.open(TOKENS)
        page = browser.sign_in(Bench(firebrick), "dana").text
    assert "Create token" not in page
    assert "allows no API tokens" in page


@pytest.mark.hostile
def test_nobody_ends_the_token_of_another(bench: Bench, dana: Browser) -> None:
    hers, _ = bench.firebrick.api_tokens.create(bench.firebrick.find_person("amy"), "hers")
    dana.press("Create token", label="mine", days="7")
    form = next(form for form in dana.forms() if "Revoke" in form.buttons)
    own_page = [pair for pair in form.fields if pair[0] == "form_token"]
    dana.send(f"{TOKENS}/revoke", [*own_page, ("id", hers.id)])
    assert [one.revoked for one in bench.firebrick.api_tokens.list(hers.account_id)] == [False]
    assert "hers" not in dana.open(TOKENS).text


@pytest.mark.hostile
def test_a_forged_form_makes_and_ends_nothing(bench: Bench, dana: Browser) -> None:
    mine, _ = bench.firebrick.api_tokens.create(bench.firebrick.find_person("dana"), "mine")
    for path, fields in ((TOKENS, [("label", "x"), ("days", "7")]),
                         (f"{TOKENS}/revoke", [("id", mine.id)])):  # fmt: skip
        assert dana.send(path, fields).status_code == 403
    assert bench.firebrick.api_tokens.list() == (mine,)


@pytest.mark.hostile
def test_a_label_is_text(bench: Bench, dana: Browser) -> None:
    dana.press("Create token", label='<img src=x onerror="alert(1)">', days="7")
    dana.open(TOKENS)
    assert dana.tags("img") == []
    assert dana.tags("script") == []
