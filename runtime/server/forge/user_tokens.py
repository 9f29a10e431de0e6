"""``/graphql``: where an app outside exchanges its own token for one of a user who is not there.

Source:
    "Forge Remote", "Offline user impersonation": the mutation ``offlineUserAuthToken``, its input
    and its answer.

Differs:
    Nothing else of the platform's GraphQL gateway is emulated. The texts of refusals are ours.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pydantic import SecretStr
from sqlalchemy import Engine

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.database import writing
from runtime.installation.store import InstallationStore
from runtime.jira.responses import gateway_refusal, json_response
from runtime.policy.decision import Decision
from runtime.policy.impersonation import (
    decide_impersonated,
    decide_impersonation,
    decide_offline_context,
    decide_offline_rate,
    impersonable,
)
from runtime.server.forge.graphql import Field, GraphqlError, Operation, answer, read_operation
from runtime.tokens.handed import HandedTokens, Handing
from runtime.tokens.rates import TokenRates
from runtime.wire import JiraRequest, JiraResponse

PATH = "/graphql"
FIELD = "offlineUserAuthToken"
LIFETIME_S = 3600.0  # as every other access token of the platform
_USER_ARI = "ari:cloud:identity::user/"
_NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))


@dataclass(frozen=True, slots=True)
class OfflineWish:
    """What the mutation's input asks for: a token of this user, in these contexts."""

    context_ids: tuple[str, ...]
    account_id: str


class OfflineTokens:
    """Decides on tokens of users who are not there, and makes them.

    Args:
        engine: The state database.
        handed: Makes tokens.
        rates: Counts them.
        installations: Asked for the live grant.
        audit: Gets one record for each decision.
        may_use: Whether an account is an active person with access to a site: cloud id, account id.
        per_minute: How many an app gets in a minute, over all its installations; 0 for any number.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        handed: HandedTokens,
        rates: TokenRates,
        installations: InstallationStore,
        audit: AuditTrail,
        may_use: Callable[[str, str], bool],
        per_minute: int,
    ) -> None:
        self._engine = engine
        self._handed = handed
        self._installations = installations
        self._audit = audit
        self._rates = rates
        self._may_use = may_use
        self._per_minute = per_minute

    def issue(self, app: Handing, wish: OfflineWish) -> SecretStr | Decision:
        """Return a token with which the app acts as a user, or why there is none.

        Args:
            app: The app that asks, by a token of its own.
            wish: What it asks for.
        """
        grant = self._installations.find_live_grant(app.installation_id)
        declared = {} if grant is None else grant.declared
        granted = frozenset[str]() if grant is None else grant.installation.granted
        in_force = {scope: flag for scope, flag in declared.items() if scope in granted}
        may_use = self._may_use(app.cloud_id, wish.account_id)
        decisions = (
            decide_offline_context(wish.context_ids, app.cloud_id),
            decide_impersonation("user", None, wish.account_id, in_force),
            decide_impersonated(wish.account_id, may_use=may_use),
        )
        refusal = next((one for one in decisions if not one.allowed), None)
        handing = Handing(
            kind="offline",
            installation_id=app.installation_id,
            app_id=app.app_id,
            cloud_id=app.cloud_id,
            account_id=wish.account_id,
            scopes=impersonable(in_force),
        )
        return self._written(handing, refusal)

    def _written(self, handing: Handing, refusal: Decision | None) -> SecretStr | Decision:
        """Count, decide, make the token and write it down, with no other writer in between."""
        limit = self._per_minute
        with writing(self._engine) as connection:
            if refusal is None and limit > 0:
                made = self._rates.take(f"offline {handing.app_id}", limit, connection)
                rate = decide_offline_rate(made, limit)
                refusal = None if rate.allowed else rate
            self._audit.append_in(connection, _record(handing, refusal))
            if refusal is not None:
                return refusal
            return self._handed.issue(handing, LIFETIME_S, connection)


class GraphqlEdge:
    """Serves ``POST /graphql`` to apps that show their system token.

    Args:
        handed: Knows system tokens.
        offline: Answers the mutation.
        audit: Gets one record for each request without such a token.
    """

    def __init__(self, handed: HandedTokens, offline: OfflineTokens, audit: AuditTrail) -> None:
        self._handed = handed
        self._offline = offline
        self._audit = audit

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a GraphQL request; None for any other path."""
        if request.path != PATH:
            return None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        held = None
        if scheme.lower() == "bearer":
            held = self._handed.find(SecretStr(token), ("system",))
        if held is None:
            self._audit.append(_unknown(request))
            return gateway_refusal("credential.system-token")
        return self.answer(request, held.handing)

    def answer(self, request: JiraRequest, app: Handing) -> JiraResponse:
        """Answer a request of an app that proved which one it is."""
        if request.method != "POST":
            return gateway_refusal("method.refused", "Method Not Allowed", 405)
        try:
            operation = _operation(request.body)
            found = {field.key: self._field(field, app) for field in _fields(operation)}
        except GraphqlError as error:
            return _no_data(str(error))
        return json_response({"data": found}, 200, _NO_STORE)

    def _field(self, field: Field, app: Handing) -> object:
        payload: dict[str, object] = {
            "success": False, "errors": None, "authToken": None, "__typename": _PAYLOAD,
        }  # fmt: skip
        if not answer(field.fields, _EXAMPLE):  # what cannot be answered makes no token
            raise GraphqlError(f"Say which fields of {FIELD} are wanted.")
        issued = self._offline.issue(app, _wish(field.arguments))
        if isinstance(issued, Decision):
            payload["errors"] = [{"message": issued.message, "__typename": "MutationError"}]
        else:
            token = {"token": issued.get_secret_value(), "ttl": int(LIFETIME_S)}
            payload |= {"success": True, "authToken": {**token, "__typename": "AuthToken"}}
        return answer(field.fields, payload)


