"""Read the members of a JSON object that a client sent, each with its type.

A member of the wrong type, or one that the operation does not know, is refused with the product's
one text for it, which names nothing.
"""

from collections.abc import Set

from runtime.jira.context import BAD_PAYLOAD, LONG_MAX
from runtime.jira.failures import UnreadableBodyError
from runtime.jira.responses import Json


class Payload:
    """A JSON object whose members are asked for by name and type.

    Args:
        members: The object.
        known: The names it may have; None for any.
    """

    def __init__(self, members: Json, known: Set[str] | None = None) -> None:
        if not isinstance(members, dict) or (known is not None and not members.keys() <= known):
            raise UnreadableBodyError(BAD_PAYLOAD)
        self._members = members

    def __contains__(self, name: str) -> bool:
        """Say whether a member is there and not ``null``."""
        return self._members.get(name) is not None

    def value(self, name: str) -> Json:
        """Return a member of any type; None if it is absent."""
        return self._members.get(name)

    def text(self, name: str) -> str | None:
        """Return a string; None if it is absent or ``null``."""
        value = self._members.get(name)
        if value is not None and not isinstance(value, str):
            raise UnreadableBodyError(BAD_PAYLOAD)
        return value

    def number(self, name: str) -> int | None:
        """Return an integer, perhaps written as a string; None if it is absent or ``null``."""
        value = self._members.get(name)
        return None if value is None else as_number(value)

    def items(self, name: str) -> list[Json]:
        """Return a list; an empty one if it is absent or ``null``."""
        value = self._members.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise UnreadableBodyError(BAD_PAYLOAD)
        return value

    def texts(self, name: str) -> list[str]:
        """Return a list of strings; ``null`` items are left out."""
        return [as_text(item) for item in self.items(name) if item is not None]

    def numbers(self, name: str) -> list[int]:
        """Return a list of integers; ``null`` items are left out."""
        return [as_number(item) for item in self.items(name) if item is not None]


def as_text(value: Json) -> str:
    """Return a string as it is; anything else is refused."""
    if not isinstance(value, str):
        raise UnreadableBodyError(BAD_PAYLOAD)
    return value


def as_number(value: Json) -> int:
    """Return an integer of 64 bits, or the one a string of digits stands for."""
    if isinstance(value, str) and value.removeprefix("-").isascii():
        digits = value.removeprefix("-")
        if digits.isdigit() and len(digits) <= len(str(LONG_MAX)):
            value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LONG_MAX:
        raise UnreadableBodyError(BAD_PAYLOAD)
    return value
