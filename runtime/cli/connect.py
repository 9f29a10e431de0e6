"""``connect install | update | list | show | enable | disable | uninstall``: Connect apps."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from runtime.cli.apps import AdminOption, YesOption
from runtime.cli.console import EXIT_FAILED, print_json, reports_errors, say, table
from runtime.cli.options import FormatOption, SiteOption, StateOption, open_state

if TYPE_CHECKING:
    from runtime.identity.connect.installations import ConnectInstallation
    from runtime.server.connect.apps import ConnectPlan
    from runtime.server.runtime import Firebrick

app = typer.Typer(help="Connect apps: install, update, see, remove.", no_args_is_help=True)

KeyArgument = Annotated[str, typer.Argument(help="Key of the app.")]
NOTICE = (
    "Connect is at the end of its support: new installs by descriptor ended on 31 March 2026. "
    "FIREBRICK_CONNECT_FROZEN=1 behaves so."
)
MEANINGS = {
    "NONE": "only what is open to every app",
    "READ": "read what its user may see",
    "WRITE": "create and edit",
    "DELETE": "delete",
    "PROJECT_ADMIN": "administer projects",
    "ADMIN": "administer Jira",
    "ACT_AS_USER": "act as any user of the site",
    "ACCESS_EMAIL_ADDRESSES": "see e-mail addresses of users",
}


@app.command()
@reports_errors
def install(
    source: Annotated[str, typer.Argument(help="URL or file of atlassian-connect.json.")],
    *,
    site: SiteOption = None,
    admin: AdminOption = "amy",
    yes: YesOption = False,
    base_url: Annotated[
        str | None,
        typer.Option(
            help="Where the app reaches this server.", show_default="FIREBRICK_PUBLIC_URL"
        ),
    ] = None,
    licence: Annotated[
        Literal["active", "none"], typer.Option("--license", help="Licence its pages are told.")
    ] = "none",
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Install a Connect app: lists its scopes, asks, and sends the signed install.

    'firebrick serve' must be running on the same state, as the app fetches the public key there.
    """
    with open_state(state) as firebrick:
        cloud_id = firebrick.find_site(site)
        plan = firebrick.connect_apps.plan(source, cloud_id)
        _ask(plan, firebrick.site_url(cloud_id), yes=yes, show=format_ == "text")
        done = firebrick.connect_apps.install(
            plan,
            cloud_id,
            firebrick.find_person(admin),
            base_url or _public_url(firebrick, cloud_id),
            licence,
        )
    _tell("Updated" if plan.is_update else "Installed", done, format_)


