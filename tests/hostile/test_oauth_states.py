"""No sequence of events lets a call through that scopes and permissions, as they are now, refuse.

The reference is the rule itself, over a few sets kept beside the real state: a token counts while
its family, its consent, its app and its account do; and then it may do what stands in the scopes of
token, consent and console, and what the account's roles permit.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)
from pydantic import SecretStr
from sqlalchemy import Connection, delete, insert, select

from runtime.errors import OAuthError
from runtime.identity.accounts import set_account_active
from runtime.identity.oauth.blocks import EVERY
from runtime.identity.oauth.values import AuthorizeFault, TokenAnswer
from runtime.jira import schema
from runtime.jira.configuration import touch
from tests.hostile.oauth_place import SCOPES, Place

pytestmark = pytest.mark.hostile

ABSOLUTE_S = 120 * 86_400  # shorter than by default: within reach of a few refreshes
HANDLES = ("dana", "vera")
READ, WRITE, OFFLINE = "read:jira-work", "write:jira-work", "offline_access"
scopes = st.sets(st.sampled_from([READ, WRITE, OFFLINE]), min_size=1).filter(
    lambda names: names != {OFFLINE}
)
handles, sites = st.sampled_from(HANDLES), st.sampled_from([0, 1])
seldom = st.sampled_from([False, False, False, True])  # what ends much must not end all at once
TEAM_ROLES = {"dana": "Developers", "vera": "Viewers"}


@dataclass
class Consent:
    """What the reference knows of one grant."""

    scopes: frozenset[str]
    sites: set[int]
    alive: bool = True


@dataclass
class Chain:
    """What the reference knows of one family."""

    consent: Consent
    handle: str
    scopes: frozenset[str]
    started_s: float
    alive: bool = True


@dataclass
class Access:
    """An access token, with what the reference knows of it."""

    token: SecretStr
    chain: Chain
    scopes: frozenset[str]
    ends_s: float


@dataclass
class Renewal:
    """A refresh token, with what the reference knows of it."""

    token: SecretStr
    chain: Chain
    issued_s: float
    used_s: float | None = None


@dataclass
class Model:
    """The reference: plain sets."""

    consents: dict[str, Consent] = field(default_factory=dict)
    active: set[str] = field(default_factory=lambda: set(HANDLES))
    in_role: set[tuple[str, int]] = field(
        default_factory=lambda: {(handle, site) for handle in HANDLES for site in (0, 1)}
    )
    console: frozenset[str] = SCOPES
    blocked: set[int | str] = field(default_factory=set)

    def allows(self, access: Access, site: int, scope: str, now_s: float) -> bool:
        chain = access.chain
        counts = chain.alive and chain.consent.alive and now_s < access.ends_s
        there = site in chain.consent.sites and not self.blocked & {site, EVERY}
        scoped = scope in access.scopes & chain.consent.scopes & self.console
        permitted = (chain.handle, site) in self.in_role and (
            scope == READ or chain.handle == "dana"
        )
        return counts and there and chain.handle in self.active and scoped and permitted


Accesses = Access | MultipleResults[Access]
Renewals = Renewal | MultipleResults[Renewal]


class OAuthLife(RuleBasedStateMachine):
    """Grant, revoke, refresh, narrow, deactivate, move roles, edit, block, and let time pass."""

    accesses: Bundle[Access] = Bundle("accesses")
    renewals: Bundle[Renewal] = Bundle("renewals")

    @initialize(target=renewals)
    def open(self) -> Renewals:
        self.folder = tempfile.TemporaryDirectory()
        self.place = Place(Path(self.folder.name))
        tokens = self.place.firebrick.oauth.tokens
        tokens.lifetimes = replace(tokens.lifetimes, absolute_s=ABSOLUTE_S)
        self.model = Model()
        self.known: list[Access] = []
        first = self._consent("dana", frozenset({READ, WRITE, OFFLINE}), 0)[1]
        assert first is not None
        return first

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.place.firebrick.close()
            self.folder.cleanup()

    def _now(self) -> float:
        return self.place.clock.now_s()

    def _keep(self, issued: TokenAnswer, chain: Chain) -> tuple[Access, Renewal | None]:
        access = Access(
            issued.access_token,
            chain,
            frozenset(issued.scopes),
            self._now() + 3600,
        )
        self.known.append(access)
        token = issued.refresh_token
        return access, None if token is None else Renewal(token, chain, self._now())

    @rule(target=accesses, handle=handles, wanted=scopes, site=sites)
    def consent_without_renewal(self, handle: str, wanted: set[str], site: int) -> Accesses:
        return self._consent(handle, frozenset(wanted) - {OFFLINE}, site)[0]

    @rule(target=renewals, handle=handles, wanted=scopes, site=sites)
    def consent_with_renewal(self, handle: str, wanted: set[str], site: int) -> Renewals:
        renewal = self._consent(handle, frozenset(wanted) | {OFFLINE}, site)[1]
        return multiple() if renewal is None else renewal

    def _consent(
        self, handle: str, wanted: frozenset[str], site: int
    ) -> tuple[Accesses, Renewal | None]:
        refused = (
            handle not in self.model.active
            or not wanted - {OFFLINE} <= self.model.console
            or bool(self.model.blocked & {site, EVERY})
        )
        asked = self.place.firebrick.oauth.flow.prepare_authorize(
            self.place.params(wanted), self.place.person(handle)
        )
        try:
            code = (
                None
                if isinstance(asked, AuthorizeFault)
                else self.place.code(handle, wanted, self.place.sites[site])
            )
        except OAuthError:
            code = None
        assert (code is None) == refused
        if code is None:
            return multiple(), None
        found = self.model.consents.get(handle)
        if found is None or not found.alive:
            found = self.model.consents[handle] = Consent(wanted, set())
        found.scopes = wanted
        found.sites.add(site)
        chain = Chain(found, handle, wanted, self._now())
        return self._keep(self.place.exchange(code), chain)

    @rule(target=accesses, renewal=renewals)
    def refresh(self, renewal: Renewal) -> Accesses:
        return self._refresh(renewal)[0]

    @rule(target=renewals, renewal=consumes(renewals))
    def rotate(self, renewal: Renewal) -> Renewals:
        successor = self._refresh(renewal)[1]
        return multiple(renewal) if successor is None else multiple(renewal, successor)

    @rule(renewal=renewals, minutes=st.sampled_from([1, 9, 11]))
    def use_twice(self, renewal: Renewal, minutes: float) -> None:
        self._refresh(renewal)
        self.place.clock.advance(minutes * 60)
        self._refresh(renewal)

    @rule(renewal=renewals, days=st.sampled_from([50, 89, 91]))
    def use_late(self, renewal: Renewal, days: float) -> None:
        self.place.clock.advance(days * 86_400)
        self._refresh(renewal)

    @rule(renewal=renewals)
    def use_again_and_again(self, renewal: Renewal) -> None:
        newest: Renewal | None = renewal
        for _ in range(4):
            if newest is not None:
                newest = self._refresh(newest)[1]
            self.place.clock.advance(45 * 86_400)

    @rule(renewal=renewals)
    def use_while_deactivated(self, renewal: Renewal) -> None:
        self.deactivate(renewal.chain.handle, active=False)
        self._refresh(renewal)
        self.deactivate(renewal.chain.handle, active=True)

    def _refresh(self, renewal: Renewal) -> tuple[Accesses, Renewal | None]:
        now_s, chain = self._now(), renewal.chain
        late = renewal.used_s is not None and now_s > renewal.used_s + 600
        good = (
            chain.alive
            and chain.consent.alive
            and not late
            and now_s < renewal.issued_s + 90 * 86_400
            and now_s < chain.started_s + ABSOLUTE_S
            and chain.handle in self.model.active
            and EVERY not in self.model.blocked
            and OFFLINE in chain.consent.scopes
        )
        try:
            issued = self.place.refresh(renewal.token)
        except OAuthError:
            assert not good
            if late:
                chain.alive = False
            return multiple(), None
        assert good
        if renewal.used_s is None:
            renewal.used_s = now_s
        assert issued.scopes <= chain.scopes & chain.consent.scopes
        return self._keep(issued, chain)

    @rule(handle=handles, really=seldom)
    def revoke(self, handle: str, really: bool) -> None:
        if not really:
            return
        self.place.firebrick.oauth.grants.revoke_by_user(self.place.person(handle).account_id)
        if handle in self.model.consents:
            self.model.consents[handle].alive = False

    @rule(site=sites, really=seldom)
    def leave_site(self, site: int, really: bool) -> None:
        if not really:
            return
        self.place.firebrick.oauth.grants.revoke_on_site(
            self.place.client.client_id, self.place.sites[site]
        )
        for consent in self.model.consents.values():
            consent.sites.discard(site)
            consent.alive = consent.alive and bool(consent.sites)

    @rule(site=st.sampled_from([0, 1, EVERY]), on=seldom)
    def block(self, site: int | str, on: bool) -> None:
        where = EVERY if isinstance(site, str) else self.place.sites[site]
        blocks, client_id = self.place.firebrick.oauth.blocks, self.place.client.client_id
        (blocks.block if on else blocks.unblock)(client_id, where)
        (self.model.blocked.add if on else self.model.blocked.discard)(site)

    @rule(handle=handles, active=seldom.map(lambda gone: not gone))
    def deactivate(self, handle: str, active: bool) -> None:
        with self.place.firebrick.engine.begin() as connection:
            set_account_active(connection, self.place.person(handle).account_id, active=active)
        (self.model.active.add if active else self.model.active.discard)(handle)

    @rule(handle=handles, site=sites, member=st.booleans())
    def move_role(self, handle: str, site: int, member: bool) -> None:
        table, account_id = schema.role_actor_table, self.place.person(handle).account_id
        with self.place.firebrick.engine.begin() as connection:
            role_id, project_id = self._team(connection, handle, site)
            mine = (
                (table.c.role_id == role_id)
                & (table.c.project_id == project_id)
                & (table.c.parameter == account_id)
            )
            connection.execute(delete(table).where(mine))
            if member:
                free = max(connection.execute(select(table.c.id)).scalars()) + 1
                connection.execute(
                    insert(table).values(
                        id=free,
                        role_id=role_id,
                        project_id=project_id,
                        actor_type="user",
                        parameter=account_id,
                    )
                )
            touch(connection, self.place.sites[site])
        (self.model.in_role.add if member else self.model.in_role.discard)((handle, site))

    def _team(self, connection: Connection, handle: str, site: int) -> tuple[int, int]:
        roles, projects = schema.role_table.c, schema.project_table.c
        cloud_id = self.place.sites[site]
        role = select(roles.id).where(roles.cloud_id == cloud_id, roles.name == TEAM_ROLES[handle])
        team = select(projects.id).where(projects.cloud_id == cloud_id, projects.key == "TEAM")
        return (
            connection.execute(role).scalar_one(),
            connection.execute(team).scalar_one(),
        )

    @rule(left=st.sampled_from([SCOPES, SCOPES - {READ}, SCOPES - {WRITE}]))
    def edit_console(self, left: frozenset[str]) -> None:
        client = self.place.now_client()
        self.place.firebrick.oauth.clients.update(replace(client, scopes=left))
        self.model.console = left

    @rule(hours=st.sampled_from([0.1, 0.2, 0.9, 1.1, 24 * 40, 24 * 100]))
    def wait(self, hours: float) -> None:
        self.place.clock.advance(hours * 3600)

    @rule(access=accesses, site=sites)
    def call(self, access: Access, site: int) -> None:
        self._compare(access, site)

    @invariant()
    def newest_tokens_are_worth_what_the_rule_says(self) -> None:
        for access in getattr(self, "known", [])[-3:]:
            for site in (0, 1):
                self._compare(access, site)

    def _compare(self, access: Access, site: int) -> None:
        for scope, method, path, body, done in (
            (READ, "GET", "/rest/api/3/issue/TEAM-1", b"", 200),
            (WRITE, "PUT", "/rest/api/3/issue/TEAM-1", b'{"fields":{"summary":"x"}}', 204),
        ):
            answer = self.place.call(access.token, self.place.sites[site], method, path, body)
            expected = self.model.allows(access, site, scope, self._now())
            assert answer.status < 500
            assert (answer.status == done) == expected, (scope, site, answer.status, answer.rule)


OAuthLife.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestOAuthLife = OAuthLife.TestCase
