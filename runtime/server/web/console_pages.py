"""The developer console: pages about OAuth apps, for whoever holds the server's access token.

Source:
    "OAuth 2.0 (3LO) apps": permissions by API, callback URL, secret, distribution.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from pydantic import SecretStr

from runtime.errors import ForgeError
from runtime.identity.accounts import Account
from runtime.identity.oauth.scope_words import by_product
from runtime.identity.oauth.values import (
    AUDIENCE,
    IDENTITY_SCOPES,
    OFFLINE,
    Distribution,
    GrantKind,
    OAuthClient,
)
from runtime.identity.sessions import Session, Sessions, fits, form_token
from runtime.ids import Ids
from runtime.server.web.account_pages import OAuthDoors
from runtime.server.web.forms import Cookie, Form, Pages, first, is_own_form, read_form, redirect
from runtime.server.web.sign_in import FORGED, People
from runtime.wire import JiraRequest, JiraResponse

PREFIX = "/console"
SIGN_IN = f"{PREFIX}/sign-in"
SIGN_OUT = f"{PREFIX}/sign-out"
SESSION = Cookie("firebrick_console", PREFIX)
BEFORE = Cookie("firebrick_console_before", PREFIX)
KINDS: dict[str, GrantKind] = {"account": "account", "resource": "resource"}
DISTRIBUTIONS: dict[str, Distribution] = {
    "private": "private", "shared": "shared", "reviewed": "reviewed",
}  # fmt: skip
MANY_SCOPES = 50  # the platform's advice; near 80 the token outgrows a request's headers
_APP_PATH = re.compile(r"/console/apps/([0-9a-f]{32})(?:/([a-z]+))?")

Change = Callable[[OAuthClient, Form], OAuthClient]


class ConsolePages:
    """Answers the pages below ``/console``.

    Args:
        oauth: The OAuth server.
        people: Whose apps there may be.
        sessions: Signed-in browsers.
        ids: Makes the token of the sign-in form.
        pages: Renders.
        access_token: What opens the console; printed when the server starts.
        scopes: All scopes that operations ask for.
    """

    def __init__(
        self,
        *,
        oauth: OAuthDoors,
        people: People,
        sessions: Sessions,
        ids: Ids,
        pages: Pages,
        access_token: SecretStr,
        scopes: frozenset[str],
    ) -> None:
        self._oauth = oauth
        self._people = people
        self._sessions = sessions
        self._ids = ids
        self._pages = pages
        self._access_token = access_token
        self._scopes = scopes

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a page; None for any other path."""
        if request.path != PREFIX and not request.path.startswith(f"{PREFIX}/"):
            return None
        if request.path == SIGN_IN:
            return self._sign_in(request) if request.method == "POST" else self._door(request)
        session = self._sessions.find("console", SESSION.read(request) or SecretStr(""))
        owner = None if session is None else self._people.find(session.account_id)
        if session is None or owner is None:
            return redirect(SIGN_IN, status=302)
        if request.method == "POST":
            return self._post(request, session, owner)
        return self._get(request, session, owner)

    # --- sign-in ---------------------------------------------------------------------------------

    def _door(self, request: JiraRequest, fault: str = "") -> JiraResponse:
        before = BEFORE.read(request) or self._ids.token("ses")
        return self._pages.html(
            403 if fault else 200, "console-sign-in.html", people=list(self._people.everyone()),
            form_token=form_token(before), headers=(BEFORE.set(request, before),), fault=fault,
        )  # fmt: skip

    def _sign_in(self, request: JiraRequest) -> JiraResponse:
        form, before = read_form(request), BEFORE.read(request)
        if before is None or not is_own_form(request, form, form_token(before)):
            return self._pages.message(403, "Not accepted", FORGED)
        if not fits(first(form, "access_token"), self._access_token.get_secret_value()):
            return self._door(request, "This is not the access token of this server.")
        account = self._people.find(first(form, "account"))
        if account is None:
            return self._door(request, "Pick a developer.")
        token = self._sessions.open("console", account.account_id)
        return redirect(PREFIX, SESSION.set(request, token), BEFORE.clear(request))

    # --- looking ---------------------------------------------------------------------------------

    def _get(self, request: JiraRequest, session: Session, owner: Account) -> JiraResponse:
        if request.path == PREFIX:
            return self._list(session, owner)
        client = self._client(request.path, owner)
        if client is None or request.path.count("/") != 3:  # noqa: PLR2004  # /console/apps/{id}
            return self._missing()
        return self._app(request, session, owner, client)

    def _list(self, session: Session, owner: Account, fault: str = "") -> JiraResponse:
        apps = [
            (one, self._oauth.stateless.find(one.client_id) is not None)
            for one in self._oauth.clients.list(owner.account_id)
        ]
        return self._pages.html(
            400 if fault else 200, "console-list.html", apps=apps, owner=owner, fault=fault,
            form_token=session.form_token, sign_out=SIGN_OUT,
        )  # fmt: skip

    def _app(
        self,
        request: JiraRequest,
        session: Session,
        owner: Account,
        client: OAuthClient,
        *,
        secret: SecretStr | None = None,
        fault: str = "",
        heading: str = "",
    ) -> JiraResponse:
        classic = sorted(one for one in self._scopes if one.count(":") == 1)
        granular = sorted(one for one in self._scopes if one.count(":") != 1)
        return self._pages.html(
            400 if fault else 200, "console-app.html", app=client, owner=owner, fault=fault,
            heading=heading or client.name,
            secret=None if secret is None else secret.get_secret_value(),
            form_token=session.form_token, base=f"{PREFIX}/apps/{client.client_id}",
            apis={"Jira API": by_product(classic), "User identity API":
                  by_product(sorted(IDENTITY_SCOPES))},
            granular=by_product(granular), many=len(client.scopes) > MANY_SCOPES,
            stateless=self._oauth.stateless.find(client.client_id) is not None,
            authorize_url=_authorize_url(request, client),
            grants=len(self._oauth.grants.list(client_id=client.client_id)),
            sign_out=SIGN_OUT,
        )  # fmt: skip

    # --- changing --------------------------------------------------------------------------------

    def _post(self, request: JiraRequest, session: Session, owner: Account) -> JiraResponse:
        form = read_form(request)
        if not is_own_form(request, form, session.form_token):
            return self._pages.message(403, "Not accepted", FORGED)
        if request.path == SIGN_OUT:
            self._sessions.close(SESSION.read(request) or SecretStr(""))
            return redirect(SIGN_IN, SESSION.clear(request))
        if request.path == f"{PREFIX}/apps":
            return self._create(request, session, owner, form)
        client = self._client(request.path, owner)
        return self._missing() if client is None else self._act(request, session, owner, client)

    def _act(
        self, request: JiraRequest, session: Session, owner: Account, client: OAuthClient
    ) -> JiraResponse:
        action = request.path.rpartition("/")[2]
        if action == "secret":
            secret = self._oauth.clients.rotate_secret(client.client_id)
            return self._app(request, session, owner, client, secret=secret)
        if action == "delete":
            self._oauth.clients.delete(client.client_id)
            return redirect(PREFIX)
        return self._change(request, session, owner, client)

    def _create(
        self, request: JiraRequest, session: Session, owner: Account, form: Form
    ) -> JiraResponse:
        try:
            client, secret = self._oauth.clients.create(
                first(form, "name"),
                owner.account_id,
                grant_kind=KINDS.get(first(form, "grant_kind"), "account"),
            )
        except ForgeError as error:
            return self._list(session, owner, error.message)
        return self._app(request, session, owner, client, secret=secret)

    def _change(
        self, request: JiraRequest, session: Session, owner: Account, client: OAuthClient
    ) -> JiraResponse:
        change = CHANGES.get(request.path.rpartition("/")[2])
        if change is None:
            return self._missing()
        wanted = change(client, read_form(request))
        try:
            self._oauth.clients.update(wanted)
        except ForgeError as error:  # what was typed stays in its fields
            return self._app(
                request, session, owner, wanted, fault=error.message, heading=client.name
            )
        return redirect(f"{PREFIX}/apps/{client.client_id}")

    def _client(self, path: str, owner: Account) -> OAuthClient | None:
        """Return the app of a path, if it is the developer's own."""
        match = _APP_PATH.fullmatch(path)
        client = None if match is None else self._oauth.clients.find(match[1])
        return client if client and client.owner_account_id == owner.account_id else None

    def _missing(self) -> JiraResponse:
        return self._pages.message(404, "No such page", "There is no such page, or no such app.")


