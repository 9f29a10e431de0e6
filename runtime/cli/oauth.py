"""``oauth app … | authorize | grants | revoke | policy``: apps that people log in to (3LO)."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

import typer

from runtime.cli import blocks
from runtime.cli.apps import YesOption
from runtime.cli.console import print_json, reports_errors, say, say_change, table
from runtime.cli.options import FormatOption, SiteOption, StateOption, open_state

if TYPE_CHECKING:
    from pydantic import SecretStr

    from runtime.identity.oauth.values import AuthorizeFault, AuthorizeRequest, OAuthClient
    from runtime.server.runtime import Firebrick

ALLOWED = "People may consent to apps by themselves."
BLOCKED = (
    "Nobody consents to further apps. Those that were consented to before go on; to refuse their "
    "calls as well: firebrick oauth block [--client APP] [--site SITE]"
)
app = typer.Typer(help="OAuth 2.0 (3LO): apps, consent, grants.", no_args_is_help=True)
apps = typer.Typer(help="Apps of the developer console.", no_args_is_help=True)
app.add_typer(apps, name="app")
app.command("block")(blocks.block)
app.command("unblock")(blocks.unblock)
app.command("blocks")(blocks.blocks)

Kind = Literal["account", "resource"]
Distribution = Literal["private", "shared", "reviewed"]
NameArgument = Annotated[str, typer.Argument(help="Client id or name of the app.")]
CallbackOption = Annotated[
    list[str] | None,
    typer.Option("--callback", help="Where codes may be sent; repeatable.", show_default=False),
]
ScopeOption = Annotated[
    list[str] | None,
    typer.Option("--scope", help="Scopes, repeated or separated by blanks.", show_default=False),
]
DistributionOption = Annotated[
    Distribution | None,
    typer.Option(help="private: for the owner alone; shared; reviewed.", show_default=False),
]


@apps.command("create")
@reports_errors
def create_app(
    name: Annotated[str, typer.Argument(help="What users are shown.")],
    *,
    owner: Annotated[str, typer.Option(help="Owner: handle, e-mail or account id.")],
    callback: CallbackOption = None,
    scope: ScopeOption = None,
    kind: Annotated[
        Kind, typer.Option("--grant", help="account: one grant for all sites; resource: by site.")
    ] = "account",
    distribution: Distribution = "private",
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Make an app; its secret is shown this once."""
    with open_state(state) as firebrick:
        client, secret = firebrick.oauth.clients.create(
            name,
            firebrick.find_person(owner).account_id,
            grant_kind=kind,
            scopes=_scopes(scope),
            callback_urls=tuple(callback or ()),
            distribution=distribution,
        )
        facts = _facts(firebrick, client)
    _show({**facts, "clientSecret": secret.get_secret_value()}, format_)
    if format_ == "text":
        say("The secret is shown this once; only its hash is kept.")


