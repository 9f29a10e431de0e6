"""``toolchain install``: the bundler for apps that have packages of their own."""

import typer

from runtime.cli.console import print_json, reports_errors, say
from runtime.cli.options import FormatOption, StateOption

app = typer.Typer(help="Tools for apps with packages of their own.", no_args_is_help=True)


@app.command()
@reports_errors
def install(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """Install esbuild through npm into the tool folder; only apps with node_modules need it."""
    from runtime.invocation.bundling import ESBUILD_VERSION, install_toolchain
    from runtime.server.settings import Settings

    settings = Settings() if state is None else Settings(state=state)
    esbuild = install_toolchain(settings.toolchain_folder)
    if format_ == "json":
        print_json({"esbuild": str(esbuild), "version": ESBUILD_VERSION})
        return
    say(f"Installed esbuild {ESBUILD_VERSION} into {settings.toolchain_folder}.", "green")


@app.callback()
def toolchain() -> None:
    """Tools for apps with packages of their own."""
