"""``egress set | remove | list``: what a customer lets an installed app reach."""

from typing import Annotated

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
from runtime.server.customer_egress import list_groups, remove_group, set_group

app = typer.Typer(
    help="Addresses that administrators let an app reach beside those of its manifest.",
    no_args_is_help=True,
)
AdminOption = Annotated[
    str, typer.Option("--as", help="The administrator who approves: handle, e-mail or account id.")
]
KeyArgument = Annotated[str, typer.Argument(help="The group's key.")]


@app.command("set")
@reports_errors
def set_(
    key: KeyArgument,
    addresses: Annotated[
        list[str], typer.Argument(help="Hosts, such as api.example.com or *.example.com.")
    ],
    *,
    description: Annotated[str, typer.Option("--description", help="What they are for.")],
    admin: AdminOption,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Approve a group of addresses for one installation; it replaces the one with its key."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        cloud_id, person = firebrick.find_site(site), firebrick.find_person(admin)
        group = set_group(firebrick, version, cloud_id, person, key, description, addresses)
    if format_ == "json":
        print_json({"key": group.key, "addresses": list(group.addresses)})
        return
    say(f"{version.name} may reach, from its very next request on:", "green")
    for address in group.addresses:
        say(f"  - {address}")


@app.command()
@reports_errors
def remove(
    key: KeyArgument,
    *,
    admin: AdminOption,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Take a group back; the very next request to its addresses is refused."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        cloud_id, person = firebrick.find_site(site), firebrick.find_person(admin)
        removed = remove_group(firebrick, version, cloud_id, person, key)
    if format_ == "json":
        print_json({"key": key, "removed": removed})
    else:
        say("Removed." if removed else f"{version.name} has no group {key!r} here.")
    if not removed:
        raise typer.Exit(EXIT_FAILED)


@app.command("list")
@reports_errors
def list_(
    *,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """List the groups of an installation."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        groups = list_groups(firebrick, version, firebrick.find_site(site))
    if format_ == "json":
        print_json(
            [
                {"key": one.key, "description": one.description, "addresses": list(one.addresses)}
                for one in groups
            ]
        )
    elif groups:
        table(
            ("key", "description", "addresses"),
            ((one.key, one.description, ", ".join(one.addresses)) for one in groups),
        )
    else:
        say("No group was approved.")
