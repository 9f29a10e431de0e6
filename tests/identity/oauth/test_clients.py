"""Apps of the developer console."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.errors import ForgeError
from tests.hostile.oauth_place import CALLBACK, SCOPES, Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with made.firebrick:
        yield made


def test_a_client_is_found_by_id_and_by_name_with_its_scopes_by_api(place: Place) -> None:
    clients = place.firebrick.oauth.clients
    assert clients.get("Sync") == clients.find(place.client.client_id) == place.client
    assert place.client.scopes_by_api() == {
        "jira": ("manage:jira-project", "read:jira-work", "write:jira-work"),
        "user-identity": ("read:me",),
    }
    assert clients.list(place.client.owner_account_id) == (place.client,)
    assert clients.list("nobody") == ()
    assert clients.find("0" * 32) is None
    assert clients.find("\0'") is None


def test_two_of_a_name_must_be_told_apart_by_id(place: Place) -> None:
    clients = place.firebrick.oauth.clients
    twin, _ = clients.create("Sync", place.client.owner_account_id)
    assert clients.get(twin.client_id) == twin
    with pytest.raises(ForgeError, match="names 2 OAuth apps") as caught:
        clients.get("Sync")
    assert caught.value.code == "UNKNOWN_OAUTH_APP"


def test_an_update_changes_what_may_change_and_nothing_else(place: Place) -> None:
    clients = place.firebrick.oauth.clients
    wanted = replace(
        place.client, name="New", owner_account_id="x", grant_kind="resource", vendor_name="V",
        callback_urls=("https://a.example/cb", CALLBACK), created_at_s=0.0,
    )  # fmt: skip
    assert clients.update(wanted) == clients.get("New")
    changed = clients.get("New")
    assert changed.callback_urls == wanted.callback_urls
    assert (changed.owner_account_id, changed.grant_kind, changed.created_at_s) == (
        place.client.owner_account_id, "account", place.client.created_at_s,
    )  # fmt: skip
    assert clients.authenticate(changed.client_id, place.secret) == changed


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "BAD_OAUTH_APP"),
        ({"name": "a\x1b[31m"}, "BAD_OAUTH_APP"),
        ({"vendor_name": "a\0b"}, "BAD_OAUTH_APP"),
        ({"name": "x" * 129}, "BAD_OAUTH_APP"),
        ({"vendor_name": "x" * 129}, "BAD_OAUTH_APP"),
        ({"callback_urls": (CALLBACK,) * 11}, "BAD_OAUTH_APP"),
        ({"callback_urls": ("http://example.com/",)}, "BAD_CALLBACK_URL"),
        ({"privacy_policy_url": "javascript:alert(1)"}, "BAD_CALLBACK_URL"),
        ({"scopes": frozenset({"read:jira-wrok"})}, "UNKNOWN_SCOPE"),
        ({"client_id": "0" * 32}, "UNKNOWN_OAUTH_APP"),
    ],
)
def test_what_cannot_be_an_app_is_refused_by_name(
    place: Place, change: dict[str, object], code: str
) -> None:
    with pytest.raises(ForgeError) as caught:
        place.firebrick.oauth.clients.update(replace(place.client, **change))  # type: ignore[arg-type]  # by name
    assert caught.value.code == code
    assert place.now_client() == place.client


def test_a_misspelt_scope_gets_a_hint(place: Place) -> None:
    with pytest.raises(ForgeError, match="Near it: read:jira-work"):
        place.firebrick.oauth.clients.create("X", "x", scopes={"read:jira-wrok"})


def test_a_new_secret_ends_the_old_one(place: Place) -> None:
    clients, client_id = place.firebrick.oauth.clients, place.client.client_id
    new = clients.rotate_secret(client_id)
    assert clients.authenticate(client_id, place.secret) is None
    assert clients.authenticate(client_id, new) == place.client
    with pytest.raises(ForgeError):
        clients.rotate_secret("0" * 32)


def test_a_deleted_client_leaves_nothing_behind(place: Place) -> None:
    place.exchange(place.code("dana", SCOPES | {"offline_access"}, place.sites[0]))
    place.code("dana", SCOPES, place.sites[0])
    assert place.firebrick.oauth.tokens.live_digests()
    assert place.firebrick.oauth.clients.delete(place.client.client_id)
    assert not place.firebrick.oauth.clients.delete(place.client.client_id)
    assert place.firebrick.oauth.grants.list() == ()
    assert place.firebrick.oauth.tokens.live_digests() == frozenset()
