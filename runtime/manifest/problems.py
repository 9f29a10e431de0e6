"""What is wrong with a manifest, where, by which rule, and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["error", "warning"]
OURS = "firebrick/"
"""Prefix of rules that the platform's own linter does not have."""

QUOTE_LIMIT = 60  # characters of an author's text that a message repeats


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; both numbers count from 1, columns in characters."""

    line: int = 1
    column: int = 1


FixKind = Literal["scope", "egress", "egress-object", "module"]


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the manifest that mends a problem without a decision by anybody.

    Attributes:
        kind: ``scope`` adds a scope, ``egress`` an address for functions, ``module`` a module of a
            type; ``egress-object`` rewrites plain addresses as objects.
        value: The scope, the address, the module type; for the last one the kind of egress.
    """

    kind: FixKind
    value: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding.

    Attributes:
        path: File, relative to the app folder, with forward slashes.
        line: Line, from 1.
        column: Column in characters, from 1.
        level: An error stops a deployment, a warning does not.
        rule: The platform's rule id where it has one; otherwise ours, which begin with `OURS`.
        message: What is wrong.
        hint: How to mend it; empty if the message says so already.
        fix: How to mend it mechanically; None if that takes a decision.
    """

    path: str
    line: int
    column: int
    level: Level
    rule: str
    message: str
    hint: str = ""
    fix: Fix | None = field(default=None, compare=False)

    def text(self) -> str:
        """Return the line of the text report, with the hint indented below.

        Nothing that an author wrote reaches a terminal as a control character.
        """
        head = f"{self.path}:{self.line}:{self.column}  {self.level}  {self.rule}  {self.message}"
        return printable(head) + (f"\n    {printable(self.hint)}" if self.hint else "")

    def as_json(self) -> dict[str, str | int]:
        """Return the finding as a plain object."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "level": self.level,
            "rule": self.rule,
            "message": printable(self.message),
            "hint": printable(self.hint),
        }


def printable(text: str) -> str:
    """Return `text` with everything a terminal could act on written as an escape.

    That is every character which is not printable by Unicode's rules: controls, also the C1 set,
    line breaks, and the format characters that reorder text.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(value: object) -> str:
    """Return an author's value for use in a message: escaped, shortened, in backticks."""
    text = value if isinstance(value, str) else _literal(value)
    short = text if len(text) <= QUOTE_LIMIT else text[: QUOTE_LIMIT - 1] + "…"
    return f"`{printable(short)}`"


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Return names as a comma-separated list of quoted words, shortened after `limit`."""
    words = [quoted(name) for name in names]
    more = f" and {len(words) - limit} more" if len(words) > limit else ""
    return ", ".join(words[:limit]) + more


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems by file and place, each once, errors first where they share a place."""
    return tuple(
        sorted(
            dict.fromkeys(problems),
            key=lambda p: (p.path, p.line, p.column, p.level, p.rule, p.message),
        )
    )
