"""``serve``: the same Jira over HTTP."""

from typing import Annotated

import typer

from runtime.cli.console import reports_errors, say
from runtime.cli.options import StateOption, open_state


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
    state: StateOption = None,
) -> None:
    """Serve the emulated Jira over HTTP: basic auth with API tokens, anonymous where allowed."""
    from runtime.server.page_edges import PageOptions
    from runtime.server.serving import listen, run

    with open_state(state) as firebrick:
        consenting = None if auto_consent is None else firebrick.find_person(auto_consent)
        access_token = firebrick.ids.token("ctl")
        listener = listen(host, port)
        url = f"http://{host}:{listener.getsockname()[1]}"
        say(f"Serving {', '.join(firebrick.site_names())} on {url}", "green")
        say("People: " + ", ".join(person.handle for person in firebrick.people()))
        say("Make a token in another terminal: firebrick token create dana")
        say(f"Developer console: {url}/console  access token {access_token.get_secret_value()}")
        if consenting is not None:
            say(f"{consenting.display_name} consents to every OAuth app; no page is shown.")
        say("Press Ctrl+C to stop.")
        run(firebrick, listener, PageOptions(access_token, consenting))