@app.command()
@reports_errors
def update(
    key: KeyArgument,
    *,
    site: SiteOption = None,
    admin: AdminOption = "amy",
    yes: YesOption = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Fetch an app's descriptor again; one that asks for more scopes waits for approval."""
    with open_state(state) as firebrick:
        cloud_id, person = firebrick.find_site(site), firebrick.find_person(admin)
        plan = firebrick.connect_apps.update(key, cloud_id, person)
        if plan is not None and plan.current is not None:
            _ask(plan, firebrick.site_url(cloud_id), yes=yes, show=format_ == "text")
            host_url = plan.current.host_url
            firebrick.connect_apps.install(plan, cloud_id, person, host_url)
        done = firebrick.connect_apps.get(key, cloud_id)
    _tell("Up to date:", done, format_)


@app.command("list")
@reports_errors
def list_apps(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """List Connect apps and where they are."""
    with open_state(state) as firebrick:
        hosts = {cloud_id: host for host, cloud_id in firebrick.sites_by_host().items()}
        rows = [
            {
                "key": one.app_key,
                "site": hosts[one.cloud_id],
                "state": one.state,
                "scopes": " ".join(sorted(one.scopes)) or "-",
                "waiting": "yes" if one.pending else "no",
            }
            for one in firebrick.connect.installations.list()
        ]
    if format_ == "json":
        print_json(rows)
        return
    if rows:
        table(tuple(rows[0]), ([*row.values()] for row in rows))
    else:
        say("No Connect app is installed. Next: firebrick connect install URL")
    say(NOTICE)


@app.command()
@reports_errors
def show(
    key: KeyArgument,
    *,
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Show an app: its state, scopes, modules, and where its pages are."""
    with open_state(state) as firebrick:
        cloud_id = firebrick.find_site(site)
        one = firebrick.connect_apps.get(key, cloud_id)
        facts = _facts(one)
    if format_ == "json":
        print_json(facts)
        return
    for name, value in facts.items():
        say(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


@app.command()
@reports_errors
def enable(
    key: KeyArgument, *, site: SiteOption = None, admin: AdminOption = "amy",
    state: StateOption = None, format_: FormatOption = "text",
) -> None:  # fmt: skip
    """Switch an app on again."""
    _switch(key, site, admin, state, format_, enabled=True)


@app.command()
@reports_errors
def disable(
    key: KeyArgument, *, site: SiteOption = None, admin: AdminOption = "amy",
    state: StateOption = None, format_: FormatOption = "text",
) -> None:  # fmt: skip
    """Switch an app off: it keeps everything and may do nothing."""
    _switch(key, site, admin, state, format_, enabled=False)


@app.command()
@reports_errors
def uninstall(
    key: KeyArgument, *, site: SiteOption = None, admin: AdminOption = "amy",
    state: StateOption = None, format_: FormatOption = "text",
) -> None:  # fmt: skip
    """Take an app from a site: its secret and its tokens are dead at once."""
    with open_state(state) as firebrick:
        person = firebrick.find_person(admin)
        firebrick.connect_apps.uninstall(key, firebrick.find_site(site), person)
    if format_ == "json":
        print_json({"key": key, "state": "uninstalled"})
    else:
        say(f"Uninstalled {key}.", "green")


def _switch(  # the options of two commands
    key: str,
    site: str | None,
    admin: str,
    state: "StateOption",
    format_: str,
    *,
    enabled: bool,
) -> None:
    with open_state(state) as firebrick:
        done = firebrick.connect_apps.set_enabled(
            key, firebrick.find_site(site), firebrick.find_person(admin), enabled=enabled
        )
    _tell("Switched on" if enabled else "Switched off", done, format_)


def _ask(plan: "ConnectPlan", site_url: str, *, yes: bool, show: bool) -> None:
    if show:
        verb = "Update" if plan.is_update else "Install"
        say(f"{verb} {plan.descriptor.name} ({plan.descriptor.key}) on {site_url}")
        say("Scopes it will get:" if plan.new_scopes else "It asks for no new scopes.")
        for scope in plan.new_scopes:
            say(f"  - {scope}: {MEANINGS[scope]}")
        for scope in plan.lost_scopes:
            say(f"It will lose: {scope}")
    if not yes and not typer.confirm("Do you want to continue?"):
        say("Nothing was installed.")
        raise typer.Exit(EXIT_FAILED)


def _tell(verb: str, one: "ConnectInstallation", format_: str) -> None:
    if format_ == "json":
        print_json(_facts(one))
    else:
        say(f"{verb} {one.descriptor.name} ({one.app_key}) at {one.descriptor.base_url}.", "green")


def _facts(one: "ConnectInstallation") -> dict[str, object]:
    return {
        "key": one.app_key,
        "name": one.descriptor.name,
        "cloudId": one.cloud_id,
        "state": one.state,
        "baseUrl": one.descriptor.base_url,
        "source": one.source,
        "hostUrl": one.host_url,
        "oauthClientId": one.oauth_client_id,
        "appAccountId": one.account_id,
        "scopes": sorted(one.scopes),
        "licence": one.licence,
        "waiting": "an update that asks for more" if one.pending else "nothing",
        "modules": [f"{module.type} {module.key}".strip() for module in one.descriptor.modules],
    }


def _public_url(firebrick: "Firebrick", cloud_id: str) -> str:
    """Return where apps reach a site: loopback leads to the first site, a name to any other."""
    if cloud_id == next(iter(firebrick.sites_by_host().values())):
        return firebrick.settings.public_url.rstrip("/")
    return firebrick.site_url(cloud_id)
