"""An OAuth app: consented to, refreshed, narrowed, blocked, revoked; its tokens and its secret."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    consumes,
    initialize,
    multiple,
    rule,
)
from pydantic import SecretStr

from runtime.errors import OAuthError
from runtime.identity.oauth.blocks import EVERY
from runtime.identity.oauth.values import AuthorizeFault, TokenAnswer
from tests.hostile.oauth_place import SCOPES
from tests.hostile.rights.facts import (
    GATEWAY,
    PROJECT_SCOPE,
    READ_SCOPE,
    WRITE_SCOPE,
    Facts,
    Operation,
)
from tests.hostile.rights.held import Credential, RightsMachine, often, people, sites
from tests.hostile.rights.place import AUTH_HOST, RightsPlace, Seen

DAY_S = 86_400
ABSOLUTE_S = 120 * DAY_S  # shorter than by default: within reach of a few refreshes
IDLE_S, LEEWAY_S, ACCESS_S = 90 * DAY_S, 600, 3600
OFFLINE = "offline_access"
again_after = st.sampled_from([None, None, 60, LEEWAY_S - 60, LEEWAY_S + 60])
wanted_scopes = st.frozensets(
    st.sampled_from([READ_SCOPE, WRITE_SCOPE, PROJECT_SCOPE, OFFLINE]), min_size=1
).filter(lambda names: names != {OFFLINE})


@dataclass
class Console:
    """What the reference knows of the app itself, and of what admins say of it."""

    facts: Facts = field(repr=False)
    scopes: frozenset[str] = SCOPES
    private: bool = False
    blocked: set[int | str] = field(default_factory=set)

    def serves(self, who: str) -> bool:
        """Say whether somebody may use it at all; its owner is nobody of the two."""
        return not self.private and who in self.facts.active and EVERY not in self.blocked


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
    who: str
    scopes: frozenset[str]
    started_s: float
    alive: bool = True


@dataclass
class Access(Credential):
    """An access token, with what the reference knows of it."""

    console: Console
    token: str
    chain: Chain
    scopes: frozenset[str]
    ends_s: float

    def alive(self, site: int, host: str) -> bool:
        stands = self.chain.alive and self.chain.consent.alive and self.facts.now_s < self.ends_s
        there = host == GATEWAY and site in self.chain.consent.sites - self.console.blocked
        return stands and there and self.console.serves(self.who)

    def covers(self, operation: Operation) -> bool:
        return operation.scope in self.scopes & self.chain.consent.scopes & self.console.scopes

    def show(self, place: RightsPlace, operation: Operation, site: int, host: str) -> Seen:
        return place.ask(operation, site, host, {"authorization": f"Bearer {self.token}"})


@dataclass
class Renewal:
    """A refresh token, with what the reference knows of it."""

    token: SecretStr
    chain: Chain
    issued_s: float
    used_s: float | None = None


Renewals = Renewal | MultipleResults[Renewal]


class OAuthRules(RightsMachine):
    """The life of an OAuth app, its consents and its tokens."""

    renewals: Bundle[Renewal] = Bundle("renewals")

    @initialize(target=renewals)
    def open_oauth(self) -> Renewals:
        tokens = self.place.firebrick.oauth.tokens
        tokens.lifetimes = replace(tokens.lifetimes, absolute_s=ABSOLUTE_S)
        self.console = Console(self.facts)
        self.consents: dict[str, Consent] = {}
        first = self._consent("dana", SCOPES | {OFFLINE}, 0)
        assert first is not None
        return first

    def _keep_tokens(self, issued: TokenAnswer, chain: Chain) -> Renewal | None:
        now_s = self.facts.now_s
        token = issued.access_token.get_secret_value()
        scopes = frozenset(issued.scopes)
        self.hold(
            Access(self.facts, chain.who, self.console, token, chain, scopes, now_s + ACCESS_S)
        )
        renewal = issued.refresh_token
        return None if renewal is None else Renewal(renewal, chain, now_s)

    @rule(target=renewals, who=people, wanted=wanted_scopes, site=sites)
    def consent(self, who: str, wanted: frozenset[str], site: int) -> Renewals:
        renewal = self._consent(who, wanted, site)
        return multiple() if renewal is None else renewal

    def _consent(self, who: str, wanted: frozenset[str], site: int) -> Renewal | None:
        refused = (
            not self.console.serves(who)
            or not wanted - {OFFLINE} <= self.console.scopes
            or site in self.console.blocked
        )
        code = self._approved(who, wanted, site)
        assert (code is None) == refused
        if code is None:
            return None
        found = self.consents.get(who)
        if found is None or not found.alive:
            found = self.consents[who] = Consent(wanted, set())
        found.scopes = wanted
        found.sites.add(site)
        chain = Chain(found, who, wanted, self.facts.now_s)
        return self._keep_tokens(self.place.exchange(code), chain)

    def renew(self) -> None:
        super().renew()
        if not hasattr(self, "console"):
            return
        if self.turn % 3 == 0:
            for site in tuple(self.console.blocked):
                self.block(site=site, on=False)
            self.distribute(private=False)
        served = self.console.serves("dana")
        if served and 0 not in self.console.blocked and self.lacks(Access, "dana", 0):
            known = self.consents.get("dana")
            wanted = known.scopes if known is not None and known.alive else SCOPES
            self._consent("dana", wanted, 0)

    def _approved(self, who: str, wanted: frozenset[str], site: int) -> str | None:
        flow, account = self.place.firebrick.oauth.flow, self.place.person(who)
        asked = flow.prepare_authorize(self.place.params(wanted), account)
        if isinstance(asked, AuthorizeFault):
            return None
        try:
            return self.place.code(who, wanted, self.place.sites[site])
        except OAuthError:
            return None

    # --- renewing --------------------------------------------------------------------------------

    @rule(target=renewals, renewal=consumes(renewals), again_after_s=again_after)
    def use(self, renewal: Renewal, again_after_s: float | None) -> Renewals:
        """Use a refresh token, and perhaps the same one again."""
        successor = self._refresh(renewal)
        if again_after_s is not None:
            self.advance(again_after_s)
            self._refresh(renewal)
        return multiple(renewal) if successor is None else multiple(renewal, successor)

    @rule(renewal=renewals, days=st.sampled_from([45, 50, 89, 91]), times=st.integers(1, 4))
    def use_late(self, renewal: Renewal, days: float, times: int) -> None:
        newest: Renewal | None = renewal
        for _ in range(times):
            self.advance(days * DAY_S)
            if newest is not None:
                newest = self._refresh(newest)

    def _refresh(self, renewal: Renewal) -> Renewal | None:
        now_s, chain = self.facts.now_s, renewal.chain
        late = renewal.used_s is not None and now_s > renewal.used_s + LEEWAY_S
        good = (
            chain.alive
            and chain.consent.alive
            and not late
            and now_s < renewal.issued_s + IDLE_S
            and now_s < chain.started_s + ABSOLUTE_S
            and self.console.serves(chain.who)
            and OFFLINE in chain.consent.scopes
        )
        try:
            issued = self.place.refresh(renewal.token)
        except OAuthError:
            assert not good
            chain.alive = chain.alive and not late
            return None
        assert good
        renewal.used_s = now_s if renewal.used_s is None else renewal.used_s
        assert issued.scopes <= chain.scopes & chain.consent.scopes & (
            self.console.scopes | {OFFLINE}
        )
        return self._keep_tokens(issued, chain)

    # --- ending ----------------------------------------------------------------------------------

    @rule(who=people, really=often)
    def revoke(self, who: str, really: bool) -> None:
        if not really:
            return
        self.place.firebrick.oauth.grants.revoke_by_user(self.place.person(who).account_id)
        if who in self.consents:
            self.consents[who].alive = False

    @rule(renewal=renewals, really=often)
    def hand_back(self, renewal: Renewal, really: bool) -> None:
        """The app itself ends a family, with its own secret."""
        if not really:
            return
        token = renewal.token.get_secret_value()
        form = {"client_id": self.place.client.client_id, "token": token,
                "client_secret": self.place.secret.get_secret_value()}  # fmt: skip
        body = "{" + ",".join(f'"{key}":"{value}"' for key, value in form.items()) + "}"
        assert self.place.send(AUTH_HOST, "POST", "/oauth/revoke", {}, body).is_success
        renewal.chain.alive = False

    @rule(site=sites, really=often)
    def leave_site(self, site: int, really: bool) -> None:
        if not really:
            return
        self.place.firebrick.oauth.grants.revoke_on_site(
            self.place.client.client_id, self.place.sites[site]
        )
        for consent in self.consents.values():
            consent.sites.discard(site)
            consent.alive = consent.alive and bool(consent.sites)

    @rule(site=st.sampled_from([0, 1, EVERY]), on=often)
    def block(self, site: int | str, on: bool) -> None:
        where = EVERY if isinstance(site, str) else self.place.sites[site]
        blocks, client_id = self.place.firebrick.oauth.blocks, self.place.client.client_id
        (blocks.block if on else blocks.unblock)(client_id, where)
        (self.console.blocked.add if on else self.console.blocked.discard)(site)

    @rule(left=st.sampled_from([SCOPES, SCOPES - {READ_SCOPE}, SCOPES - {WRITE_SCOPE}]))
    def edit_console(self, left: frozenset[str]) -> None:
        client = self.place.now_client()
        self.place.firebrick.oauth.clients.update(replace(client, scopes=left))
        self.console.scopes = left

    @rule(private=often)
    def distribute(self, private: bool) -> None:
        changed = replace(self.place.now_client(), distribution="private" if private else "shared")
        self.place.firebrick.oauth.clients.update(changed)
        self.console.private = private

    @rule(renewal=renewals)
    def rotate_secret(self, renewal: Renewal) -> None:
        """Nothing is had with a secret that was replaced, and nothing ends by it."""
        client_id = self.place.client.client_id
        new = self.place.firebrick.oauth.clients.rotate_secret(client_id)
        with pytest.raises(OAuthError, match="Unauthorized"):
            self.place.refresh(renewal.token)
        self.place.secret = new
