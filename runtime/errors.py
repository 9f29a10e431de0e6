"""The errors Firebrick raises on purpose, and whose fault each one is.

::

    ForgeError                    root; the message is safe to show to an app
    ├── ManifestError             app author, before anything runs
    ├── InstallationError         site admin
    ├── InvocationError           app code
    ├── DeniedError               the app exceeded its rights
    ├── CredentialError           the caller has not proved who they are
    ├── OAuthError                OAuth client (RFC 6749 section 5.2)
    ├── JiraError                 REST caller
    └── StateError                the state on disk, or the machine around it

Anything else that escapes is a bug of the host: it is logged with its traceback there and reaches
a guest only as ``INTERNAL``. Codes are stable, upper snake case, and listed in ``docs/errors.md``.
"""

from collections.abc import Mapping


class ForgeError(Exception):
    """Root of all deliberate errors.

    Args:
        code: Stable upper-snake-case code, listed in ``docs/errors.md``.
        message: What went wrong and how to mend it; safe to show to an app.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ManifestError(ForgeError):
    """The app author wrote something that cannot be deployed."""


class InstallationError(ForgeError):
    """The app is not installed, or not consented to, as this call needs."""


class InvocationError(ForgeError):
    """App code failed: a trap, a budget, an exception or an unusable reply."""


class DeniedError(ForgeError):
    """The app exceeded its rights; `rule` names the refusing rule.

    Args:
        rule: Dotted name of the rule, as it stands in the audit trail.
        message: Why, in words that name no secret.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__("DENIED", message)
        self.rule = rule


class CredentialError(ForgeError):
    """The caller has not proved who they are.

    Args:
        message: Why, for the audit; the wire says nothing of it.
        rule: Dotted name of the refusing rule.
        model: The security model of the credential, where it is known.
        app_id: Whose credential it is, likewise.
    """

    def __init__(
        self,
        message: str = "Unauthorized",
        rule: str = "credential.refused",
        *,
        model: str | None = None,
        app_id: str | None = None,
    ) -> None:
        super().__init__("CREDENTIAL", message)
        self.rule = rule
        self.model = model
        self.app_id = app_id


class OAuthError(ForgeError):
    """An OAuth client's request failed.

    Args:
        error: RFC 6749 error name, such as ``invalid_grant``.
        description: The ``error_description``.
        status: HTTP status of the answer.
    """

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__("OAUTH", description)
        self.error = error
        self.status = status


class JiraError(ForgeError):
    """A REST call that the product answers with an error body.

    Args:
        status: HTTP status.
        messages: The ``errorMessages`` of the body.
        rule: Dotted name of the deciding rule for the audit; None where no right was decided.
        fields: The ``errors`` of the body, by field.
    """

    def __init__(
        self,
        status: int,
        *messages: str,
        rule: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("JIRA", "; ".join((*messages, *(fields or {}).values())) or str(status))
        self.status = status
        self.messages = messages
        self.rule = rule
        self.fields = dict(fields or {})


class StateError(ForgeError):
    """The state on disk cannot be used: locked, read-only, full or damaged."""
