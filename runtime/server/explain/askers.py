"""Who asks, as a value, and in words: the same for a question and for a record."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.identity.api_tokens import ApiToken
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.oauth.values import OAuthClient
from runtime.identity.principal import Credential, Model
from runtime.installation.model import AppVersion, Installation
from runtime.policy.impersonation import ActAs

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

BEFORE_TOKEN = frozenset(
    {"path", "header", "method", "body", "remote", "scope", "operation", "installation", "act"}
    | {"consent"}
)
"""Families of rules by which the gateway refuses before it attaches a token."""
AFTER_TOKEN = frozenset({"operation.mismatch", "operation.not-emulated", "operation.removed"})
"""Rules of these families by which the product refuses."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, by which credential, as whom.

    Attributes:
        model: The security model.
        credential: What is shown.
        account_id: Whose permissions count; None for nobody.
        token: The API token; None for another credential, or for any token of the account.
        client: The OAuth app.
        connect: The Connect app.
        installation: Where the Forge app is installed.
        version: The Forge app.
        act_as: As whom the Forge app asks; None where it asks over HTTP with a token of its own.
        invoker_id: Who invoked the Forge app's function.
    """

    model: Model
    credential: Credential = "none"
    account_id: str | None = None
    token: ApiToken | None = None
    client: OAuthClient | None = None
    connect: ConnectInstallation | None = None
    installation: Installation | None = None
    version: AppVersion | None = None
    act_as: ActAs | None = None
    invoker_id: str | None = None

    @property
    def by_door(self) -> bool:
        """Whether the request goes through the gateway of sandboxed apps."""
        return self.act_as is not None

    @property
    def is_app_account(self) -> bool:
        """Whether the app acts as its own account."""
        own = (
            None if self.connect is None else self.connect.account_id,
            None if self.installation is None else self.installation.app_account_id,
        )
        return self.account_id is not None and self.account_id in own


NOBODY = Asker("anonymous")


class Words:
    """Says who asks.

    Args:
        firebrick: Knows the names.
    """

    def __init__(self, firebrick: "Firebrick") -> None:
        self._firebrick = firebrick

    def who(self, asker: Asker) -> str:
        """Return who asks: an app, a person, or nobody."""
        if asker.client is not None:
            return f"the OAuth app {asker.client.name}"
        if asker.connect is not None:
            return f"the Connect app {asker.connect.descriptor.name} ({asker.connect.app_key})"
        if asker.version is not None:
            return f"the Forge app {asker.version.name} ({asker.version.environment})"
        if asker.model in ("forge", "oauth", "connect"):
            return f"an app by the model {asker.model} that is not there any more"
        return "nobody" if asker.account_id is None else self._name(asker.account_id)

    def credential(self, asker: Asker, rule: str) -> str:
        """Return by which credential; the rule tells whether it came to one."""
        if asker.by_door:
            return _at_door(asker, rule)
        name = "nobody" if asker.account_id is None else self._name(asker.account_id)
        return {
            "none": "none",
            "refused": "one that proves nobody: it counts as none",
            "api-token": f"{_token(asker.token)} of {name}",
            "access-token": f"an access token of the app, by {name}'s consent"
            if asker.model == "oauth"
            else "an access token of the installation, which the app holds itself",
            "jwt": "a token that the app signed for this request",
            "user-token": f"a token with which the app acts as {name}",
        }[asker.credential]

    def acting_as(self, asker: Asker) -> str:
        """Return whose permissions count."""
        if asker.act_as == "user" and asker.account_id is None:
            return "nobody: nobody invoked the function"
        if asker.account_id is None:
            return "nobody"
        name = self._name(asker.account_id)
        if asker.is_app_account:
            return f"{name}, the app's own account"
        if asker.by_door:
            invoked = asker.account_id == asker.invoker_id
            words = "who invoked the function"
            return f"{name}, {words if invoked else 'who did not invoke it: impersonation'}"
        return name

    def _name(self, account_id: str) -> str:
        return self._firebrick.name_of(account_id)


def _at_door(asker: Asker, rule: str) -> str:
    if asker.act_as == "none":
        return "none: the app asks without one"
    if rule.partition(".")[0] in BEFORE_TOKEN and rule not in AFTER_TOKEN:
        return "none was attached: it is refused before"
    return "an access token of the installation, attached by the gateway"


def _token(token: ApiToken | None) -> str:
    if token is None:
        return "an API token without scopes"
    kind = "without scopes" if token.scopes is None else "with scopes"
    return f"the API token {token.label!r}, {kind},"
