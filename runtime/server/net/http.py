"""HTTP in and out of the product: one ASGI application, adapted in one place.

The site's paths are served at the root, the gateway's below ``/ex/jira/{cloudId}``; which of them
answer under which name says `runtime.server.hosts`.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import replace
from typing import Any, Protocol

import anyio.to_thread

from runtime.audit.trail import AuditRecord, AuditTrail, redact
from runtime.clock import Clock
from runtime.errors import StateError
from runtime.policy.decision import Decision
from runtime.policy.target import Target, parse_target
from runtime.server.forge.contexts import open_context
from runtime.server.hosts import GATEWAY_PREFIX, KEYS_PREFIX, OWN_PATHS, Hosts, Place
from runtime.server.net.cors import is_shared, preflight, readable
from runtime.wire import Host, JiraRequest, JiraResponse, Shown

log = logging.getLogger(__name__)

# The ASGI specification types messages and scopes as mappings of anything.
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY_BYTES = 10 * 1024 * 1024  # as the platform's default limit on attachments and bodies
MAX_LOGGED_CHARACTERS = 256
UNAVAILABLE = {
    "errorMessages": ["The server's state cannot be used at the moment; its log says why."],
    "errors": {},
}


class Product(Protocol):
    """What answers Jira requests."""

    def handle(self, request: JiraRequest) -> JiraResponse:
        """Answer one request."""


Edge = Callable[[JiraRequest], JiraResponse | None]
"""What stands before the product on the site's host: answers a path of its own, or returns None.

