"""The clock of a world file."""

from datetime import datetime


def clock_ms(text: str) -> int:
    """Return the moment of a world's clock in milliseconds since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