def _settings(client: OAuthClient, form: Form) -> OAuthClient:
    return replace(client, name=first(form, "name"))


def _callbacks(client: OAuthClient, form: Form) -> OAuthClient:
    lines = (line.strip() for line in first(form, "callback_urls").splitlines())
    return replace(client, callback_urls=tuple(dict.fromkeys(line for line in lines if line)))


def _scopes(client: OAuthClient, form: Form) -> OAuthClient:
    return replace(client, scopes=frozenset(form.get("scope", ())))


def _distribution(client: OAuthClient, form: Form) -> OAuthClient:
    picked = DISTRIBUTIONS.get(first(form, "distribution"), client.distribution)
    return replace(
        client,
        distribution=picked,
        vendor_name=first(form, "vendor_name"),
        privacy_policy_url=first(form, "privacy_policy_url"),
    )


CHANGES: dict[str, Change] = {
    "settings": _settings,
    "callbacks": _callbacks,
    "scopes": _scopes,
    "distribution": _distribution,
}


def _authorize_url(request: JiraRequest, client: OAuthClient) -> str:
    """Return an address that asks for consent, as a developer would put it into the app."""
    query = urlencode(
        {
            "audience": AUDIENCE,
            "client_id": client.client_id,
            "scope": " ".join((*sorted(client.scopes), OFFLINE)),
            "redirect_uri": next(iter(client.callback_urls), ""),
            "state": "YOUR_USER_BOUND_VALUE",
            "response_type": "code",
            "prompt": "consent",
        }
    )
    return f"{request.base_url}/authorize?{query}"
