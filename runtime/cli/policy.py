"""``policy app-access block | allow | list``: what administrators say of apps and projects."""

from typing import Annotated

import typer

from runtime.cli.console import print_json, reports_errors, say, say_change, table
from runtime.cli.options import EnvironmentOption, FormatOption, SiteOption, StateOption, open_state

app = typer.Typer(help="Data security policies of administrators.", no_args_is_help=True)
access = typer.Typer(help="Apps and the content of projects.", no_args_is_help=True)
app.add_typer(access, name="app-access")

ProjectArgument = Annotated[str, typer.Argument(help="Key or id of the project.")]
NamedOption = Annotated[
    str | None,
    typer.Option(
        "--app",
        help="Key of a Connect app, id or name of an OAuth or a Forge app.",
        show_default="every app",
    ),
]


@access.command()
@reports_errors
def block(
    project: ProjectArgument,
    *,
    name: NamedOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Block an app, or every one, from the content of a project, from the next call on."""
    _change(project, name, environment, site, state, format_, blocked=True)


@access.command()
@reports_errors
def allow(
    project: ProjectArgument,
    *,
    name: NamedOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Take a block back; for one app, make an exception from a block of every one."""
    _change(project, name, environment, site, state, format_, blocked=False)


@access.command("list")
@reports_errors
def list_rules(
    *, site: SiteOption = None, state: StateOption = None, format_: FormatOption = "text"
) -> None:
    """List the rules of a site."""
    from runtime.server.explain.asking import name_of_app

    with open_state(state) as firebrick:
        cloud_id = firebrick.find_site(site)
        rows = [
            {
                "project": key,
                "app": name_of_app(firebrick, rule.app_id, cloud_id),
                "access": "blocked" if rule.blocked else "allowed",
            }
            for key, rule in firebrick.app_access.list(cloud_id)
        ]
    if format_ == "json":
        print_json(rows)
    elif rows:
        table(tuple(rows[0]), ([*row.values()] for row in rows))
    else:
        say("Every app may read and write the content of every project, within its rights.")


def _change(  # noqa: PLR0917  # two call sites
    project: str,
    name: str | None,
    environment: str,
    site: SiteOption,
    state: StateOption,
    format_: FormatOption,
    *,
    blocked: bool,
) -> None:
    from runtime.server.explain.asking import EVERY_APP, find_app_id

    with open_state(state) as firebrick:
        cloud_id = firebrick.find_site(site)
        app_id = EVERY_APP
        if name is not None:
            app_id = find_app_id(firebrick, name, environment, cloud_id)
        changed = firebrick.app_access.set(cloud_id, project, app_id, blocked=blocked)
    say_change(
        {"changed": changed},
        ("Blocked." if blocked else "Allowed.") if changed else "It was so before.",
        changed=changed,
        format_=format_,
    )
