"""A Forge app: installed, upgraded, rolled out, consented to, uninstalled; and what it held."""

import math
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, multiple, precondition, rule

from runtime.gateway.values import Caller
from runtime.installation.model import AppVersion, Installation
from runtime.tokens.broker import TokenBroker, TokenGrant
from runtime.tokens.handed import HandedKind, Handing
from tests.hostile.rights.facts import (
    ADMIN_SCOPE,
    FORGE,
    GATEWAY,
    PROJECT_SCOPE,
    READ_SCOPE,
    WRITE_SCOPE,
    Operation,
)
from tests.hostile.rights.held import Credential, RightsMachine, often, people, sites
from tests.hostile.rights.place import RightsPlace, Seen

VERSIONS = (
    frozenset({READ_SCOPE}),
    frozenset({READ_SCOPE, WRITE_SCOPE}),
    frozenset({WRITE_SCOPE, PROJECT_SCOPE}),
    frozenset({READ_SCOPE, WRITE_SCOPE, PROJECT_SCOPE, ADMIN_SCOPE}),
)
IMPERSONATING = (frozenset[str](), frozenset[str](), frozenset[str](), frozenset({READ_SCOPE}))
"""Of each version, the scopes with which it may act as anybody."""
TOKEN_LIFE_S = 3600
kinds: st.SearchStrategy[HandedKind] = st.sampled_from(("system", "user", "offline"))
LENT: tuple[tuple[HandedKind, str], ...] = (
    ("system", FORGE), ("user", "dana"), ("offline", "dana")
)  # fmt: skip
numbers = st.sampled_from(range(len(VERSIONS)))


@dataclass
class ForgeLife:
    """What the reference knows of one installation, from install to uninstall."""

    site: int
    installation: Installation
    declared: frozenset[str]
    granted: frozenset[str]
    user_consent: bool
    impersonating: frozenset[str] = frozenset()
    active: bool = True
    consents: dict[str, frozenset[str]] = field(default_factory=dict)

    def in_force(self) -> frozenset[str]:
        return self.declared & self.granted

    def agreed(self, who: str) -> bool:
        asked = self.user_consent and who != FORGE
        return not asked or self.in_force() <= self.consents.get(who, frozenset())


@dataclass
class DoorCaller(Credential):
    """A running invocation: it goes on asking, whatever happens to its app."""

    life: ForgeLife
    caller: Caller
    hosts = (GATEWAY,)

    def alive(self, site: int, host: str) -> bool:
        present = self.who == FORGE or self.who in self.facts.active
        return (
            self.life.active and present and site == self.life.site and self.life.agreed(self.who)
        )

    def covers(self, operation: Operation) -> bool:
        return operation.scope in self.life.in_force()

    def show(self, place: RightsPlace, operation: Operation, site: int, host: str) -> Seen:
        if site != self.life.site:
            return 404, None  # a caller has no way to name another site
        return place.ask_door(self.caller, operation, "app" if self.who == FORGE else "user")


@dataclass
class ForgeToken(Credential):
    """A token that the broker minted, in the hands of somebody who should not have it."""

    life: ForgeLife
    token: str
    scopes: frozenset[str]
    ends_s: float

    def alive(self, site: int, host: str) -> bool:
        present = self.who == FORGE or self.who in self.facts.active
        there = (site, host) == (self.life.site, GATEWAY)
        return self.life.active and present and there and self.facts.now_s < self.ends_s

    def covers(self, operation: Operation) -> bool:
        return operation.scope in self.scopes & self.life.in_force()

    def show(self, place: RightsPlace, operation: Operation, site: int, host: str) -> Seen:
        return place.ask(operation, site, host, {"authorization": f"Bearer {self.token}"})


