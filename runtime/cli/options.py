"""Options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

Format = Literal["text", "json"]

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar="FIREBRICK_STATE",
        help="Folder of the state; .firebrick below the current folder by default.",
        show_default=False,
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="text for people, json for tools.")]
EnvironmentOption = Annotated[
    str, typer.Option("--environment", "-e", help="Environment of the app.")
]
SiteOption = Annotated[
    str | None,
    typer.Option("--site", help="Site name, host or cloud id.", show_default="the only one"),
]
AppOption = Annotated[
    str | None,
    typer.Option(
        "--app",
        help="App name, id or folder.",
        show_default="the app of the current folder, or the only one deployed",
    ),
]
AdminOption = Annotated[
    str, typer.Option("--as", help="The administrator who approves: handle, e-mail or account id.")
]


def open_state(state: Path | None) -> "Firebrick":
    """Open the state that the options and the environment name."""
    from runtime.server.runtime import open_firebrick
    from runtime.server.settings import Settings

    settings = Settings() if state is None else Settings(state=state)
    return open_firebrick(settings)
