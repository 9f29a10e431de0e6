"""The one escaped slash that is read: that of a context's ARI in the proxy's own path."""

import re

_CONTEXT = re.compile(
    r"(/fpp/provider/(?:app|user|none)/contextAri/[Aa][Rr][Ii](?:%3[Aa]|[0-9A-Za-z:-]){1,160})"
    r"%2[Ff]([^/%?]{1,99}(?:[/?].*)?)",
    re.DOTALL,
)


def open_context(target: str) -> str:
    """Return a request target with the slash of a context's ARI as it is; others unchanged.

    A client puts the ARI into one segment, so its slash is escaped. That one place is the only one
    where an escaped slash is known to be what it seems; everywhere else it is refused.
    """
    match = _CONTEXT.fullmatch(target)
    return target if match is None else f"{match[1]}/{match[2]}"
