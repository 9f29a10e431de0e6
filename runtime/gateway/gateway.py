"""The managed proxy: the only way from a guest to the product.

One call goes through named steps, value to value: parse the path, filter the headers, resolve the
operation, decide as whom, decide the scopes, attach the token, send, scrub, audit. Each refusal has
a rule; the guest gets the platform's terse answer, the person who runs the app gets the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.errors import DeniedError
from runtime.gateway.contexts import product_of
from runtime.gateway.replies import refusal_reply
from runtime.gateway.requiring import live_grant, require
from runtime.gateway.values import (
    Caller,
    CallReport,
    Product,
    ProductCall,
    ProductReply,
    facts_of,
)
from runtime.installation.consents import ConsentStore
from runtime.installation.model import LiveGrant
from runtime.installation.store import InstallationStore
from runtime.policy.consent import decide_consent
from runtime.policy.decision import Decision
from runtime.policy.headers import filter_request_headers, filter_response_headers
from runtime.policy.impersonation import (
    decide_impersonated,
    decide_impersonation,
    decide_impersonation_rate,
    decide_lent_scopes,
    impersonable,
)
from runtime.policy.operations import Operation, OperationTable
from runtime.policy.scopes import decide_scopes
from runtime.policy.target import parse_target
from runtime.tokens.broker import TokenBroker, TokenGrant
from runtime.tokens.rates import TokenRates
from runtime.wire import JiraRequest, JiraResponse

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"})
BODYLESS = frozenset({"GET", "HEAD"})  # the fetch standard refuses a body on these
GATEWAY_ORIGIN = "https://api.atlassian.com/ex/jira"  # base of `self` links behind the gateway


@dataclass(slots=True)
class _Progress:
    """What is known of a call so far; a refusal reports it as it stands."""

    operation: Operation | None = None
    dropped: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None


Door = Callable[[TokenGrant | None, JiraRequest], JiraResponse]
"""How a request gets an answer once it is decided: with a token for a grant, or as nobody."""


class Gateway:
    """Decides and sends product requests of guests.

    Args:
        product: What answers; handed in, never imported.
        operations: The operation table the product uses too (I5).
        installations: Asked for the live grant on every call (I4).
        consents: Asked where an installation needs the consent of each user.
        broker: Where tokens come from.
        audit: Gets one record a call (I11).
        clock: Measures durations.
        may_use: Whether an account is an active person with access to a site: cloud id, account id.
        rates: Counts calls in the name of users who did not invoke the app.
        impersonations_per_minute: How many of them an installation has in a minute; 0 for any
            number, and then nothing is counted.
    """

    def __init__(
        self,
        *,
        product: Product,
        operations: OperationTable,
        installations: InstallationStore,
        consents: ConsentStore,
        broker: TokenBroker,
        audit: AuditTrail,
        clock: Clock,
        may_use: Callable[[str, str], bool],
        rates: TokenRates,
        impersonations_per_minute: int,
    ) -> None:
        self._may_use = may_use
        self._rates = rates
        self._impersonations_per_minute = impersonations_per_minute
        self._product = product
        self._operations = operations
        self._installations = installations
        self._consents = consents
        self._broker = broker
        self._audit = audit
        self._clock = clock

    def send(self, caller: Caller, call: ProductCall) -> tuple[ProductReply, CallReport]:
        """Answer one guest request. A refusal is a reply, never an exception."""
        counted = self._impersonations_per_minute > 0 and _impersonates(caller, call)
        reply, report = self._answer(caller, call, self._ask_counted if counted else self._ask)
        self._record(caller, report)
        return reply, report

    def rehearse(self, caller: Caller, call: ProductCall, door: Door) -> CallReport:
        """Return what would be decided now; no token is made, and nothing is written down.

        Args:
            caller: Who would ask.
            call: What.
            door: What the product would answer whoever holds the grant's token.
        """
        return self._answer(caller, call, door)[1]

    def _answer(
        self, caller: Caller, call: ProductCall, door: Door
    ) -> tuple[ProductReply, CallReport]:
        started_s = self._clock.monotonic_s()
        progress = _Progress()
        try:
            response = self._exchange(caller, call, progress, door)
        except DeniedError as denied:
            reply = refusal_reply(denied.rule, self._rates.next_in_s)
            rule, message, allowed = denied.rule, denied.message, False
        else:
            headers = filter_response_headers(response.headers)
            reply = ProductReply(response.status, headers, response.body)
            rule, allowed = response.rule, response.rule.startswith("allowed")
            message = "" if allowed else response.words()
        report = CallReport(
            call=call,
            allowed=allowed,
            rule=rule,
            message=message,
            operation=None if progress.operation is None else progress.operation.key,
            account_id=_acting_account(caller, call),
            status=reply.status,
            duration_ms=(self._clock.monotonic_s() - started_s) * 1000,
            dropped_headers=progress.dropped,
            scopes=progress.scopes,
        )
        return reply, report

    def _exchange(
        self, caller: Caller, call: ProductCall, progress: _Progress, door: Door
    ) -> JiraResponse:
        _check_form(caller, call)
        target = require(parse_target(call.path))
        headers, progress.dropped = require(filter_request_headers(call.headers))
        progress.operation = self._operations.resolve(call.method, target.path).operation
        grant = live_grant(self._installations, caller)
        progress.scopes = tuple(sorted(_in_force(grant)))
        _allow(
            decide_scopes(progress.operation, frozenset(grant.declared), grant.installation.granted)
        )
        self._check_acting(caller, call, grant, progress.operation)
        _allow(self._consent(caller, call, grant))
        request = JiraRequest(
            method=call.method,
            path=target.path,
            query=target.query,
            headers=headers,
            body=call.body or b"",
            cloud_id=caller.cloud_id,
            host="gateway",
            base_url=f"{GATEWAY_ORIGIN}/{caller.cloud_id}",
        )
        response = door(self._lent(caller, call, grant), request)
        _check_same_operation(response, progress.operation)
        return response

    def _check_acting(
        self, caller: Caller, call: ProductCall, grant: LiveGrant, operation: Operation | None
    ) -> None:
        """Refuse to act as whom the app may not, or as somebody else in what it may not."""
        in_force, wanted = _in_force(grant), call.account_id
        _allow(decide_impersonation(call.act_as, caller.account_id, wanted, in_force))
        if wanted is not None and _impersonates(caller, call):
            _allow(decide_lent_scopes(operation, in_force))
            may_use = self._may_use(caller.cloud_id, wanted)
            _allow(decide_impersonated(wanted, may_use=may_use))

    def _consent(self, caller: Caller, call: ProductCall, grant: LiveGrant) -> Decision:
        account_id = _acting_account(caller, call)
        asked = grant.installation.user_consent
        of_invoker = call.act_as == "user" and account_id == caller.account_id
        consented = None
        if asked and of_invoker and account_id is not None:
            consented = self._consents.find(caller.installation_id, account_id)
        return decide_consent(
            asked=asked,
            acting_as_invoker=of_invoker,
            needed=frozenset(_in_force(grant)),
            consented=consented,
        )

    def _lent(self, caller: Caller, call: ProductCall, grant: LiveGrant) -> TokenGrant | None:
        """Return what the call's token is for; None if it goes out as nobody, without one."""
        account_id = _acting_account(caller, call)
        if account_id is None:
            return None
        in_force = _in_force(grant)
        return TokenGrant(
            installation_id=caller.installation_id,
            app_id=caller.app_id,
            cloud_id=caller.cloud_id,
            account_id=account_id,
            scopes=impersonable(in_force) if _impersonates(caller, call) else frozenset(in_force),
        )

    def _ask(self, grant: TokenGrant | None, request: JiraRequest) -> JiraResponse:
        if grant is None:
            return self._product.handle(request)
        token = self._broker.access_token(grant).get_secret_value()
        headers = {**request.headers, "authorization": f"Bearer {token}"}
        return self._product.handle(replace(request, headers=headers))

    def _ask_counted(self, grant: TokenGrant | None, request: JiraRequest) -> JiraResponse:
        """Ask in the name of a user who did not invoke the app, as often as that is allowed."""
        if grant is not None:
            limit = self._impersonations_per_minute
            made = self._rates.take(f"act {grant.installation_id}", limit)
            _allow(decide_impersonation_rate(made, limit))
        return self._ask(grant, request)

    def _record(self, caller: Caller, report: CallReport) -> None:
        call = report.call
        facts = facts_of(caller)
        facts["account_id"] = report.account_id  # as whom it acted, not who invoked it
        self._audit.append(
            AuditRecord(
                kind="door",
                allowed=report.allowed,
                rule=report.rule,
                message=report.message,
                **facts,
                act_as=call.act_as,
                method=call.method[:16],
                path=call.path[:2048].encode("utf-8", "replace").decode(),
                operation=report.operation,
                status=report.status,
                duration_ms=report.duration_ms,
                detail=_detail(report, impersonated=_impersonates(caller, call)),
            )
        )


