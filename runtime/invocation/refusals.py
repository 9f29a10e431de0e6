"""Why an import cannot be served, in words that say what to do instead."""

USER_INTERFACE = frozenset(
    {
        "@forge/bridge",
        "@forge/confluence-bridge",
        "@forge/dashboards-bridge",
        "@forge/jira-bridge",
        "@forge/react",
        "@forge/ui",
        "react",
        "react/jsx-runtime",
        "react-dom",
    }
)
"""Packages of pages: no function can use them."""

NODE_MODULES = frozenset(
    name
    for line in (
        "assert async_hooks buffer child_process cluster console constants crypto dgram domain",
        "diagnostics_channel dns events fs http http2 https inspector module net os path",
        "perf_hooks process punycode querystring readline repl stream string_decoder sys test",
        "timers tls trace_events tty url util v8 vm wasi worker_threads zlib",
    )
    for name in line.split()
)
"""Modules that Node brings itself."""


def refusal_of(specifier: str, path: str | None) -> tuple[str, str]:
    """Return code and reason for an import that led to no module.

    Args:
        specifier: The name as written.
        path: The path in the app's folder that it means; None if it is no path inside.
    """
    if path is not None:
        return "SOURCE_NOT_FOUND", (
            f"there is no module {specifier!r}; looked for {path or 'index'} as .ts, .tsx, .jsx, "
            ".js, .json, .cjs, .mjs, and as a folder with an index file."
        )
    if specifier.startswith((".", "/", "\\", "file:")):
        return (
            "SOURCE_OUTSIDE",
            f"{specifier!r} leads out of the app's folder; import from within it.",
        )
    return "SOURCE_IMPORT", _package_refusal(specifier)


def _package_refusal(specifier: str) -> str:
    root = specifier.removeprefix("node:").split("/")[0]
    if specifier in USER_INTERFACE:
        return f"{specifier!r} belongs to pages; a function cannot import it, nor hold JSX."
    if specifier.startswith("@forge/"):
        return f"the package {specifier!r} is not emulated yet."
    if specifier.startswith("node:") or root in NODE_MODULES:
        return (
            f"{specifier!r} is a module of Node, which the sandbox does not have; use web APIs "
            "such as URL, TextEncoder and crypto.randomUUID."
        )
    if ":" in specifier:
        return f"{specifier!r} is neither a file of the app nor a package."
    return (
        f"{specifier!r} is an npm package. Apps run as plain modules here and bundling is not "
        "supported yet: put the code that is needed below src/, or build one file of it with "
        "esbuild --bundle --format=esm and import that."
    )
