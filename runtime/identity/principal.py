"""An authenticated caller."""

from dataclasses import dataclass
from typing import Literal, Protocol

from runtime.wire import JiraRequest

Model = Literal["anonymous", "basic", "forge", "oauth", "connect"]
"""The security model a request came by."""


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
    """

    model: Model
    account_id: str | None = None
    scopes: frozenset[str] | None = None
    app_id: str | None = None
    login_failed: bool = False
    connect_key: str | None = None
    login_denied: bool = False


ANONYMOUS = Principal("anonymous")
LOGIN_FAILED = Principal("anonymous", login_failed=True)
LOGIN_DENIED = Principal("anonymous", login_denied=True)


class Authenticator(Protocol):
    """What turns the credential of a request into a principal."""

    def authenticate(self, request: JiraRequest) -> Principal:
        """Return who is asking.

        Raises:
            CredentialError: The host refuses this credential outright: a 401 of the gateway.
            JiraError: The host answers it with a body of its own (a Bearer on the site host).
        """
