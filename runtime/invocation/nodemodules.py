"""The emulator's stand-ins for modules that Node brings itself: which there are, and their text."""

import posixpath
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

PLAIN = (
    "assert", "async_hooks", "buffer", "crypto", "events", "fs", "os", "path", "perf_hooks",
    "process", "querystring", "stream", "string_decoder", "timers", "url", "util",
)  # fmt: skip
STANDINS: Mapping[str, str] = {
    **{name: name for name in PLAIN},
    "assert/strict": "assert_strict",
    "fs/promises": "fs_promises",
    "path/posix": "path",
    "stream/promises": "stream_promises",
    "timers/promises": "timers_promises",
    "util/types": "util_types",
}
"""Names that code imports, with or without ``node:``, and the files that stand in for them."""

REPLACED: Mapping[str, str] = {"node-fetch": "node_fetch"}
"""Packages that are replaced in bundles: the platform's older packages speak to it through them."""

FOR_MODULES = frozenset(STANDINS) - {"fs", "fs/promises"}
"""Those that apps without a bundler may import: all but files, of which there are none."""

SCHEME = "node:"  # begins the canonical name of a stand-in among an app's modules


def aliases() -> dict[str, str]:
    """Return the name of the file that stands in for each specifier of a bundle."""
    named = {f"{prefix}{name}": file for name, file in STANDINS.items() for prefix in ("", SCHEME)}
    return {name: f"{file}.js" for name, file in {**named, **REPLACED}.items()}


def find_standin(specifier: str) -> str | None:
    """Return the canonical name of the stand-in that an app module's import means, or None."""
    name = specifier.removeprefix(SCHEME)
    return f"{SCHEME}{STANDINS[name]}.js" if name in FOR_MODULES else None


def is_standin(name: str) -> bool:
    """Return whether a canonical name is that of a stand-in."""
    return name.startswith(SCHEME)


def neighbour(specifier: str) -> str:
    """Return the canonical name of what a stand-in requires: a file beside it."""
    return SCHEME + posixpath.normpath(specifier)


@cache
def standin_text(name: str) -> str:
    """Return the source of a stand-in by its canonical name."""
    path = files("runtime.invocation") / "node" / name.removeprefix(SCHEME)
    return path.read_text("utf-8")


@cache
def require_text() -> str:
    """Return the script before a bundle that answers for modules without a stand-in."""
    return (files("runtime.invocation") / "node" / "absent.js").read_text("utf-8")
