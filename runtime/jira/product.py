"""The product's one entrance: a request becomes an answer.

The order in which a request can fail is the product's own: the credential, the operation, the
scopes, the media type, the missing login, and then whatever the operation itself finds.

Source:
    Observed behaviour of Jira Cloud's layers; ``docs/fidelity.md`` lists what differs.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from runtime.clock import Clock
from runtime.errors import CredentialError, JiraError
from runtime.identity.accounts import Account
from runtime.identity.principal import LOGIN_FAILED, Authenticator, Principal
from runtime.ids import Ids
from runtime.jira.app_access import app_access
from runtime.jira.context import Context
from runtime.jira.failures import BLOCKED_APP, ProblemError
from runtime.jira.permissions import Permissions
from runtime.jira.responses import (
    SCOPE_FAILURE,
    connect_scope_refusal,
    credential_answer,
    error_response,
    gateway_refusal,
    json_response,
    login_denied,
    must_authenticate,
    scope_mismatch,
    with_common_headers,
)
from runtime.jira.served import ServedOperation, served_operations
from runtime.jira.store import Entrance, Store
from runtime.jira.xsrf import XsrfMode, xsrf_refusal
from runtime.policy.connect_scopes import decide_connect_bounds
from runtime.policy.operations import OperationTable, Resolved
from runtime.policy.scopes import decide_bounds, of_token
from runtime.wire import JiraRequest, JiraResponse

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request on its way in."""

    request: JiraRequest
    resolved: Resolved
    principal: Principal
    site_entrance: Entrance
    served: ServedOperation | None

    @property
    def account(self) -> Account | None:
        return self.site_entrance.account


class Jira:
    """The emulated product over one database that may hold several sites.

    Args:
        engine: The database.
        operations: All operations of the platform.
        authenticator: Turns a request's credential into a principal.
        clock: Tells the time.
        ids: Makes ids.
        xsrf: How strictly requests of browsers are looked at.
        legacy_search: Whether the search that was removed is served.
        keep: Whether what operations write is kept; else this is a rehearsal, which decides and
            answers as it would at this moment, and changes nothing.
    """

    def __init__(  # noqa: PLR0917  # the last have defaults
        self,
        engine: Engine,
        operations: OperationTable,
        authenticator: Authenticator,
        clock: Clock,
        ids: Ids,
        xsrf: XsrfMode = "on",
        *,
        legacy_search: bool = False,
        keep: bool = True,
    ) -> None:
        self._xsrf: XsrfMode = xsrf
        self._legacy_search = legacy_search
        self._store = Store(engine, keep=keep)
        self._operations = operations
        self._authenticator = authenticator
        self._clock = clock
        self._ids = ids
        self._served = served_operations()

    def handle(self, request: JiraRequest) -> JiraResponse:
        """Answer one request; every deliberate error has become an answer.

        The answer says which operation ran or was refused, by which rule, and as which account the
        credential was resolved: that is for the audit, and none of it goes on the wire; but for
        scopes that do not suffice, which a header names.
        """
        with self._store.turn():
            return self._handle(request)

    def _handle(self, request: JiraRequest) -> JiraResponse:
        resolved = self._operations.resolve(request.method, request.path)
        key = None if resolved.operation is None else resolved.operation.key
        forged = xsrf_refusal(request, key, self._xsrf)
        if forged is not None:
            return self._finish(forged, request, resolved)
        try:
            principal = self._authenticator.authenticate(request)
        except CredentialError as error:
            answer = replace(gateway_refusal(error.rule), reason=error.message)
            answer = self._finish(answer, request, resolved)
            return replace(answer, model=error.model, app_id=error.app_id)
        except JiraError as error:
            return self._finish(credential_answer(error, request), request, resolved)
        if principal.login_denied:
            return self._finish(login_denied(), request, resolved, principal)
        return self._enter(request, resolved, principal)

    def _enter(
        self, request: JiraRequest, resolved: Resolved, principal: Principal
    ) -> JiraResponse:
        served = None
        if resolved.operation is not None:
            served = self._served.get(resolved.operation.key)
        with self._store.reading() as connection:
            call = self._call(connection, request, resolved, principal, served)
            if isinstance(call, JiraResponse):
                return self._finish(call, request, resolved, principal)
            mismatch = _scope_refusal(call)
            if mismatch is not None:
                return self._finish(mismatch, request, resolved, principal, call)
            answer = _refusal(call)
            if answer is None and not _writes(call):
                answer = self._run(call, connection)
        if answer is None:
            answer = self._write(call)
        return self._finish(answer, request, resolved, call.principal, call)

    def _write(self, call: _Call) -> JiraResponse:
        try:
            with self._store.writing() as connection:
                again = self._call(
                    connection, call.request, call.resolved, call.principal, call.served
                )
                if isinstance(again, JiraResponse):
                    return again
                return self._answer(again, connection)
        except JiraError as error:
            return error_response(error, call.request)

    def _call(
        self,
        connection: Connection,
        request: JiraRequest,
        resolved: Resolved,
        principal: Principal,
        served: ServedOperation | None,
    ) -> "_Call | JiraResponse":
        """Look up site and account; an inactive account's credential resolves to nobody."""
        entrance = self._store.enter(connection, request.cloud_id, principal.account_id)
        if entrance is None:
            return gateway_refusal("site.unknown", "Not Found", 404)
        if principal.account_id is not None and entrance.account is None:
            if principal.model == "connect":
                return replace(must_authenticate(request), rule="credential.inactive-account")
            if principal.scopes is not None:
                return gateway_refusal("credential.inactive-account")
            principal = LOGIN_FAILED
        return _Call(request, resolved, principal, entrance, served)

    def _run(self, call: _Call, connection: Connection) -> JiraResponse:
        try:
            return self._answer(call, connection)
        except JiraError as error:
            return error_response(error, call.request)

    def _answer(self, call: _Call, connection: Connection) -> JiraResponse:
        operation, served = call.resolved.operation, call.served
        if operation is None or served is None:
            raise AssertionError("an operation without a handler was refused before")
        site, account = call.site_entrance.site, call.account
        context = Context(
            request=call.request,
            operation=operation,
            params=call.resolved.params,
            version=call.resolved.version,
            site=site,
            principal=call.principal,
            account=account,
            permissions=Permissions(site, account, app_access(site, call.principal, operation)),
            connection=connection,
            now_ms=int(self._clock.now_s() * 1000),
            ids=self._ids,
            legacy_search=self._legacy_search,
        )
        try:
            answer = served.handler(context)
        except JiraError as error:
            if context.permissions.access.turned_away:
                error.rule = BLOCKED_APP
            raise
        return replace(answer, changes=tuple(context.changes)) if context.changes else answer

    def _finish(
        self,
        answer: JiraResponse,
        request: JiraRequest,
        resolved: Resolved,
        principal: Principal | None = None,
        call: _Call | None = None,
    ) -> JiraResponse:
        account = None if call is None else call.account
        answer = with_common_headers(
            answer,
            self._ids,
            None if account is None else account.account_id,
            login_failed=call is not None and call.principal.login_failed,
            own=call is not None and answer.header(SCOPE_FAILURE[0]) is None,
        )
        if request.method == "HEAD":
            answer = replace(answer, body=b"")
        key = None if resolved.operation is None else resolved.operation.key
        if principal is None:
            return replace(answer, operation_id=key)
        return replace(
            answer,
            operation_id=key,
            model=principal.model,
            app_id=principal.app_id,
            shown=principal.shown(),
        )


