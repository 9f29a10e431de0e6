"""``token create | list | revoke | unlock | policy``: API tokens for scripts."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from runtime.cli.console import print_json, reports_errors, say, say_change, table
from runtime.cli.options import FormatOption, StateOption, open_state

app = typer.Typer(help="API tokens for scripts with basic auth.", no_args_is_help=True)


@app.command()
@reports_errors
def create(
    user: Annotated[str, typer.Argument(help="Owner: handle, e-mail or account id.")],
    *,
    label: Annotated[str, typer.Option(help="What the token is for.")] = "command line",
    days: Annotated[
        int | None,
        typer.Option(
            help="Lifetime in days, 1 to 365.", show_default="the longest that is allowed"
        ),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A scope; may be repeated. The token is then valid on the gateway only."),
    ] = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Make an API token; it is shown this once."""
    from runtime.server.operations import check_scopes

    with open_state(state) as firebrick:
        owner = firebrick.find_person(user)
        if scope:
            check_scopes(firebrick.operations, scope)
        token, secret = firebrick.api_tokens.create(
            owner, label, days, frozenset(scope) if scope else None
        )
        path = f"/ex/jira/{next(iter(firebrick.sites_by_host().values()))}" if scope else ""
    if format_ == "json":
        print_json(
            {
                "id": token.id,
                "email": owner.email,
                "token": secret.get_secret_value(),
                "expiresAt": _date(token.expires_at_s),
                "scopes": None if token.scopes is None else sorted(token.scopes),
            }
        )
        return
    say(f"API token of {owner.display_name}, valid until {_date(token.expires_at_s)}.", "green")
    say("It is shown this once; only its hash is kept:")
    say(f"  {secret.get_secret_value()}")
    say(f"Use it as: curl -u {owner.email}:TOKEN http://127.0.0.1:8080{path}/rest/api/3/myself")


@app.command("list")
@reports_errors
def list_tokens(
    user: Annotated[
        str | None, typer.Argument(help="Owner; every owner if left out.", show_default=False)
    ] = None,
    *,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """List API tokens, without their secrets."""
    with open_state(state) as firebrick:
        owner = None if user is None else firebrick.find_person(user)
        found = firebrick.api_tokens.list(None if owner is None else owner.account_id)
        names = {token.account_id: firebrick.name_of(token.account_id) for token in found}
    rows = [
        {
            "id": token.id,
            "owner": names[token.account_id],
            "label": token.label,
            "scopes": "all" if token.scopes is None else " ".join(sorted(token.scopes)),
            "expiresAt": _date(token.expires_at_s),
            "state": "revoked" if token.revoked else "live",
        }
        for token in found
    ]
    if format_ == "json":
        print_json(rows)
    elif rows:
        table(tuple(rows[0]), ([*row.values()] for row in rows))
    else:
        say("There are no API tokens. Next: firebrick token create USER")


@app.command()
@reports_errors
def revoke(
    token_id: Annotated[str, typer.Argument(help="Id of the token, from 'token list'.")],
    *,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Revoke an API token at once."""
    with open_state(state) as firebrick:
        revoked = firebrick.api_tokens.revoke(token_id)
    say_change(
        {"id": token_id, "revoked": revoked},
        "Revoked." if revoked else f"There is no live token with the id {token_id}.",
        changed=revoked,
        format_=format_,
    )


@app.command()
@reports_errors
def unlock(
    user: Annotated[str, typer.Argument(help="Person: handle, e-mail or account id.")],
    *,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Let a person use basic auth again after too many failures."""
    with open_state(state) as firebrick:
        person = firebrick.find_person(user)
        unlocked = firebrick.lockout.clear(str(person.email))
    if format_ == "json":
        print_json({"user": person.handle, "unlocked": unlocked})
    else:
        say("Unlocked." if unlocked else f"{person.display_name} has no failed logins.")


@app.command()
@reports_errors
def policy(
    *,
    tokens: Annotated[
        Literal["allow", "block"] | None,
        typer.Option(help="May people use API tokens?", show_default=False),
    ] = None,
    max_days: Annotated[
        int | None,
        typer.Option(help="Longest life in days, also of those there are.", show_default=False),
    ] = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Show or set what the organization allows of API tokens; it holds from the next call on.

    Settings (FIREBRICK_API_TOKENS, FIREBRICK_API_TOKEN_MAX_DAYS) can only be narrowed.
    """
    with open_state(state) as firebrick:
        policies = firebrick.token_policies
        now = policies.set(allowed=None if tokens is None else tokens == "allow", max_days=max_days)
        narrower = policies.ceiling != now
    facts = {"tokens": "allow" if now.allowed else "block", "maxDays": now.max_days}
    if format_ == "json":
        print_json(facts)
        return
    for name, value in facts.items():
        say(f"{name}: {value}")
    if narrower:
        say("That is less than the settings of this server allow.")


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
