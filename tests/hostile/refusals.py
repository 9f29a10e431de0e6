"""Requests that are refused for different reasons and must not be told apart."""

from pathlib import Path
from urllib.parse import urlencode

import httpx
import jwt
from pydantic import SecretStr

from tests.hostile.oauth_place import CALLBACK
from tests.hostile.observing import Observer
from tests.hostile.rights.connect_rules import ConnectLife, request_token
from tests.hostile.rights.facts import READ
from tests.hostile.rights.place import APP_KEY, AUTH_HOST, GATEWAY_HOST, HOSTS, RightsPlace

Request = tuple[str, str, dict[str, str], bytes]
WRONG_TOKEN = "fbk_pat_" + "0" * 64
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
SCOPES = frozenset({"read:jira-work", "offline_access"})
KEYS = ("TEAM-1", "TEAM-9999", "NOPE-1")  # hidden; missing in a hidden project; in none at all
PAIRS: dict[str, tuple[str, ...]] = {
    "basic": tuple(
        f"basic: {one}" for one in ("unknown", "wrong", "another's", "revoked", "no token at all")
    ),
    "basic at the gateway": tuple(
        f"basic there: {one}" for one in ("unknown", "wrong", "another's", "revoked")
    ),
    "oauth client": ("client: unknown", "client: wrong secret"),
    "oauth code": tuple(
        f"code: {one}" for one in ("unknown", "another's", "wrong redirect", "wrong verifier")
    ),
    "oauth refresh token": ("refresh: unknown", "refresh: no token at all", "refresh: ended"),
    "oauth access token": tuple(f"access: {one}" for one in ("unknown", "revoked", "nonsense")),
    "connect token": ("jwt: unknown app", "jwt: wrong signature", "jwt: app of another site"),
    "connect session": ("session: unknown", "session: another"),
    **{
        f"issue: {who}, {method}": tuple(f"issue {who} {method} {key}" for key in KEYS)
        for who in ("otto", "nobody")
        for method in ("GET", "PUT", "DELETE")
    },
    "issue by id": ("issue otto GET 10020", "issue otto GET 99999"),
}  # fmt: skip
"""What must look alike: the answers to these requests, and the work for them."""


