"""``fetch``: external egress. Nothing leaves the machine; each attempt is refused and audited."""

import logging

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.errors import ForgeError
from runtime.gateway.values import Caller, ProductReply
from runtime.hostfunctions.codec import decode_fetch, encode_error, encode_reply

log = logging.getLogger(__name__)


class Fetch:
    """Host function bound to one invocation: the door to other hosts, which stays shut.

    The answer is the platform's for a host that is not allowed. Declared hosts are refused too, by
    a rule of its own, because no egress is emulated yet.

    Args:
        audit: Gets one record a call.
        caller: Who is asking.
        declared: External addresses the manifest declares, as ``kind address``.

    Differs:
        The platform lets declared hosts through.
    """

    name = "fetch"

    def __init__(self, audit: AuditTrail, caller: Caller, declared: tuple[str, ...]) -> None:
        self._audit = audit
        self._caller = caller
        self._declared = declared

    def __call__(self, raw: bytes) -> bytes:
        """Refuse one guest request; errors leave as bytes, never as exceptions."""
        try:
            method, url = decode_fetch(raw)
            self._record(method, url)
        except ForgeError as error:
            return encode_error(error.code, error.message)
        except Exception:
            log.exception("fetch failed inside the host")
            return encode_error("INTERNAL", "The host failed.")
        return encode_reply(
            ProductReply(403, (("forge-proxy-error", "REQUEST_EGRESS_ALLOWLIST_ERR"),), b"")
        )

    def _record(self, method: str, url: str) -> None:
        self._audit.append(
            AuditRecord(
                kind="egress",
                allowed=False,
                rule="egress.not-emulated" if self._declared else "egress.undeclared",
                message="External requests are not emulated: nothing leaves this machine."
                if self._declared
                else "The manifest declares no external address (permissions.external.fetch).",
                invocation_id=self._caller.invocation_id,
                app_id=self._caller.app_id,
                installation_id=self._caller.installation_id,
                cloud_id=self._caller.cloud_id,
                account_id=self._caller.account_id,
                method=method,
                path=url[:2048],
                status=403,
            )
        )
