"""An authenticated caller."""

from dataclasses import dataclass
from typing import Literal, Protocol

from runtime.policy.scopes import Bound
from runtime.wire import JiraRequest, Shown

Model = Literal["anonymous", "basic", "forge", "oauth", "connect"]
"""The security model a request came by."""

Credential = Literal["none", "refused", "api-token", "access-token", "jwt", "user-token"]
"""What was shown: nothing; something that proves nobody; an API token; an access token of an OAuth
or a Forge app; what a Connect app signed; a token with which a Connect app acts as a user."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, by which model, with which scopes.

    Attributes:
        model: The security model.
        account_id: The account acted as; None when anonymous.
        scopes: Scopes of the credential; None where it has none (anonymous, or a
            token that is not scoped).
        app_id: The app on whose behalf, if one.
        login_failed: A credential was shown and resolved to nobody: the product goes on as
            anonymous and says so in ``x-seraph-loginreason``.
        connect_key: Key of the Connect app whose app properties the caller may use: the app
            itself, or a Forge app that took the key over.
        login_denied: The name shown has failed too often: whatever it asks for is refused.
        credential: What was shown.
        credential_id: Which API token, for its owner; None for any other credential.
        bounds: What limits the scopes beside the credential itself, from the widest.
    """

    model: Model
    account_id: str | None = None
    scopes: frozenset[str] | None = None
    app_id: str | None = None
    login_failed: bool = False
    connect_key: str | None = None
    login_denied: bool = False
    credential: Credential = "none"
    credential_id: str | None = None
    bounds: tuple[Bound, ...] = ()

    def shown(self) -> Shown:
        """Return what the audit keeps of the credential: nothing that proves anything."""
        scopes = None if self.scopes is None else tuple(sorted(self.scopes))
        return Shown(self.credential, self.credential_id, scopes)


ANONYMOUS = Principal("anonymous")
LOGIN_FAILED = Principal("anonymous", login_failed=True, credential="refused")
LOGIN_DENIED = Principal("anonymous", login_denied=True, credential="refused")


class Authenticator(Protocol):
    """What turns the credential of a request into a principal."""

    def authenticate(self, request: JiraRequest) -> Principal:
        """Return who is asking.

        Raises:
            CredentialError: The host refuses this credential outright: a 401 of the gateway.
            JiraError: The host answers it with a body of its own (a Bearer on the site host).
        """