def _detail(report: CallReport, *, impersonated: bool) -> dict[str, object]:
    kept: dict[str, object] = {"impersonated": True} if impersonated else {}
    if report.scopes is not None:
        kept["scopes"] = list(report.scopes)
    if report.dropped_headers:
        kept["dropped_headers"] = sorted(report.dropped_headers)
    return kept


def _check_form(caller: Caller, call: ProductCall) -> None:
    product = product_of(call.remote, caller.cloud_id)
    if product is None:
        message = f"An app reaches the site that it is installed on, not {call.remote!r}."
        raise DeniedError("remote.other-context", message)
    if product != "jira":
        raise DeniedError("remote.unknown", f"No product {product!r} is emulated.")
    if call.method not in METHODS:
        raise DeniedError("method.refused", f"The method {call.method!r} is not allowed.")
    if call.method in BODYLESS and call.body:
        raise DeniedError("body.refused", f"A {call.method} request has no body.")


def _check_same_operation(response: JiraResponse, decided: Operation | None) -> None:
    """Refuse the answer of another operation than the one decided on (I5)."""
    key = None if decided is None else decided.key
    if response.operation_id not in (key, None):
        raise DeniedError(
            "operation.mismatch",
            f"{key} was decided on, but the product ran {response.operation_id}.",
        )


def _allow(decision: Decision) -> None:
    if not decision.allowed:
        raise DeniedError(decision.rule, decision.message)


def _in_force(grant: LiveGrant) -> dict[str, bool]:
    return {
        scope: allowed
        for scope, allowed in grant.declared.items()
        if scope in grant.installation.granted
    }


def _acting_account(caller: Caller, call: ProductCall) -> str | None:
    if call.act_as == "app":
        return caller.app_account_id
    if call.act_as == "user":
        return call.account_id or caller.account_id
    return None


def _impersonates(caller: Caller, call: ProductCall) -> bool:
    return call.act_as == "user" and call.account_id not in (None, caller.account_id)