@apps.command("update")
@reports_errors
def update_app(
    app: NameArgument,
    *,
    name: Annotated[
        str | None, typer.Option(help="What users are shown.", show_default=False)
    ] = None,
    callback: CallbackOption = None,
    scope: ScopeOption = None,
    distribution: DistributionOption = None,
    vendor: Annotated[
        str | None,
        typer.Option("--vendor", help="Who offers it, for consent.", show_default=False),
    ] = None,
    privacy_policy: Annotated[
        str | None,
        typer.Option("--privacy-policy", help="Address of the policy.", show_default=False),
    ] = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Change an app; what is named replaces what was there. Fewer scopes take effect at once."""
    with open_state(state) as firebrick:
        client = firebrick.oauth.clients.get(app)
        named: dict[str, Any] = {
            "name": name,
            "callback_urls": None if callback is None else tuple(callback),
            "scopes": None if scope is None else _scopes(scope),
            "distribution": distribution,
            "vendor_name": vendor,
            "privacy_policy_url": privacy_policy,
        }
        given = {field: value for field, value in named.items() if value is not None}
        client = firebrick.oauth.clients.update(replace(client, **given))
        facts = _facts(firebrick, client)
    _show(facts, format_)


@apps.command("list")
@reports_errors
def list_apps(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """List the apps."""
    with open_state(state) as firebrick:
        rows = [_facts(firebrick, client) for client in firebrick.oauth.clients.list()]
    if format_ == "json":
        print_json(rows)
    elif rows:
        columns = ("name", "clientId", "owner", "grant", "distribution")
        table(columns, ([str(row[name]) for name in columns] for row in rows))
    else:
        say("There are no OAuth apps. Next: firebrick oauth app create NAME --owner USER")


@apps.command("show")
@reports_errors
def show_app(
    app: NameArgument, *, state: StateOption = None, format_: FormatOption = "text"
) -> None:
    """Show an app: its scopes by API, its callback URLs, who consented."""
    with open_state(state) as firebrick:
        facts = _facts(firebrick, firebrick.oauth.clients.get(app))
    _show(facts, format_)


@apps.command("rotate-secret")
@reports_errors
def rotate_secret(
    app: NameArgument, *, state: StateOption = None, format_: FormatOption = "text"
) -> None:
    """Make a new secret, shown this once; the old one is dead at once."""
    with open_state(state) as firebrick:
        client = firebrick.oauth.clients.get(app)
        secret: SecretStr = firebrick.oauth.clients.rotate_secret(client.client_id)
    _show({"clientId": client.client_id, "clientSecret": secret.get_secret_value()}, format_)


@apps.command("delete")
@reports_errors
def delete_app(
    app: NameArgument,
    *,
    yes: YesOption = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Remove an app with every grant and token."""
    with open_state(state) as firebrick:
        client = firebrick.oauth.clients.get(app)
        if not yes:
            typer.confirm(f"Remove {client.name} with every grant and token?", abort=True)
        firebrick.oauth.clients.delete(client.client_id)
    _show({"clientId": client.client_id, "deleted": True}, format_)


@app.command()
@reports_errors
def authorize(
    *,
    client: Annotated[str, typer.Option(help="Client id or name of the app.")],
    user: Annotated[str, typer.Option("--as", help="Who consents: handle, e-mail or account id.")],
    redirect: Annotated[
        str | None, typer.Option(help="Callback URL.", show_default="the app's first")
    ] = None,
    scope: ScopeOption = None,
    site: SiteOption = None,
    echo: Annotated[
        str | None, typer.Option("--echo", help="The request's state.", show_default="random")
    ] = None,
    challenge: Annotated[
        str | None, typer.Option(help="PKCE challenge (S256).", show_default="none")
    ] = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Consent as a person without a browser, and print the redirect with the code."""
    with open_state(state) as firebrick:
        account = firebrick.find_person(user)
        found = firebrick.oauth.clients.get(client)
        wanted = _scopes(scope) or found.scopes | {"offline_access"}
        params = {
            "audience": "api.atlassian.com",
            "client_id": found.client_id,
            "scope": " ".join(sorted(wanted)),
            "redirect_uri": redirect or next(iter(found.callback_urls), ""),
            "response_type": "code",
            "prompt": "consent",
            "state": secrets.token_urlsafe(16) if echo is None else echo,
        }
        if challenge is not None:
            params |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        prepared = firebrick.oauth.flow.prepare_authorize(params.items(), account)
        request = _or_refuse(prepared)
        location = firebrick.oauth.flow.approve(request, account, {firebrick.find_site(site)})
    if format_ == "json":
        code = dict(parse_qsl(urlsplit(location).query)).get("code")
        print_json(
            {
                "location": location,
                "code": code,
                "state": params["state"],
                "scopes": sorted(wanted),
            }
        )
    else:
        typer.echo(location)


@app.command()
@reports_errors
def grants(
    *,
    client: Annotated[
        str | None, typer.Option(help="Client id or name of the app.", show_default="every app")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(help="Handle, e-mail or account id.", show_default="every account"),
    ] = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """List what people allow apps."""
    with open_state(state) as firebrick:
        names = {one.client_id: one.name for one in firebrick.oauth.clients.list()}
        hosts = {cloud_id: host for host, cloud_id in firebrick.sites_by_host().items()}
        found = firebrick.oauth.grants.list(
            client_id=None if client is None else firebrick.oauth.clients.get(client).client_id,
            account_id=None if user is None else firebrick.find_person(user).account_id,
        )
        rows = [
            {
                "id": grant.id,
                "app": names[grant.client_id],
                "account": firebrick.name_of(grant.account_id),
                "sites": sorted(hosts[cloud_id] for cloud_id in grant.cloud_ids),
                "scopes": sorted(grant.scopes),
                "consentedAt": _date(grant.consented_at_s),
            }
            for grant in found
        ]
    if format_ == "json":
        print_json(rows)
    elif rows:
        table(tuple(rows[0]), ([_text(value) for value in row.values()] for row in rows))
    else:
        say("Nobody has consented to an OAuth app.")


@app.command()
@reports_errors
def revoke(
    *,
    client: Annotated[
        str | None, typer.Option(help="Client id or name of the app.", show_default="every app")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(help="Whose grants: handle, e-mail or id.", show_default="everyone's"),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(
            help="Take the app off this site, as its admin does.", show_default="every site"
        ),
    ] = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """End grants at once: a person's (--user), an app's on a site (--site), or all of an app's."""
    if (client is None and user is None) or (site is not None and (user or client is None)):
        raise typer.BadParameter("Name --user, --client, or --client with --site.")
    with open_state(state) as firebrick:
        ended = _revoke(firebrick, client, user, site)
    say_change(
        {"revoked": ended},
        f"{ended} grants ended." if ended else "There was no such grant.",
        changed=bool(ended),
        format_=format_,
    )


@app.command()
@reports_errors
def policy(
    user_apps: Annotated[
        Literal["allow", "block"] | None,
        typer.Option(help="May people consent to further apps by themselves?", show_default=False),
    ] = None,
    *,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Show or set whether people may consent to further apps; what they allowed before goes on.

    To refuse the calls of apps as well, see 'oauth block'.
    """
    with open_state(state) as firebrick:
        if user_apps is not None:
            firebrick.oauth.policy.set_user_apps_allowed(allowed=user_apps == "allow")
        allowed = firebrick.oauth.policy.user_apps_allowed()
    _show({"userApps": "allow" if allowed else "block"}, format_)
    if format_ == "text":
        say(ALLOWED if allowed else BLOCKED)


def _revoke(firebrick: "Firebrick", client: str | None, user: str | None, site: str | None) -> int:
    store = firebrick.oauth.grants
    client_id = None if client is None else firebrick.oauth.clients.get(client).client_id
    if user is not None:
        return store.revoke_by_user(firebrick.find_person(user).account_id, client_id)
    if site is not None:
        return store.revoke_on_site(str(client_id), firebrick.find_site(site))
    return store.revoke_everywhere(str(client_id))


def _or_refuse(prepared: "AuthorizeRequest | AuthorizeFault") -> "AuthorizeRequest":
    from runtime.errors import OAuthError
    from runtime.identity.oauth.values import AuthorizeFault

    if isinstance(prepared, AuthorizeFault):
        raise OAuthError(prepared.error, f"{prepared.error}: {prepared.description}")
    return prepared


def _scopes(values: list[str] | None) -> frozenset[str]:
    return frozenset(scope for value in values or () for scope in value.split())


def _facts(firebrick: "Firebrick", client: "OAuthClient") -> dict[str, object]:
    return {
        "name": client.name,
        "clientId": client.client_id,
        "owner": firebrick.name_of(client.owner_account_id),
        "grant": client.grant_kind,
        "distribution": client.distribution,
        "vendor": client.vendor_name,
        "privacyPolicy": client.privacy_policy_url,
        "callbackUrls": list(client.callback_urls),
        "scopes": {api: list(scopes) for api, scopes in client.scopes_by_api().items()},
        "grants": len(firebrick.oauth.grants.list(client_id=client.client_id)),
    }


def _show(facts: dict[str, object], format_: str) -> None:
    if format_ == "json":
        print_json(facts)
        return
    for name, value in facts.items():
        say(f"{name}: {_text(value)}")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_text(inner)}" for name, inner in value.items()) or "-"
    if isinstance(value, list):
        return " ".join(value) or "-"
    return str(value)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
