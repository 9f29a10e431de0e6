"""What a call is for: a product by its name, or the product of a context by its ARI.

Source:
    ``withContext(contextAri)`` of the platform's package: the ARI goes where a product's name goes
    otherwise. ``ari:cloud:jira::site/{cloudId}`` is what an installation says its context is.
"""

import re

_CONTEXT = re.compile(r"ari:cloud:([a-z]{1,32})::site/([0-9A-Za-z-]{1,64})")


def product_of(remote: str, cloud_id: str) -> str | None:
    """Return the product that a call is for; None if it is for another context than its own.

    Args:
        remote: The name of a product, or the ARI of a context.
        cloud_id: The site that the caller is installed on: the one context it has.
    """
    if not remote.startswith("ari:"):
        return remote
    match = _CONTEXT.fullmatch(remote)
    return match[1] if match is not None and match[2] == cloud_id else None
