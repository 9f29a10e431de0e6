"""Texts that are kept hold no secret: neither a credential nor an app's encrypted variable."""

import base64
import json
from collections.abc import Mapping
from urllib.parse import quote

from runtime.audit.trail import redact

SHORTEST = 6  # characters; a shorter value cannot be told from ordinary text
SHORTEST_BASE64 = 4  # of the part of an encoded text that does not depend on its neighbours
JSON_LEVELS = 4  # a value in JSON in the body of a request in a record
BASE64_ALIGNMENTS = 3  # a text inside a longer one encodes in three ways


class Scrubber:
    """Takes secrets out of JSON text and puts an app's own ones back for a replay.

    A credential becomes ``***`` and stays away. An encrypted variable becomes ``***NAME.n***``,
    where n says in which form it stood, so that whoever knows its value can put it back.

    Args:
        variables: Values of an app's encrypted variables, by name.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        marked = [
            (form, f"***{name}.{number}***")
            for name, value in sorted(variables.items())
            if len(value) >= SHORTEST
            for number, form in enumerate(forms_of(value))
        ]
        self._marked = sorted(marked, key=lambda pair: -len(pair[0]))

    def scrub(self, text: str) -> str:
        """Return JSON text without secrets; it is JSON still."""
        for form, mark in self._marked:
            text = text.replace(form, mark)
        return redact(text)

    def restore(self, text: str) -> str:
        """Return JSON text with the variables that this one knows."""
        for form, mark in self._marked:
            text = text.replace(mark, form)
        return text


def forms_of(value: str) -> tuple[str, ...]:
    """Return the texts that a value may stand as: plain, escaped, percent-encoded, base64, hex."""
    level = [value]
    forms = [value]
    for _ in range(JSON_LEVELS):  # guests keep what is not ASCII, the host writes it as an escape
        both = (
            json.dumps(one, ensure_ascii=style)[1:-1] for style in (False, True) for one in level
        )
        level = list(dict.fromkeys(both))
        forms += level
    data = value.encode()
    forms += [quote(value), quote(value, safe=""), data.hex()]
    for shift in range(BASE64_ALIGNMENTS):
        encoded = base64.b64encode(bytes(shift) + data).decode()
        inner = encoded[4 if shift else 0 : -4]
        forms += [inner] if len(inner) >= SHORTEST_BASE64 else []
    return tuple(dict.fromkeys(forms))
