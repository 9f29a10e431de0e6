"""The Forge proxy over HTTP: the managed door for app code that runs outside of the sandbox.

What is asked here goes through the same gateway and the same egress rules as what a guest asks.
The only thing decided here is which invocation asks: a token names it, and nothing else does.

Source:
    The runtime wrapper's calls as third parties measured them: ``/fpp/provider/…`` with
    ``forge-proxy-target`` and ``forge-proxy-authorization``; "Forge Containers reference: API
    contract" for ``/jira/…`` below the egress proxy.

Differs:
    On the platform only the app's own container reaches its egress proxy, and an invocation id is
    all that it shows there. Here any process of the machine might, so the URL itself holds the
    token.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import unquote, urlencode

from pydantic import SecretStr

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.errors import ForgeError, StateError
from runtime.gateway.gateway import Gateway
from runtime.gateway.outside import ExternalCall, Outside
from runtime.gateway.values import Caller, ProductCall
from runtime.hostfunctions.codec import decode_fetch
from runtime.hostfunctions.fetch import Egress, Fetch, FetchAnswer
from runtime.installation.model import LiveGrant
from runtime.installation.store import InstallationStore
from runtime.jira.responses import gateway_refusal
from runtime.policy.customer_approval import Approved, approved_by
from runtime.policy.customer_egress import Choices
from runtime.policy.impersonation import ActAs
from runtime.tokens.handed import HandedToken, HandedTokens, Handing
from runtime.wire import JiraRequest, JiraResponse

PREFIX = "/fpp/"
CONTAINER_PREFIX = "/fpp/container/"
EGRESS_PATH = "/egress"
GRAPHQL = "graphql"
MAX_NAME_CHARACTERS = 128  # of a product or an account id, as at the guest's door

TARGET = "forge-proxy-target"
AUTHORIZATION = "forge-proxy-authorization"
REDIRECT = "forge-proxy-redirect"
ERROR = "forge-proxy-error"

_PROVIDER = re.compile(
    r"/fpp/provider/(app|user|none)/(?:remote/([^/]{1,128})|contextAri/(ari:[a-z:]{1,99}/[^/]{1,99}))"
    r"(?:/account/([^/]{1,128}))?"
)
_CONTEXT = re.compile(r"/fpp/provider/(app|user|none)/contextAri/(.*)", re.DOTALL)
_NO_ARI = "ari:?"  # before what is no ARI, so that it is never taken for a product or a site
_ACTS: Mapping[str, ActAs] = {"app": "app", "user": "user", "none": "none"}
_CLAIM = re.compile(r"(as|id|installationId|accountId)=([^\s,=]{1,128})")
_INSTALLATION_ARI = "ari:cloud:ecosystem::installation/"
_TRANSPORT = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive",
    "sec-fetch-mode", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
})  # fmt: skip
"""Headers of the hop to this server, which an HTTP client sends by itself."""

_FETCH_STATUS = {"BAD_REQUEST": 400, "DENIED": 403}
_NO_ANSWER = 502  # RFC 9110, Bad Gateway: nothing usable came from outside


class Graphql(Protocol):
    """What answers GraphQL requests of an app that proved which one it is."""

    def answer(self, request: JiraRequest, app: Handing) -> JiraResponse:
        """Answer one request."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a container says of a request.

    Attributes:
        act_as: As whom it asks.
        account_id: Whom it impersonates; None for nobody.
        invocation_id: The invocation; None if it names the installation alone.
        installation_id: The installation; None if it names the invocation alone.
    """

    act_as: ActAs
    account_id: str | None
    invocation_id: str | None
    installation_id: str | None

    def fit(self, handing: Handing) -> bool:
        """Return whether the claims are about the invocation that the token names."""
        mine = (handing.invocation_id, handing.installation_id)
        wanted = (self.invocation_id or mine[0], self.installation_id or mine[1])
        return wanted == mine


class ForgeProxy:
    """Serves the proxy's paths.

    Args:
        handed: Knows which invocation a token names.
        gateway: Decides and sends product requests.
        installations: Knows what a manifest declares of egress.
        audit: Gets one record for each request that gets no further than here.
        clock: Measures durations.
        egress: Returns what stands outside.
        outside: The real network, for hosts that a human allowed.
        graphql: Answers ``graphql`` below the egress proxy.
        chosen: Returns what a customer chose for an installation.
    """

    def __init__(
        self,
        *,
        handed: HandedTokens,
        gateway: Gateway,
        installations: InstallationStore,
        audit: AuditTrail,
        clock: Clock,
        egress: Callable[[], Egress],
        outside: Outside,
        graphql: Graphql,
        chosen: Callable[[str], Choices],
    ) -> None:
        self._handed = handed
        self._gateway = gateway
        self._installations = installations
        self._audit = audit
        self._clock = clock
        self._egress = egress
        self._outside = outside
        self._graphql = graphql
        self._chosen = chosen

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a request to the proxy; None for any other path."""
        if request.path.startswith(CONTAINER_PREFIX):
            return self._container(request)
        if request.path != EGRESS_PATH and not request.path.startswith(PREFIX):
            return None
        held = self._find(_bearer(request))
        if held is None:
            return self._refused(request, "credential.proxy-token")
        if request.path == EGRESS_PATH:
            return self._fetch(request, held)
        return self._provider(request, unquote(request.path), _caller(held))

    def _provider(self, request: JiraRequest, path: str, caller: Caller) -> JiraResponse:
        match, target = _PROVIDER.fullmatch(path), request.headers.get(TARGET, "")
        if match is not None:
            call = _call(request, target, _ACTS[match[1]], match[4])
            return self._send(replace(call, remote=match[2] or match[3]), caller)
        context = _CONTEXT.fullmatch(path)
        if context is None:
            return _not_emulated()
        call = _call(request, target, _ACTS[context[1]], None)
        remote = f"{_NO_ARI}{context[2][:MAX_NAME_CHARACTERS]}"
        return self._send(replace(call, remote=remote), caller)

    def _container(self, request: JiraRequest) -> JiraResponse:
        token, _, rest = request.path.removeprefix(CONTAINER_PREFIX).partition("/")
        held = self._find(token)
        if held is None:
            return self._refused(request, "credential.proxy-token")
        claims = parse_claims(request.headers.get(AUTHORIZATION, ""))
        if claims is None or not claims.fit(held.handing):
            return self._refused(request, "credential.proxy-claims")
        if rest == GRAPHQL:
            return self._graphql_as(request, claims, held)
        product, slash, path = rest.partition("/")
        if not slash:
            return _not_emulated()
        query = f"?{urlencode(request.query)}" if request.query else ""
        call = _call(request, f"/{path}{query}", claims.act_as, claims.account_id)
        caller = _caller(held)
        if claims.invocation_id is None:  # an installation has no user
            caller = replace(caller, account_id=None)
        return self._send(replace(call, remote=product[:MAX_NAME_CHARACTERS]), caller)

    def _graphql_as(self, request: JiraRequest, claims: Claims, held: HandedToken) -> JiraResponse:
        if claims.act_as != "app":
            return self._refused(request, "credential.proxy-claims")
        return self._graphql.answer(request, held.handing)

    def _find(self, token: str | None) -> HandedToken | None:
        return None if token is None else self._handed.find(SecretStr(token), ("proxy",))

    def _send(self, call: ProductCall, caller: Caller) -> JiraResponse:
        reply, _ = self._gateway.send(caller, call)
        return JiraResponse(reply.status, reply.headers, reply.body, rule="edge")

    def _fetch(self, request: JiraRequest, held: HandedToken) -> JiraResponse:
        grant = self._installations.find_live_grant(held.handing.installation_id)
        door = Fetch(
            self._audit,
            _caller(held),
            () if grant is None else grant.egress,
            clock=self._clock,
            egress=self._egress(),
            outside=self._outside,
            approved=lambda: self._approved_for(grant),
        )
        try:
            return _fetched(door.answer(_external_call(request)))
        except StateError:
            raise
        except ForgeError as error:
            return _not_fetched(error)

    def _approved_for(self, grant: LiveGrant | None) -> Iterable[Approved]:
        if grant is None:
            return ()
        version = self._installations.find_version(grant.installation.version_id)
        if version is None:
            return ()
        return approved_by(self._chosen(grant.installation.id), json.loads(version.manifest_text))

    def _refused(self, request: JiraRequest, rule: str) -> JiraResponse:
        path = request.path
        if path.startswith(CONTAINER_PREFIX):
            path = f"{CONTAINER_PREFIX}***"
        self._audit.append(
            AuditRecord(
                kind="http",
                allowed=False,
                rule=rule,
                model="anonymous",
                method=request.method[:16],
                path=path[:2048],
                status=401,
            )
        )
        return gateway_refusal(rule, headers=((ERROR, "INVALID_PROXY_TOKEN"),))