class Refusals:
    """A world with one of everything, and the requests of `PAIRS`.

    Args:
        folder: For the state.
    """

    def __init__(self, folder: Path) -> None:
        self.place = RightsPlace(folder, login_failures=1_000_000)  # counted, never locked
        self.observer = Observer(self.place.firebrick)
        self._requests = {
            **self._basic(), **self._clients(), **self._access(), **self._connect(),
            **self._issues(),
        }  # fmt: skip

    def request(self, name: str) -> Request:
        """Return the request of a name."""
        return self._requests[name]

    def _token(self, handle: str, scopes: frozenset[str] | None = None) -> tuple[str, str]:
        made, secret = self.place.firebrick.api_tokens.create(
            self.place.person(handle), "t", scopes=scopes
        )
        return made.id, secret.get_secret_value()

    def _basic(self) -> dict[str, Request]:
        requests: dict[str, Request] = {}
        for kind, scopes in (("basic", None), ("basic there", frozenset({"read:jira-work"}))):
            base = f"http://{HOSTS[0]}"
            if scopes is not None:
                base = f"http://{GATEWAY_HOST}/ex/jira/{self.place.sites[0]}"
            revoked, secret = self._token("dana", scopes)
            self.place.firebrick.api_tokens.revoke(revoked)
            for name, who, shown in (
                ("unknown", "nobody", WRONG_TOKEN), ("wrong", "dana", WRONG_TOKEN),
                ("another's", "dana", self._token("vera", scopes)[1]), ("revoked", "dana", secret),
                ("no token at all", "dana", "x"),
            ):  # fmt: skip
                header = _basic(f"{who}@acme.example", shown)
                url = f"{base}/rest/api/3/issue/PUB-2"
                requests[f"{kind}: {name}"] = ("GET", url, header, b"")
        return requests

    def _clients(self) -> dict[str, Request]:
        place, clients = self.place, self.place.firebrick.oauth.clients
        other, secret = clients.create(
            "Other", place.person("paul").account_id, scopes=SCOPES, callback_urls=(CALLBACK,),
            distribution="shared",
        )  # fmt: skip
        own = _credentials(place.client.client_id, place.secret)
        code = {"grant_type": "authorization_code", "redirect_uri": CALLBACK,
                "code": place.code("dana", SCOPES, place.sites[0])}  # fmt: skip
        ended = place.exchange(place.code("vera", SCOPES, place.sites[0])).refresh_token
        assert ended is not None
        place.firebrick.oauth.grants.revoke_by_user(place.person("vera").account_id)
        refresh = {"grant_type": "refresh_token", **own}
        forms: dict[str, dict[str, str]] = {
            "client: unknown": {**code, "client_id": "0" * 32, "client_secret": "x"},
            "client: wrong secret": {**code, **own, "client_secret": "x"},
            "code: unknown": {**code, **own, "code": "fbk_code_" + "0" * 64},
            "code: another's": {**code, **_credentials(other.client_id, secret)},
            "code: wrong redirect": {**code, **own, "redirect_uri": CALLBACK + "x"},
            "code: wrong verifier": {**code, **own, "code_verifier": "v" * 43},
            "refresh: unknown": {**refresh, "refresh_token": "fbk_rt_" + "0" * 64},
            "refresh: no token at all": {**refresh, "refresh_token": "x"},
            "refresh: ended": {**refresh, "refresh_token": ended.get_secret_value()},
        }
        url = f"http://{AUTH_HOST}/oauth/token"
        return {name: ("POST", url, FORM, urlencode(form).encode()) for name, form in forms.items()}

    def _access(self) -> dict[str, Request]:
        place = self.place
        issued = place.exchange(place.code("vera", SCOPES, place.sites[0]))
        place.firebrick.oauth.grants.revoke_by_user(place.person("vera").account_id)
        url = f"http://{GATEWAY_HOST}/ex/jira/{place.sites[0]}{READ.path}"
        return {
            f"access: {name}": ("GET", url, {"authorization": f"Bearer {token}"}, b"")
            for name, token in (
                ("unknown", "fbk_at_" + "0" * 64), ("nonsense", "x"),
                ("revoked", issued.access_token.get_secret_value()),
            )
        }  # fmt: skip

    def _connect(self) -> dict[str, Request]:
        place, now_s = self.place, self.place.clock.now_s()
        here = place.install_connect(frozenset({"READ"}), 0)
        there = place.install_connect(frozenset({"READ"}), 1)
        good = request_token(ConnectLife(0, here, here.scopes), READ, now_s)
        claims = jwt.decode(good, options={"verify_signature": False})
        wrong = "s" * len(here.shared_secret.get_secret_value())
        foreign = there.shared_secret.get_secret_value()
        shown = {
            "jwt: good": f"JWT {good}",
            "jwt: unknown app": f"JWT {jwt.encode(claims | {'iss': APP_KEY[::-1]}, wrong)}",
            "jwt: wrong signature": f"JWT {jwt.encode(claims, wrong)}",
            "jwt: app of another site": f"JWT {jwt.encode(claims, foreign)}",
            "session: unknown": "Bearer fbk_cs_" + "0" * 64,
            "session: another": "Bearer fbk_cs_" + "1" * 64,
        }
        url = f"http://{HOSTS[0]}{READ.path}"
        return {name: ("GET", url, {"authorization": one}, b"") for name, one in shown.items()}

    def _issues(self) -> dict[str, Request]:
        headers = {"otto": JSON | _basic("otto@acme.example", self._token("otto")[1])}
        body = b'{"fields":{"summary":"x"}}'
        return {
            f"issue {who} {method} {key}": (
                method,
                f"http://{HOSTS[0]}/rest/api/3/issue/{key}",
                headers.get(who, JSON),
                body if method == "PUT" else b"",
            )
            for who in ("otto", "nobody")
            for method in ("GET", "PUT", "DELETE")
            for key in (*KEYS, "10020", "99999")
        }


def _basic(email: str, secret: str) -> dict[str, str]:
    return {"authorization": httpx.BasicAuth(email, secret)._auth_header}


def _credentials(client_id: str, secret: SecretStr) -> dict[str, str]:
    return {"client_id": client_id, "client_secret": secret.get_secret_value()}
