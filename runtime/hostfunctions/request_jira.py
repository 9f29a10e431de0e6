"""``requestJira``: the one door to the product."""

import logging
import threading

from runtime.errors import ForgeError, StateError
from runtime.gateway.gateway import Gateway
from runtime.gateway.values import Caller, CallReport
from runtime.hostfunctions.codec import decode_request, encode_error, encode_reply

log = logging.getLogger(__name__)


class RequestJira:
    """Host function bound to one invocation.

    The guest names a route and a body. Who is asking comes from `caller`, fixed before the guest
    ran: no argument of the guest can change it.

    Args:
        gateway: Decides and sends.
        caller: Who is asking.
    """

    name = "requestJira"

    def __init__(self, gateway: Gateway, caller: Caller) -> None:
        self._gateway = gateway
        self._caller = caller
        self._reports: list[CallReport] = []
        self._lock = threading.Lock()

    def __call__(self, raw: bytes) -> bytes:
        """Answer one guest request; errors leave as bytes, never as exceptions.

        The wasm binding keeps a raised exception in one process-wide slot, from which another
        invocation's concurrent call may pick it up.
        """
        try:
            reply, report = self._gateway.send(self._caller, decode_request(raw))
            with self._lock:
                self._reports.append(report)
            return encode_reply(reply)
        except StateError as error:  # its message names files of the host
            log.error("requestJira: %s", error.message)  # noqa: TRY400  # the message says all
            return encode_error("INTERNAL", "The host failed.")
        except ForgeError as error:
            return encode_error(error.code, error.message)
        except Exception:
            log.exception("requestJira failed inside the host")
            return encode_error("INTERNAL", "The host failed.")

    @property
    def reports(self) -> tuple[CallReport, ...]:
        """Return what each call came to, in the order they ended."""
        with self._lock:
            return tuple(self._reports)
