"""``remote``: the keys that apps' own servers verify invocation tokens with."""

import typer

from runtime.cli.console import print_json, reports_errors, say
from runtime.cli.options import FormatOption, StateOption, open_state

app = typer.Typer(help="Keys of Forge Remote.", no_args_is_help=True)


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
