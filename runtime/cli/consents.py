"""``consent grant | revoke | list``: users who agree for themselves."""

from typing import Annotated

import typer

from runtime.cli.console import print_json, reports_errors, say, say_change, table
from runtime.cli.options import (
    AppOption,
    EnvironmentOption,
    FormatOption,
    SiteOption,
    StateOption,
    open_state,
)

app = typer.Typer(
    help="Consent of single users, for apps installed with --user-consent.", no_args_is_help=True
)
UserOption = Annotated[str, typer.Option("--as", help="Who agrees: handle, e-mail or account id.")]


@app.command()
@reports_errors
def grant(
    *,
    user: UserOption,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Agree that an app acts in this user's name, with the scopes it has now."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        person = firebrick.find_person(user)
        scopes = firebrick.apps.consent(version, firebrick.find_site(site), person)
    if format_ == "json":
        print_json({"app": version.name, "account": person.handle, "scopes": sorted(scopes)})
        return
    say(f"{person.display_name} lets {version.name} act in their name:", "green")
    for scope in sorted(scopes):
        say(f"  - {scope}")


@app.command()
@reports_errors
def revoke(
    *,
    user: UserOption,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Take a consent back; the very next call as this user is refused."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        person = firebrick.find_person(user)
        revoked = firebrick.apps.withdraw(version, firebrick.find_site(site), person)
    say_change(
        {"app": version.name, "account": person.handle, "revoked": revoked},
        "Revoked." if revoked else f"{person.display_name} had not agreed.",
        changed=revoked,
        format_=format_,
    )


@app.command("list")
@reports_errors
def list_consents(
    *,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """List who agreed to what."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        installation = firebrick.apps.find_installation(version, firebrick.find_site(site))
        found = [
            {"account": firebrick.name_of(account_id), "scopes": sorted(scopes)}
            for account_id, scopes in firebrick.consents.list(installation.id)
        ]
    if format_ == "json":
        print_json(found)
    elif found:
        table(
            ("account", "scopes"),
            ((str(row["account"]), ", ".join(row["scopes"])) for row in found),
        )
    else:
        say("Nobody has agreed.")
