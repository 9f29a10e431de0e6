"""How a world file writes times, documents, holders and actors, and how each is read back."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from runtime.jira import adf

UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_RELATIVE = re.compile(r"(-?\d+)([dhms])")


def moment_ms(text: str, now_ms: int) -> int:
    """Return a time in milliseconds since 1970.

    Args:
        text: An ISO time with its zone, or a distance from now such as ``-3d``.
        now_ms: The world's clock.

    Raises:
        ValueError: It is neither.
    """
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return now_ms + int(relative[1]) * UNITS_MS[relative[2]]
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time lacks its zone, such as Z")
    return round(moment.timestamp() * 1000)


def moment_text(at_ms: int) -> str:
    """Return a time as a world file has it; `moment_ms` reads it back."""
    seconds, milliseconds = divmod(at_ms, 1000)
    moment = datetime.fromtimestamp(seconds, UTC)
    fraction = f".{milliseconds:03d}" if milliseconds else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def day_text(text: str, now_ms: int) -> str:
    """Return a day as ``yyyy-mm-dd``.

    Args:
        text: A date, or a distance in days such as ``7d``.
        now_ms: The world's clock.

    Raises:
        ValueError: There is no such day.
    """
    relative = _RELATIVE.fullmatch(text)
    if relative is None:
        return date.fromisoformat(text).isoformat()
    today = datetime.fromtimestamp(now_ms / 1000, UTC)
    return f"{today + timedelta(days=int(relative[1])):%Y-%m-%d}"


def document(body: str | dict[str, Any]) -> dict[str, Any]:  # Any: an Atlassian document
    """Return a document: of plain text, one paragraph a line."""
    if not isinstance(body, str):
        return body
    lines = body.split("\n")
    return adf.document(*(adf.paragraph(*([adf.text(line)] if line else [])) for line in lines))


def document_text(body: dict[str, Any]) -> str | dict[str, Any]:  # Any: an Atlassian document
    """Return the plain text that a document is made of, or the document if it is more than that."""
    lines = [_line(block) for block in body.get("content", ())]
    text = "\n".join(line for line in lines if line is not None)
    return text if lines and document(text) == body else body


def _line(block: dict[str, Any]) -> str | None:  # Any: a node of a document
    content = block.get("content") or [{"text": ""}]
    return content[0].get("text") if len(content) == 1 else None


def split_holder(text: str) -> tuple[str, str | None]:
    """Return type and name of a holder such as ``projectRole Developers``."""
    kind, _, name = text.partition(" ")
    return kind, name.strip() or None


def split_actor(text: str) -> tuple[str, str]:
    """Return kind and name of a role's actor: ``group testers``, or a person's handle."""
    kind, _, name = text.partition(" ")
    return ("group", name.strip()) if kind == "group" and name else ("user", text)
