"""Pages of a person: sign-in, consent, connected apps.

``/authorize`` leads here. Nothing of an authorize request is looked at before somebody has signed
in, and no fault of the app or of its callback URL leads to that address.

Source:
    "OAuth 2.0 (3LO) apps"; probes of the real service for what is answered before and after login.

Differs:
    People have no passwords: whoever sits before the browser picks one of them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import SecretStr

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.errors import OAuthError
from runtime.identity.accounts import Account
from runtime.identity.oauth.flow import OAuthFlow
from runtime.identity.oauth.scope_words import by_product
from runtime.identity.oauth.stateless import StatelessRequests
from runtime.identity.oauth.store import OAuthClients, OAuthGrants
from runtime.identity.oauth.values import AuthorizeFault, AuthorizeRequest
from runtime.identity.sessions import Session, Sessions, form_token
from runtime.ids import Ids
from runtime.server.webforms import Cookie, Pages, first, is_own_form, read_form, redirect
from runtime.wire import JiraRequest, JiraResponse

AUTHORIZE = "/authorize"
PREFIX = "/_firebrick/account/"
SIGN_IN = f"{PREFIX}sign-in"
SIGN_OUT = f"{PREFIX}sign-out"
CONSENT = f"{PREFIX}consent"
APPS = f"{PREFIX}apps"
SESSION = Cookie("firebrick_account", PREFIX)
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
class OAuthDoors:
    """What of the OAuth server the pages use."""

    flow: OAuthFlow
    clients: OAuthClients
    grants: OAuthGrants
    stateless: StatelessRequests


class AccountPages:
    """Answers ``/authorize`` and the pages of an account.

    Args:
        oauth: The OAuth server.
        people: Who may sign in.
        sessions: Signed-in browsers.
        ids: Makes the token of the sign-in form.
        pages: Renders.
        audit: Gets a record of each request that nobody is asked about; consents have their own.
        auto_consent: Who consents to everything without a page, for unattended runs.
    """

    def __init__(
        self,
        *,
        oauth: OAuthDoors,
        people: People,
        sessions: Sessions,
        ids: Ids,
        pages: Pages,
        audit: AuditTrail,
        auto_consent: Account | None = None,
    ) -> None:
        self._oauth = oauth
        self._people = people
        self._sessions = sessions
        self._ids = ids
        self._pages = pages
        self._audit = audit
        self._auto = auto_consent
        self._routes = {
            ("GET", SIGN_IN): self._sign_in_page,
            ("POST", SIGN_IN): self._sign_in,
            ("POST", SIGN_OUT): self._sign_out,
            ("GET", CONSENT): self._consent_page,
            ("POST", CONSENT): self._consent,
            ("GET", APPS): self._apps_page,
            ("POST", APPS): self._revoke,
        }

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a page; None for any other path."""
        method = "GET" if request.method == "HEAD" else request.method
        if request.path == AUTHORIZE and method == "GET":
            return self._authorize(request)
        route = self._routes.get((method, request.path))
        if route is not None:
            return route(request)
        if request.path == AUTHORIZE or request.path.startswith(PREFIX):
            return self._pages.message(404, "No such page", "There is nothing at this address.")
        return None

    # --- sign-in ---------------------------------------------------------------------------------

    def _sign_in_page(self, request: JiraRequest) -> JiraResponse:
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
        target = SIGN_IN if not request.query else f"{SIGN_IN}?{_query(request)}"
        return redirect(target, SESSION.clear(request))

    def _end(self, request: JiraRequest) -> None:
        token = SESSION.read(request)
        if token is not None:
            self._sessions.close(token)

    def _session(self, request: JiraRequest) -> Session | None:
        return self._sessions.find("account", SESSION.read(request) or SecretStr(""))

    def _who(self, request: JiraRequest) -> tuple[Session, Account] | JiraResponse:
        """Return who has signed in, or the way to do so."""
        session = self._session(request)
        account = None if session is None else self._people.find(session.account_id)
        if session is None or account is None:
            here = f"{request.path}?{_query(request)}" if request.query else request.path
            return redirect(f"{SIGN_IN}?{urlencode({'next': here})}", status=302)
        return session, account

    # --- consent ---------------------------------------------------------------------------------

    def _authorize(self, request: JiraRequest) -> JiraResponse:
        if self._auto is None:
            return redirect(f"{CONSENT}?{_query(request)}", status=302)
        asked = self._oauth.flow.prepare_authorize(request.query, self._auto)
        if isinstance(asked, AuthorizeFault):
            return self._fault(asked, self._auto)
        sites = [cloud_id for cloud_id, _ in self._people.sites(self._auto)]
        picked = sites[:1] if asked.client.grant_kind == "resource" else sites
        return self._approve(asked, self._auto, picked if asked.needs_site else [])

    def _consent_page(self, request: JiraRequest) -> JiraResponse:
        who = self._who(request)
        if isinstance(who, JiraResponse):
            return who
        session, account = who
        asked = self._oauth.flow.prepare_authorize(request.query, account)
        if isinstance(asked, AuthorizeFault):
            return self._fault(asked, account)
        self._oauth.stateless.note(asked.client.client_id, had_state=asked.state is not None)
        return self._pages.html(
            200, "account-consent.html", sends_to=asked.redirect_uri,
            app=asked.client, account=account, owner=self._name(asked.client.owner_account_id),
            products=by_product(asked.scopes), needs_site=asked.needs_site,
            sites=self._people.sites(account), form_token=session.form_token,
            action=f"{CONSENT}?{_query(request)}", redirect_uri=asked.redirect_uri,
            sign_out=f"{SIGN_OUT}?{urlencode({'next': f'{CONSENT}?{_query(request)}'})}",
        )  # fmt: skip

    def _consent(self, request: JiraRequest) -> JiraResponse:
        who = self._who(request)
        if isinstance(who, JiraResponse):
            return who
        session, account = who
        form = read_form(request)
        if not is_own_form(request, form, session.form_token):
            return self._pages.message(403, "Not accepted", FORGED)
        asked = self._oauth.flow.prepare_authorize(request.query, account)
        if isinstance(asked, AuthorizeFault):
            return self._fault(asked, account)
        if first(form, "decision") != "accept":
            return redirect(self._oauth.flow.deny(asked, account), status=302)
        return self._approve(asked, account, form.get("site", ()))

    def _approve(
        self, asked: AuthorizeRequest, account: Account, cloud_ids: Iterable[str]
    ) -> JiraResponse:
        try:
            location = self._oauth.flow.approve(asked, account, frozenset(cloud_ids))
        except OAuthError as error:
            return self._pages.message(error.status, "Consent was not given", error.message)
        return redirect(location, status=302)

    def _fault(self, fault: AuthorizeFault, account: Account) -> JiraResponse:
        self._audit.append(
            AuditRecord(
                kind="grant", allowed=False, rule=fault.rule, message=fault.error, model="oauth",
                account_id=account.account_id, path=AUTHORIZE, status=fault.status,
            )
        )  # fmt: skip
        if fault.location is not None:
            return redirect(fault.location, status=302)
        return self._pages.html(
            fault.status, "account-error.html", fault=fault, tracking_id=self._ids.uuid()
        )

    # --- connected apps --------------------------------------------------------------------------

    def _apps_page(self, request: JiraRequest) -> JiraResponse:
        who = self._who(request)
        if isinstance(who, JiraResponse):
            return who
        session, account = who
        names = dict(self._people.sites(account))
        rows = [
            (
                self._oauth.clients.find(grant.client_id),
                by_product(sorted(grant.scopes)),
                sorted(names.get(one, one) for one in grant.cloud_ids),
            )
            for grant in self._oauth.grants.list(account_id=account.account_id)
        ]
        return self._pages.html(
            200, "account-apps.html", account=account, rows=[row for row in rows if row[0]],
            form_token=session.form_token, action=APPS, sign_out=SIGN_OUT,
        )  # fmt: skip

    def _revoke(self, request: JiraRequest) -> JiraResponse:
        who = self._who(request)
        if isinstance(who, JiraResponse):
            return who
        session, account = who
        form = read_form(request)
        if not is_own_form(request, form, session.form_token):
            return self._pages.message(403, "Not accepted", FORGED)
        self._oauth.grants.revoke_by_user(account.account_id, first(form, "client_id"))
        return redirect(APPS)

    def _name(self, account_id: str) -> str:
        found = self._people.find(account_id)
        return "its owner" if found is None else found.display_name


def _query(request: JiraRequest) -> str:
    return urlencode(request.query)


def _own_path(path: str) -> str:
    """Return a page of an account to go on to; anything else is none."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if path.startswith((f"{CONSENT}?", APPS)) and plain else APPS
