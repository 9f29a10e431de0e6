"""``build``: check a raw WebAssembly module against the guest ABI."""

from pathlib import Path
from typing import Annotated

import typer

from runtime.cli.console import EXIT_USAGE, print_json, reports_errors, say
from runtime.cli.options import FormatOption


@reports_errors
def build(
    source: Annotated[Path, typer.Argument(help="A .wat or .wasm file.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write the .wasm.", show_default=False),
    ] = None,
    format_: FormatOption = "text",
) -> None:
    """Translate and check a raw WebAssembly guest: every wrong import or export is named."""
    from runtime.errors import ManifestError
    from runtime.sandbox.wasm_guest import as_binary, check_module

    try:
        module = as_binary(source.read_bytes())
    except OSError as error:
        raise ManifestError("BAD_MODULE", f"{source}: {error.strerror}.") from error
    problems = check_module(module)
    if format_ == "json":
        print_json({"file": str(source), "bytes": len(module), "problems": problems})
    else:
        for problem in problems:
            say(f"{source}: {problem}", "red")
    if problems:
        raise typer.Exit(EXIT_USAGE)
    if output is not None:
        output.write_bytes(module)
    if format_ == "text":
        say(f"{source}: a valid guest of {len(module)} bytes.", "green")
        if output is not None:
            say(f"Written to {output}.")
