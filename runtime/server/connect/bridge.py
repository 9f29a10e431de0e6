"""The bridge between an app's page and the site: requests as the viewer, and context tokens.

A page that is open has a session with a random name, which stands in the page around the app's
frame and nowhere else: the frame cannot read it, and another site's page cannot either. Sessions
live in this process; after a restart a page is opened again.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pydantic import SecretStr

from runtime.clock import Clock
from runtime.identity.connect.authenticator import IMPERSONATION_SCOPE
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.connect.pages import PageContext, context_token
from runtime.identity.connect.usertokens import LIFETIME_S
from runtime.ids import Ids
from runtime.policy.decision import Decision
from runtime.policy.target import Target, parse_target
from runtime.server.connect.parts import ConnectParts
from runtime.wire import JiraRequest, JiraResponse

REQUEST_PATH = "/_firebrick/connect/request"
TOKEN_PATH = "/_firebrick/connect/token"  # noqa: S105  # a path
SESSION_HEADER = "x-firebrick-page"
SESSION_LIFETIME_S = 8 * 3600.0
MAX_SESSIONS = 1000
METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"})
HEADERS = frozenset({"accept", "accept-language", "content-type", "x-atlassian-token"})
"""Headers of `AP.request` that reach the product."""
RENEW_S = 60.0

Send = Callable[[JiraRequest], JiraResponse]


@dataclass(frozen=True, slots=True)
class PageSession:
    """One page that someone has open.

    Attributes:
        cloud_id: The site.
        app_key: The app.
        generation: Of its installation; a reinstall ends the session.
        account_id: Who looks.
        context: Where the page stands.
        ends_at_s: When the session ends.
    """

    cloud_id: str
    app_key: str
    generation: int
    account_id: str
    context: PageContext
    ends_at_s: float


class Bridge:
    """Serves the calls of open pages.

    Args:
        parts: Stores and tokens.
        send: The product's entrance, with its audit.
        clock: Ends sessions.
        ids: Names them.
    """

    def __init__(self, parts: ConnectParts, send: Send, clock: Clock, ids: Ids) -> None:
        self._parts = parts
        self._send = send
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._sessions: dict[str, PageSession] = {}
        self._tokens: dict[tuple[str, str, int, str], tuple[SecretStr, float]] = {}

    def open(self, app: ConnectInstallation, account_id: str, context: PageContext) -> str:
        """Return the name of a new session."""
        now_s, name = self._clock.now_s(), self._ids.random_bytes(32).hex()
        session = PageSession(
            app.cloud_id, app.app_key, app.generation, account_id, context,
            now_s + SESSION_LIFETIME_S,
        )  # fmt: skip
        with self._lock:
            kept = [one for one in self._sessions.items() if one[1].ends_at_s > now_s]
            self._sessions = dict([*kept, (name, session)][-MAX_SESSIONS:])
        return name

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer the two calls; None for any other path."""
        if request.path not in (REQUEST_PATH, TOKEN_PATH):
            return None
        admitted = self.admit(request)
        if isinstance(admitted, JiraResponse):
            return admitted
        session, app = admitted
        if request.path == TOKEN_PATH:
            return self._token(session, app)
        return self._request(session, app, request)

    def admit(self, request: JiraRequest) -> tuple[PageSession, ConnectInstallation] | JiraResponse:
        """Return the open page that asks, and its app, or the refusal of anybody else."""
        if request.method != "POST":
            return bridge_error(405, "Only POST is served here.")
        if request.headers.get("origin", request.base_url) != request.base_url:
            return bridge_error(403, "Another origin asks.")
        found = self._find(request)
        if found is None:
            return bridge_error(401, "The page is not open any more: load it again.")
        return found

    def _find(self, request: JiraRequest) -> tuple[PageSession, ConnectInstallation] | None:
        with self._lock:
            session = self._sessions.get(request.headers.get(SESSION_HEADER, ""))
        if session is None or session.ends_at_s <= self._clock.now_s():
            return None
        app = self._parts.installations.find_enabled(session.cloud_id, session.app_key)
        if app is None or app.generation != session.generation:
            return None
        return session, app

    def _token(self, session: PageSession, app: ConnectInstallation) -> JiraResponse:
        token = context_token(
            app,
            client_key=self._parts.site_keys.keys(app.cloud_id).client_key,
            account_id=session.account_id,
            context=session.context,
            now_s=self._clock.now_s(),
        )
        return bridge_answer(200, {"token": token})

    def _request(
        self, session: PageSession, app: ConnectInstallation, request: JiraRequest
    ) -> JiraResponse:
        inner = _inner(request)
        if isinstance(inner, str):
            return bridge_error(400, inner)
        token = self._user_token(session, app).get_secret_value()
        headers = {**inner.headers, "authorization": f"Bearer {token}"}
        answer = self._send(replace(inner, cloud_id=session.cloud_id, headers=headers))
        return bridge_answer(
            200,
            {
                "status": answer.status,
                "contentType": answer.header("content-type") or "",
                "body": answer.body.decode("utf-8", "replace"),
            },
        )

    def _user_token(self, session: PageSession, app: ConnectInstallation) -> SecretStr:
        """Return a token of the viewer within the app's scopes; it never leaves this process."""
        key = (app.cloud_id, app.app_key, app.generation, session.account_id)
        now_s = self._clock.now_s()
        with self._lock:
            held = self._tokens.get(key)
            if held is None or held[1] - RENEW_S <= now_s:
                scopes = app.scopes - {IMPERSONATION_SCOPE}
                token = self._parts.user_tokens.mint(app, session.account_id, scopes, in_page=True)
                held = (token, now_s + LIFETIME_S)
                self._tokens[key] = held
        return held[0]