def parse_claims(header: str) -> Claims | None:
    """Return what ``forge-proxy-authorization: Forge …`` says; None if it is not one claim each.

    An invocation or an installation must be named, and somebody to impersonate only as a user.
    Without ``as`` the request is made as nobody.
    """
    scheme, _, text = header.partition(" ")
    matches = [_CLAIM.fullmatch(part.strip()) for part in text.split(",")]
    found = {match[1]: match[2] for match in matches if match is not None}
    if scheme != "Forge" or len(found) != len(matches):
        return None
    act_as, account_id = _ACTS.get(found.get("as", "none")), found.get("accountId")
    if act_as is None or found.get("as") == "none" or not found.keys() & {"id", "installationId"}:
        return None
    if account_id is not None and act_as != "user":
        return None
    installation = found.get("installationId")
    if installation is not None:
        installation = installation.removeprefix(_INSTALLATION_ARI)
    return Claims(act_as, account_id, found.get("id"), installation)


def _bearer(request: JiraRequest) -> str | None:
    scheme, _, token = request.headers.get(AUTHORIZATION, "").partition(" ")
    return token if scheme == "Bearer" else None


def _caller(held: HandedToken) -> Caller:
    handing = held.handing
    return Caller(
        invocation_id=handing.invocation_id or "",
        app_id=handing.app_id,
        installation_id=handing.installation_id,
        cloud_id=handing.cloud_id,
        app_account_id=held.app_account_id,
        account_id=handing.account_id,
    )


