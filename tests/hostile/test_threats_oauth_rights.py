"""The threats to rights that OAuth gave, by their row in the threat model."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.errors import OAuthError
from runtime.identity.accounts import set_account_active
from runtime.identity.oauth.values import (
    AuthorizeFault,
    AuthorizeRequest,
)
from runtime.wire import JiraRequest
from tests.hostile.oauth_acts import (
    ISSUE,
    READ,
    again,
    asked,
    login,
    refresh_of,
    refused,
    status,
    use,
)
from tests.hostile.oauth_place import Place

pytestmark = pytest.mark.hostile


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with made.firebrick:
        yield made


# --- 28: consent phishing ------------------------------------------------------------------------


def test_28_a_private_app_is_for_its_owner_alone_even_after_consent(place: Place) -> None:
    issued, owners = login(place), login(place, "paul")
    place.firebrick.oauth.clients.update(replace(place.now_client(), distribution="private"))
    fault = asked(place)
    assert isinstance(fault, AuthorizeFault)
    assert fault.description == "Failed to retrieve client"
    assert isinstance(asked(place, "paul"), AuthorizeRequest)
    assert [status(place, issued), status(place, owners)] == [401, 200]
    with pytest.raises(OAuthError):
        again(place, issued)


def test_28_the_organization_can_block_consent(place: Place) -> None:
    request = asked(place)
    assert isinstance(request, AuthorizeRequest)
    place.firebrick.oauth.policy.set_user_apps_allowed(allowed=False)
    fault = asked(place)
    assert isinstance(fault, AuthorizeFault)
    assert (fault.status, fault.error, fault.location) == (403, "access_denied", None)
    with pytest.raises(OAuthError):
        place.firebrick.oauth.flow.approve(request, place.person("dana"), {place.sites[0]})
    place.firebrick.oauth.policy.set_user_apps_allowed(allowed=True)
    assert isinstance(asked(place), AuthorizeRequest)


# --- 31: a token on another site -----------------------------------------------------------------


def test_31_a_site_outside_the_grant_is_refused_until_it_joins(place: Place) -> None:
    issued = login(place, "amy")
    path = "/rest/api/3/serverInfo"
    assert [status(place, issued, site, path) for site in (0, 1)] == [200, 401]
    login(place, "amy", 1)
    assert [status(place, issued, site, path) for site in (0, 1)] == [200, 200]


def test_31_a_resource_level_token_is_for_its_site_alone(tmp_path: Path) -> None:
    place = Place(tmp_path, "resource")
    with place.firebrick:
        issued, second = login(place, "amy"), login(place, "amy", 1)
        path = "/rest/api/3/serverInfo"
        assert [status(place, issued, site, path) for site in (0, 1)] == [200, 401]
        assert [status(place, second, site, path) for site in (0, 1)] == [401, 200]
        assert len(place.firebrick.oauth.grants.list()) == 2
        request = asked(place, "amy")
        assert isinstance(request, AuthorizeRequest)
        with pytest.raises(OAuthError, match="one site each"):
            place.firebrick.oauth.flow.approve(request, place.person("amy"), set(place.sites))


@pytest.mark.parametrize("sites", [set(), {"nowhere"}, {""}])
def test_31_consent_needs_a_site_that_the_person_uses(place: Place, sites: set[str]) -> None:
    request = asked(place)
    assert isinstance(request, AuthorizeRequest)
    with pytest.raises(OAuthError):
        place.firebrick.oauth.flow.approve(request, place.person("dana"), sites)
    assert place.firebrick.oauth.grants.list() == ()


# --- 32: a token on the site's host --------------------------------------------------------------


@pytest.mark.parametrize("path", [ISSUE, "/rest/api/3/myself", "/rest/api/3/serverInfo", "/nope"])
def test_32_the_site_host_takes_no_token_of_an_oauth_app(place: Place, path: str) -> None:
    token = login(place).access_token.get_secret_value()
    answer = place.firebrick.jira.handle(
        JiraRequest(
            "GET", path, headers={"authorization": f"Bearer {token}"}, cloud_id=place.sites[0]
        )
    )
    assert answer.status == 403
    assert json.loads(answer.body) == {"error": "Failed to parse Connect Session Auth Token"}


# --- 33: rights that ended -----------------------------------------------------------------------


def by_user(place: Place) -> None:
    place.firebrick.oauth.grants.revoke_by_user(place.person("dana").account_id)


def by_site_admin(place: Place) -> None:
    place.firebrick.oauth.grants.revoke_on_site(place.client.client_id, place.sites[0])


def by_organization(place: Place) -> None:
    place.firebrick.oauth.grants.revoke_everywhere(place.client.client_id)


def by_id(place: Place) -> None:
    place.firebrick.oauth.grants.revoke(place.firebrick.oauth.grants.list()[0].id)


def deactivation(place: Place) -> None:
    with place.firebrick.engine.begin() as connection:
        set_account_active(connection, place.person("dana").account_id, active=False)


def deletion(place: Place) -> None:
    place.firebrick.oauth.clients.delete(place.client.client_id)


@pytest.mark.parametrize(
    "end", [by_user, by_site_admin, by_organization, by_id, deactivation, deletion]
)
def test_33_the_very_next_call_is_refused_with_the_same_token(place: Place, end: object) -> None:
    issued = login(place)
    assert status(place, issued) == 200
    assert callable(end)
    end(place)
    assert status(place, issued) == 401
    with pytest.raises(OAuthError):
        again(place, issued)


def test_33_a_code_dies_with_its_consent(place: Place) -> None:
    code = place.code("dana", READ, place.sites[0])
    by_user(place)
    assert refused(place, **use(place, code)).error == "invalid_grant"


def test_33_a_later_consent_does_not_wake_dead_tokens(place: Place) -> None:
    issued = login(place)
    by_user(place)
    login(place)
    assert status(place, issued) == 401


def test_33_a_scope_taken_off_the_app_or_out_of_the_consent_counts_at_once(place: Place) -> None:
    both = READ | {"read:me"}
    issued = place.exchange(place.code("dana", both, place.sites[0]))
    place.exchange(place.code("dana", frozenset({"read:me"}), place.sites[0]))
    assert status(place, issued) == 401
    place.exchange(place.code("dana", both, place.sites[0]))
    assert status(place, issued) == 200
    place.firebrick.oauth.clients.update(replace(place.now_client(), scopes=frozenset({"read:me"})))
    assert status(place, issued) == 401


def test_33_a_newer_consent_narrows_the_successors_and_may_end_offline_access(
    place: Place,
) -> None:
    issued = place.exchange(place.code("dana", READ | {"write:jira-work"}, place.sites[0]))
    place.exchange(place.code("dana", READ, place.sites[0]))
    narrowed = again(place, issued)
    assert narrowed.scopes == READ
    place.exchange(place.code("dana", frozenset({"read:jira-work"}), place.sites[0]))
    with pytest.raises(OAuthError):
        again(place, narrowed)


def test_33_an_admin_takes_an_app_off_one_site_and_it_stays_on_the_other(place: Place) -> None:
    issued = login(place, "amy")
    login(place, "amy", 1)
    by_site_admin(place)
    path = "/rest/api/3/serverInfo"
    assert [status(place, issued, site, path) for site in (0, 1)] == [401, 200]


# --- 36: enumeration, 37: secrets at rest, 44: size ----------------------------------------------


def test_36_a_wrong_secret_and_an_unknown_client_are_told_alike(place: Place) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    wrong = refused(place, **form, client_secret="x")
    unknown = refused(place, **form, client_id="0" * 32)
    odd = refused(place, **form, client_id="\0\ud800'")
    told = {(one.status, one.error, one.message) for one in (wrong, unknown, odd)}
    assert told == {(401, "access_denied", "Unauthorized")}


def test_37_no_secret_stands_in_the_database(place: Place) -> None:
    code = place.code("dana", READ, place.sites[0])
    issued = place.exchange(code)
    secrets = [
        code,
        place.secret.get_secret_value(),
        issued.access_token.get_secret_value(),
        refresh_of(issued),
    ]
    with place.firebrick.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        dump = "\n".join(raw.iterdump())
    assert "oauth_access_token" in dump
    assert [secret for secret in secrets if secret in dump] == []


def test_44_eighty_granular_scopes_are_too_large_for_a_header(place: Place) -> None:
    granular = sorted(
        {
            scope
            for operation in place.firebrick.operations
            for need in operation.scopes
            for scope in need
            if scope.count(":") == 2
        }
    )
    place.firebrick.oauth.clients.update(
        replace(place.now_client(), scopes=frozenset(granular[:80]) | {"read:jira-work"})
    )
    few = place.exchange(place.code("dana", frozenset(granular[:78]) | READ, place.sites[0]))
    assert place.call(few.access_token, place.sites[0], "GET", ISSUE).status == 400
    some = frozenset(granular[:78]) | {"read:jira-work"}
    issued = place.exchange(place.code("dana", some, place.sites[0]))
    assert status(place, issued) == 200
    many = place.exchange(place.code("dana", frozenset(granular[:80]), place.sites[0]))
    answer = place.call(many.access_token, place.sites[0], "GET", ISSUE)
    assert (answer.status, json.loads(answer.body)["message"]) == (
        400, "Request header is too large",
    )  # fmt: skip
