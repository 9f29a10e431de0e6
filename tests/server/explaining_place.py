"""An app or a script of each model, that really asks, and is asked about."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import httpx
import jwt

from runtime.audit.trail import AuditRecord
from runtime.gateway.values import Caller, ProductCall
from runtime.policy.impersonation import ActAs
from runtime.server.explain.asking import Names, find_asker
from runtime.server.explain.explaining import Explainer
from runtime.server.explain.explanation import Explanation
from runtime.server.explain.rehearsing import Question
from runtime.server.explain.why import Reasons
from tests.hostile.rights.place import (
    APP_ID,
    APP_KEY,
    GATEWAY_HOST,
    HOSTS,
    IMPERSONATION_HOST,
    RightsPlace,
)

READ, WRITE, PROJECT = "read:jira-work", "write:jira-work", "manage:jira-project"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = (("content-type", "application/json"),)
COMMENT = (
    '{"body":{"type":"doc","version":1,"content":[{"type":"paragraph","content":'
    '[{"type":"text","text":"x"}]}]}}'
)
CREATE = '{"fields":{"project":{"key":"TEAM"},"issuetype":{"name":"Task"},"summary":"x"}}'


class Ask(NamedTuple):
    """One request."""

    method: str
    path: str
    body: str = ""


ASKS = (
    Ask("GET", "/rest/api/3/issue/TEAM-1"),
    Ask("GET", "/rest/api/3/issue/TEAM-999"),
    Ask("GET", "/rest/api/2/issue/PUB-2"),
    Ask("GET", "/rest/api/3/issue/VAULT-1"),
    Ask("PUT", "/rest/api/3/issue/TEAM-1", '{"fields":{"summary":"x"}}'),
    Ask("PUT", "/rest/api/3/issue/TEAM-1", '{"fields":{"summary":""}}'),
    Ask("DELETE", "/rest/api/3/issue/TEAM-5"),
    Ask("POST", "/rest/api/3/issue", CREATE),
    Ask("POST", "/rest/api/3/issue/TEAM-2/comment", COMMENT),
    Ask("POST", "/rest/api/3/issue/TEAM-3/transitions", '{"transition":{"id":"31"}}'),
    Ask("GET", "/rest/api/3/project/TEAM"),
    Ask("PUT", "/rest/api/3/project/TEAM", '{"description":"x"}'),
    Ask("GET", "/rest/api/3/search/jql?jql=project%20%3D%20TEAM"),
    Ask("GET", "/rest/api/3/role"),
    Ask("GET", "/rest/api/3/permissionscheme"),
    Ask("GET", "/rest/api/3/myself"),
    Ask("GET", "/rest/api/3/data-policy"),
    Ask("GET", "/rest/api/3/announcementBanner"),
    Ask("GET", "/rest/api/3/nope"),
    Ask("POST", "/rest/api/3/project/TEAM", "{}"),
)


Send = Callable[[Ask], httpx.Response | int]
"""How somebody asks: over HTTP with an answer, at the door with a status."""


class Got(NamedTuple):
    """What a real request got: its status and its record."""

    status: int
    record: AuditRecord


@dataclass
class Who:
    """Somebody: the names one types for them, and how they really ask."""

    names: Names
    send: Send
    gateway: bool = False  # whether their path says so


@dataclass
class ExplainingPlace:
    """One state with everybody in it."""

    place: RightsPlace
    who: dict[str, Who] = field(default_factory=dict)

    def ask(self, name: str, ask: Ask) -> Got:
        answer = self.who[name].send(ask)
        status = answer.status_code if isinstance(answer, httpx.Response) else answer
        record = self.place.firebrick.audit.read(limit=1)[0]
        return Got(status, record)

    def told(self, name: str, ask: Ask) -> Explanation:
        firebrick, cloud_id = self.place.firebrick, self.place.sites[0]
        who = self.who[name]
        path = f"/ex/jira/{cloud_id}{ask.path}" if who.gateway else ask.path
        question = Question(ask.method, path, cloud_id, ask.body.encode() or None)
        return self.explainer.explain(find_asker(firebrick, who.names, cloud_id), question)

    def answer(self, name: str, ask: Ask) -> httpx.Response:
        """What somebody who asks over HTTP gets, whole."""
        answer = self.who[name].send(ask)
        assert isinstance(answer, httpx.Response)
        return answer

    def why(self, record: AuditRecord) -> Explanation:
        return self.reasons.explain(record)

    @cached_property
    def explainer(self) -> Explainer:
        return Explainer(self.place.firebrick)

    @cached_property
    def reasons(self) -> Reasons:
        return Reasons(self.place.firebrick)

    # --- everybody -------------------------------------------------------------------------------

    def on_site(self, **headers: str) -> Send:
        return lambda ask: self.place.send(HOSTS[0], *ask[:2], headers, ask.body)

    def on_gateway(self, **headers: str) -> Send:
        prefix = f"/ex/jira/{self.place.sites[0]}"

        def send(ask: Ask) -> httpx.Response | int:
            path = prefix + ask.path
            return self.place.send(GATEWAY_HOST, ask.method, path, headers, ask.body)

        return send

    def add_script(
        self, name: str, handle: str, scopes: frozenset[str] | None, *, gateway: bool = False
    ) -> str:
        owner = self.place.person(handle)
        made, secret = self.place.firebrick.api_tokens.create(owner, name, 1, scopes)
        shown = httpx.BasicAuth(str(owner.email), secret.get_secret_value())._auth_header
        on_gateway = gateway or scopes is not None
        send = self.on_gateway if on_gateway else self.on_site
        self.who[name] = Who(Names(token=made.id), send(authorization=shown), gateway)
        return made.id

    def add_oauth(self, name: str, handle: str, scopes: frozenset[str]) -> None:
        code = self.place.code(handle, scopes, self.place.sites[0])
        token = self.place.exchange(code).access_token.get_secret_value()
        names = Names(app=self.place.client.client_id, user=handle)
        self.who[name] = Who(names, self.on_gateway(authorization=f"Bearer {token}"))

    def add_connect(self, name: str, handle: str | None) -> None:
        names = Names(app=APP_KEY, user=handle)
        self.who[name] = Who(names, self._signed if handle is None else self._as_user(handle))

    def add_forge(
        self, name: str, handle: str | None, act_as: ActAs, invoked_by: str | None = None
    ) -> None:
        names = Names(app="rights", user=handle, invoked_by=invoked_by)
        self.who[name] = Who(names, self._at_door(handle, act_as, invoked_by))

    # --- how they ask ----------------------------------------------------------------------------

    def _signed(self, ask: Ask) -> httpx.Response | int:
        app = self.place.firebrick.connect.installations.find(self.place.sites[0], APP_KEY)
        assert app is not None
        path, _, query = ask.path.partition("?")
        now_s = int(self.place.clock.now_s())
        text = f"{ask.method}&{path}&{query}"
        claims = {"iss": APP_KEY, "iat": now_s, "exp": now_s + 100,
                  "qsh": hashlib.sha256(text.encode()).hexdigest()}  # fmt: skip
        token = jwt.encode(claims, app.shared_secret.get_secret_value(), algorithm="HS256")
        return self.on_site(authorization=f"JWT {token}")(ask)

    def _as_user(self, handle: str) -> Send:
        def send(ask: Ask) -> httpx.Response | int:
            app = self.place.firebrick.connect.installations.find(self.place.sites[0], APP_KEY)
            assert app is not None
            now_s = int(self.place.clock.now_s())
            claims = {
                "iss": f"urn:atlassian:connect:clientid:{app.oauth_client_id}",
                "sub": f"urn:atlassian:connect:useraccountid:{self.place.account_id(handle, 0)}",
                "tnt": f"http://{HOSTS[0]}", "aud": "https://auth.atlassian.io",
                "iat": now_s, "exp": now_s + 55,
            }  # fmt: skip
            secret = app.shared_secret.get_secret_value()
            form = {
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                "assertion": jwt.encode(claims, secret, algorithm="HS256"),
            }
            got = self.place.send(
                IMPERSONATION_HOST, "POST", "/oauth2/token", FORM, urlencode(form)
            )
            if not got.is_success:
                return got
            return self.on_site(authorization=f"Bearer {got.json()['access_token']}")(ask)

        return send

    def _at_door(self, handle: str | None, act_as: ActAs, invoked_by: str | None) -> Send:
        def send(ask: Ask) -> httpx.Response | int:
            place, cloud_id = self.place, self.place.sites[0]
            installed = place.firebrick.installations.find_last(APP_ID, "development", cloud_id)
            assert installed is not None
            account = None if handle is None else place.person(handle).account_id
            invoker = account if invoked_by is None else None
            if invoked_by not in (None, "nobody"):
                invoker = place.person(str(invoked_by)).account_id
            caller = Caller("i", installed.app_id, installed.id, cloud_id,
                            installed.app_account_id, invoker)  # fmt: skip
            headers = JSON if ask.body else ()
            other = account if act_as == "user" and account != invoker else None
            call = ProductCall(
                ask.path, ask.method, headers, ask.body.encode() or None, act_as, other
            )
            return place.firebrick.gateway.send(caller, call)[0].status

        return send


def everybody(folder: Path) -> ExplainingPlace:
    """A place with somebody of each kind."""
    place = RightsPlace(folder)
    made = ExplainingPlace(place)
    made.who["nobody"] = Who(Names(), made.on_site())
    made.who["nobody at the gateway"] = Who(Names(), made.on_gateway(), gateway=True)
    made.add_script("dana's token", "dana", None)
    made.add_script("paul's token", "paul", None)
    made.add_script("paul's token at the gateway", "paul", None, gateway=True)
    made.add_script("paul's reading token", "paul", frozenset({READ}))
    made.add_script("paul's managing token", "paul", frozenset({READ, PROJECT}))
    revoked = made.add_script("a revoked token", "paul", None)
    place.firebrick.api_tokens.revoke(revoked)
    revoked = made.add_script("a revoked scoped token", "paul", frozenset({READ}))
    place.firebrick.api_tokens.revoke(revoked)
    made.who["any of otto"] = Who(Names(user="otto"), _any_of(made, "otto"))
    made.add_oauth("oauth of paul", "paul", frozenset({READ, WRITE, PROJECT}))
    made.add_oauth("oauth of dana", "dana", frozenset({READ}))
    made.add_oauth("oauth of vera, ended", "vera", frozenset({READ}))
    (grant,) = place.firebrick.oauth.grants.list(account_id=place.person("vera").account_id)
    place.firebrick.oauth.grants.revoke(grant.id)
    place.install_connect(frozenset({"READ", "WRITE", "ACT_AS_USER"}), 0)
    for handle in (None, "paul", "dana", "dora"):
        made.add_connect(f"connect as {handle or 'itself'}", handle)
    version = place.deploy(frozenset({READ, WRITE, PROJECT}), 1, frozenset({READ}))
    place.install_forge(version, 0)
    made.add_forge("forge as itself", None, "app")
    made.add_forge("forge as dana", "dana", "user")
    made.add_forge("forge as paul", "paul", "user")
    made.add_forge("forge as paul, by dana", "paul", "user", "dana")
    made.add_forge("forge as dora, by nobody", "dora", "user", "nobody")
    return made


def _any_of(made: ExplainingPlace, handle: str) -> Send:
    owner = made.place.person(handle)
    _, secret = made.place.firebrick.api_tokens.create(owner, "any", 1)
    shown = httpx.BasicAuth(str(owner.email), secret.get_secret_value())._auth_header
    return made.on_site(authorization=shown)