def _call(request: JiraRequest, path: str, act_as: ActAs, account: str | None) -> ProductCall:
    return ProductCall(
        path=_text(path),
        method=request.method,
        headers=tuple(_headers(request)),
        body=request.body or None,
        act_as=act_as,
        account_id=account,
    )


def _headers(request: JiraRequest) -> list[tuple[str, str]]:
    """Return what the app itself may have set; the gateway decides what of it crosses."""
    return [
        (name, value)
        for name, value in request.headers.items()
        if name not in _TRANSPORT and not name.startswith("forge-proxy-")
    ]


def _text(value: str) -> str:
    """Return a header's value as text: UTF-8 where it is that, else as it stands."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _external_call(request: JiraRequest) -> ExternalCall:
    """Return the request to the outside, read by the reader of the guest's door.

    Raises:
        ForgeError: ``BAD_REQUEST``.
    """
    asked: dict[str, object] = {
        "url": _text(request.headers.get(TARGET, "")),
        "method": request.method,
        "headers": _headers(request),
        "redirect": request.headers.get(REDIRECT, "follow"),
    }
    if request.body:
        asked |= {"body": base64.b64encode(request.body).decode(), "bodyEncoding": "base64"}
    return decode_fetch(json.dumps(asked).encode())


def _fetched(answer: FetchAnswer) -> JiraResponse:
    headers = list(answer.reply.headers)
    if answer.url is not None:
        headers.append(("forge-proxy-url", answer.url))
    if answer.redirected:
        headers.append(("forge-proxy-redirected", "true"))
    return JiraResponse(answer.reply.status, tuple(headers), answer.reply.body, rule="edge")


def _not_fetched(error: ForgeError) -> JiraResponse:
    body = {"code": error.code, "message": error.message}
    status = _FETCH_STATUS.get(error.code, _NO_ANSWER)
    headers = (("content-type", "application/json"), (ERROR, "FUNCTION_FETCH_ERR"))
    return JiraResponse(status, headers, json.dumps(body).encode(), rule="edge")


def _not_emulated() -> JiraResponse:
    """Answer a capability of the platform's proxy that is not built."""
    answer = gateway_refusal("remote.not-emulated", "Not emulated yet.", 501)
    return replace(answer, headers=(*answer.headers, (ERROR, "NOT_EMULATED")))