@dataclass
class HandedOut(ForgeToken):
    """A token that an app outside of the sandbox was given: for itself, its user, or anybody."""

    kind: HandedKind = "system"

    def alive(self, site: int, host: str) -> bool:
        agreed = self.kind != "user" or self.life.agreed(self.who)
        within = self.kind != "offline" or self.life.impersonating & self.life.in_force()
        return super().alive(site, host) and agreed and bool(within)

    def covers(self, operation: Operation) -> bool:
        within = self.kind != "offline" or operation.scope in self.life.impersonating
        return super().covers(operation) and within


class ForgeRules(RightsMachine):
    """The life of a Forge app on two sites."""

    callers: Bundle[DoorCaller] = Bundle("callers")

    @initialize(consent=st.booleans())
    def open_forge(self, consent: bool) -> None:
        self.versions = [
            self.place.deploy(scopes, at + 1, IMPERSONATING[at])
            for at, scopes in enumerate(VERSIONS)
        ]
        self.forge: dict[int, ForgeLife] = {}
        self.install_or_upgrade(number=3, site=0, who="dana", consent=consent)

    def _installed(self, site: int) -> ForgeLife | None:
        return self.forge.get(site)

    @rule(target=callers, number=numbers, site=sites, who=people, consent=st.booleans())
    def install_or_upgrade(
        self, number: int, site: int, who: str, consent: bool
    ) -> DoorCaller | MultipleResults[DoorCaller]:
        version: AppVersion = self.versions[number]
        done = self.place.install_forge(version, site, user_consent=consent)
        life = self._installed(site)
        if life is None:
            life = ForgeLife(site, done, frozenset(), frozenset(), consent)
            self.forge[site] = life
            self.facts.enter_app(FORGE, site)
        life.installation = done
        life.declared = life.granted = frozenset(version.scopes)
        life.impersonating = IMPERSONATING[number]
        self._leak(self._invoked(life, FORGE))
        one = self._invoked(life, who)
        self._leak(one)
        return one

    @precondition(lambda self: self.forge)
    @rule(target=callers, site=sites, who=people | st.just(FORGE))
    def invoke(self, site: int, who: str) -> DoorCaller | MultipleResults[DoorCaller]:
        life = self._installed(site)
        return multiple() if life is None else self._invoked(life, who)

    def _invoked(self, life: ForgeLife, who: str) -> DoorCaller:
        one = self._caller(life, who)
        self.hold(one)
        return one

    def _caller(self, life: ForgeLife, who: str) -> DoorCaller:
        done = life.installation
        caller = Caller(
            invocation_id="rights",
            app_id=done.app_id,
            installation_id=done.id,
            cloud_id=done.cloud_id,
            app_account_id=done.app_account_id,
            account_id=None if who == FORGE else self.place.account_id(who, life.site),
        )
        return DoorCaller(self.facts, who, life, caller)

    def renew(self) -> None:
        super().renew()
        if not hasattr(self, "forge"):
            return
        if 0 not in self.forge:
            self.install_or_upgrade(number=3, site=0, who="dana", consent=self.turn % 2 == 0)
        for site, life in self.forge.items():
            for who in (FORGE, "dana"):
                if self.lacks(ForgeToken, who, site):
                    self._leak(self._caller(life, who))
            for kind, who in LENT:
                wanted = HandedOut(self.facts, who, life, "", frozenset(), math.inf, kind)
                kept = (one for one in self.held if isinstance(one, HandedOut))
                if wanted.alive(site, GATEWAY) and not any(
                    one.kind == kind and one.alive(site, GATEWAY) for one in kept
                ):
                    self._hand_out(life, kind, who, life.in_force())

    @rule(caller=callers)
    def leak_token(self, caller: DoorCaller) -> None:
        self._leak(caller)

    def _leak(self, caller: DoorCaller) -> None:
        """Have the token of a live invocation minted, as a call would, and keep it."""
        if not caller.alive(caller.life.site, GATEWAY):
            return
        account_id, made = caller.caller.account_id, caller.caller
        scopes = caller.life.in_force()
        grant = TokenGrant(
            made.installation_id, made.app_id, made.cloud_id, account_id or made.app_account_id,
            scopes,
        )  # fmt: skip
        firebrick, ends_s = self.place.firebrick, self.facts.now_s + TOKEN_LIFE_S
        another = TokenBroker(firebrick.engine, self.place.clock, firebrick.ids)  # holds none yet
        token = another.access_token(grant).get_secret_value()
        self.hold(ForgeToken(self.facts, caller.who, caller.life, token, scopes, ends_s))

    @rule(caller=callers, kind=kinds, who=people, wanted=st.sampled_from(VERSIONS))
    def hand_out(
        self, caller: DoorCaller, kind: HandedKind, who: str, wanted: frozenset[str]
    ) -> None:
        """Have a token made for an app outside, as its endpoint or its proxy gets them."""
        if caller.life.active:
            who = FORGE if kind == "system" else who
            self._hand_out(caller.life, kind, who, caller.life.in_force() & wanted)

    def _hand_out(
        self, life: ForgeLife, kind: HandedKind, who: str, scopes: frozenset[str]
    ) -> None:
        made = life.installation
        handing = Handing(
            kind, made.id, made.app_id, made.cloud_id,
            self.place.account_id(who, life.site), scopes,
        )  # fmt: skip
        token = self.place.firebrick.broker.handed.issue(handing, TOKEN_LIFE_S)
        ends_s, shown = self.facts.now_s + TOKEN_LIFE_S, token.get_secret_value()
        self.hold(HandedOut(self.facts, who, life, shown, scopes, ends_s, kind))

    @precondition(lambda self: self.forge)
    @rule(site=sites, number=numbers)
    def roll_out(self, site: int, number: int) -> None:
        """A minor version arrives: what it declares changes, what is granted stays."""
        life = self._installed(site)
        if life is None:
            return
        running = self.place.firebrick.apps.running_version(life.installation)
        minor = self.place.deploy(VERSIONS[number], running.id, IMPERSONATING[number])
        with self.place.firebrick.engine.begin() as connection:
            self.place.firebrick.installations.roll_out(connection, running, minor)
        for other in self.forge.values():
            current = self.place.firebrick.installations.find_active(
                other.installation.app_id, "development", other.installation.cloud_id
            )
            assert current is not None
            if current.version_id == minor.id:
                other.installation, other.declared = current, frozenset(minor.scopes)
                other.impersonating = IMPERSONATING[number]

    @precondition(lambda self: self.forge)
    @rule(site=sites, left=st.sampled_from(VERSIONS))
    def take_scopes(self, site: int, left: frozenset[str]) -> None:
        """What an installation is granted shrinks under it."""
        life = self._installed(site)
        if life is not None:
            life.granted &= left
            self.place.firebrick.installations.set_granted(life.installation.id, life.granted)

    @precondition(lambda self: self.forge)
    @rule(site=sites, who=people, agrees=st.booleans())
    def consent_to_forge(self, site: int, who: str, agrees: bool) -> None:
        life = self._installed(site)
        if life is None:
            return
        apps, cloud_id = self.place.firebrick.apps, self.place.sites[site]
        version = apps.running_version(life.installation)
        if agrees:
            life.consents[who] = apps.consent(version, cloud_id, self.place.person(who))
        else:
            apps.withdraw(version, cloud_id, self.place.person(who))
            life.consents.pop(who, None)

    @precondition(lambda self: self.forge)
    @rule(site=sites, really=often)
    def uninstall_forge(self, site: int, really: bool) -> None:
        life = self._installed(site)
        if life is None or not really:
            return
        apps, cloud_id = self.place.firebrick.apps, self.place.sites[site]
        current = apps.find_installation(apps.running_version(life.installation), cloud_id)
        apps.uninstall(current, self.place.root)
        life.active = False
        del self.forge[site]
        del self.place.app_ids[FORGE, site]
        self.facts.leave_app(FORGE, site)
