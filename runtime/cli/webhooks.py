"""``webhook list | registered``: what is on its way, and who asked for it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.cli.console import print_json, reports_errors, say, table
from runtime.cli.options import FormatOption, StateOption, open_state

if TYPE_CHECKING:
    from runtime.jira.webhook_queue import Delivery
    from runtime.server.runtime import Firebrick

app = typer.Typer(help="Webhooks: on their way, given up, registered.", no_args_is_help=True)

SHOWN_ID = 8  # characters of an identifier that are told apart by eye


@app.command("list")
@reports_errors
def list_deliveries(
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="What was given up, instead of what waits.")
    ] = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """List webhooks that were not taken yet, or those that were given up in the last 72 hours."""
    with open_state(state) as firebrick:
        hosts = {cloud_id: host for host, cloud_id in firebrick.sites_by_host().items()}
        found = firebrick.webhooks.deliveries.queue.list(failed=failed)
        rows = [_facts(firebrick, one, hosts[one.cloud_id]) for one in found]
    if format_ == "json":
        print_json(rows)
    elif rows:
        table(
            ("id", "event", "to", "url", "retries", "given up" if failed else "due", "last answer"),
            (_cells(row, failed=failed) for row in rows),
        )
    else:
        say("No webhook was given up." if failed else "No webhook is on its way.")


@app.command()
@reports_errors
def registered(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """List the webhooks that apps registered and administrators defined."""
    with open_state(state) as firebrick:
        rows = [
            row
            for host, cloud_id in firebrick.sites_by_host().items()
            for row in _registered(firebrick, host, cloud_id)
        ]
    if format_ == "json":
        print_json(rows)
    elif rows:
        table(tuple(rows[0]), ([str(cell) for cell in row.values()] for row in rows))
    else:
        say("No webhook is registered. Those of Connect descriptors: firebrick connect show KEY")


def _facts(firebrick: "Firebrick", one: "Delivery", host: str) -> dict[str, object]:
    from runtime.audit.trail import redact

    return {
        "id": one.identifier,
        "kind": one.kind,
        "model": one.model,
        "site": host,
        "receiver": _receiver(firebrick, one.model, one.app_id),
        "event": one.event,
        "url": redact(one.url),
        "state": one.state,
        "retries": one.retries,
        "created": _moment(one.created_s),
        "due": _moment(one.due_s) if one.state == "waiting" else None,
        "givenUp": None if one.ended_s is None else _moment(one.ended_s),
        "status": one.status,
        "failure": redact(one.failure),
    }


def _cells(row: dict[str, object], *, failed: bool) -> list[str]:
    moment = row["givenUp"] if failed else row["due"]
    return [
        str(row["id"])[:SHOWN_ID],
        str(row["event"]),
        str(row["receiver"]),
        str(row["url"]),
        str(row["retries"]),
        str(moment),
        str(row["failure"]) or "-",
    ]


def _registered(firebrick: "Firebrick", host: str, cloud_id: str) -> list[dict[str, object]]:
    from runtime.audit.trail import redact
    from runtime.identity.app_webhooks import list_of_site
    from runtime.jira.admin_webhooks import ISSUE_FILTER

    now_ms = int(firebrick.world_clock.now_s() * 1000)
    with firebrick.engine.connect() as connection:
        hooks = list_of_site(connection, cloud_id, now_ms)
    found: list[dict[str, object]] = [
        {
            "id": hook.id,
            "site": host,
            "by": _receiver(firebrick, hook.model, hook.app_id),
            "as": firebrick.name_of(hook.account_id),
            "events": " ".join(hook.events),
            "filter": hook.jql,
            "url": redact(hook.url),
            "until": _moment(hook.expires_ms / 1000),
        }
        for hook in hooks
    ]
    found += [
        {
            "id": hook.id,
            "site": host,
            "by": f"administrator ({hook.name})",
            "as": firebrick.name_of(hook.updated_by),
            "events": " ".join(hook.events),
            "filter": hook.filters.get(ISSUE_FILTER, ""),
            "url": redact(hook.url),
            "until": "-" if hook.enabled else "switched off",
        }
        for hook in firebrick.webhooks.admin.list(cloud_id)
    ]
    return found


def _receiver(firebrick: "Firebrick", model: str, app_id: str) -> str:
    if model == "oauth":
        client = firebrick.oauth.clients.find(app_id)
        return app_id if client is None else client.name
    return f"administrator's {app_id}" if model == "basic" else app_id


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}Z"
