"""Forge Remote wired over one state."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Engine

from runtime.audit.trail import AuditTrail
from runtime.clock import Clock
from runtime.errors import ForgeError
from runtime.gateway.outside import ExternalCall, ExternalReply
from runtime.gateway.remotes import RemoteGateway
from runtime.ids import Ids
from runtime.installation.consents import ConsentStore
from runtime.installation.store import InstallationStore
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl
from runtime.policy.remotes import decide_remote_address, parse_remote_base
from runtime.tokens.handed import HandedTokens
from runtime.tokens.invocation_tokens import InvocationTokens
from runtime.tokens.signing_keys import SigningKeys
from runtime.tokens.vault import Vault


@dataclass(frozen=True, slots=True)
class RemoteParts:
    """The parts of Forge Remote.

    Attributes:
        keys: What invocation tokens are signed with.
        tokens: Mints them.
        gateway: Asks remotes.
    """

    keys: SigningKeys
    tokens: InvocationTokens
    gateway: RemoteGateway


def open_remotes(
    *,
    engine: Engine,
    clock: Clock,
    ids: Ids,
    vault: Vault,
    audit: AuditTrail,
    installations: InstallationStore,
    consents: ConsentStore,
    handed: HandedTokens,
    api_url: str,
) -> RemoteParts:
    """Wire Forge Remote over one state.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes ids.
        vault: Encrypts signing keys.
        audit: Gets one record a call.
        installations: Tells the live grant.
        consents: Tells who consented.
        handed: Makes the tokens that go along.
        api_url: What stands before ``/ex/jira/{cloudId}`` where remotes reach the gateway.
    """
    keys = SigningKeys(engine, clock, ids, vault)
    tokens = InvocationTokens(keys, clock, ids)

    def ask(
        target: ExternalUrl, call: ExternalCall, timeout_s: float, named: bool
    ) -> ExternalReply | Decision:
        from runtime.gateway.network import Network  # noqa: PLC0415  # httpx takes 0.1 s to load

        decide = partial(decide_remote_address, named=named)
        return Network(clock=clock, timeout_s=timeout_s, decide=decide)(target, call)

    gateway = RemoteGateway(
        installations=installations,
        consents=consents,
        handed=handed,
        tokens=tokens,
        audit=audit,
        clock=clock,
        ids=ids,
        ask=ask,
        api_url=api_url,
    )
    return RemoteParts(keys, tokens, gateway)


def named_remotes(options: Iterable[str], origin: str) -> dict[str, str]:
    """Return base URLs by remote key, from texts ``KEY=URL``; the last of a key counts.

    Args:
        options: The texts.
        origin: What to call them in messages.

    Raises:
        ForgeError: ``BAD_OPTION`` for any other text, or a URL where no remote can be.
    """
    found: dict[str, str] = {}
    for text in options:
        key, equals, url = (part.strip() for part in text.partition("="))
        if not key or not equals:
            raise ForgeError("BAD_OPTION", f"{origin} takes KEY=URL, not {text[:64]!r}.")
        base = parse_remote_base(url, named=True)
        if isinstance(base, Decision):
            raise ForgeError("BAD_OPTION", f"{origin}: {base.message}")
        found[key] = base.url
    return found
