"""A Connect app: installed, changed, switched off, uninstalled; its secret and its tokens."""

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

import jwt
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, multiple, precondition, rule

from runtime.identity.connect.installations import ConnectInstallation
from tests.hostile.rights.facts import (
    CONNECT,
    OPERATIONS,
    RANKS,
    SITE,
    Operation,
    rank,
)
from tests.hostile.rights.held import Credential, RightsMachine, often, people, sites
from tests.hostile.rights.place import APP_KEY, HOSTS, IMPERSONATION_HOST, RightsPlace, Seen

ACT_AS = "ACT_AS_USER"
BEARER_LIFE_S, LEEWAY_S, TOKEN_LIFE_S = 900, 30, 180
FORM = {"content-type": "application/x-www-form-urlencoded"}
asked_scopes = st.sampled_from(
    [frozenset({*RANKS[: at + 1], *more}) for at in (0, 1, 3, 4) for more in ((), (ACT_AS,))]
    + [frozenset({RANKS[at], ACT_AS}) for at in (1, 3, 4)]
)


@dataclass
class ConnectLife:
    """What the reference knows of one install, until the next one with another secret."""

    site: int
    installation: ConnectInstallation
    scopes: frozenset[str]
    active: bool = True
    enabled: bool = True

    def stands(self, site: int, host: str) -> bool:
        return self.active and self.enabled and (site, host) == (self.site, SITE)


def signed(claims: dict[str, object], life: ConnectLife) -> str:
    secret = life.installation.shared_secret.get_secret_value()
    return jwt.encode(claims, secret, algorithm="HS256")


def request_token(life: ConnectLife, operation: Operation, now_s: float) -> str:
    text = f"{operation.method}&{operation.path}&"
    claims: dict[str, object] = {
        "iss": APP_KEY, "iat": int(now_s), "exp": int(now_s) + TOKEN_LIFE_S,
        "qsh": hashlib.sha256(text.encode()).hexdigest(),
    }  # fmt: skip
    return signed(claims, life)


@dataclass
class ConnectSecret(Credential):
    """The shared secret of an install: a new token is signed with it for each call."""

    life: ConnectLife

    def alive(self, site: int, host: str) -> bool:
        return self.life.stands(site, host)

    def covers(self, operation: Operation) -> bool:
        return RANKS.index(operation.rank) <= rank(self.life.scopes)

    def show(self, place: RightsPlace, operation: Operation, site: int, host: str) -> Seen:
        token = request_token(self.life, operation, self.facts.now_s)
        return place.ask(operation, site, host, {"authorization": f"JWT {token}"})


@dataclass
class ConnectJwt(ConnectSecret):
    """One signed token that somebody kept: for one request, until it ends."""

    operation: Operation = OPERATIONS[0]
    token: str = ""
    ends_s: float = 0.0

    def alive(self, site: int, host: str) -> bool:
        return self.life.stands(site, host) and self.facts.now_s < self.ends_s

    def covers(self, operation: Operation) -> bool:
        return operation == self.operation and super().covers(operation)

    def show(self, place: RightsPlace, operation: Operation, site: int, host: str) -> Seen:
        return place.ask(operation, site, host, {"authorization": f"JWT {self.token}"})


@dataclass
class ConnectBearer(Credential):
    """A token of impersonation."""

    life: ConnectLife
    token: str
    scopes: frozenset[str]
    ends_s: float

    def alive(self, site: int, host: str) -> bool:
        lives = self.facts.now_s < self.ends_s and ACT_AS in self.life.scopes
        return self.life.stands(site, host) and lives and self.who in self.facts.active

    def covers(self, operation: Operation) -> bool:
        return RANKS.index(operation.rank) <= min(rank(self.scopes), rank(self.life.scopes))

    def show(self, place: RightsPlace, operation: Operation, site: int, host: str) -> Seen:
        return place.ask(operation, site, host, {"authorization": f"Bearer {self.token}"})


