"""Pages of a person about OAuth apps: consent, and the apps that are connected.

``/authorize`` leads here. Nothing of an authorize request is looked at before somebody has signed
in, and no fault of the app or of its callback URL leads to that address.

Source:
    "OAuth 2.0 (3LO) apps"; probes of the real service for what is answered before and after login.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.errors import OAuthError
from runtime.identity.accounts import Account
from runtime.identity.oauth.blocks import OAuthBlocks
from runtime.identity.oauth.flow import OAuthFlow
from runtime.identity.oauth.scope_words import by_product
from runtime.identity.oauth.stateless import StatelessRequests
from runtime.identity.oauth.store import OAuthClients, OAuthGrants
from runtime.identity.oauth.values import AuthorizeFault, AuthorizeRequest, OAuthClient
from runtime.ids import Ids
from runtime.server.web.forms import Pages, first, redirect
from runtime.server.web.sign_in import (
    APPS,
    CONSENT,
    PREFIX,
    SIGN_OUT,
    People,
    SignIn,
    Visit,
    method_of,
    query_of,
)
from runtime.wire import JiraRequest, JiraResponse

AUTHORIZE = "/authorize"


@dataclass(frozen=True, slots=True)
class OAuthDoors:
    """What of the OAuth server the pages use."""

    flow: OAuthFlow
    clients: OAuthClients
    grants: OAuthGrants
    blocks: OAuthBlocks
    stateless: StatelessRequests


class AccountPages:
    """Answers ``/authorize``, consent and the list of connected apps.

    Args:
        oauth: The OAuth server.
        people: Which sites they use.
        sign_in: Says who has signed in.
        ids: Makes the ids of faults.
        pages: Renders.
        audit: Gets a record of each request that nobody is asked about; consents have their own.
        auto_consent: Who consents to everything without a page, for unattended runs.
    """

    def __init__(
        self,
        *,
        oauth: OAuthDoors,
        people: People,
        sign_in: SignIn,
        ids: Ids,
        pages: Pages,
        audit: AuditTrail,
        auto_consent: Account | None = None,
    ) -> None:
        self._oauth = oauth
        self._people = people
        self._sign_in = sign_in
        self._ids = ids
        self._pages = pages
        self._audit = audit
        self._auto = auto_consent
        self._routes = {
            ("GET", CONSENT): self._consent_page,
            ("POST", CONSENT): self._consent,
            ("GET", APPS): self._apps_page,
            ("POST", APPS): self._revoke,
        }

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a page; None for any other path."""
        method = method_of(request)
        if request.path == AUTHORIZE and method == "GET":
            return self._authorize(request)
        route = self._routes.get((method, request.path))
        if route is not None:
            visit = self._sign_in.visit(request)
            return visit if isinstance(visit, JiraResponse) else route(request, visit)
        if request.path == AUTHORIZE or request.path.startswith(PREFIX):
            return self._pages.message(404, "No such page", "There is nothing at this address.")
        return None

    # --- consent ---------------------------------------------------------------------------------

    def _authorize(self, request: JiraRequest) -> JiraResponse:
        if self._auto is None:
            return redirect(f"{CONSENT}?{query_of(request)}", status=302)
        asked = self._oauth.flow.prepare_authorize(request.query, self._auto)
        if isinstance(asked, AuthorizeFault):
            return self._fault(asked, self._auto)
        sites = [cloud_id for cloud_id, _ in self._sites(asked.client, self._auto)]
        picked = sites[:1] if asked.client.grant_kind == "resource" else sites
        return self._approve(asked, self._auto, picked if asked.needs_site else [])

    def _consent_page(self, request: JiraRequest, visit: Visit) -> JiraResponse:
        account = visit.account
        asked = self._oauth.flow.prepare_authorize(request.query, account)
        if isinstance(asked, AuthorizeFault):
            return self._fault(asked, account)
        self._oauth.stateless.note(asked.client.client_id, had_state=asked.state is not None)
        return self._pages.html(
            200, "account-consent.html", sends_to=asked.redirect_uri,
            app=asked.client, account=account, owner=self._name(asked.client.owner_account_id),
            products=by_product(asked.scopes), needs_site=asked.needs_site,
            sites=self._sites(asked.client, account), form_token=visit.form_token,
            action=f"{CONSENT}?{query_of(request)}", redirect_uri=asked.redirect_uri,
            sign_out=f"{SIGN_OUT}?{urlencode({'next': f'{CONSENT}?{query_of(request)}'})}",
        )  # fmt: skip

    def _consent(self, request: JiraRequest, visit: Visit) -> JiraResponse:
        account = visit.account
        asked = self._oauth.flow.prepare_authorize(request.query, account)
        if isinstance(asked, AuthorizeFault):
            return self._fault(asked, account)
        if first(visit.form, "decision") != "accept":
            return redirect(self._oauth.flow.deny(asked, account), status=302)
        return self._approve(asked, account, visit.form.get("site", ()))

    def _sites(self, client: OAuthClient, account: Account) -> list[tuple[str, str]]:
        """Return the sites that an account can allow an app on."""
        sites = self._people.sites(account)
        open_ = self._oauth.blocks.open_sites(client.client_id, {one for one, _ in sites})
        return [one for one in sites if one[0] in open_]

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

    def _apps_page(self, _request: JiraRequest, visit: Visit) -> JiraResponse:
        account = visit.account
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
            form_token=visit.form_token, action=APPS, sign_out=SIGN_OUT,
        )  # fmt: skip

    def _revoke(self, _request: JiraRequest, visit: Visit) -> JiraResponse:
        client_id = first(visit.form, "client_id")
        self._oauth.grants.revoke_by_user(visit.account.account_id, client_id)
        return redirect(APPS)

    def _name(self, account_id: str) -> str:
        found = self._people.find(account_id)
        return "its owner" if found is None else found.display_name
