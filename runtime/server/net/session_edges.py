"""Who is logged in: ``GET /rest/auth/1/session``, which scripts ask to find out whether they are.

Source:
    Measured calls of the ``jira`` package with ``validate=True``; on Cloud there is no login by
    this resource any more.

Differs:
    Nothing is counted for anybody's ``loginInfo``; the one who asks has logged in once, now.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.errors import CredentialError, JiraError
from runtime.identity.accounts import Account
from runtime.identity.principal import Principal
from runtime.jira.responses import (
    credential_answer,
    error_response,
    jira_time,
    json_response,
    login_denied,
    login_reason,
    must_authenticate,
)
from runtime.server.net.http import Edge
from runtime.wire import JiraRequest, JiraResponse

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

PATHS = frozenset({"/rest/auth/1/session", "/rest/auth/latest/session"})
NO_LOGIN = "Use an API token; there is no login here."


def session_edges(firebrick: "Firebrick") -> tuple[Edge, ...]:
    """Return what answers who is logged in."""
    return (
        SessionEdge(
            firebrick.authenticator.authenticate,
            firebrick.find_account,
            firebrick.audit,
            firebrick.world_clock,
        ),
    )


class SessionEdge:
    """Serves the resource.

    Args:
        authenticate: Says who asks.
        find_account: Returns an account by its id.
        audit: Gets one record for each request.
        clock: The world's clock.
    """

    def __init__(
        self,
        authenticate: Callable[[JiraRequest], Principal],
        find_account: Callable[[str], Account | None],
        audit: AuditTrail,
        clock: Clock,
    ) -> None:
        self._authenticate = authenticate
        self._find_account = find_account
        self._audit = audit
        self._clock = clock

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer the resource; None for any other path."""
        if request.path not in PATHS:
            return None
        answer = self._answer(request)
        self._audit.append(
            AuditRecord(
                kind="http",
                allowed=answer.rule.startswith("allowed"),
                rule=answer.rule,
                model=answer.model or "anonymous",
                cloud_id=request.cloud_id,
                account_id=answer.account_id,
                method=request.method[:16],
                path=request.path,
                status=answer.status,
            )
        )
        return answer

    def _answer(self, request: JiraRequest) -> JiraResponse:
        if request.method not in ("GET", "HEAD"):
            return error_response(JiraError(405, NO_LOGIN, rule="operation.method"), request)
        try:
            who = self._authenticate(request)
        except CredentialError:
            return must_authenticate(request)
        except JiraError as error:
            return credential_answer(error, request)
        if who.login_denied:
            return login_denied()
        account = None if who.account_id is None else self._find_account(who.account_id)
        if account is None or not account.active:
            failed = who.login_failed or who.account_id is not None
            reason = login_reason(failed=failed, denied=False)
            answer = must_authenticate(request)
            return replace(answer, headers=(*answer.headers, *reason))
        answer = json_response(self._session(request, account))
        return replace(answer, account_id=account.account_id, model=who.model)

    def _session(self, request: JiraRequest, account: Account) -> dict[str, object]:
        now = jira_time(int(self._clock.now_s() * 1000))
        user = f"{request.base_url}/rest/api/latest/user?accountId={quote(account.account_id)}"
        return {
            "self": user,
            "name": account.account_id,
            "loginInfo": {"loginCount": 1, "previousLoginTime": now},
        }
