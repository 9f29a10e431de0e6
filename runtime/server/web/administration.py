"""What admins of a site, and of the whole organization, see and do about OAuth apps.

Three switches stop an app, and they differ in what they stop: the organization's policy stops new
consent to any app, uninstalling ends the consent there is, a block refuses every call until it is
taken back. Nothing here is a right of its own: pages and API ask who may.

Source:
    The administrator's guide, "Manage your organization's user-installed apps"; "Manage your
    team's connected apps" for removing one from a site.
"""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.identity.accounts import Account
from runtime.identity.oauth.blocks import EVERY, OAuthBlocks
from runtime.identity.oauth.policy import OAuthPolicy
from runtime.identity.oauth.store import OAuthClients, OAuthGrants
from runtime.identity.oauth.values import Grant, OAuthClient
from runtime.identity.token_policy import TokenPolicies


@dataclass(frozen=True, slots=True)
class Standing:
    """How one app stands, on a site or in the organization.

    Attributes:
        client: The app.
        owner: Who develops it.
        people: Who consented to it there, by name.
        scopes: What anybody of them allowed.
        blocked_here: Whether this very app is blocked at this very place.
        refused: Whether any block refuses it there, also one of wider reach.
    """

    client: OAuthClient
    owner: str
    people: tuple[str, ...]
    scopes: frozenset[str]
    blocked_here: bool
    refused: bool


@dataclass(frozen=True, slots=True)
class Administration:
    """Looks and acts; a place is a site's cloud id, or `EVERY` for the organization.

    Attributes:
        clients: The apps.
        grants: What people allowed them.
        blocks: What is refused.
        policy: The organization's word on new consent.
        tokens: The organization's word on API tokens.
        hosts: Returns the host of each site by its cloud id.
        administers: Says whether an account administers a site.
        governs: Says whether an account administers the organization.
        name_of: Returns an account's name.
    """

    clients: OAuthClients
    grants: OAuthGrants
    blocks: OAuthBlocks
    policy: OAuthPolicy
    tokens: TokenPolicies
    hosts: Callable[[], dict[str, str]]
    administers: Callable[[str, Account], bool]
    governs: Callable[[Account], bool]
    name_of: Callable[[str], str]

    def sites_of(self, account: Account) -> list[tuple[str, str]]:
        """Return the cloud id and host of each site that an account administers."""
        return [one for one in self.hosts().items() if self.administers(one[0], account)]

    def standings(self, place: str) -> list[Standing]:
        """Return the apps that somebody consented to at a place, or that are blocked there."""
        blocks = frozenset(self.blocks.list())
        found = [self._standing(client, place, blocks) for client in self.clients.list()]
        return [one for one in found if one.people or one.blocked_here]

    def _standing(
        self, client: OAuthClient, place: str, blocks: frozenset[tuple[str, str]]
    ) -> Standing:
        grants = self._grants(client.client_id, place)
        named = {(client.client_id, place), (client.client_id, EVERY), (EVERY, place)}
        return Standing(
            client=client,
            owner=self.name_of(client.owner_account_id),
            people=tuple(sorted({self.name_of(one.account_id) for one in grants})),
            scopes=frozenset(scope for one in grants for scope in one.scopes),
            blocked_here=(client.client_id, place) in blocks,
            refused=bool(blocks & (named | {(EVERY, EVERY)})),
        )

    def _grants(self, client_id: str, place: str) -> tuple[Grant, ...]:
        return self.grants.list(client_id=client_id, cloud_id=None if place == EVERY else place)

    def refuses_every_app(self, place: str) -> str:
        """Return the place whose block refuses every app here: this, `EVERY`, or none."""
        blocks = self.blocks.list()
        return next((one for one in (EVERY, place) if (EVERY, one) in blocks), "")

    def set_blocked(self, client_id: str, place: str, *, blocked: bool, by: str | None) -> bool:
        """Block an app, or every one, at a place, or take that back; return whether it changed."""
        change = self.blocks.block if blocked else self.blocks.unblock
        return change(client_id, place, by)

    def uninstall(self, client_id: str, place: str, *, by: str | None) -> int:
        """End what everybody allowed an app at a place; return how many lost it."""
        if place == EVERY:
            return self.grants.revoke_everywhere(client_id, by)
        return self.grants.revoke_on_site(client_id, place, by)
