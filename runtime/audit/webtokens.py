"""JSON web tokens in a text, found in time that grows with the text alone.

A pattern that begins anywhere reads a long run of letters again from each of its places, so that a
text of somebody who means it costs minutes. Here each run of dotted parts is read once.
"""

import re
from collections.abc import Callable

HEAD = "eyJ"  # what the base64 of a JSON object begins with
MARK = "***"
_RUN = re.compile(r"[\w.-]+", re.ASCII)


def replace_web_tokens(text: str, is_wanted: Callable[[str], bool] = lambda _payload: True) -> str:
    """Return a text with its JSON web tokens replaced by ``***``.

    Args:
        text: Any text.
        is_wanted: Is given the encoded payload of each token; those it declines stay.
    """
    if HEAD not in text:
        return text
    return _RUN.sub(lambda match: _replaced(match[0].split("."), is_wanted), text)


def _replaced(parts: list[str], is_wanted: Callable[[str], bool]) -> str:
    kept: list[str] = []
    at = 0
    while at < len(parts):
        begin = parts[at].find(HEAD)
        is_token = 0 <= begin < len(parts[at]) - len(HEAD) and at + 2 < len(parts)
        if is_token and parts[at + 1] and is_wanted(parts[at + 1]):
            kept.append(parts[at][:begin] + MARK)
            at += 3
        else:
            kept.append(parts[at])
            at += 1
    return ".".join(kept)
