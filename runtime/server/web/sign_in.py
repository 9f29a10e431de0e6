"""Signing in: who sits before a browser, and whose form this is.

Differs:
    People have no passwords: whoever sits before the browser picks one of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import SecretStr

from runtime.identity.accounts import Account
from runtime.identity.sessions import Session, Sessions, form_token
from runtime.ids import Ids
from runtime.server.web.forms import Cookie, Form, Pages, first, is_own_form, read_form, redirect
from runtime.wire import JiraRequest, JiraResponse

FOLDER = "/_firebrick/"
PREFIX = f"{FOLDER}account/"
SIGN_IN = f"{PREFIX}sign-in"
SIGN_OUT = f"{PREFIX}sign-out"
CONSENT = f"{PREFIX}consent"
APPS = f"{PREFIX}apps"
TOKENS = f"{PREFIX}tokens"
ADMIN = f"{FOLDER}admin"
SESSION = Cookie("firebrick_account", FOLDER)
BEFORE = Cookie("firebrick_before", PREFIX)  # ties the sign-in form to a browser
FORGED = "This form was not sent by its own page, or the session has ended. Open the page again."


@dataclass(frozen=True, slots=True)
class People:
    """Who may sign in, and which sites they use.

    Attributes:
        find: Returns the active person with that account id, or None.
        everyone: Returns all who may sign in.
        sites: Returns the cloud id and name of each site that an account uses.
    """

    find: Callable[[str], Account | None]
    everyone: Callable[[], Iterable[Account]]
    sites: Callable[[Account], list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who has signed in.

    Attributes:
        account: Who.
        form_token: What each form of the page must carry.
        form: The fields that were sent, by a page of this very session.
    """

    account: Account
    form_token: str
    form: Form


class SignIn:
    """Answers the pages of signing in and out, and says whose a request is.

    Args:
        people: Who may sign in.
        sessions: Signed-in browsers.
        ids: Makes the token of the sign-in form.
        pages: Renders.
    """

    def __init__(self, people: People, sessions: Sessions, ids: Ids, pages: Pages) -> None:
        self._people = people
        self._sessions = sessions
        self._ids = ids
        self._pages = pages
        self._routes = {
            ("GET", SIGN_IN): self._page,
            ("POST", SIGN_IN): self._sign_in,
            ("POST", SIGN_OUT): self._sign_out,
        }

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a page; None for any other path."""
        route = self._routes.get((method_of(request), request.path))
        return None if route is None else route(request)

    def visit(self, request: JiraRequest) -> Visit | JiraResponse:
        """Return who sent a request; or the way to sign in, or the refusal of a foreign form."""
        session = self._session(request)
        account = None if session is None else self._people.find(session.account_id)
        if session is None or account is None:
            here = f"{request.path}?{query_of(request)}" if request.query else request.path
            return redirect(f"{SIGN_IN}?{urlencode({'next': here})}", status=302)
        form = read_form(request)
        if request.method == "POST" and not is_own_form(request, form, session.form_token):
            return self._pages.message(403, "Not accepted", FORGED)
        return Visit(account, session.form_token, form)

    def _page(self, request: JiraRequest) -> JiraResponse:
        before = BEFORE.read(request) or self._ids.token("ses")
        return self._pages.html(
            200, "account-sign-in.html", headers=(BEFORE.set(request, before),),
            people=list(self._people.everyone()), next=_own_path(request.first("next") or ""),
            form_token=form_token(before),
        )  # fmt: skip

    def _sign_in(self, request: JiraRequest) -> JiraResponse:
        form, before = read_form(request), BEFORE.read(request)
        if before is None or not is_own_form(request, form, form_token(before)):
            return self._pages.message(403, "Not accepted", FORGED)
        account = self._people.find(first(form, "account"))
        if account is None:
            return self._pages.message(403, "Not signed in", "Only an active person can sign in.")
        self._end(request)
        token = self._sessions.open("account", account.account_id)
        return redirect(
            _own_path(first(form, "next")), SESSION.set(request, token), BEFORE.clear(request)
        )

    def _sign_out(self, request: JiraRequest) -> JiraResponse:
        session = self._session(request)
        if session is not None:
            if not is_own_form(request, read_form(request), session.form_token):
                return self._pages.message(403, "Not accepted", FORGED)
            self._end(request)
        target = SIGN_IN if not request.query else f"{SIGN_IN}?{query_of(request)}"
        return redirect(target, SESSION.clear(request))

    def _end(self, request: JiraRequest) -> None:
        token = SESSION.read(request)
        if token is not None:
            self._sessions.close(token)

    def _session(self, request: JiraRequest) -> Session | None:
        return self._sessions.find("account", SESSION.read(request) or SecretStr(""))


def method_of(request: JiraRequest) -> str:
    """Return the method of a request, a look at its headers alone being a look."""
    return "GET" if request.method == "HEAD" else request.method


def query_of(request: JiraRequest) -> str:
    """Return the query of a request, encoded."""
    return urlencode(request.query)


def _own_path(path: str) -> str:
    """Return a page to go on to after signing in; anything else is none."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if path.startswith((f"{CONSENT}?", APPS, TOKENS, ADMIN)) and plain else APPS
