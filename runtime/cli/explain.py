"""``explain``: what an operation needs, who holds it, and what would be decided."""

from typing import TYPE_CHECKING, Annotated

import typer

from runtime.cli.console import EXIT_FAILED, print_json, reports_errors, say
from runtime.cli.options import EnvironmentOption, FormatOption, SiteOption, StateOption, open_state

if TYPE_CHECKING:
    from runtime.server.explain.explanation import Explanation


@reports_errors
def explain(  # keyword-only but for two
    method: Annotated[str, typer.Argument(help="HTTP method.")],
    path: Annotated[str, typer.Argument(help="Path, such as /rest/api/3/issue/TEAM-1.")],
    *,
    app: Annotated[
        str | None,
        typer.Option(
            "--app",
            help="As this app: key of a Connect app, id or name of an OAuth or a Forge app.",
            show_default="no app",
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--as", help="As this person, or as the app acting as them.", show_default="nobody"
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option("--token", help="By this API token: its label or id.", show_default="any"),
    ] = None,
    invoked_by: Annotated[
        str | None,
        typer.Option(
            "--invoked-by",
            help="Forge: who invoked the function, or 'nobody'.",
            show_default="whom it acts as",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="With this JSON body.", show_default="{}"),
    ] = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Explain one request: who, by which credential, as whom, scopes, permissions, verdict, rule.

    The verdict is that of the code that decides real requests; nothing is changed.
    """
    from runtime.server.explain.asking import Names, find_asker
    from runtime.server.explain.explaining import Explainer
    from runtime.server.explain.explanation import as_json
    from runtime.server.explain.rehearsing import Question

    body = None if data is None else data.encode()
    with open_state(state) as firebrick:
        cloud_id = firebrick.find_site(site)
        asker = find_asker(firebrick, Names(app, user, token, invoked_by, environment), cloud_id)
        question = Question(method.upper(), path, cloud_id, body)
        told = Explainer(firebrick).explain(asker, question)
    if format_ == "json":
        print_json(as_json(told))
    else:
        say(f"{told.asked.method} {told.asked.path}", "bold")
        show_explanation(told)
    if told.asked.operation is None:
        raise typer.Exit(EXIT_FAILED)


def show_explanation(told: "Explanation", indent: str = "") -> None:
    """Show an explanation to people."""
    from runtime.server.explain.explanation import text_lines

    colour = "green" if told.verdict == "allowed" else "red"
    for label, line in text_lines(told):
        say(indent + line, colour if label in ("Verdict", "Rule") else "")