class ConnectRules(RightsMachine):
    """The life of a Connect app on two sites."""

    secrets: Bundle[ConnectSecret] = Bundle("secrets")

    @initialize(target=secrets, scopes=asked_scopes)
    def open_connect(
        self, scopes: frozenset[str]
    ) -> ConnectSecret | MultipleResults[ConnectSecret]:
        self.connect: dict[int, ConnectLife] = {}
        return self.install_or_update(site=0, scopes=scopes)

    @rule(target=secrets, site=sites, scopes=asked_scopes)
    def install_or_update(
        self, site: int, scopes: frozenset[str]
    ) -> ConnectSecret | MultipleResults[ConnectSecret]:
        done = self.place.install_connect(scopes, site)
        self.facts.enter_app(CONNECT, site)
        life = self.connect.get(site)
        if life is not None:
            assert done.shared_secret == life.installation.shared_secret
            life.scopes = scopes
            return multiple()
        life = self.connect[site] = ConnectLife(site, done, scopes)
        one = ConnectSecret(self.facts, CONNECT, life)
        self.hold(one)
        self._impersonate(life, "dana", "")
        self._keep_jwt(life, OPERATIONS[0])
        return one

    def renew(self) -> None:
        super().renew()
        if not hasattr(self, "connect"):
            return
        if 0 not in self.connect:
            self.install_or_update(site=0, scopes=frozenset({*RANKS[: 1 + self.turn % 4], ACT_AS}))
        if self.turn % 3 == 0 and not self.connect[0].enabled:
            self.switch(site=0, off=False)
        for site, life in self.connect.items():
            could = life.enabled and ACT_AS in life.scopes and "dana" in self.facts.active
            if could and self.lacks(ConnectBearer, "dana", site):
                self._impersonate(life, "dana", "")
            if self.lacks(ConnectJwt, CONNECT, site):
                self._keep_jwt(life, OPERATIONS[0])

    @rule(secret=secrets, operation=st.sampled_from(OPERATIONS))
    def keep_signed_token(self, secret: ConnectSecret, operation: Operation) -> None:
        self._keep_jwt(secret.life, operation)

    def _keep_jwt(self, life: ConnectLife, operation: Operation) -> None:
        now_s = self.facts.now_s
        token = request_token(life, operation, now_s)
        ends_s = int(now_s) + TOKEN_LIFE_S + LEEWAY_S
        self.hold(ConnectJwt(self.facts, CONNECT, life, operation, token, ends_s))

    @rule(secret=secrets, handle=people, named=st.sampled_from(["", *RANKS[:4]]))
    def impersonate(self, secret: ConnectSecret, handle: str, named: str) -> None:
        self._impersonate(secret.life, handle, named)

    def _impersonate(self, life: ConnectLife, handle: str, named: str) -> None:
        now_s = int(self.facts.now_s)
        claims: dict[str, object] = {
            "iss": f"urn:atlassian:connect:clientid:{life.installation.oauth_client_id}",
            "sub": f"urn:atlassian:connect:useraccountid:{self.place.account_id(handle, 0)}",
            "tnt": f"http://{HOSTS[life.site]}", "aud": "https://auth.atlassian.io",
            "iat": now_s, "exp": now_s + 55,
        }  # fmt: skip
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": signed(claims, life), "scope": named}  # fmt: skip
        answer = self.place.send(IMPERSONATION_HOST, "POST", "/oauth2/token", FORM, urlencode(form))
        scopes = frozenset({named}) if named else life.scopes - {ACT_AS}
        good = (
            life.stands(life.site, SITE)
            and ACT_AS in life.scopes
            and handle in self.facts.active
            and rank(scopes) <= rank(life.scopes)
        )
        assert answer.is_success == good, answer.text
        if good:
            token, ends_s = answer.json()["access_token"], self.facts.now_s + BEARER_LIFE_S
            self.hold(ConnectBearer(self.facts, handle, life, token, scopes, ends_s))

    @precondition(lambda self: self.connect)
    @rule(site=sites, off=often)
    def switch(self, site: int, off: bool) -> None:
        life = self.connect.get(site)
        if life is not None:
            apps, cloud_id = self.place.connect_apps, self.place.sites[site]
            apps.set_enabled(APP_KEY, cloud_id, self.place.root, enabled=not off)
            life.enabled = not off

    @precondition(lambda self: self.connect)
    @rule(site=sites, really=often)
    def uninstall_connect(self, site: int, really: bool) -> None:
        life = self.connect.get(site)
        if life is None or not really:
            return
        self.place.connect_apps.uninstall(APP_KEY, self.place.sites[site], self.place.root)
        life.active = False
        del self.connect[site]
        del self.place.app_ids[CONNECT, site]
        self.facts.leave_app(CONNECT, site)
