"""The ``firebrick`` command: one thin function a verb; everything heavy is imported inside."""

from typing import Annotated

import typer

from runtime import __version__
from runtime.cli import (
    apps,
    build,
    clock,
    connect,
    consents,
    egress,
    explain,
    invoke,
    lint,
    oauth,
    policy,
    remote,
    replaying,
    seeing,
    serve,
    session,
    states,
    tls,
    tokens,
    toolchain,
    variables,
    webhooks,
)

app = typer.Typer(
    name="firebrick",
    help="Run Forge-style apps in WebAssembly sandboxes against an emulated Jira.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:  # typer's callback form
    if wanted:
        typer.echo(f"firebrick {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Run Forge-style apps in WebAssembly sandboxes against an emulated Jira."""


app.command("lint")(lint.lint)
app.command("build")(build.build)
app.command("deploy")(apps.deploy)
app.command("install")(apps.install)
app.command("upgrade")(apps.upgrade)
app.command("uninstall")(apps.uninstall)
app.command("apps")(apps.list_apps)
app.command("invoke")(invoke.invoke)
app.command("run")(session.run)
app.command("explain")(explain.explain)
app.command("replay")(replaying.replay)
app.command("export")(replaying.export)
app.command("audit")(seeing.audit)
app.command("logs")(seeing.logs)
app.command("trace")(seeing.trace)
app.command("doctor")(states.doctor)
app.command("reset")(states.reset)
app.command("seed")(states.seed)
app.command("export-world")(states.export_world)
app.command("serve")(serve.serve)
app.add_typer(tokens.app, name="token")
app.add_typer(clock.app, name="clock")
app.add_typer(tls.app, name="tls")
app.add_typer(toolchain.app, name="toolchain")
app.add_typer(consents.app, name="consent")
app.add_typer(egress.app, name="egress")
app.add_typer(connect.app, name="connect")
app.add_typer(oauth.app, name="oauth")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(policy.app, name="policy")
app.add_typer(remote.app, name="remote")
app.add_typer(session.app, name="session")
app.add_typer(variables.app, name="variables")


def main() -> None:
    """Run the command line."""
    app()
