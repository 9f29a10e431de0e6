"""``invokeRemote``: the door to an app's own servers."""

import logging
import time
from collections.abc import Callable, Mapping

from runtime.errors import DeniedError, ForgeError, StateError
from runtime.gateway.invocation_claims import Invocation
from runtime.gateway.outside import ExternalCall, ExternalReply, OutsideError
from runtime.gateway.remotes import Places, RemoteCall, RemoteGateway, Tokens
from runtime.gateway.values import Caller, ProductReply
from runtime.hostfunctions.codec import decode_remote, encode_error, encode_reply
from runtime.hostfunctions.fetch import Egress
from runtime.hostfunctions.stubs import FAULTS, MAX_DELAY_MS, find_stub
from runtime.manifest.model import Remote
from runtime.policy.egress import host_matches
from runtime.policy.headers import filter_egress_answer

log = logging.getLogger(__name__)

_INVALID = ProductReply(400, (("forge-proxy-error", "INVALID_REMOTE"),), b"")


def places_of(egress: Egress, pause: Callable[[float], object] = time.sleep) -> Places:
    """Return where remotes are: named by a person, stubbed by the world, or on the real network.

    Args:
        egress: What stands outside.
        pause: Waits for that many seconds: delays of stubs.
    """

    def canned(call: ExternalCall) -> ExternalReply | None:
        stub = find_stub(egress.stubs, call.method, call.url, call.body)
        if stub is None:
            return None
        pause(min(stub.delay_ms, MAX_DELAY_MS) / 1000)
        if stub.fault is not None:
            raise OutsideError(FAULTS[stub.fault])
        return ExternalReply(stub.status, stub.headers, stub.body)

    def allows(host: str) -> bool:
        return any(host_matches(one, host) for one in egress.allowed_hosts)

    return Places(egress.remotes, canned, allows)


def tokens_of(properties: Mapping[str, object]) -> Tokens:
    """Return which tokens the ``auth`` of a remote or an endpoint switches on."""
    auth = properties.get("auth")

    def enabled(name: str) -> bool:
        switch = auth.get(name) if isinstance(auth, Mapping) else None
        return isinstance(switch, Mapping) and switch.get("enabled") is True

    return Tokens(enabled("appSystemToken"), enabled("appUserToken"))


class InvokeRemote:
    """Host function bound to one invocation.

    The guest names a remote of the manifest and a path. Where that remote is, and what it is told
    of the invocation, is fixed before the guest ran.

    Args:
        gateway: Decides and sends.
        caller: Who is asking.
        invocation: What remotes are told of it.
        remotes: Remotes that the manifest declares, by key.
        places: Where they are.
    """

    name = "invokeRemote"

    def __init__(
        self,
        gateway: RemoteGateway,
        caller: Caller,
        invocation: Invocation,
        remotes: Mapping[str, Remote],
        places: Places,
    ) -> None:
        self._gateway = gateway
        self._caller = caller
        self._invocation = invocation
        self._remotes = remotes
        self._places = places

    def __call__(self, raw: bytes) -> bytes:
        """Answer one guest request; errors leave as bytes, never as exceptions."""
        try:
            return self._answer(decode_remote(raw))
        except DeniedError as error:
            if error.rule == "remote.undeclared":
                return encode_reply(_INVALID)
            return encode_error(error.code, error.message)
        except StateError as error:  # its message names files of the host
            log.error("invokeRemote: %s", error.message)  # noqa: TRY400  # the message says all
            return encode_error("INTERNAL", "The host failed.")
        except ForgeError as error:
            return encode_error(error.code, error.message)
        except Exception:
            log.exception("invokeRemote failed inside the host")
            return encode_error("INTERNAL", "The host failed.")

    def _answer(self, call: RemoteCall) -> bytes:
        remote = self._remotes.get(call.remote)
        tokens = Tokens() if remote is None else tokens_of(remote.properties)
        reply = self._gateway.send(
            self._caller, self._invocation, call, remote, tokens, self._places
        )
        headers = filter_egress_answer(reply.headers)
        return encode_reply(ProductReply(reply.status, headers, reply.body))
