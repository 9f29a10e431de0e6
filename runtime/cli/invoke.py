"""``invoke``: run one function of an installed app and show everything that happened."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.cli.console import EXIT_FAILED, print_json, reports_errors, say, table
from runtime.cli.options import (
    AppOption,
    EnvironmentOption,
    FormatOption,
    SiteOption,
    StateOption,
    open_state,
)

if TYPE_CHECKING:
    from runtime.invocation.invoker import InvocationResult
    from runtime.sandbox.limits import Limits

SEED_HEX_DIGITS = 64


@reports_errors
def invoke(
    function: Annotated[
        str,
        typer.Argument(
            help="Function key; 'function:definition' for a resolver; or the key of an endpoint."
        ),
    ],
    *,
    payload: Annotated[
        str | None, typer.Option(help="JSON handed to the function, or @file.", show_default=False)
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--as", help="Who invokes: handle, e-mail or account id.", show_default="nobody"
        ),
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(help="JSON object for context.extension, or @file.", show_default=False),
    ] = None,
    app: AppOption = None,
    environment: EnvironmentOption = "development",
    site: SiteOption = None,
    seed: Annotated[
        str | None,
        typer.Option(help="Any text: the guest's randomness comes from it.", show_default="fresh"),
    ] = None,
    clock: Annotated[
        str | None,
        typer.Option(help="The guest's clock: ISO date or seconds.", show_default="now"),
    ] = None,
    prove: Annotated[
        bool, typer.Option("--prove", help="Search the guest's memory for every live secret.")
    ] = False,
    allow_egress: Annotated[
        list[str] | None,
        typer.Option(
            help="Host of the real network that declared requests may reach; repeat it.",
            show_default="none",
        ),
    ] = None,
    remote: Annotated[
        list[str] | None,
        typer.Option(
            help="KEY=URL: where the app's remote of that key is for this run; repeat it.",
            show_default="none",
        ),
    ] = None,
    virtual_time: Annotated[
        bool, typer.Option("--virtual-time", help="Let timers jump instead of waiting.")
    ] = False,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", help="Wait 60 s, as the platform does, before an event is sent again."
        ),
    ] = False,
    state: StateOption = None,
    format_: FormatOption = "text",
) -> None:
    """Run a function in a fresh sandbox: result, logs, each call with its verdict, budget use."""
    import time

    from runtime.invocation.deliveries import jump
    from runtime.invocation.invoker import Order
    from runtime.server.forge.remote_parts import named_remotes

    named = named_remotes(remote or (), "--remote")
    with open_state(state) as firebrick:
        version = firebrick.find_app(app, environment)
        cloud_id = firebrick.find_site(site)
        installation = firebrick.apps.find_installation(version, cloud_id)
        invoker = None if user is None else firebrick.find_person(user)
        limits = firebrick.settings.limits
        running = firebrick.apps.running_version(installation)
        result = firebrick.invoker.invoke(
            Order(
                version=running,
                env=firebrick.env_of(running),
                installation=installation,
                function=function,
                payload=_json_option("--payload", payload),
                extension=_object_option("--context", context),
                account_id=None if invoker is None else invoker.account_id,
                site_url=firebrick.site_url(cloud_id),
                seed=_seed(seed) or firebrick.next_seed(),
                now_s=_clock(clock),
                limits=limits,
                prove=prove,
                egress=firebrick.egress(allow_egress or (), named),
                virtual_time=virtual_time,
                wait=time.sleep if wait else jump,
            )
        )
        names = {
            call.account_id: firebrick.name_of(call.account_id)
            for call in result.calls
            if call.account_id is not None
        }
    if format_ == "json":
        print_json(as_json(result, names))
    else:
        show(result, names, limits)
    if result.outcome.fault is not None or (result.proof is not None and result.proof.found):
        raise typer.Exit(EXIT_FAILED)


def as_json(result: "InvocationResult", names: dict[str, str]) -> dict[str, object]:
    """Return an invocation as one JSON object."""
    from dataclasses import asdict

    outcome = result.outcome
    return {
        "invocationId": result.invocation_id,
        "function": result.function,
        "result": result.value,
        "error": None if outcome.fault is None else asdict(outcome.fault),
        "logs": [asdict(line) for line in outcome.logs],
        "calls": [
            {
                "method": call.call.method,
                "path": call.call.path,
                "actAs": call.call.act_as,
                "account": names.get(call.account_id or ""),
                "operation": call.operation,
                "status": call.status,
                "allowed": call.allowed,
                "rule": call.rule,
                "reason": call.message,
                "durationMs": round(call.duration_ms, 3),
                "droppedHeaders": list(call.dropped_headers),
            }
            for call in result.calls
        ],
        "attempts": [
            {
                "number": one.number,
                "delayS": one.delay_s,
                "code": one.code,
                "message": one.message,
            }
            for one in result.attempts
        ],
        "usage": asdict(outcome.usage),
        "proof": None if result.proof is None else asdict(result.proof),
        "seed": result.seed,
        "clock": result.now_s,
    }


def show(result: "InvocationResult", names: dict[str, str], limits: "Limits") -> None:
    """Print an invocation for a person."""
    outcome = result.outcome
    for line in outcome.logs:
        say(f"{line.level.upper():<5} {line.text}", "dim")
    if outcome.fault is None:
        text = "undefined" if outcome.result is None else json.dumps(result.value, indent=2)
        say(f"Result: {text}", is_ours=True)
    else:
        say(f"Error {outcome.fault.code}: {outcome.fault.message}", "bold red")
        if outcome.fault.stack:
            say(outcome.fault.stack, "dim")
    if result.calls:
        say()
        _show_calls(result, names)
    if len(result.attempts) > 1:
        say()
        _show_attempts(result)
    say()
    _show_usage(result, limits)


def _show_calls(result: "InvocationResult", names: dict[str, str]) -> None:
    table(
        ("verdict", "as", "account", "call", "status", "rule", "ms"),
        (
            (
                "allowed" if call.allowed else "refused",
                call.call.act_as,
                names.get(call.account_id or "", "-"),
                f"{call.call.method} {call.call.path}",
                str(call.status),
                call.rule,
                f"{call.duration_ms:.1f}",
            )
            for call in result.calls
        ),
    )
    reasons = {
        f"  {call.rule}: {call.message}"
        if not call.allowed and call.message
        else f"  did not cross: {', '.join(call.dropped_headers)}"
        for call in result.calls
        if call.dropped_headers or (not call.allowed and call.message)
    }
    for reason in sorted(reasons):
        say(reason, "yellow")


def _show_attempts(result: "InvocationResult") -> None:
    table(
        ("attempt", "after", "came to", "because"),
        (
            (str(one.number), f"{one.delay_s:.0f} s", one.code or "done", one.message)
            for one in result.attempts
        ),
    )


def _show_usage(result: "InvocationResult", limits: "Limits") -> None:
    usage = result.outcome.usage
    say(
        f"Used: {usage.wall_ms:.1f} of {limits.wall_ms} ms wall, "
        f"{usage.cpu_ms:.1f} of {limits.cpu_ms} ms cpu, "
        f"{usage.memory_bytes / 2**20:.1f} of {limits.memory_bytes / 2**20:.0f} MiB, "
        f"{usage.door_calls} of {limits.door_calls} calls, "
        f"{usage.log_lines} of {limits.log_lines} log lines."
    )
    say(f"Invocation {result.invocation_id}", "dim")
    if result.proof is not None:
        proof = result.proof
        if not proof.secrets:
            say("Proof: no credential was live, so there was nothing to search for.", "yellow")
            return
        say(
            f"Proof: searched {proof.bytes:,} bytes of guest memory for {proof.secrets} live "
            f"secrets, found {proof.found}.",
            "red" if proof.found else "green",
        )


def _json_option(name: str, text: str | None) -> object:
    from runtime.errors import ForgeError

    if text is None:
        return None
    try:
        if text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise ForgeError("BAD_OPTION", f"{name}: cannot read {error.filename}.") from error
    except (ValueError, RecursionError) as error:
        raise ForgeError("BAD_OPTION", f"{name} is not JSON: {error}.") from error


def _object_option(name: str, text: str | None) -> dict[str, object]:
    from runtime.errors import ForgeError

    value = _json_option(name, text)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ForgeError("BAD_OPTION", f"{name} must be a JSON object.")
    return value


def _seed(text: str | None) -> bytes | None:
    import hashlib

    if text is None:
        return None
    try:
        if len(text) == SEED_HEX_DIGITS:
            return bytes.fromhex(text)
    except ValueError:
        pass
    return hashlib.sha256(text.encode()).digest()


def _clock(text: str | None) -> float | None:
    from datetime import UTC, datetime

    from runtime.errors import ForgeError

    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ForgeError("BAD_OPTION", f"--clock: {error}.") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
