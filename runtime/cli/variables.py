"""``variables set | unset | list``: environment variables of an app."""

from typing import Annotated

import typer

from runtime.cli.console import print_json, reports_errors, say, say_change, table
from runtime.cli.options import AppOption, EnvironmentOption, FormatOption, StateOption, open_state

app = typer.Typer(help="Environment variables of an app.", no_args_is_help=True)
NEXT_DEPLOY = "It takes effect with the next deploy."


@app.command("set")
@reports_errors
def set_variable(
    key: Annotated[str, typer.Argument(help="Name in process.env.")],
    value: Annotated[str, typer.Argument(help="Value.")],
    *,
    encrypt: Annotated[
        bool, typer.Option("--encrypt", help="Keep it encrypted at rest and never show it.")
    ] = False,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Set a variable."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        firebrick.set_variable(version, key, value, secure=encrypt)
    if format_ == "json":
        print_json({"app": version.name, "key": key, "encrypted": encrypt})
        return
    say(f"Set {key} of {version.name} ({environment}). {NEXT_DEPLOY}", "green")


@app.command()
@reports_errors
def unset(
    key: Annotated[str, typer.Argument(help="Name in process.env.")],
    *,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Remove a variable."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        removed = firebrick.variables.unset(version.app_id, environment, key)
    say_change(
        {"app": version.name, "key": key, "removed": removed},
        f"Removed {key}. {NEXT_DEPLOY}" if removed else f"There is no variable {key}.",
        changed=removed,
        format_=format_,
    )


@app.command("list")
@reports_errors
def list_variables(
    *,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """List variables; encrypted values are not shown."""
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        rows = [
            {"key": one.key, "value": "***" if one.secure else one.value, "encrypted": one.secure}
            for one in firebrick.variables.list(version.app_id, environment)
        ]
    if format_ == "json":
        print_json(rows)
    elif rows:
        table(("key", "value", "encrypted"), ([str(cell) for cell in row.values()] for row in rows))
    else:
        say("There are no variables.")
