"""``tls init | trust-hints | env``: certificates for the platform's names, and their clients."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from runtime.cli.console import print_json, reports_errors, say
from runtime.cli.options import FormatOption, StateOption, open_state

app = typer.Typer(help="Certificates for the platform's host names.", no_args_is_help=True)

PortOption = Annotated[
    int | None,
    typer.Option(
        help="Port of the listener, if no server of this state says it itself.",
        show_default=False, min=1, max=65535,
    ),
]  # fmt: skip


@app.command()
@reports_errors
def init(
    *,
    force: Annotated[bool, typer.Option("--force", help="Make a new authority.")] = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Make an authority and a certificate, or renew the certificate where that is needed."""
    from runtime.server.net.tlsfolder import TlsFolder

    with open_state(state) as firebrick:
        folder = TlsFolder(firebrick.settings.state)
        files = folder.prepare(firebrick.site_names(), firebrick.clock.now_s(), force=force)
    if format_ == "json":
        print_json(
            {
                "change": files.change,
                "authority": str(files.authority),
                "fingerprint": files.fingerprint,
                "authorityEndsAt": _day(files.authority_ends_at_s),
                "certificate": str(files.leaf),
                "certificateEndsAt": _day(files.ends_at_s),
            }
        )
        return
    words = {
        "made": "Made an authority and a certificate.",
        "renewed": "Renewed the certificate; the authority is the same.",
        "kept": "The certificate is good; nothing was changed.",
    }
    say(words[files.change], "green")
    say(f"Authority    {files.authority}  until {_day(files.authority_ends_at_s)}")
    say(f"SHA-256      {files.fingerprint}")
    say(f"Certificate  {files.leaf}  until {_day(files.ends_at_s)}")
    say("Next: firebrick serve --tls-port 8443 --proxy-port 8444")
    say("Clients: firebrick tls env, firebrick tls trust-hints")


@app.command("trust-hints")
@reports_errors
def trust_hints(*, state: StateOption = None, format_: FormatOption = "text") -> None:
    """Say how each kind of client is told to trust the authority."""
    from runtime.server.net.clientenv import trust_hints as hints

    authority = _authority(state)
    if format_ == "json":
        print_json(dict(hints(authority)))
        return
    for client, hint in hints(authority):
        say(f"{client}:")
        say(f"  {hint}")
    say("The authority can speak for the platform's names and this machine's, and for no other.")


@app.command()
@reports_errors
def env(
    *,
    shell: Annotated[
        Literal["sh", "json", "dotenv"], typer.Option(help="Who is to read the variables.")
    ] = "sh",
    tls_port: PortOption = None,
    proxy_port: PortOption = None,
    state: StateOption = None,
) -> None:
    """Print the variables that lead a client to this state's server under the platform's names."""
    from runtime.server.net.clientenv import Reach, client_variables, render
    from runtime.server.net.listening import find_reach

    with open_state(state) as firebrick:
        sites, folder = firebrick.site_names(), firebrick.settings.state
        public_url = firebrick.settings.public_url.rstrip("/")
    found = find_reach(folder) or Reach(public_url)
    reach = Reach(found.url, tls_port or found.tls_port, proxy_port or found.proxy_port)
    variables = client_variables(
        reach, _authority(state), sites, os.environ.get("NODE_OPTIONS", "")
    )
    typer.echo(render(variables, shell))


def _authority(state: Path | None) -> Path:
    """Return the file to trust; it is made where there is none yet."""
    from runtime.server.net.tlsfolder import TlsFolder

    with open_state(state) as firebrick:
        folder = TlsFolder(firebrick.settings.state)
        if not folder.authority.exists():
            folder.prepare(firebrick.site_names(), firebrick.clock.now_s())
        return folder.authority


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
