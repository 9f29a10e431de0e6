"""Calls to an app's own servers (Forge Remote): decide, prove who asks, ask once, scrub, audit.

The app names a remote of its manifest and a path; where that is, what proves the platform, and
which tokens go along, is not the app's to say.

Source:
    Forge documentation, "Forge Remote essentials".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.errors import DeniedError, ForgeError
from runtime.gateway.echoes import without_credentials
from runtime.gateway.invocation_claims import Invocation
from runtime.gateway.outside import ExternalCall, ExternalReply, OutsideError
from runtime.gateway.requiring import live_grant, require
from runtime.gateway.values import Caller, facts_of
from runtime.ids import Ids
from runtime.installation.consents import ConsentStore
from runtime.installation.model import LiveGrant
from runtime.installation.store import InstallationStore
from runtime.manifest.model import Remote
from runtime.policy.consent import decide_consent
from runtime.policy.decision import Decision
from runtime.policy.egress import ExternalUrl
from runtime.policy.headers import filter_remote_headers
from runtime.policy.remotes import METHODS, parse_remote_base, parse_remote_target, remote_tokens
from runtime.tokens.handed import HandedKind, HandedTokens, Handing
from runtime.tokens.invocation_tokens import InvocationTokens

UI_TIMEOUT_S = 25.0
EVENT_TIMEOUT_S = 5.0
TOKEN_LIFETIME_S = 3_600.0  # the documentation promises 55 minutes at least
MAX_TOKEN_CHARACTERS = 12_288  # servers take 16 KiB of headers; tokens and an app's own are more
MAX_AUDITED_CHARACTERS = 2048  # of a URL in the trail
SPAN_BYTES = 8
UNAUTHORIZED = 401
FIT_REFUSED = "The remote answered 401: it did not accept the invocation token (FIT)."
REDIRECTS = range(300, 400)

Ask = Callable[[ExternalUrl, ExternalCall, float, bool], ExternalReply | Decision]
"""Asks a server within so many seconds; the flag says that a person named its address. It refuses
by the addresses the name resolves to, and raises `OutsideError` if there is no answer."""


@dataclass(frozen=True, slots=True)
class RemoteCall:
    """One request to a remote.

    Attributes:
        remote: Its key in the manifest, as the app wrote it.
        path: What is appended to its base URL; untrusted.
        method: HTTP method in upper case.
        headers: Name/value pairs; untrusted.
        body: Body bytes; None if there is none.
        timeout_s: How long it may take.
        attempt: Which attempt at an event it is, counted from 1; None for what is asked once.
    """

    remote: str
    path: str
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    timeout_s: float = UI_TIMEOUT_S
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Which tokens the manifest switches on: the app's own, the invoking user's."""

    system: bool = False
    user: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Where remotes are for one invocation, by the word of whoever runs the app.

    Attributes:
        named: Base URL by remote key, instead of the manifest's.
        canned: Returns a canned answer, or None if there is none for that request; it raises
            `OutsideError` where it stands for a failure.
        allows: Whether the real network may be asked for a host.
        chosen: Returns where the customer says that a remote is as of now, by its key; None if
            nowhere, or if that is not the customer's to say.
    """

    named: Mapping[str, str]
    canned: Callable[[ExternalCall], ExternalReply | None]
    allows: Callable[[str], bool]
    chosen: Callable[[str], str | None] = lambda _: None


@dataclass(slots=True)
class _Progress:
    """What is known of a call so far; the audit record tells it as it stands."""

    url: str
    rule: str = "remote.failed"
    status: int | None = None
    detail: dict[str, object] = field(default_factory=dict)


class RemoteGateway:
    """Asks remotes.

    Args:
        installations: Asked for the live grant on every call (I4).
        consents: Asked where an installation needs the consent of each user.
        handed: Makes the tokens that go along.
        tokens: Makes the token that proves the platform.
        audit: Gets one record a call (I11).
        clock: Measures durations.
        ids: Makes ids of spans.
        ask: The real network.
        api_url: What stands before ``/ex/jira/{cloudId}`` where remotes reach the gateway.
    """

    def __init__(
        self,
        *,
        installations: InstallationStore,
        consents: ConsentStore,
        handed: HandedTokens,
        tokens: InvocationTokens,
        audit: AuditTrail,
        clock: Clock,
        ids: Ids,
        ask: Ask,
        api_url: str,
    ) -> None:
        self._installations = installations
        self._consents = consents
        self._handed = handed
        self._tokens = tokens
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._ask = ask
        self._api_url = api_url.rstrip("/")

    def send(  # noqa: PLR0917  # who, what it is told, what, where, how: each fixed elsewhere
        self,
        caller: Caller,
        invocation: Invocation,
        call: RemoteCall,
        remote: Remote | None,
        tokens: Tokens,
        places: Places,
    ) -> ExternalReply:
        """Return a remote's answer, whatever its status but a redirect.

        Args:
            caller: Who asks, fixed before the app ran.
            invocation: What the remote is told of it.
            call: What is asked.
            remote: What the manifest declares under the call's key; None if nothing.
            tokens: What the manifest switches on.
            places: Where remotes are.

        Raises:
            DeniedError: The call is not allowed; its rule says why.
            ForgeError: ``REMOTE_NO_ADDRESS`` if nobody said where it is, ``REMOTE_REDIRECT``,
                ``REMOTE_TIMEOUT`` or ``REMOTE_UNREACHABLE``.
        """
        started_s = self._clock.monotonic_s()
        progress = _Progress(f"{call.remote}:{call.path}", detail={"remote": call.remote[:64]})
        if call.attempt is not None:
            progress.detail["attempt"] = call.attempt
        allowed, message = False, "The host failed."
        try:
            reply = self._exchange(caller, invocation, call, remote, tokens, places, progress)
        except DeniedError as error:
            progress.rule, message = error.rule, error.message
            raise
        except ForgeError as error:
            allowed, message = error.code in UNANSWERED, error.message
            raise
        else:
            allowed, message = reply.status != UNAUTHORIZED, ""
            if not allowed:
                progress.rule, message = "remote.unauthorized", FIT_REFUSED
            return reply
        finally:
            elapsed_s = self._clock.monotonic_s() - started_s
            self._record(caller, call, progress, _Verdict(allowed, message, elapsed_s))

    def _exchange(  # noqa: PLR0917  # one call site
        self,
        caller: Caller,
        invocation: Invocation,
        call: RemoteCall,
        remote: Remote | None,
        tokens: Tokens,
        places: Places,
        progress: _Progress,
    ) -> ExternalReply:
        if remote is None:
            raise DeniedError("remote.undeclared", f"The manifest has no remote {call.remote!r}.")
        if call.method not in METHODS:
            raise DeniedError("remote.method", f"A remote is not asked by {call.method!r}.")
        headers, dropped = require(filter_remote_headers(call.headers))
        if dropped:
            progress.detail["dropped_headers"] = sorted(set(dropped))
        grant = live_grant(self._installations, caller)
        named = places.named.get(remote.key)
        target = _target(remote, places, call.path, progress)
        progress.url = target.url
        outgoing = ExternalCall(target.url, call.method, headers, call.body, "error")
        if named is None:
            canned = _canned(places, outgoing, progress)
            if canned is not None:
                return _finished(canned, (), progress)
            if not places.allows(target.host):
                raise _no_address(remote, target, outgoing, progress)
        progress.rule = "remote.asked" if named is None else "remote.named"
        proofs = self._proofs(caller, invocation, tokens, grant, progress)
        outgoing = replace(
            outgoing,
            headers=(*headers, *self._trace(caller), *((name, text) for name, text, _ in proofs)),
        )
        reply = _asked(self._ask, target, outgoing, call.timeout_s, named=named is not None)
        return _finished(reply, tuple(secret for _, _, secret in proofs), progress)

    # ---------------------------------------------------------------------------- what goes along

    def _trace(self, caller: Caller) -> tuple[tuple[str, str], ...]:
        return (
            ("x-b3-traceid", caller.invocation_id.replace("-", "")),
            ("x-b3-spanid", self._ids.random_bytes(SPAN_BYTES).hex()),
        )

    def _proofs(
        self,
        caller: Caller,
        invocation: Invocation,
        tokens: Tokens,
        grant: LiveGrant,
        progress: _Progress,
    ) -> tuple[tuple[str, str, SecretStr], ...]:
        """Return the headers that carry credentials: name, value, and the secret in it."""
        api_base_url = f"{self._api_url}/ex/jira/{caller.cloud_id}"
        fit = self._tokens.mint(invocation.audience, invocation.claims(api_base_url))
        text = fit.get_secret_value()
        if len(text) > MAX_TOKEN_CHARACTERS:
            raise DeniedError(
                "remote.token-too-large",
                f"The invocation token has over {MAX_TOKEN_CHARACTERS} characters, more than "
                "servers take in a header: make the context smaller.",
            )
        proofs = [("authorization", f"Bearer {text}", fit)]
        in_force = grant.installation.granted & frozenset(grant.declared)
        system, user = remote_tokens(system=tokens.system, user=tokens.user, in_force=in_force)
        if system:
            proofs.append(self._along("system", caller, caller.app_account_id, in_force))
        if user and caller.account_id is not None:
            consent = self._consent(caller, caller.account_id, grant, in_force)
            if consent.allowed:
                proofs.append(self._along("user", caller, caller.account_id, in_force))
            else:
                progress.detail["withheld"] = {"x-forge-oauth-user": consent.rule}
        progress.detail["credentials"] = [name for name, _, _ in proofs]
        return tuple(proofs)

    def _along(
        self, kind: HandedKind, caller: Caller, account_id: str, scopes: frozenset[str]
    ) -> tuple[str, str, SecretStr]:
        handing = Handing(
            kind=kind,
            installation_id=caller.installation_id,
            app_id=caller.app_id,
            cloud_id=caller.cloud_id,
            account_id=account_id,
            scopes=scopes,
        )
        token = self._handed.issue(handing, TOKEN_LIFETIME_S)
        return f"x-forge-oauth-{kind}", token.get_secret_value(), token

    def _consent(
        self, caller: Caller, account_id: str, grant: LiveGrant, in_force: frozenset[str]
    ) -> Decision:
        asked = grant.installation.user_consent
        return decide_consent(
            asked=asked,
            acting_as_invoker=True,
            needed=in_force,
            consented=self._consents.find(caller.installation_id, account_id) if asked else None,
        )

    def _record(
        self, caller: Caller, call: RemoteCall, progress: _Progress, verdict: "_Verdict"
    ) -> None:
        self._audit.append(
            AuditRecord(
                kind="remote",
                allowed=verdict.allowed,
                rule=progress.rule,
                message=verdict.message,
                **facts_of(caller),
                method=call.method[:16],
                path=progress.url[:MAX_AUDITED_CHARACTERS].encode("utf-8", "replace").decode(),
                status=progress.status,
                duration_ms=verdict.elapsed_s * 1000,
                detail=progress.detail,
            )
        )


@dataclass(frozen=True, slots=True)
class _Verdict:
    allowed: bool
    message: str
    elapsed_s: float


UNANSWERED = frozenset({"REMOTE_TIMEOUT", "REMOTE_UNREACHABLE"})
"""Failures of a call that was allowed."""


def _target(remote: Remote, places: Places, path: str, progress: _Progress) -> ExternalUrl:
    """Return what is asked: where a person named, else where the customer chose, else declared."""
    named = places.named.get(remote.key)
    text = named if named is not None else places.chosen(remote.key)
    if text is not None and named is None:
        progress.detail["base_url"] = "customer"
    if text is None:
        text = remote.base_urls.get("default", "")
    if not text:
        raise DeniedError(
            "remote.unconfigured",
            f"Nobody has said where the remote {remote.key!r} is: the manifest has no base URL, "
            "and an administrator of the site may set one (firebrick remote set).",
        )
    base = require(parse_remote_base(text, named=named is not None))
    return require(parse_remote_target(base, path))


def _canned(places: Places, call: ExternalCall, progress: _Progress) -> ExternalReply | None:
    try:
        reply = places.canned(call)
    except OutsideError as error:
        progress.rule = "remote.stubbed"
        raise _unanswered(error) from error
    if reply is not None:
        progress.rule = "remote.stubbed"
    return reply


def _asked(
    ask: Ask, target: ExternalUrl, call: ExternalCall, timeout_s: float, *, named: bool
) -> ExternalReply:
    try:
        reply = ask(target, call, timeout_s, named)
    except OutsideError as error:
        raise _unanswered(error) from error
    return require(reply)


def _finished(
    reply: ExternalReply, sent: tuple[SecretStr, ...], progress: _Progress
) -> ExternalReply:
    progress.status = reply.status
    cleaned, found = without_credentials(reply, sent)
    if found:
        progress.detail["credentials_taken_out"] = found
    if reply.status in REDIRECTS:
        progress.rule = "remote.redirect"
        raise ForgeError(
            "REMOTE_REDIRECT",
            f"The remote answered {reply.status}: a redirect of a remote is not followed.",
        )
    return cleaned


def _unanswered(error: OutsideError) -> ForgeError:
    if str(error).startswith("ETIMEDOUT"):
        return ForgeError("REMOTE_TIMEOUT", f"The remote took too long. {error}")
    return ForgeError("REMOTE_UNREACHABLE", f"The remote gave no answer. {error}")


def _no_address(
    remote: Remote, target: ExternalUrl, call: ExternalCall, progress: _Progress
) -> ForgeError:
    progress.rule = "remote.no-address"
    plain = target.url.partition("?")[0]
    return ForgeError(
        "REMOTE_NO_ADDRESS",
        f"Nothing leaves this machine unasked. Say where the remote is: --remote "
        f"{remote.key}=http://127.0.0.1:PORT; or add to firebrick.yml under 'egress:' an entry "
        f"with method: {call.method}, url: {plain} and reply: {{status: 200, json: {{}}}}; or "
        f"allow the real host: --allow-egress {target.host}.",
    )
