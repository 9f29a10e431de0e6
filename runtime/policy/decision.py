"""A verdict as a value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy says of one request.

    Attributes:
        allowed: The verdict.
        rule: Dotted name of the rule that decided; listed in ``docs/rules.md``.
        message: Why, and who could change it; names no secret.
    """

    allowed: bool
    rule: str
    message: str = ""
