"""Grants: one for each app and account, or site; what a consent replaces and what it adds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.oauth_place import Place

READ = frozenset({"read:jira-work"})
WRITE = frozenset({"write:jira-work"})


@pytest.fixture(params=["account", "resource"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    made = Place(tmp_path, request.param)
    with made.firebrick:
        yield made


def test_a_consent_replaces_scopes_and_adds_sites(place: Place) -> None:
    place.code("amy", READ, place.sites[0])
    place.clock.advance(5)
    place.code("amy", WRITE, place.sites[0])
    (grant,) = place.firebrick.oauth.grants.list()
    assert grant.scopes == WRITE
    assert grant.consented_at_s == grant.created_at_s + 5
    place.code("amy", READ, place.sites[1])
    grants = place.firebrick.oauth.grants.list(account_id=place.person("amy").account_id)
    if place.client.grant_kind == "account":
        assert [(one.scopes, one.cloud_ids) for one in grants] == [(READ, frozenset(place.sites))]
    else:
        assert {(one.scopes, one.cloud_ids) for one in grants} == {
            (WRITE, frozenset({place.sites[0]})),
            (READ, frozenset({place.sites[1]})),
        }


def test_grants_are_listed_by_account_app_and_site(place: Place) -> None:
    place.code("amy", READ, place.sites[1])
    place.code("dana", READ, place.sites[0])
    listed = place.firebrick.oauth.grants.list
    assert len(listed()) == 2
    assert len(listed(account_id=place.person("dana").account_id)) == 1
    assert len(listed(cloud_id=place.sites[1])) == 1
    assert len(listed(client_id=place.client.client_id)) == 2
    assert listed(client_id="other") == ()


def test_each_end_of_a_grant_is_in_the_audit(place: Place) -> None:
    place.code("amy", READ, place.sites[0])
    place.code("dana", READ, place.sites[0])
    grants = place.firebrick.oauth.grants
    assert grants.revoke_by_user(place.person("amy").account_id, "other") == 0
    assert grants.revoke_by_user(place.person("amy").account_id, place.client.client_id) == 1
    assert grants.revoke_on_site(place.client.client_id, place.sites[1]) == 0
    assert grants.revoke_on_site(place.client.client_id, place.sites[0]) == 1
    assert grants.revoke_everywhere(place.client.client_id) == 0
    assert not grants.revoke("nothing")
    ended = [one for one in place.firebrick.audit.read() if one.rule == "consent.revoked"]
    assert [one.account_id for one in ended] == [
        place.person("amy").account_id, place.person("dana").account_id,
    ]  # fmt: skip
    assert ended[1].cloud_id == place.sites[0]
