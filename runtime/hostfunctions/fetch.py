"""``fetch``: external egress, to declared hosts only; stubs answer unless a human allowed more."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.errors import DeniedError, ForgeError, StateError
from runtime.gateway.echoes import without_credentials
from runtime.gateway.outside import ExternalCall, ExternalReply, Outside, OutsideError
from runtime.gateway.values import Caller, ProductReply, facts_of
from runtime.hostfunctions.codec import decode_fetch, encode_error, encode_reply
from runtime.hostfunctions.redirects import next_call
from runtime.hostfunctions.stubs import FAULTS, MAX_DELAY_MS, EgressStub, find_stub
from runtime.policy.customer_approval import CUSTOMER, Approved, find_approved
from runtime.policy.decision import Decision
from runtime.policy.egress import (
    ExternalUrl,
    admitting_entry,
    decide_egress,
    host_matches,
    parse_external,
)
from runtime.policy.headers import filter_egress_answer, filter_egress_headers

log = logging.getLogger(__name__)

BACKEND = "fetch.backend "
MAX_REDIRECTS = 20  # Fetch Standard, "HTTP-redirect fetch"
MAX_AUDITED_CHARACTERS = 2048  # of a URL in the trail
_NOT_ALLOWED = ProductReply(403, (("forge-proxy-error", "REQUEST_EGRESS_ALLOWLIST_ERR"),), b"")


@dataclass(frozen=True, slots=True)
class FetchAnswer:
    """What a request came to.

    Attributes:
        reply: The answer, as the app may see it.
        url: Where it came from; None for the answer to an address that is not declared.
        redirected: Whether redirects led there.
    """

    reply: ProductReply
    url: str | None = None
    redirected: bool = False


@dataclass(frozen=True, slots=True)
class _Hop:
    """One request on the way: when it began, and which entry or approval let it pass."""

    begin_s: float
    by: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Egress:
    """What stands outside for one invocation.

    Attributes:
        stubs: Canned answers, in their order.
        allowed_hosts: Hosts of the real network that a human allowed; a leading ``*`` stands for
            any text.
        remotes: Base URL of an app's remote by its key, where a human said so.
    """

    stubs: tuple[EgressStub, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    remotes: Mapping[str, str] = field(default_factory=dict)


class Fetch:
    """Host function bound to one invocation: the door to other hosts.

    The manifest must declare the address, or an administrator have approved it; else the answer is
    the platform's for one that is not allowed. An address that passes is answered by the first stub
    that fits; by the real network only if its host was allowed by name; else the call fails and
    says how to add a stub. Every redirect is decided on anew.

    Args:
        audit: Gets one record for each request, redirects among them.
        caller: Who is asking.
        declared: External addresses the manifest declares, as ``kind address``.
        clock: Measures durations.
        egress: What stands outside.
        outside: The real network.
        approved: Returns what administrators approved as of now; asked where the manifest does not
            declare an address.
        pause: Waits for that many seconds: delays of stubs.
    """

    name = "fetch"

    def __init__(
        self,
        audit: AuditTrail,
        caller: Caller,
        declared: tuple[str, ...],
        *,
        clock: Clock,
        egress: Egress,
        outside: Outside,
        approved: Callable[[], Iterable[Approved]] = tuple,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._audit = audit
        self._caller = caller
        self._declared = tuple(
            one.removeprefix(BACKEND) for one in declared if one.startswith(BACKEND)
        )
        self._clock = clock
        self._egress = egress
        self._outside = outside
        self._approved = approved
        self._pause = pause

    def __call__(self, raw: bytes) -> bytes:
        """Answer one guest request; errors leave as bytes, never as exceptions."""
        try:
            return _encoded(self.answer(decode_fetch(raw)))
        except StateError as error:  # its message names files of the host
            log.error("fetch: %s", error.message)  # noqa: TRY400  # the message says all
            return encode_error("INTERNAL", "The host failed.")
        except ForgeError as error:
            return encode_error(error.code, error.message)
        except Exception:
            log.exception("fetch failed inside the host")
            return encode_error("INTERNAL", "The host failed.")

    def answer(self, call: ExternalCall) -> FetchAnswer:
        """Answer one request, and every redirect it leads to.

        Raises:
            ForgeError: There is no answer, or the request is refused.
        """
        for redirects in range(MAX_REDIRECTS + 1):
            begin_s = self._clock.monotonic_s()
            decision, by = self._decide(call.url)
            hop = _Hop(begin_s, by)
            target = parse_external(call.url)
            if not decision.allowed or isinstance(target, Decision):
                self._record(call, decision, hop, status=403)
                return FetchAnswer(_NOT_ALLOWED)
            reply = self._ask(target, call, hop)
            following = next_call(call, target, reply)
            if following is None:
                shown = filter_egress_answer(reply.headers)
                return FetchAnswer(
                    ProductReply(reply.status, shown, reply.body), target.url, redirects > 0
                )
            call = following
        raise ForgeError("FETCH_FAILED", "redirect count exceeded")

    def _decide(self, url: str) -> tuple[Decision, dict[str, object]]:
        """Decide by the manifest, then by what administrators approved; say which entry it was."""
        decision = decide_egress(self._declared, url)
        if decision.allowed:
            return decision, {"egress_entry": admitting_entry(self._declared, url)}
        if decision.rule != "egress.undeclared":
            return decision, {}
        by = find_approved(self._approved(), url)
        return (decision, {}) if by is None else (CUSTOMER, {by.kind: by.key})

    def _ask(self, target: ExternalUrl, call: ExternalCall, hop: _Hop) -> ExternalReply:
        headers = filter_egress_headers(call.headers)
        if isinstance(headers, Decision):
            raise self._refused(call, headers, hop)
        call = replace(call, url=target.url, headers=headers[0])
        if target.scheme not in ("http", "https"):
            rule, message = "egress.scheme", "fetch asks https and http addresses only."
            raise self._refused(call, Decision(False, rule, message), hop)
        stub = find_stub(self._egress.stubs, call.method.upper(), target.url, call.body)
        if stub is not None:
            return self._from_stub(stub, call, hop)
        if any(host_matches(one, target.host) for one in self._egress.allowed_hosts):
            return self._from_network(target, call, hop)
        decision = Decision(False, "egress.no-stub", _no_stub(target, call))
        self._record(call, decision, hop)
        raise ForgeError("EGRESS_NO_STUB", decision.message)

    def _from_stub(self, stub: EgressStub, call: ExternalCall, hop: _Hop) -> ExternalReply:
        self._pause(min(stub.delay_ms, MAX_DELAY_MS) / 1000)
        if stub.fault is not None:
            reason = FAULTS[stub.fault]
            self._record(call, Decision(True, "egress.stubbed", reason), hop)
            raise ForgeError("FETCH_FAILED", reason)
        self._record(call, Decision(True, "egress.stubbed"), hop, status=stub.status)
        return ExternalReply(stub.status, stub.headers, stub.body)

    def _from_network(self, target: ExternalUrl, call: ExternalCall, hop: _Hop) -> ExternalReply:
        try:
            reply = self._outside(target, call)
        except OutsideError as error:
            self._record(call, Decision(True, "egress.network", str(error)), hop)
            raise ForgeError("FETCH_FAILED", str(error)) from error
        if isinstance(reply, Decision):
            raise self._refused(call, reply, hop)
        message = f"answered by {reply.address}"
        self._record(call, Decision(True, "egress.network", message), hop, reply.status)
        return without_credentials(reply)[0]

    def _refused(self, call: ExternalCall, decision: Decision, hop: _Hop) -> DeniedError:
        self._record(call, decision, hop)
        return DeniedError(decision.rule, decision.message)

    def _record(
        self, call: ExternalCall, decision: Decision, hop: _Hop, status: int | None = None
    ) -> None:
        self._audit.append(
            AuditRecord(
                kind="egress",
                allowed=decision.allowed,
                rule=decision.rule,
                message=decision.message,
                **facts_of(self._caller),
                method=call.method,
                path=call.url[:MAX_AUDITED_CHARACTERS],
                status=status,
                duration_ms=(self._clock.monotonic_s() - hop.begin_s) * 1000,
                detail=dict(hop.by),
            )
        )


def _no_stub(target: ExternalUrl, call: ExternalCall) -> str:
    plain = target.url.partition("?")[0]
    return (
        f"No stub answers {call.method} {plain}, and nothing leaves this machine unasked. Add to "
        f"firebrick.yml under 'egress:' an entry with method: {call.method}, url: {plain} and "
        f"reply: {{status: 200, json: {{}}}}, or allow the real host: --allow-egress {target.host}."
    )


def _encoded(answer: FetchAnswer) -> bytes:
    if answer.url is None:
        return encode_reply(answer.reply)
    return encode_reply(answer.reply, url=answer.url, redirected=answer.redirected)
