"""``session open | list | close | preload`` and ``run``: app code outside of the sandbox."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from runtime.server.forge.outside import OutsideInvocation, OutsideOrder
    from runtime.server.runtime import Firebrick

LONGEST_S = 86_400  # of a proxy token: a day
SIGNALLED = 128  # plus the signal's number: what a shell makes of a process that a signal ended

app = typer.Typer(
    help="Invocations of app code that runs outside of the sandbox, in a process of its own.",
    no_args_is_help=True,
)
FunctionOption = Annotated[
    str | None,
    typer.Option(
        help="Function whose context it gets; 'function:definition' for a resolver.",
        show_default="the app as a whole",
    ),
]
UserOption = Annotated[
    str | None,
    typer.Option("--as", help="Who invokes: handle, e-mail or account id.", show_default="nobody"),
]


@app.command("open")
@reports_errors
def open_session(
    *,
    function: FunctionOption = None,
    user: UserOption = None,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    server: Annotated[
        str | None,
        typer.Option(help="Where firebrick serve is.", show_default="FIREBRICK_PUBLIC_URL"),
    ] = None,
    seconds: Annotated[
        int | None,
        typer.Option(
            help="How long it may ask.",
            min=1,
            max=LONGEST_S,
            show_default="FIREBRICK_PROXY_TOKEN_S",
        ),
    ] = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Open an invocation and print the environment that its process needs, for a shell."""
    from runtime.server.forge.outside import export_lines
    from runtime.server.net.forge_edges import outside_invocations

    with open_state(state) as firebrick:
        order = _order(
            firebrick, function, user, app, environment, site,
            seconds or firebrick.settings.proxy_token_s,
        )  # fmt: skip
        opened = outside_invocations(firebrick).open(order)
        variables = _environment(opened, server or firebrick.settings.public_url)
    until = _date(opened.expires_at_s)
    if format_ == "json":
        print_json({"invocationId": opened.id, "expiresAt": until, "environment": variables})
        return
    say(f"# Invocation {opened.id}, until {until}. It holds a credential, shown this once.")
    for line in export_lines(variables):
        say(line)


@app.command("list")
@reports_errors
def list_sessions(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """List the invocations that are open outside, without their tokens."""
    from runtime.server.net.forge_edges import outside_invocations

    with open_state(state) as firebrick:
        rows = [
            {
                "invocation": handing.invocation_id,
                "app": handing.app_id,
                "function": handing.function_key,
                "as": "nobody"
                if handing.account_id is None
                else firebrick.name_of(handing.account_id),
                "expiresAt": _date(expires_at_s),
            }
            for handing, expires_at_s in outside_invocations(firebrick).list()
        ]
    if format_ == "json":
        print_json(rows)
    elif rows:
        table(tuple(rows[0]), ([str(cell) for cell in row.values()] for row in rows))
    else:
        say("No invocation is open outside. Next: firebrick session open")


@app.command("close")
@reports_errors
def close_session(
    invocation_id: Annotated[str, typer.Argument(help="Id of the invocation, from 'list'.")],
    *,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """End an invocation: its token is dead at once."""
    from runtime.server.net.forge_edges import outside_invocations

    with open_state(state) as firebrick:
        closed = outside_invocations(firebrick).close(invocation_id)
    say_change(
        {"invocationId": invocation_id, "closed": closed},
        "Closed." if closed else f"No invocation {invocation_id} is open outside.",
        changed=closed,
        format_=format_,
    )


@app.command("preload")
@reports_errors
def preload() -> None:
    """Print the Node module that gives app code the platform's globals outside."""
    from runtime.server.forge.outside import preload_text

    typer.echo(preload_text(), nl=False)


@reports_errors
def run(
    command: Annotated[
        list[str], typer.Argument(help="What to run, after '--': node app.js.", show_default=False)
    ],
    *,
    function: FunctionOption = None,
    user: UserOption = None,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    server: Annotated[
        str | None,
        typer.Option(
            help="A server of the same state that runs already.",
            show_default="one of its own, on a free port",
        ),
    ] = None,
    state: StateOption = None,
) -> None:
    """Run a program outside of the sandbox as an app's function; the invocation ends with it."""
    from contextlib import nullcontext

    from runtime.server.net.background import serving
    from runtime.server.net.forge_edges import outside_invocations

    with open_state(state) as firebrick:
        order = _order(firebrick, function, user, app, environment, site, LONGEST_S)
        invocations = outside_invocations(firebrick)
        with nullcontext(server) if server else serving(firebrick) as url:
            opened = invocations.open(order)
            try:
                own = firebrick.env_of(order.version)
                code = _run(command, {**own, **_environment(opened, url)})
            finally:
                invocations.close(opened.id)
    say(f"Invocation {opened.id}", "dim", stderr=True)
    if code:
        raise typer.Exit(code)


def _order(  # noqa: PLR0917  # the options of two commands, in their order
    firebrick: "Firebrick",
    function: str | None,
    user: str | None,
    app: str | None,
    environment: str,
    site: str | None,
    seconds: float,
) -> "OutsideOrder":
    from runtime.server.forge.outside import OutsideOrder

    version = firebrick.find_app(app, environment)
    cloud_id = firebrick.find_site(site)
    installation = firebrick.apps.find_installation(version, cloud_id)
    return OutsideOrder(
        version=firebrick.apps.running_version(installation),
        installation=installation,
        function=function,
        account_id=None if user is None else firebrick.find_person(user).account_id,
        site_url=firebrick.site_url(cloud_id),
        lifetime_s=seconds,
    )


def _environment(opened: "OutsideInvocation", url: str) -> dict[str, str]:
    import os

    from runtime.server.forge.outside import node_options, preload_path

    options = node_options(os.environ.get("NODE_OPTIONS", ""), preload_path())
    return {**opened.environment(url), "NODE_OPTIONS": options}


def _run(command: list[str], variables: Mapping[str, str]) -> int:
    import os
    import subprocess

    from runtime.errors import ForgeError

    try:
        done = subprocess.run(command, env={**os.environ, **variables}, check=False)  # noqa: S603  # what the person asked for
    except OSError as error:
        raise ForgeError("BAD_OPTION", f"Cannot run {command[0]}: {error.strerror}.") from error
    return done.returncode if done.returncode >= 0 else SIGNALLED - done.returncode


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
