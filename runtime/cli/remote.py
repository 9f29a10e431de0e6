"""``remote``: keys that verify invocation tokens, and where customers say that remotes are."""

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

app = typer.Typer(
    help="Forge Remote: its keys, and where customers say that remotes are.", no_args_is_help=True
)
RemoteArgument = Annotated[str, typer.Argument(help="Key of the remote in the manifest.")]


@app.command("keys")
@reports_errors
def keys(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """Show the public keys as remotes get them: the one that signs, then those retired lately."""
    with open_state(state) as firebrick:
        published = firebrick.remotes.keys.published()
    if format_ == "json":
        print_json({"keys": list(published)})
        return
    if not published:
        say("No invocation token was signed yet; the first one makes a key.")
    for number, key in enumerate(published):
        say(f"{key['kid']}  {'retired' if number else 'signs'}")


@app.command("rotate-key")
@reports_errors
def rotate_key(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """Sign with a new key from now on; the old one stays published for an hour."""
    with open_state(state) as firebrick:
        key = firebrick.remotes.keys.rotate()
    if format_ == "json":
        print_json({"kid": key.kid})
        return
    say(f"Invocation tokens are signed with {key.kid} now.", "green")


@app.command("set")
@reports_errors
def set_(
    remote: RemoteArgument,
    url: Annotated[str, typer.Argument(help="Its base URL, such as https://api.example.com.")],
    *,
    admin: AdminOption,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Say where a configurable remote is for one installation, from its very next call on."""
    from runtime.server.customer_egress import Custody

    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        person = firebrick.find_person(admin)
        custody = Custody.of(firebrick, version, firebrick.find_site(site), person)
        endpoint = custody.set_endpoint(remote, url)
    if format_ == "json":
        print_json({"key": remote, "configured": {"endpoint": endpoint}})
    else:
        say(f"{version.name} asks {remote} at {endpoint} now.", "green")


@app.command()
@reports_errors
def reset(
    remote: RemoteArgument,
    *,
    admin: AdminOption,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Let the manifest's address of a remote count again, from the very next call on."""
    from runtime.server.customer_egress import Custody

    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        person = firebrick.find_person(admin)
        custody = Custody.of(firebrick, version, firebrick.find_site(site), person)
        changed = custody.reset_endpoint(remote)
    say_change(
        {"key": remote, "reset": changed},
        "Reset." if changed else f"Nobody has said where {remote} is for {version.name} here.",
        changed=changed,
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
    """List the remotes of an installation that its customer may configure."""
    from runtime.server.customer_egress import list_remotes

    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        installation = firebrick.apps.find_installation(version, firebrick.find_site(site))
        remotes = list_remotes(firebrick, installation)
    if format_ == "json":
        print_json(
            [
                {
                    "key": one.key,
                    "name": one.name,
                    "description": one.description,
                    "supportedPatterns": list(one.patterns),
                    "baseUrl": one.default or None,
                    "configured": one.endpoint and {"endpoint": one.endpoint},
                }
                for one in remotes
            ]
        )
    elif remotes:
        rows = [(one.key, one.name, one.endpoint or "-", one.default or "-") for one in remotes]
        table(("key", "name", "set to", "manifest"), rows)
    else:
        say(f"{version.name} lets customers configure no remote.")
