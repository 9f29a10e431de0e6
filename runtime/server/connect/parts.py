"""What Connect keeps of a state, wired together: stores, keys, tokens, the authenticator."""

from dataclasses import dataclass

from sqlalchemy import Engine

from runtime.clock import Clock
from runtime.identity.connect.authenticator import ConnectAuthenticator
from runtime.identity.connect.dynamic_modules import connect_dynamic_module_table
from runtime.identity.connect.installations import ConnectInstallations
from runtime.identity.connect.properties import connect_property_table
from runtime.identity.connect.secretbox import SecretBox
from runtime.identity.connect.sitekeys import SiteKeyStore
from runtime.identity.connect.usertokens import UserTokens
from runtime.ids import Ids

TABLES = (connect_property_table, connect_dynamic_module_table)
"""Of rooms that are imported late: named here, so that a new state has them from the start."""


@dataclass(frozen=True, slots=True)
class ConnectParts:
    """The parts of Connect that stand below the product.

    Attributes:
        installations: Apps on sites.
        site_keys: What sites prove themselves with.
        user_tokens: Tokens of apps that act as users.
        authenticator: Resolves Connect's credentials.
    """

    installations: ConnectInstallations
    site_keys: SiteKeyStore
    user_tokens: UserTokens
    authenticator: ConnectAuthenticator

    def live_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every credential of Connect that is valid now."""
        return self.installations.live_digests() | self.user_tokens.live_digests()


def open_connect(
    engine: Engine, clock: Clock, ids: Ids, box: SecretBox, max_jwt_s: int
) -> ConnectParts:
    """Wire Connect over one state.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        ids: Makes ids and tokens.
        box: Encrypts secrets at rest.
        max_jwt_s: Longest life of an app's token in seconds; 0 for any.
    """
    installations = ConnectInstallations(engine, box)
    site_keys = SiteKeyStore(engine, ids, box)
    user_tokens = UserTokens(engine, clock, ids)
    authenticator = ConnectAuthenticator(
        installations, site_keys, user_tokens, clock, float(max_jwt_s) if max_jwt_s else None
    )
    return ConnectParts(installations, site_keys, user_tokens, authenticator)
