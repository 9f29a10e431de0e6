"""Where a customer may say that a remote of an app is.

Source:
    Forge documentation, "Customer-managed egress and remotes": the address is absolute, the
    remote is declared ``configurable``, and one of its ``supportedPatterns`` fits, if it has any.

Differs:
    A pattern is held against the host, or against scheme and host if it has a scheme; one with
    more than one ``*`` fits nothing. How the platform does it is not known.
"""

from collections.abc import Mapping, Sequence

from runtime.policy.customer_egress import Choices, find_configurable, read_domain
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl
from runtime.policy.remotes import parse_remote_base

MAX_ENDPOINT = 1_000  # characters, as many as an address of a manifest may have
RULE = "remote.base-url"


def read_endpoint(text: str, configurable: Mapping[str, object]) -> str | Decision:
    """Return the address of a remote in the form it is kept in, or the refusal.

    Args:
        text: The address, as an administrator wrote it: https, a host by its name, perhaps a port
            and a path.
        configurable: What the manifest says of the remote.
    """
    if len(text) > MAX_ENDPOINT:
        return Decision(False, RULE, f"The address has more than {MAX_ENDPOINT} characters.")
    base = parse_remote_base(text, named=False)
    if isinstance(base, Decision):
        return Decision(False, RULE, base.message)
    if "*" in base.host or read_domain(f"{base.host}:{base.port}") is None:
        return Decision(
            False, RULE, f"{base.host} is no host by its name, such as api.example.com."
        )
    patterns = configurable.get("supportedPatterns")
    if isinstance(patterns, Sequence) and not any(
        isinstance(one, str) and _fits(one.lower(), base) for one in patterns
    ):
        shown = ", ".join(str(one) for one in patterns)
        return Decision(False, RULE, f"{base.host} fits none of the app's patterns: {shown}.")
    return base.url


def endpoint_of(choices: Choices, document: Mapping[str, object], key: str) -> str | None:
    """Return where a customer said that a remote is, as far as the manifest leaves that open.

    The address is held against the manifest anew, as a later version may have narrower patterns.
    """
    said, configurable = choices.endpoints.get(key), find_configurable(document, key)
    if said is None or configurable is None:
        return None
    found = read_endpoint(said, configurable)
    return None if isinstance(found, Decision) else found


def _fits(pattern: str, base: ExternalUrl) -> bool:
    text = f"{base.scheme}://{base.host}" if "://" in pattern else base.host
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == text
    if "*" in after or len(text) < len(before) + len(after):
        return False
    return text.startswith(before) and text.endswith(after)
