"""The guest's side of the host functions: the platform's globals and the stand-ins for packages."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

PUBLIC_STANDINS = ("@forge/api", "@forge/events", "@forge/kvs", "@forge/resolver")
"""Packages that an app may import without bringing them."""

PRIVATE_STANDINS = ("firebrick:authorize", "firebrick:errors", "firebrick:route")
"""What the stand-ins share; app code cannot import these."""


@cache
def platform_prelude() -> tuple[tuple[str, str], ...]:
    """Return the scripts (name, text) that make the platform's globals, to be run after the world.

    They define ``__forge_fetch__``, ``__forge_runtime__`` and ``fetch``, and nothing else.
    """
    return (("forge.js", _text("forge")),)


@cache
def standins() -> Mapping[str, str]:
    """Return the emulator's own stand-ins, module name to ES source.

    Source:
        Names, errors and behaviour as measured on the published packages; each file's head says on
        which version, and what differs.
    """
    names = (*PUBLIC_STANDINS, *PRIVATE_STANDINS)
    return {name: _text(name.removeprefix("@forge/").removeprefix("firebrick:")) for name in names}


def _text(name: str) -> str:
    return (files("runtime.hostfunctions") / "js" / f"{name}.js").read_text("utf-8")
