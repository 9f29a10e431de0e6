"""The errors of the product that need more than `JiraError` says, and the texts all share."""

from runtime.errors import JiraError

ISSUE_NOT_FOUND = "Issue does not exist or you do not have permission to see it."
MUST_AUTHENTICATE = "Client must be authenticated to access this resource."
ADMIN_ONLY = "You are not authorized to perform this action. Administrator privileges are required."
CANNOT_CONFIGURE = "You cannot edit the configuration of this project."
HIDDEN = "entity.hidden-or-missing"
"""The rule of every 404: whether the thing is hidden or missing must not show, not even there."""


BLOCKED_APP = "app-access.blocked"
"""The rule of what an administrator blocks for an app; its answers carry a header that says so."""


class ProblemError(JiraError):
    """A request that the web layer refuses with an RFC 7807 body.

    Args:
        status: HTTP status.
        title: The status in words.
        detail: What is wrong.
        rule: Dotted name of the deciding rule.
        headers: Further headers, such as ``Allow``.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        rule: str = "request.invalid",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(status, detail, rule=rule)
        self.title = title
        self.detail = detail
        self.headers = headers


class UnreadableBodyError(JiraError):
    """A body that could not be read; its answer has ``errorMessages`` and no ``errors``."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message, rule="request.body")


def issue_not_found() -> JiraError:
    """Return the answer for an issue that is missing, or hidden: the same for both."""
    return JiraError(404, ISSUE_NOT_FOUND, rule=HIDDEN)


def project_not_found(id_or_key: str) -> JiraError:
    """Return the answer for a project that is missing, or hidden: the same for both."""
    what = "id" if id_or_key.isascii() and id_or_key.isdigit() else "key"
    return JiraError(404, f"No project could be found with {what} '{id_or_key}'.", rule=HIDDEN)


def admin_required(message: str = ADMIN_ONLY) -> JiraError:
    """Return the refusal of whoever lacks the global permission *Administer Jira*."""
    return JiraError(403, message, rule="permission.ADMINISTER")


def not_permitted(permission: str, message: str, status: int = 403) -> JiraError:
    """Return the refusal for a missing permission, naming it in the rule."""
    return JiraError(status, message, rule=f"permission.{permission}")


def bad_parameter(name: str, value: str) -> ProblemError:
    """Return the answer for a query or path parameter that does not convert."""
    return ProblemError(
        400, "Bad Request", f"Failed to convert '{name}' with value: '{value}'", "request.parameter"
    )
