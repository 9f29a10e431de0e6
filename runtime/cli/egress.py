"""``egress set | remove | list``: what a customer lets an installed app reach."""

from typing import Annotated

import typer

from runtime.cli.console import print_json, reports_errors, say, say_change, table
from runtime.cli.options import (
    AdminOption,
    AppOption,
    EnvironmentOption,
    FormatOption,
    SiteOption,
    StateOption,
    open_state,
)
from runtime.policy.customer_egress import BACKEND, EgressEntry, EgressGroup

app = typer.Typer(
    help="Addresses that administrators let an app reach beside those of its manifest.",
    no_args_is_help=True,
)
KeyArgument = Annotated[str, typer.Argument(help="The group's key.")]


@app.command("set")
@reports_errors
def set_(
    key: KeyArgument,
    domains: Annotated[
        list[str], typer.Argument(help="Hosts, such as api.example.com or *.example.com.")
    ],
    *,
    description: Annotated[str, typer.Option("--description", help="What they are for.")],
    admin: AdminOption,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", help="Type of egress; repeat it.", show_default=BACKEND),
    ] = None,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Approve a group of addresses for one installation; it replaces the one with its key."""
    from runtime.server.customer_egress import Custody

    wanted = tuple(dict.fromkeys(types or [BACKEND]))
    entries = [EgressEntry(domain, wanted) for domain in dict.fromkeys(domains)]
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        person = firebrick.find_person(admin)
        custody = Custody.of(firebrick, version, firebrick.find_site(site), person)
        group = custody.set_group(key, description, entries)
    if format_ == "json":
        print_json(_json(group))
        return
    say(f"{version.name} may reach, from its very next request on:", "green")
    for one in group.entries:
        say(f"  - {one.domain} ({', '.join(one.types)})")


@app.command()
@reports_errors
def remove(
    key: KeyArgument,
    domain: Annotated[
        str | None, typer.Argument(help="One of its hosts.", show_default="the whole group")
    ] = None,
    *,
    admin: AdminOption,
    type_: Annotated[
        str | None,
        typer.Option("--type", help="One type of that host.", show_default="all of them"),
    ] = None,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Take a group back, or a host of it; the very next request to it is refused."""
    from runtime.server.customer_egress import Custody

    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        person = firebrick.find_person(admin)
        custody = Custody.of(firebrick, version, firebrick.find_site(site), person)
        if domain is None:
            removed = custody.remove_group(key)
        else:
            removed = custody.remove_domain(key, domain, type_)
    say_change(
        {"key": key, "domain": domain, "removed": removed},
        "Removed." if removed else f"{version.name} has no such group or host here.",
        changed=removed,
        format_=format_,
    )


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
    from runtime.server.customer_egress import choices_of

    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        groups = choices_of(firebrick, version, firebrick.find_site(site)).groups
    if format_ == "json":
        print_json([_json(one) for one in groups])
    elif groups:
        rows = [
            (group.key, group.description, one.domain, ", ".join(one.types))
            for group in groups
            for one in group.entries
        ]
        table(("key", "description", "domain", "types"), rows)
    else:
        say("No group was approved.")


def _json(group: EgressGroup) -> dict[str, object]:
    """Return a group as the platform's API has it."""
    return {
        "key": group.key,
        "description": group.description,
        "configured": [{"domain": one.domain, "type": list(one.types)} for one in group.entries],
    }
