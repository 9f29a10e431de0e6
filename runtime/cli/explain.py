"""``explain``: what an operation needs, who holds it, and what would be decided."""

from typing import TYPE_CHECKING, Annotated

import typer

from runtime.cli.console import EXIT_FAILED, print_json, reports_errors, say
from runtime.cli.options import EnvironmentOption, FormatOption, SiteOption, StateOption, open_state

if TYPE_CHECKING:
    from runtime.server.explaining import Explanation


@reports_errors
def explain(
    method: Annotated[str, typer.Argument(help="HTTP method.")],
    path: Annotated[str, typer.Argument(help="Path, such as /rest/api/3/issue/TEAM-1.")],
    *,
    app: Annotated[
        str | None, typer.Option("--app", help="As this app.", show_default="no app")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--as", help="As this person.", show_default="nobody")
    ] = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Explain one operation: scope sets, permissions, who holds them, verdict and rule."""
    from dataclasses import asdict

    with open_state(state) as firebrick:
        explanation = firebrick.explain(
            method.upper(),
            path,
            app=app,
            user=user,
            environment=environment,
            cloud_id=firebrick.find_site(site),
        )
    if format_ == "json":
        print_json(asdict(explanation))
    else:
        _show(explanation)
    if explanation.operation is None:
        raise typer.Exit(EXIT_FAILED)


def _show(explanation: "Explanation") -> None:
    say(f"{explanation.method} {explanation.path}", "bold")
    if explanation.operation is None:
        say(f"Verdict    refused by {explanation.rule}: {explanation.reason}", "red")
        return
    say(f"Operation  {explanation.operation} ({explanation.template})")
    say(f"Handler    {'served' if explanation.served else 'not emulated: answers 501'}")
    say(
        "Scopes     one whole set is needed:"
        if explanation.scope_sets
        else "Scopes     closed to OAuth and Forge tokens"
    )
    for number, names in enumerate(explanation.scope_sets):
        missing = explanation.missing[number] if explanation.missing is not None else None
        held = "" if missing is None else f"  {_lacking(missing, names)}"
        say(f"           [{', '.join(names) or 'none needed'}]{held}")
    say(f"Anonymous  {'possible' if explanation.anonymous else 'refused with 401'}")
    say(f"Connect    {explanation.connect_scope}")
    say(f"Basic auth {'accepted' if explanation.basic else 'not accepted'}")
    if explanation.project:
        seen = "seen" if explanation.visible else "not seen"
        level = f", level {explanation.security_level}" if explanation.security_level else ""
        say(f"Resource   {explanation.issue or explanation.project}{level}, {seen} by the caller")
    for fact in explanation.permissions:
        say(f"Permission {fact.key} ({fact.name}): {'held' if fact.held else 'not held'}")
        for way in fact.ways:
            say(f"           {way.label}: {', '.join(way.handles) or 'nobody'}")
    verdict = "allowed" if explanation.allowed else "refused"
    say(
        f"Verdict    {verdict} by {explanation.rule}"
        + (f": {explanation.reason}" if explanation.reason else ""),
        "green" if explanation.allowed else "red",
    )


def _lacking(missing: tuple[str, ...], names: tuple[str, ...]) -> str:
    if not missing:
        return "held"
    if len(missing) == len(names):
        return "none of it held"
    return f"lacks {', '.join(missing)}"
