"""What every door of a guest requires, refused by a rule where it does not hold."""

from typing import TypeVar

from runtime.errors import DeniedError
from runtime.gateway.values import Caller
from runtime.installation.model import LiveGrant
from runtime.installation.store import InstallationStore
from runtime.policy.decision import Decision

_T = TypeVar("_T")


def require(result: _T | Decision) -> _T:
    """Return a value; a decision in its place is a refusal.

    Raises:
        DeniedError: By the decision's rule.
    """
    if isinstance(result, Decision):
        raise DeniedError(result.rule, result.message)
    return result


def live_grant(installations: InstallationStore, caller: Caller) -> LiveGrant:
    """Return what an installation has at this moment (I4).

    Raises:
        DeniedError: ``installation.ended`` if it is not on the caller's site any more.
    """
    grant = installations.find_live_grant(caller.installation_id)
    if grant is None or grant.installation.cloud_id != caller.cloud_id:
        raise DeniedError("installation.ended", "The app is not installed on this site any more.")
    return grant