It runs in a worker thread, on a request whose ``Host``, path and size have been checked.
"""


class JiraHttp:
    """ASGI application of the product.

    Args:
        product: Answers requests.
        hosts: Which names this server answers to, and with what. Any other ``Host`` is refused, so
            that a web page cannot reach this server under a name of its own.
        audit: Gets one record a request.
        clock: Measures durations.
        edges: Asked in turn before the product.
    """

    def __init__(
        self,
        product: Product,
        hosts: Hosts,
        audit: AuditTrail,
        clock: Clock,
        edges: Iterable[Edge] = (),
    ) -> None:
        self._product = product
        self._hosts = hosts
        self._audit = audit
        self._clock = clock
        self._edges = tuple(edges)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        body = await _read_body(receive)
        if body is None:
            await _send(send, scope, _plain(413, "Payload Too Large"))
            return
        response = await anyio.to_thread.run_sync(self._answer, scope, body)
        await _send(send, scope, response)

    def _answer(self, scope: Scope, body: bytes) -> JiraResponse:
        """Answer one request; what the state cannot do is 503, and the log says why."""
        try:
            return self._route(scope, body)
        except StateError as error:
            path = redact(_raw_target(scope).partition("?")[0][:MAX_LOGGED_CHARACTERS])
            log.error("503 to %s %r: %s", scope["method"], path, error.message)  # noqa: TRY400  # the message says all
            return _json(503, UNAVAILABLE)

    def _route(self, scope: Scope, body: bytes) -> JiraResponse:
        headers = _headers(scope)
        place = self._hosts.find(headers.get("host", ""))
        if place is None:
            return _plain(421, "Unknown Host: add it to FIREBRICK_ALLOWED_HOSTS.")
        target = parse_target(open_context(_raw_target(scope)))
        if isinstance(target, Decision):
            return _bad_path(scope, place, target)
        base = f"{scope['scheme']}://{headers.get('host', '')}"
        path = place.edge_path(target.path)
        if path is None or not is_shared(path):
            return self._place(scope, headers, place, target, base, body)
        answer = preflight(path, scope["method"], headers)
        if answer is None:
            answer = self._place(scope, headers, place, target, base, body)
        return readable(answer, path, headers)

    def _place(  # noqa: PLR0917  # one caller, which has all of them at hand
        self,
        scope: Scope,
        headers: dict[str, str],
        place: Place,
        target: Target,
        base: str,
        body: bytes,
    ) -> JiraResponse:
        path = place.edge_path(target.path)
        if path is not None and path.startswith(GATEWAY_PREFIX):
            return self._gateway(scope, headers, replace(target, path=path), base, body)
        wanted = target if path is None else replace(target, path=path)
        request = _request(scope, headers, wanted, "site", place.cloud_id, base, body)
        answer = None if path is None else self._ask_edges(request)
        if answer is None and place.role not in ("everything", "site"):
            return _not_here(place)
        return answer or self._ask(request)

    def _ask_edges(self, request: JiraRequest) -> JiraResponse | None:
        if request.path == "/_edge/tenant_info":
            return _json(200, {"cloudId": request.cloud_id})
        return next((answer for edge in self._edges if (answer := edge(request))), None)

    def _gateway(
        self, scope: Scope, headers: dict[str, str], target: Target, base: str, body: bytes
    ) -> JiraResponse:
        cloud_id, _, rest = target.path.removeprefix(GATEWAY_PREFIX).partition("/")
        if not self._hosts.has_site(cloud_id):
            return _json(404, {"code": 404, "message": "Not Found"})
        inner = Target("/" + rest, target.query)
        base = f"{base}{GATEWAY_PREFIX}{cloud_id}"
        return self._ask(_request(scope, headers, inner, "gateway", cloud_id, base, body))

    def _ask(self, request: JiraRequest) -> JiraResponse:
        return ask(self._product, self._audit, self._clock, request)


def ask(product: Product, audit: AuditTrail, clock: Clock, request: JiraRequest) -> JiraResponse:
    """Have the product answer a request, and write down what it decided."""
    started_s = clock.monotonic_s()
    try:
        response = product.handle(request)
    except StateError:
        raise
    except Exception:
        log.exception("%s %s failed inside the product", request.method, request.path)
        response = _json(500, {"errorMessages": ["Internal server error"], "errors": {}})
    audit.append(_record(request, response, clock.monotonic_s() - started_s))
    return response


def _request(  # noqa: PLR0917  # one call site each; a value class would only repeat JiraRequest
    scope: Scope,
    headers: dict[str, str],
    target: Target,
    host: Host,
    cloud_id: str,
    base_url: str,
    body: bytes,
) -> JiraRequest:
    return JiraRequest(
        method=scope["method"],
        path=target.path,
        query=target.query,
        headers=headers,
        body=body,
        cloud_id=cloud_id,
        host=host,
        base_url=base_url,
    )


def _record(request: JiraRequest, response: JiraResponse, elapsed_s: float) -> AuditRecord:
    return AuditRecord(
        kind="http",
        allowed=response.rule.startswith("allowed"),
        rule=response.rule,
        message="" if response.rule.startswith("allowed") else response.words(),
        model=response.model or "anonymous",
        app_id=response.app_id,
        cloud_id=request.cloud_id,
        account_id=response.account_id,
        method=request.method[:16],
        path=request.path[:2048],
        operation=response.operation_id,
        status=response.status,
        duration_ms=elapsed_s * 1000,
        detail={} if response.shown is None else shown_detail(response.shown),
    )


def shown_detail(shown: Shown) -> dict[str, object]:
    """Return what a record keeps of a credential."""
    kept: dict[str, object] = {"credential": shown.kind}
    if shown.id is not None:
        kept["credential_id"] = shown.id
    if shown.scopes is not None:
        kept["scopes"] = list(shown.scopes)
    return kept


def _headers(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def _raw_target(scope: Scope) -> str:
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.split(b"?", 1)[0].decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{path}?{query}" if query else path


async def _read_body(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(send: Send, scope: Scope, response: JiraResponse) -> None:
    body = b"" if scope["method"] == "HEAD" else response.body
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers]
    if response.status != 204:  # noqa: PLR2004  # RFC 9110: a 204 has no content
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _json(status: int, value: object) -> JiraResponse:
    body = json.dumps(value, separators=(",", ":")).encode()
    return JiraResponse(status, (("content-type", "application/json"),), body, rule="edge")


def _plain(status: int, text: str) -> JiraResponse:
    return JiraResponse(status, (("content-type", "text/plain"),), text.encode(), rule="edge")


def _bad_path(scope: Scope, place: Place, refusal: Decision) -> JiraResponse:
    if place.role == "keys" or _raw_target(scope).startswith(KEYS_PREFIX):
        return JiraResponse(404)  # an app must find nothing there that it could take for a key
    return _problem(400, refusal.message)


def _not_here(place: Place) -> JiraResponse:
    """Answer a path that a host of the platform does not have."""
    if place.role == "gateway":
        return _json(404, {"code": 404, "message": "Not Found"})
    if place.role == "keys":
        return JiraResponse(404)
    return _plain(404, f"Not here: {place.name} answers {OWN_PATHS[place.role]}.")


def _problem(status: int, detail: str) -> JiraResponse:
    body = json.dumps(
        {"type": "about:blank", "title": "Bad Request", "status": status, "detail": detail}
    )
    kind = "application/problem+json;charset=UTF-8"
    return JiraResponse(status, (("content-type", kind),), body.encode(), rule="edge")