def _inner(request: JiraRequest) -> JiraRequest | str:
    """Return the request that a page asks for, or what is wrong with it."""
    asked = _asked(request.body)
    if isinstance(asked, str):
        return asked
    url, method, data = asked["url"], asked.get("type") or "GET", asked.get("data") or ""
    target = _target(str(url), request.base_url)
    if isinstance(target, Decision):
        return target.message
    return JiraRequest(
        method=str(method).upper(),
        path=target.path,
        query=target.query,
        headers=_allowed(asked),
        body=str(data).encode("utf-8", "replace"),
        base_url=request.base_url,
    )


def _asked(body: bytes) -> dict[str, object] | str:
    """Return the object of a call, its texts being texts and its method one that there is."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return "The request cannot be read."
    if not isinstance(asked, dict):
        return "The request must be an object."
    texts = (asked.get("url"), asked.get("type") or "GET", asked.get("data") or "")
    if not all(isinstance(one, str) for one in texts):
        return "url, type and data must be texts."
    return asked if str(texts[1]).upper() in METHODS else "There is no such method."


def _target(url: str, own_origin: str) -> Target | Decision:
    """Return the path that is asked; an absolute URL may lead to this very site alone."""
    path = url.removeprefix(own_origin) if url.startswith(f"{own_origin}/") else url
    if "://" not in path.partition("?")[0] and not path.startswith("/"):
        path = f"/{path}"  # as the platform's client takes "rest/api/3/…"
    return parse_target(path)


def _allowed(asked: Mapping[str, object]) -> dict[str, str]:
    shown = asked.get("headers")
    headers = {
        name.lower(): value
        for name, value in (shown.items() if isinstance(shown, dict) else ())
        if isinstance(value, str) and name.lower() in HEADERS and value.isprintable()
    }
    kind = asked.get("contentType")
    if isinstance(kind, str) and kind.isprintable():
        headers["content-type"] = kind
    return headers


def bridge_error(status: int, message: str) -> JiraResponse:
    """Return a refusal, as the script of the page around reads it."""
    return bridge_answer(status, {"error": message})


def bridge_answer(status: int, body: object) -> JiraResponse:
    """Return JSON that nothing keeps."""
    headers = (("content-type", "application/json"), ("cache-control", "no-store"))
    return JiraResponse(status, headers, json.dumps(body).encode(), rule="edge")