def _writes(call: _Call) -> bool:
    if call.served is None:
        return False
    read_only = call.served.marker.read_only
    if read_only is None:
        return call.request.method not in ("GET", "HEAD")
    return not read_only


def _scope_refusal(call: _Call) -> JiraResponse | None:
    """Return the gateway's refusal if the credential's scopes do not cover the operation.

    The gateway knows no other paths than the operations', so an unknown one is refused likewise.
    """
    operation, scopes = call.resolved.operation, call.principal.scopes
    bounds = (*call.principal.bounds, of_token(scopes or frozenset()))
    if call.principal.model == "connect":
        verdict = decide_connect_bounds(operation, bounds)
        return None if verdict.allowed else connect_scope_refusal(verdict.rule, verdict.message)
    if scopes is None or (operation is None and call.request.host != "gateway"):
        return None
    decision = decide_bounds(operation, bounds)
    if decision.allowed:
        return None
    groups = () if operation is None else operation.scopes
    held = frozenset.intersection(*(bound.scopes for bound in bounds))
    return scope_mismatch(decision.rule, decision.message, held, groups)


def _refusal(call: _Call) -> JiraResponse | None:
    """Return why the operation does not even start, or None."""
    operation = call.resolved.operation
    try:
        if operation is None:
            return _no_operation(call)
        _check_media_type(call)
    except JiraError as error:
        return error_response(error, call.request)
    if call.account is None and not operation.anonymous:
        return must_authenticate(call.request)
    if call.served is None:
        message = f"Firebrick does not emulate {operation.key} yet."
        answer = json_response({"errorMessages": [message], "errors": {}}, 501)
        return replace(answer, rule="operation.not-emulated")
    return None


def _no_operation(call: _Call) -> JiraResponse:
    request, allowed = call.request, call.resolved.allowed_methods
    if not allowed:
        detail = f"No endpoint {request.method} {request.path}."
        raise ProblemError(404, "Not Found", detail, "operation.unknown")
    allow = ("allow", ",".join((*allowed, *(["HEAD"] if "GET" in allowed else []), "OPTIONS")))
    if request.method == "OPTIONS":
        return JiraResponse(200, (allow,), rule="operation.options")
    detail = f"Method '{request.method}' is not supported."
    raise ProblemError(405, "Method Not Allowed", detail, "operation.method", (allow,))


def _check_media_type(call: _Call) -> None:
    served = call.served
    if served is None or not served.marker.takes_body or call.request.method not in ("POST", "PUT"):
        return
    content_type = call.request.headers.get("content-type")
    if content_type and content_type.split(";")[0].strip().lower() == JSON:
        return
    raise ProblemError(
        415,
        "Unsupported Media Type",
        f"Content-Type '{content_type or 'null'}' is not supported.",
        "request.media-type",
        (("accept", JSON),),
    )
