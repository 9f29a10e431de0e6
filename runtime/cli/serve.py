"""``serve``: the same Jira over HTTP."""

from typing import TYPE_CHECKING, Annotated

import typer

from runtime.cli.console import reports_errors, say
from runtime.cli.options import StateOption, open_state

if TYPE_CHECKING:
    from runtime.server.net.clientenv import Reach
    from runtime.server.net.servers import Secure


@reports_errors
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 picks a free one.", min=0, max=65535)] = 8080,
    auto_consent: Annotated[
        str | None,
        typer.Option(
            help="Who consents to every OAuth app without a page, for unattended runs.",
            show_default=False,
        ),
    ] = None,
    tls_port: Annotated[
        int | None,
        typer.Option(
            help="Port of a TLS listener for the platform's names; 0 picks a free one.",
            show_default="no TLS",
            min=0,
            max=65535,
        ),
    ] = None,
    proxy_port: Annotated[
        int | None,
        typer.Option(
            help="Port of a proxy that leads the platform's names to the TLS listener; 0 likewise.",
            show_default="no proxy",
            min=0,
            max=65535,
        ),
    ] = None,
    state: StateOption = None,
) -> None:
    """Serve the emulated Jira over HTTP: basic auth with API tokens, anonymous where allowed."""
    from runtime.server.net.listening import announced
    from runtime.server.net.page_edges import PageOptions
    from runtime.server.net.servers import open_secure, reach_of, run
    from runtime.server.net.serving import listen

    with open_state(state) as firebrick:
        consenting = None if auto_consent is None else firebrick.find_person(auto_consent)
        access_token = firebrick.ids.token("ctl")
        listener = listen(host, port)
        secure = None
        if tls_port is not None or proxy_port is not None:
            secure = open_secure(firebrick, host, tls_port or 0, proxy_port)
        reach = reach_of(listener, secure)
        with announced(firebrick.settings.state, reach):
            say(f"Serving {', '.join(firebrick.site_names())} on {reach.url}", "green")
            say("People: " + ", ".join(person.handle for person in firebrick.people()))
            say("Make a token in another terminal: firebrick token create dana")
            secret = access_token.get_secret_value()
            say(f"Developer console: {reach.url}/console  access token {secret}")
            if consenting is not None:
                say(f"{consenting.display_name} consents to every OAuth app; no page is shown.")
            if secure is not None:
                _say_secure(reach, secure)
            say("Press Ctrl+C to stop.")
            run(firebrick, listener, PageOptions(access_token, consenting), secure)


def _say_secure(reach: "Reach", secure: "Secure") -> None:
    """Say where the platform's names are answered, and how clients get there."""
    made = "just made: " if secure.files.change == "made" else ""
    say(f"Platform's names by TLS: port {reach.tls_port}, {made}{secure.files.authority}")
    if reach.proxy_port is not None:
        say(f"Proxy to them, and to nothing else: http://127.0.0.1:{reach.proxy_port}")
    say('Clients in another terminal: eval "$(firebrick tls env)"')
