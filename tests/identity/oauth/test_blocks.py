"""Blocks of administrators: at once, on the right site, and no further."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.errors import OAuthError
from runtime.identity.oauth.blocks import EVERY
from tests.hostile.oauth_place import Place

READ = frozenset({"read:jira-work", "offline_access"})


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with made.firebrick:
        yield made


@pytest.mark.hostile
@pytest.mark.parametrize("client", ["this", EVERY])
@pytest.mark.parametrize("where", ["this", EVERY])
def test_a_block_is_felt_by_the_very_next_call_and_can_be_taken_back(
    place: Place, client: str, where: str
) -> None:
    site = place.sites[0]
    issued = place.exchange(place.code("dana", READ, site))
    path = "/rest/api/3/issue/TEAM-1"
    assert place.call(issued.access_token, site, "GET", path).status == 200
    blocked = (
        place.client.client_id if client == "this" else EVERY,
        site if where == "this" else EVERY,
    )
    blocks = place.firebrick.oauth.blocks
    assert blocks.block(*blocked)
    assert not blocks.block(*blocked)
    assert blocks.list() == (blocked,)
    assert place.call(issued.access_token, site, "GET", path).status == 401
    assert blocks.unblock(*blocked)
    assert not blocks.unblock(*blocked)
    assert place.call(issued.access_token, site, "GET", path).status == 200


def test_a_block_on_one_site_leaves_the_other_alone(place: Place) -> None:
    first, second = place.sites
    place.code("dana", READ, first)
    issued = place.exchange(place.code("dana", READ, second))
    place.firebrick.oauth.blocks.block(EVERY, first)
    path = "/rest/api/3/project/search"
    assert place.call(issued.access_token, first, "GET", path).status == 401
    assert place.call(issued.access_token, second, "GET", path).status == 200


@pytest.mark.hostile
def test_nobody_consents_to_what_is_blocked_and_nothing_is_refreshed(place: Place) -> None:
    issued = place.exchange(place.code("dana", READ, place.sites[0]))
    assert issued.refresh_token is not None
    unused = place.code("dana", READ, place.sites[0])
    place.firebrick.oauth.blocks.block(place.client.client_id, EVERY)
    with pytest.raises(OAuthError) as refused:
        place.code("vera", READ, place.sites[0])
    assert (refused.value.error, refused.value.status) == ("access_denied", 403)
    assert place.firebrick.oauth.grants.list(account_id=place.person("vera").account_id) == ()
    with pytest.raises(OAuthError) as stale:
        place.refresh(issued.refresh_token)
    assert (stale.value.error, stale.value.status) == ("invalid_grant", 403)
    with pytest.raises(OAuthError):
        place.exchange(unused)


def test_each_change_leaves_one_record(place: Place) -> None:
    blocks, amy = place.firebrick.oauth.blocks, place.person("amy").account_id
    blocks.block(place.client.client_id, place.sites[0], amy)
    blocks.unblock(place.client.client_id, place.sites[0], amy)
    records = place.firebrick.audit.read(limit=2)
    assert [(one.rule, one.app_id, one.cloud_id, one.account_id) for one in records] == [
        (rule, place.client.client_id, place.sites[0], amy)
        for rule in ("consent.blocked", "consent.unblocked")
    ]
