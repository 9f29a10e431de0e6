"""Invocations whose code runs outside of the sandbox: opened, listed and closed.

Such an invocation has an id and a context like any other, and one credential: the token with which
its code may ask the Forge proxy. No access token leaves the host.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path

from pydantic import SecretStr

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.ids import Ids
from runtime.installation.model import AppVersion, Installation
from runtime.invocation.context import Facts, Target, build_runtime, find_target
from runtime.invocation.records import InvocationRecord, InvocationRecords
from runtime.invocation.scrubbing import Scrubber
from runtime.manifest.model import Manifest
from runtime.server.forge.proxy import CONTAINER_PREFIX
from runtime.tokens.handed import HandedTokens, Handing

WHOLE_APP = "outside"
"""What an invocation is called that was opened for no single function."""


@dataclass(frozen=True, slots=True)
class OutsideOrder:
    """What a person wants to run outside.

    Attributes:
        version: The version of the installation.
        installation: Where it runs.
        function: ``function`` or ``function:definition``; None for the app as a whole.
        account_id: Who invokes; None if no user does.
        site_url: Such as ``https://acme.atlassian.net``.
        lifetime_s: How long it may ask, in seconds.
    """

    version: AppVersion
    installation: Installation
    function: str | None
    account_id: str | None
    site_url: str
    lifetime_s: float


@dataclass(frozen=True, slots=True)
class OutsideInvocation:
    """An open invocation.

    Attributes:
        id: The invocation id.
        token: What its code shows to the proxy.
        expires_at_s: When the token ends, in seconds since 1970.
        runtime: Fields of ``__forge_runtime__``; no credential among them.
    """

    id: str
    token: SecretStr
    expires_at_s: float
    runtime: Mapping[str, object]

    def environment(self, proxy_url: str) -> dict[str, str]:
        """Return the environment variables that its process needs.

        Args:
            proxy_url: Where the server is, such as ``http://127.0.0.1:8080``.
        """
        token, proxy_url = self.token.get_secret_value(), proxy_url.rstrip("/")
        return {
            "FORGE_PROXY_URL": proxy_url,
            "FORGE_PROXY_TOKEN": token,
            "FORGE_EGRESS_PROXY_URL": f"{proxy_url}{CONTAINER_PREFIX}{token}",
            "FORGE_INVOCATION_ID": self.id,
            "FORGE_RUNTIME": json.dumps(self.runtime, separators=(",", ":")),
        }


class OutsideInvocations:
    """Opens, lists and closes invocations outside of the sandbox.

    Args:
        handed: Makes and revokes their tokens.
        read_manifest: Returns the manifest of a version.
        records: Gets one record for each.
        audit: Gets one record when one is opened, and one when it is closed.
        clock: The host's clock.
        ids: Makes invocation ids.
    """

    def __init__(
        self,
        *,
        handed: HandedTokens,
        read_manifest: Callable[[AppVersion], Manifest],
        records: InvocationRecords,
        audit: AuditTrail,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._handed = handed
        self._read_manifest = read_manifest
        self._records = records
        self._audit = audit
        self._clock = clock
        self._ids = ids

    def open(self, order: OutsideOrder) -> OutsideInvocation:
        """Open an invocation; its token is returned this once, and only its hash is kept.

        Raises:
            InvocationError: ``UNKNOWN_FUNCTION``.
        """
        target = self._target(order)
        facts = Facts(
            invocation_id=self._ids.uuid(),
            version=order.version,
            installation=order.installation,
            site_url=order.site_url,
            account_id=order.account_id,
        )
        runtime = build_runtime(target, facts, int(order.lifetime_s * 1000))
        token = self._write(order, facts)
        expires_at_s = self._clock.now_s() + order.lifetime_s
        return OutsideInvocation(facts.invocation_id, token, expires_at_s, runtime)

    def close(self, invocation_id: str) -> bool:
        """End an invocation: its token is dead at once. Return whether it was open."""
        mine = [one for one, _ in self._handed.list_open() if one.invocation_id == invocation_id]
        if not mine or not self._handed.revoke_invocation(invocation_id):
            return False
        self._audit.append(_record("invocation.closed", mine[0]))
        return True

    def list(self) -> tuple[tuple[Handing, float], ...]:
        """Return what is open, and when each ends, the oldest first."""
        return self._handed.list_open()

    def _target(self, order: OutsideOrder) -> Target:
        if order.function is None:
            return Target(WHOLE_APP, None, "", "function", None)
        return find_target(self._read_manifest(order.version), order.function)

    def _write(self, order: OutsideOrder, facts: Facts) -> SecretStr:
        """Write the record, the audit record and the token's hash at once, or none of them."""
        installation, version = order.installation, order.version
        handing = Handing(
            kind="proxy",
            installation_id=installation.id,
            app_id=version.app_id,
            cloud_id=installation.cloud_id,
            account_id=order.account_id,
            scopes=installation.granted,
            invocation_id=facts.invocation_id,
            function_key=order.function or WHOLE_APP,
        )
        now_s, tokens = self._clock.now_s(), list[SecretStr]()
        record = InvocationRecord(
            id=facts.invocation_id,
            app_id=version.app_id,
            app_name=version.name,
            environment=version.environment,
            function=order.function or WHOLE_APP,
            installation_id=installation.id,
            account_id=order.account_id,
            seed="",
            started_at_s=now_s,
            succeeded=True,
            code=None,
            logs=(),
            usage={},
            began_at_s=now_s,
        )
        opened = _record("invocation.opened", handing)
        self._records.append(
            record,
            Scrubber({}),
            self._audit,
            replace(opened, detail={"seconds": order.lifetime_s}),
            lambda connection: tokens.append(
                self._handed.issue(handing, order.lifetime_s, connection)
            ),
        )
        return tokens[0]


def preload_text() -> str:
    """Return the Node module that gives app code the platform's globals outside."""
    return (files("runtime.server.forge") / "js" / "forge_outside.cjs").read_text("utf-8")


def preload_path() -> Path:
    """Return where that module is."""
    with as_file(files("runtime.server.forge") / "js" / "forge_outside.cjs") as path:
        return path


def node_options(given: str, preload: Path) -> str:
    """Return ``NODE_OPTIONS`` with the module to be loaded first.

    Args:
        given: What the variable holds already.
        preload: The module.
    """
    return f'{given} --require "{preload}"'.strip()


def export_lines(environment: Mapping[str, str]) -> list[str]:
    """Return the environment as lines that a POSIX shell evaluates."""
    return [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]


def _record(rule: str, handing: Handing) -> AuditRecord:
    return AuditRecord(
        kind="invocation",
        allowed=True,
        rule=rule,
        message="runs outside of the sandbox",
        invocation_id=handing.invocation_id,
        app_id=handing.app_id,
        installation_id=handing.installation_id,
        cloud_id=handing.cloud_id,
        account_id=handing.account_id,
        path=handing.function_key,
    )
