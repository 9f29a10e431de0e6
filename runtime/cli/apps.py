"""``deploy``, ``install``, ``uninstall`` and ``apps``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from runtime.cli.console import EXIT_FAILED, print_json, reports_errors, say, table
from runtime.cli.options import (
    AppOption,
    EnvironmentOption,
    FormatOption,
    SiteOption,
    StateOption,
    open_state,
)

if TYPE_CHECKING:
    from runtime.installation.model import AppVersion, Installation
    from runtime.server.apps import InstallPlan

DirectoryArgument = Annotated[Path, typer.Argument(help="Folder with manifest.yml.")]
AdminOption = Annotated[
    str, typer.Option("--as", help="The site admin who approves: handle, e-mail or account id.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Approve without asking.")]


@reports_errors
def deploy(
    directory: DirectoryArgument = Path(),
    *,
    environment: EnvironmentOption = "development",
    name: Annotated[
        str, typer.Option(help="Name of the app.", show_default="the folder's name")
    ] = "",
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Check an app, compile it into a sandbox image and store it as a new version."""
    with open_state(state) as firebrick:
        version, deployment = firebrick.apps.deploy(directory, environment, name)
    if format_ == "json":
        print_json(
            {
                "app": version.name,
                "appId": version.app_id,
                "environment": environment,
                "version": version.version,
                "digest": version.digest,
                "functions": sorted(deployment.functions),
                "scopes": sorted(version.scopes),
            }
        )
        return
    for warning in deployment.warnings:
        say(warning, "yellow", stderr=True)
    say(f"Deployed {version.name} {version.version} to {environment}.", "green")
    say(f"Functions: {', '.join(sorted(deployment.functions)) or 'none'}")
    say("Next: firebrick install")


@reports_errors
def install(
    *,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    admin: AdminOption = "amy",
    yes: YesOption = False,
    user_consent: Annotated[
        bool,
        typer.Option("--user-consent", help="asUser() needs the consent of each user, too."),
    ] = False,
    licence: Annotated[
        Literal["active", "inactive", "trial"] | None,
        typer.Option("--license", help="Licence the app sees.", show_default="none"),
    ] = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Install an app on a site, or approve an upgrade: lists scopes and egress, then asks."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        cloud_id = firebrick.find_site(site)
        plan = firebrick.apps.plan(version, cloud_id)
        _ask(plan, firebrick.site_url(cloud_id), yes=yes, show=format_ == "text")
        installation = firebrick.apps.install(
            plan,
            cloud_id,
            firebrick.find_person(admin),
            user_consent=user_consent,
            licence=licence or "",
        )
    _tell_installed(version, installation, format_)


@reports_errors
def upgrade(
    *,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    admin: AdminOption = "amy",
    yes: YesOption = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Approve the newest version of an installed app: shows the difference, then asks."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        cloud_id = firebrick.find_site(site)
        installation = firebrick.apps.find_installation(version, cloud_id)
        if installation.version_id == version.id:
            _tell_installed(version, installation, format_, verb="Already on")
            return
        plan = firebrick.apps.plan(version, cloud_id)
        _ask(plan, firebrick.site_url(cloud_id), yes=yes, show=format_ == "text")
        installation = firebrick.apps.install(plan, cloud_id, firebrick.find_person(admin))
    _tell_installed(version, installation, format_)


def _ask(plan: "InstallPlan", site_url: str, *, yes: bool, show: bool) -> None:
    if show:
        _show(plan, site_url)
    if not yes and not typer.confirm("Do you want to continue?"):
        say("Nothing was installed.")
        raise typer.Exit(EXIT_FAILED)


def _tell_installed(
    version: "AppVersion", installation: "Installation", format_: str, verb: str = "Installed"
) -> None:
    if format_ == "json":
        print_json(
            {
                "installationId": installation.id,
                "app": version.name,
                "version": version.version,
                "cloudId": installation.cloud_id,
                "granted": sorted(installation.granted),
                "appAccountId": installation.app_account_id,
            }
        )
        return
    say(f"{verb} {version.name} {version.version}.", "green")


@reports_errors
def uninstall(
    *,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    admin: AdminOption = "amy",
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Remove an app from a site: its tokens die and its account is deactivated."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        installation = firebrick.apps.find_installation(version, firebrick.find_site(site))
        revoked = firebrick.apps.uninstall(installation, firebrick.find_person(admin))
    if format_ == "json":
        print_json({"installationId": installation.id, "revokedTokens": revoked})
        return
    say(f"Uninstalled {version.name}; {revoked} live tokens were revoked.", "green")


@reports_errors
def list_apps(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """List deployed apps and where they are installed."""
    with open_state(state) as firebrick:
        rows = firebrick.list_apps()
    if format_ == "json":
        print_json(rows)
        return
    if not rows:
        say("No app is deployed. Next: firebrick deploy DIR")
        return
    columns = ("app", "environment", "deployed", "site", "installed", "scopes")
    table(columns, ([str(row[column] or "-") for column in columns] for row in rows))


def _show(plan: "InstallPlan", site_url: str) -> None:
    verb = "Install" if plan.current is None else "Upgrade"
    say(f"{verb} {plan.version.name} {plan.version.version} on {site_url}")
    say("Scopes it will get:" if plan.new_scopes else "It asks for no new scopes.")
    for scope in plan.new_scopes:
        impersonates = plan.version.scopes.get(scope)
        say(f"  - {scope}" + (" (may act as any user)" if impersonates else ""))
    if plan.lost_scopes:
        say("Scopes it will lose:")
    for scope in plan.lost_scopes:
        say(f"  - {scope}")
    if plan.new_egress:
        say("Addresses outside the site it declares:")
        for address in plan.new_egress:
            say(f"  - {address}")
