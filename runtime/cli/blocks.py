"""``oauth block | unblock | blocks``: apps that administrators refuse."""

from typing import Annotated

import typer

from runtime.cli.console import print_json, reports_errors, say, say_change, table
from runtime.cli.options import FormatOption, StateOption, open_state

EVERY = "*"
ClientOption = Annotated[
    str | None, typer.Option(help="Client id or name of the app.", show_default="every app")
]
WhereOption = Annotated[
    str | None,
    typer.Option("--site", help="Site name, host or cloud id.", show_default="everywhere"),
]


@reports_errors
def block(
    *,
    client: ClientOption = None,
    site: WhereOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Refuse an app's calls from the very next one on: on a site, or in the whole organization.

    What people allowed it stays, and is in force again after 'oauth unblock'. To stop only new
    consent, see 'oauth policy'; to end what people allowed, 'oauth revoke --client'.
    """
    _change(client, site, state, format_, on=True)


@reports_errors
def unblock(
    *,
    client: ClientOption = None,
    site: WhereOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Take a block back; what people granted before is in force again."""
    _change(client, site, state, format_, on=False)


@reports_errors
def blocks(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """List the blocks, and whether people may consent to further apps."""
    with open_state(state) as firebrick:
        names = {one.client_id: one.name for one in firebrick.oauth.clients.list()}
        hosts = {cloud_id: host for host, cloud_id in firebrick.sites_by_host().items()}
        rows = [
            {"app": names.get(client_id, client_id), "site": hosts.get(cloud_id, cloud_id)}
            for client_id, cloud_id in firebrick.oauth.blocks.list()
        ]
        allowed = firebrick.oauth.policy.user_apps_allowed()
    if format_ == "json":
        print_json(rows)
        return
    if rows:
        table(tuple(rows[0]), ([*row.values()] for row in rows))
    else:
        say("Nothing is blocked.")
    if not allowed:
        say("Nobody consents to further apps (firebrick oauth policy).")


def _change(
    client: str | None, site: str | None, state: StateOption, format_: FormatOption, *, on: bool
) -> None:
    with open_state(state) as firebrick:
        client_id = EVERY if client is None else firebrick.oauth.clients.get(client).client_id
        cloud_id = EVERY if site is None else firebrick.find_site(site)
        store = firebrick.oauth.blocks
        changed = (store.block if on else store.unblock)(client_id, cloud_id)
    say_change(
        {"changed": changed},
        ("Blocked." if on else "Unblocked.") if changed else "It was so before.",
        changed=changed,
        format_=format_,
    )
