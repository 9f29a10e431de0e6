"""The server's own pages, wired together: accounts, the developer console, its JSON."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pydantic import SecretStr

from runtime.identity.accounts import Account, find_account, list_accounts
from runtime.identity.oauth.stateless import StatelessRequests
from runtime.jira.page_context import uses_product
from runtime.server.admins import is_org_admin, is_site_admin
from runtime.server.net.http import Edge
from runtime.server.web.account_pages import AccountPages, OAuthDoors
from runtime.server.web.admin_api import AdminApi
from runtime.server.web.admin_pages import AdminPages
from runtime.server.web.administration import Administration
from runtime.server.web.console_api import ConsoleApi
from runtime.server.web.console_pages import ConsolePages
from runtime.server.web.egress_pages import EgressPages
from runtime.server.web.forms import Pages, style
from runtime.server.web.sign_in import People, SignIn
from runtime.server.web.token_pages import TokenPages

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How this process serves pages.

    Attributes:
        access_token: What opens the developer console; None makes one that nobody is told.
        auto_consent: Who consents to every app without a page; None for pages.
    """

    access_token: SecretStr | None = None
    auto_consent: Account | None = None


DEFAULT_OPTIONS = PageOptions()


def page_edges(firebrick: "Firebrick", options: PageOptions) -> tuple[Edge, ...]:
    """Return what answers pages, in the order it is asked."""
    oauth = OAuthDoors(
        firebrick.oauth.flow,
        firebrick.oauth.clients,
        firebrick.oauth.grants,
        firebrick.oauth.blocks,
        StatelessRequests(firebrick.engine, firebrick.steered),
    )
    people, pages = _people(firebrick), Pages()
    sessions = firebrick.sessions
    sign_in = SignIn(people, sessions, firebrick.ids, pages)
    administration = _administration(firebrick)
    token = options.access_token or firebrick.ids.token("ctl")
    scopes = frozenset(
        name for operation in firebrick.operations for one in operation.scopes for name in one
    )
    return (
        style,
        AdminApi(administration, token),
        ConsoleApi(oauth, people, token),
        ConsolePages(
            oauth=oauth, people=people, sessions=sessions, ids=firebrick.ids, pages=pages,
            access_token=token, scopes=scopes,
        ),
        sign_in,
        EgressPages(firebrick, administration, sign_in, pages),
        AdminPages(administration, sign_in, pages),
        TokenPages(firebrick.api_tokens, sign_in, pages, firebrick.steered, scopes),
        AccountPages(
            oauth=oauth, people=people, sign_in=sign_in, ids=firebrick.ids, pages=pages,
            audit=firebrick.audit, auto_consent=options.auto_consent,
        ),
    )  # fmt: skip


def _administration(firebrick: "Firebrick") -> Administration:
    oauth = firebrick.oauth

    def name_of(account_id: str) -> str:
        account = firebrick.find_account(account_id)
        return account_id if account is None else account.display_name

    return Administration(
        clients=oauth.clients,
        grants=oauth.grants,
        blocks=oauth.blocks,
        policy=oauth.policy,
        tokens=firebrick.token_policies,
        hosts=lambda: {cloud_id: host for host, cloud_id in firebrick.sites_by_host().items()},
        administers=partial(is_site_admin, firebrick.engine),
        governs=partial(is_org_admin, firebrick.engine),
        name_of=name_of,
    )


def _people(firebrick: "Firebrick") -> People:
    def is_person(account: Account) -> bool:
        is_human = account.account_type == "atlassian" and not account.is_service
        return account.active and is_human

    def find(account_id: str) -> Account | None:
        with firebrick.engine.connect() as connection:
            account = find_account(connection, account_id)
        return account if account is not None and is_person(account) else None

    def list_people() -> list[Account]:
        with firebrick.engine.connect() as connection:
            return [one for one in list_accounts(connection) if is_person(one)]

    def sites(account: Account) -> list[tuple[str, str]]:
        hosts = firebrick.sites_by_host()
        with firebrick.engine.connect() as connection:
            return [
                (cloud_id, host)
                for host, cloud_id in hosts.items()
                if uses_product(connection, cloud_id, account)
            ]

    return People(find, list_people, sites)
