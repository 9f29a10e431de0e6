"""Pages of admins: OAuth apps on a site, and what the organization allows.

Whoever administers a site in Jira gets in there; whoever administers every site, into the
organization's page as well. Everybody else is told so by 403, whatever the address.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any  # what templates show
from urllib.parse import urlencode

from runtime.errors import ForgeError
from runtime.identity.oauth.blocks import EVERY
from runtime.identity.oauth.scope_words import by_product
from runtime.identity.token_policy import MAX_LIFETIME_DAYS
from runtime.server.web.administration import Administration
from runtime.server.web.forms import Form, Pages, first, redirect
from runtime.server.web.sign_in import ADMIN, SIGN_OUT, SignIn, Visit, method_of
from runtime.wire import JiraRequest, JiraResponse

ORGANIZATION = f"{ADMIN}/organization"
SITES = f"{ADMIN}/sites/"
MAX_DIGITS = 4

Act = Callable[[Form, str, str], None]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an admin looks at: a site, or with `EVERY` the organization."""

    request: JiraRequest
    visit: Visit
    sites: dict[str, str]  # that the admin administers, cloud id to host
    governs: bool
    place: str

    def tabs(self) -> list[tuple[str, str]]:
        pages = [(SITES + cloud_id, host) for cloud_id, host in self.sites.items()]
        return [*pages, (ORGANIZATION, "Organization")] if self.governs else pages


class AdminPages:
    """Answers the pages below ``/_firebrick/admin``.

    Args:
        administration: Looks and acts.
        sign_in: Says who has signed in.
        pages: Renders.
    """

    def __init__(self, administration: Administration, sign_in: SignIn, pages: Pages) -> None:
        self._administration = administration
        self._sign_in = sign_in
        self._pages = pages
        self._acts: dict[str, Act] = {
            "block": self._block,
            "unblock": self._block,
            "uninstall": self._uninstall,
        }
        self._organizations_acts: dict[str, Act] = {
            **self._acts,
            "user-apps": self._user_apps,
            "tokens": self._tokens,
        }

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a page; None for any other path."""
        if request.path != ADMIN and not request.path.startswith(f"{ADMIN}/"):
            return None
        visit = self._sign_in.visit(request)
        if isinstance(visit, JiraResponse):
            return visit
        seen = self._seen(request, visit)
        if seen is None:
            return self._pages.html(
                403, "admin-refused.html", account=visit.account, form_token=visit.form_token,
                sign_out=f"{SIGN_OUT}?{urlencode({'next': ADMIN})}",
            )  # fmt: skip
        if request.path == ADMIN:
            return redirect(SITES + next(iter(seen.sites)), status=302)
        return self._organization(seen) if seen.place == EVERY else self._site(seen)

    def _seen(self, request: JiraRequest, visit: Visit) -> _Seen | None:
        """Return what somebody may see at an address; None if nothing, or if there is nothing."""
        sites = dict(self._administration.sites_of(visit.account))
        governs = bool(sites) and self._administration.governs(visit.account)
        seen = _Seen(request, visit, sites, governs, EVERY)
        if request.path == ORGANIZATION:
            return seen if governs else None
        if request.path == ADMIN:
            return seen if sites else None
        cloud_id = request.path.removeprefix(SITES)
        return replace(seen, place=cloud_id) if cloud_id in sites else None

    def _site(self, seen: _Seen) -> JiraResponse:
        if method_of(seen.request) == "GET":
            return self._html(200, "admin-site.html", seen, {"host": seen.sites[seen.place]})
        self._act(self._acts, seen)
        return redirect(seen.request.path)

    def _organization(self, seen: _Seen) -> JiraResponse:
        fault = ""
        if method_of(seen.request) != "GET":
            try:
                self._act(self._organizations_acts, seen)
            except ForgeError as error:
                fault = error.message
            else:
                return redirect(ORGANIZATION)
        tokens = self._administration.tokens
        now = tokens.find()
        days = first(seen.visit.form, "max_days") if fault else str(now.max_days)
        values = {"fault": fault, "tokens": now, "ceiling": tokens.ceiling, "days": days}
        return self._html(400 if fault else 200, "admin-organization.html", seen, values)

    def _html(
        self, status: int, template: str, seen: _Seen, values: dict[str, object]
    ) -> JiraResponse:
        administration, place = self._administration, seen.place
        rows = [(one, by_product(sorted(one.scopes))) for one in administration.standings(place)]
        shown: dict[str, Any] = {
            "account": seen.visit.account, "form_token": seen.visit.form_token, "rows": rows,
            "every": EVERY, "all_refused_by": administration.refuses_every_app(place),
            "user_apps": administration.policy.user_apps_allowed(), "tabs": seen.tabs(),
            "action": seen.request.path, "sign_out": SIGN_OUT, **values,
        }  # fmt: skip
        return self._pages.html(status, template, **shown)

    # --- acting ----------------------------------------------------------------------------------

    def _act(self, acts: dict[str, Act], seen: _Seen) -> None:
        act = acts.get(first(seen.visit.form, "action"))
        if act is not None:
            act(seen.visit.form, seen.place, seen.visit.account.account_id)

    def _block(self, form: Form, place: str, by: str) -> None:
        client_id = first(form, "client_id")
        if client_id == EVERY or self._administration.clients.find(client_id) is not None:
            blocked = first(form, "action") == "block"
            self._administration.set_blocked(client_id, place, blocked=blocked, by=by)

    def _uninstall(self, form: Form, place: str, by: str) -> None:
        self._administration.uninstall(first(form, "client_id"), place, by=by)

    def _user_apps(self, form: Form, _place: str, by: str) -> None:
        said = first(form, "user_apps")
        if said in ("allow", "block"):
            self._administration.policy.set_user_apps_allowed(
                allowed=said == "allow", by_account_id=by
            )

    def _tokens(self, form: Form, _place: str, by: str) -> None:
        days, said = first(form, "max_days"), first(form, "tokens")
        if not (days.isascii() and days.isdigit() and len(days) <= MAX_DIGITS):
            raise ForgeError(
                "BAD_TOKEN_LIFETIME", f"A token lives 1 to {MAX_LIFETIME_DAYS} days at most."
            )
        if said in ("allow", "block"):
            self._administration.tokens.set(
                allowed=said == "allow", max_days=int(days), by_account_id=by
            )
