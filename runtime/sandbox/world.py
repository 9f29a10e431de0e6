"""The web and Node globals of a JavaScript guest, as prelude scripts in their order."""

from functools import cache
from importlib.resources import files

WORLD_PARTS = (
    "begin",
    "stack",
    "text",
    "urlhost",
    "urlparse",
    "url",
    "random",
    "time",
    "inspect",
    "console",
    "events",
    "clone",
    "stream",
    "queuing",
    "blob",
    "buffer",
    "numbers",
    "digest",
    "nodecrypto",
    "form",
    "headers",
    "body",
    "fetch",
    "numberformat",
    "dateformat",
    "collate",
    "process",
    "end",
)
"""``js/world_{part}.js``, each using what an earlier one laid out."""

BUNDLE = "bundle.js"
"""What an app's plain script is called in the stacks that a guest sees."""

OUR_LINES = 1000
"""The engine gives all plain scripts one name. An app's bundle begins below that line, and no
script of the kernel or the preludes is as long, so that ``world_stack.js`` can tell them apart."""


@cache
def world_prelude() -> tuple[tuple[str, str], ...]:
    """Return the scripts (name, text) that make a guest's globals.

    They know web and Node standards and no product; what each follows and where it differs stands
    at its head.
    """
    folder = files("runtime.sandbox") / "js"
    names = [f"world_{part}.js" for part in WORLD_PARTS]
    return tuple((name, (folder / name).read_text("utf-8")) for name in names)


def bundled_script(text: str) -> tuple[str, str]:
    """Return name and text under which a plain script is evaluated behind the world."""
    return BUNDLE, "\n" * OUR_LINES + text
