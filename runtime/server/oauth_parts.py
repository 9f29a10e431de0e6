"""What the OAuth server keeps of a state, wired together."""

from dataclasses import dataclass

from sqlalchemy import Engine, select

from runtime.audit.trail import AuditTrail
from runtime.clock import Clock
from runtime.identity.accounts import Account
from runtime.identity.connect.secretbox import SecretBox
from runtime.identity.oauth.authenticator import OAuthAuthenticator
from runtime.identity.oauth.blocks import OAuthBlocks
from runtime.identity.oauth.flow import OAuthFlow
from runtime.identity.oauth.policy import OAuthPolicy
from runtime.identity.oauth.sealed import SealedSecrets
from runtime.identity.oauth.store import OAuthClients, OAuthGrants
from runtime.identity.oauth.tokens import OAuthTokens
from runtime.identity.oauth.values import Lifetimes
from runtime.ids import Ids
from runtime.jira.page_context import uses_product
from runtime.jira.schema import site_table
from runtime.policy.operations import OperationTable


@dataclass(frozen=True, slots=True)
class OAuthParts:
    """The parts of the OAuth server.

    Attributes:
        clients: The apps of the developer console.
        sealed: Their secrets, to sign webhooks with.
        grants: What accounts allow them.
        blocks: What administrators refuse.
        policy: The organization's word on new consent.
        tokens: Codes and tokens.
        flow: Authorize requests, consent, the token endpoint.
        authenticator: Resolves access tokens on the gateway.
    """

    clients: OAuthClients
    sealed: SealedSecrets
    grants: OAuthGrants
    blocks: OAuthBlocks
    policy: OAuthPolicy
    tokens: OAuthTokens
    flow: OAuthFlow
    authenticator: OAuthAuthenticator


def open_oauth(
    *,
    engine: Engine,
    clock: Clock,
    ids: Ids,
    audit: AuditTrail,
    operations: OperationTable,
    lifetimes: Lifetimes,
    box: SecretBox,
) -> OAuthParts:
    """Wire the OAuth server over one state.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes ids and secrets.
        audit: Gets the records of consent.
        operations: Which scopes there are.
        lifetimes: How long things live.
        box: Encrypts secrets at rest.
    """

    def known_scopes() -> frozenset[str]:
        return frozenset(
            scope for operation in operations for need in operation.scopes for scope in need
        )

    def may_use(cloud_id: str, account: Account) -> bool:
        query = select(site_table.c.cloud_id).where(site_table.c.cloud_id == cloud_id)
        with engine.connect() as connection:
            known = connection.execute(query).first() is not None
            return known and uses_product(connection, cloud_id, account)

    sealed = SealedSecrets(engine, box)
    clients = OAuthClients(engine, clock, ids, known_scopes, sealed)
    grants = OAuthGrants(engine, clock, ids, audit)
    tokens = OAuthTokens(engine, clock, ids, lifetimes)
    policy = OAuthPolicy(engine, audit)
    flow = OAuthFlow(
        engine=engine,
        clock=clock,
        clients=clients,
        grants=grants,
        tokens=tokens,
        policy=policy,
        audit=audit,
        may_use=may_use,
    )
    blocks = OAuthBlocks(engine, clock, audit)
    return OAuthParts(
        clients, sealed, grants, blocks, policy, tokens, flow, OAuthAuthenticator(tokens)
    )