_PAYLOAD = "OfflineUserAuthTokenPayload"
_EXAMPLE: Mapping[str, object] = {
    "success": True,
    "errors": [{"message": "", "__typename": ""}],
    "authToken": {"token": "", "ttl": 0, "__typename": ""},
    "__typename": "",
}


def _operation(body: bytes) -> Operation:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise GraphqlError("The body is not JSON.") from error
    query = asked.get("query") if isinstance(asked, dict) else None
    if not isinstance(query, str):
        raise GraphqlError("The body must be an object with a query.")
    variables = asked.get("variables")
    return read_operation(query, variables if isinstance(variables, dict) else {})


def _fields(operation: Operation) -> tuple[Field, ...]:
    names = {field.name for field in operation.fields}
    if operation.kind != "mutation" or names != {FIELD}:
        raise GraphqlError(f"Not emulated: of GraphQL only the mutation {FIELD} is served.")
    if len(operation.fields) != 1:
        raise GraphqlError(f"{FIELD} is answered once in a request.")
    return operation.fields


def _wish(arguments: Mapping[str, object]) -> OfflineWish:
    wanted = arguments.get("input")
    if not isinstance(wanted, dict) or wanted.keys() != {"contextIds", "userId"}:
        raise GraphqlError(f"{FIELD} needs input: {{contextIds, userId}}.")
    contexts, user = wanted["contextIds"], wanted["userId"]
    if not isinstance(user, str) or not isinstance(contexts, list):
        raise GraphqlError("contextIds is a list of texts, userId a text.")
    named = tuple(one for one in contexts if isinstance(one, str))
    if len(named) != len(contexts):
        raise GraphqlError("contextIds is a list of texts, userId a text.")
    return OfflineWish(named, user.removeprefix(_USER_ARI))


def _no_data(message: str) -> JiraResponse:
    return json_response({"data": None, "errors": [{"message": message}]}, 400)


def _record(handing: Handing, refusal: Decision | None) -> AuditRecord:
    record = AuditRecord(
        kind="http",
        allowed=True,
        rule="act.offline-token",
        message=f"a token of {handing.account_id}",
        app_id=handing.app_id,
        installation_id=handing.installation_id,
        account_id=handing.account_id,  # whom it wants to act as; no site is asked yet
        method="POST",
        path=PATH,
        status=200,
        detail={"scopes": sorted(handing.scopes)},
    )
    if refusal is None:
        return record
    return replace(record, allowed=False, rule=refusal.rule, message=refusal.message)


def _unknown(request: JiraRequest) -> AuditRecord:
    return AuditRecord(
        kind="http",
        allowed=False,
        rule="credential.system-token",
        model="anonymous",
        method=request.method[:16],
        path=PATH,
        status=401,
    )
