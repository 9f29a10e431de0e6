"""The page on which admins of a site say what apps may reach there, and where remotes are.

Source:
    Forge documentation, "Customer-managed egress and remotes": what administrators see of an app,
    set and take back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from runtime.errors import InstallationError
from runtime.installation.model import Installation
from runtime.policy.customer_egress import (
    BACKEND,
    MAX_DESCRIPTION,
    TYPES,
    Choices,
    EgressEntry,
    is_configurable,
)
from runtime.server.customer_egress import Custody, RemoteStanding, list_remotes, manifest_of
from runtime.server.web.administration import Administration
from runtime.server.web.forms import Form, Pages, first, redirect
from runtime.server.web.sign_in import ADMIN, SIGN_OUT, SignIn, Visit, method_of
from runtime.wire import JiraRequest, JiraResponse

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

SITES = f"{ADMIN}/sites/"
EGRESS = "/egress"


@dataclass(frozen=True, slots=True)
class Row:
    """An installation on the page.

    Attributes:
        installation: The installation.
        name: Of its app.
        open: Whether its manifest lets customers add addresses now.
        choices: What the customer chose.
        remotes: Remotes that may be configured.
    """

    installation: Installation
    name: str
    open: bool
    choices: Choices
    remotes: tuple[RemoteStanding, ...]


class EgressPages:
    """Answers ``/_firebrick/admin/sites/{cloudId}/egress``.

    Args:
        firebrick: The state.
        administration: Says who administers which sites.
        sign_in: Says who has signed in.
        pages: Renders.
    """

    def __init__(
        self,
        firebrick: "Firebrick",
        administration: Administration,
        sign_in: SignIn,
        pages: Pages,
    ) -> None:
        self._firebrick = firebrick
        self._administration = administration
        self._sign_in = sign_in
        self._pages = pages
        self._acts: dict[str, Callable[[Custody, Form], object]] = {
            "set-group": _set_group,
            "remove-group": lambda custody, form: custody.remove_group(first(form, "key")),
            "remove-domain": lambda custody, form: custody.remove_domain(
                first(form, "key"), first(form, "domain")
            ),
            "set-remote": lambda custody, form: custody.set_endpoint(
                first(form, "remote"), first(form, "url")
            ),
            "reset-remote": lambda custody, form: custody.reset_endpoint(first(form, "remote")),
        }

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer the page; None for any other path."""
        if not request.path.startswith(SITES) or not request.path.endswith(EGRESS):
            return None
        visit = self._sign_in.visit(request)
        if isinstance(visit, JiraResponse):
            return visit
        sites = dict(self._administration.sites_of(visit.account))
        cloud_id = request.path.removeprefix(SITES).removesuffix(EGRESS)
        if cloud_id not in sites:
            return self._pages.html(
                403, "admin-refused.html", account=visit.account, form_token=visit.form_token,
                sign_out=f"{SIGN_OUT}?{urlencode({'next': ADMIN})}",
            )  # fmt: skip
        if method_of(request) == "GET":
            return self._html(200, cloud_id, sites, visit)
        try:
            self._act(cloud_id, visit)
        except InstallationError as error:
            return self._html(400, cloud_id, sites, visit, error.message)
        return redirect(request.path)

    def _act(self, cloud_id: str, visit: Visit) -> None:
        wanted = first(visit.form, "installation")
        act = self._acts.get(first(visit.form, "action"))
        for installation in self._firebrick.installations.list_active(cloud_id):
            if installation.id == wanted and act is not None:
                act(Custody(self._firebrick, installation, visit.account), visit.form)

    def _html(
        self, status: int, cloud_id: str, sites: dict[str, str], visit: Visit, fault: str = ""
    ) -> JiraResponse:
        tabs = [(SITES + one, host) for one, host in sites.items()]
        here = (SITES + cloud_id + EGRESS, f"Egress on {sites[cloud_id]}")
        return self._pages.html(
            status, "admin-egress.html", account=visit.account, form_token=visit.form_token,
            host=sites[cloud_id], rows=self._rows(cloud_id), types=TYPES, backend=BACKEND,
            longest=MAX_DESCRIPTION, tabs=[*tabs, here], action=here[0], sign_out=SIGN_OUT,
            fault=fault, form=visit.form if fault else {},
        )  # fmt: skip

    def _rows(self, cloud_id: str) -> list[Row]:
        """Return the installations that a customer may or did configure."""
        rows = []
        for one in self._firebrick.installations.list_active(cloud_id):
            choices = self._firebrick.egress_groups.find(one.id)
            open_ = is_configurable(manifest_of(self._firebrick, one))
            if open_ or choices.groups or choices.endpoints:
                name = f"{self._firebrick.apps.running_version(one).name} ({one.environment})"
                remotes = list_remotes(self._firebrick, one)
                rows.append(Row(one, name, open_, choices, remotes))
        return rows


def _set_group(custody: Custody, form: Form) -> object:
    types = tuple(one for one in TYPES if one in form.get("type", ()))
    domains = dict.fromkeys(first(form, "domains").split())
    entries = [EgressEntry(domain, types) for domain in domains]
    return custody.set_group(first(form, "key"), first(form, "description"), entries)
