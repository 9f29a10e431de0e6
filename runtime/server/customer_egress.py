"""An administrator approves what one installation of an app may reach, and takes it back.

Source:
    Forge documentation, "Customer-managed egress and remotes API": who may, what is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runtime.audit.trail import AuditRecord
from runtime.database import writing
from runtime.errors import InstallationError
from runtime.identity.accounts import Account
from runtime.installation.model import AppVersion, Installation
from runtime.policy.customer_egress import (
    Choices,
    EgressEntry,
    EgressGroup,
    check_group,
    configurable_remotes,
    find_configurable,
    is_configurable,
    read_domain,
)
from runtime.policy.customer_remotes import read_endpoint
from runtime.policy.decision import Decision
from runtime.server.admins import require_site_admin

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick


@dataclass(frozen=True, slots=True)
class RemoteStanding:
    """A remote that a customer may configure, as it stands.

    Attributes:
        key: Of the remote.
        name: What the app calls it.
        description: What it is for.
        patterns: What its address must fit; any if empty.
        default: The manifest's address; empty if it has none.
        endpoint: The customer's; None if none was set.
    """

    key: str
    name: str
    description: str
    patterns: tuple[str, ...]
    default: str
    endpoint: str | None


@dataclass(frozen=True, slots=True)
class Custody:
    """One installation, and who changes what its customer chose.

    Attributes:
        firebrick: The state.
        installation: The installation.
        admin: Who asks; holds *Administer Jira* on its site.
    """

    firebrick: "Firebrick"
    installation: Installation
    admin: Account

    @classmethod
    def of(
        cls, firebrick: "Firebrick", version: AppVersion, cloud_id: str, admin: Account
    ) -> "Custody":
        """Return the custody of an app on a site.

        Raises:
            InstallationError: ``NOT_INSTALLED``, ``NOT_SITE_ADMIN``.
        """
        installation = firebrick.apps.find_installation(version, cloud_id)
        require_site_admin(firebrick.engine, cloud_id, admin)
        return cls(firebrick, installation, admin)

    def set_group(self, key: str, description: str, entries: Sequence[EgressEntry]) -> EgressGroup:
        """Approve a group of domains and return it as it is kept.

        Raises:
            InstallationError: ``EGRESS_NOT_CONFIGURABLE`` if the manifest does not let customers
                add addresses, ``EGRESS_GROUP`` for a group that cannot be added.
        """
        if not is_configurable(manifest_of(self.firebrick, self.installation)):
            raise InstallationError(
                "EGRESS_NOT_CONFIGURABLE",
                "The app does not let customers add addresses: its manifest says nothing of "
                "permissions.external.configurable.enabled: true.",
            )
        read = tuple(EgressEntry(_domain(one.domain), one.types) for one in entries)
        group = EgressGroup(key, description.strip(), read)
        with writing(self.firebrick.engine) as connection:
            present = self.firebrick.egress_groups.find(self.installation.id, connection).groups
            fault = check_group(group, [one for one in present if one.key != key])
            if fault is not None:
                raise InstallationError("EGRESS_GROUP", fault)
            self.firebrick.egress_groups.set(
                connection, self.installation.id, group, self.admin.account_id
            )
            shown = {one.domain: list(one.types) for one in group.entries}
            record = self._record("egress.group-set", key, {"domains": shown})
            self.firebrick.audit.append_in(connection, record)
        return group

    def remove_group(self, key: str) -> bool:
        """Take a group back; return whether there was one."""
        with writing(self.firebrick.engine) as connection:
            removed = self.firebrick.egress_groups.remove(connection, self.installation.id, key)
            if removed:
                record = self._record("egress.group-removed", key, {})
                self.firebrick.audit.append_in(connection, record)
        return removed

    def remove_domain(self, key: str, domain: str, type_: str | None = None) -> bool:
        """Take a domain of a group back, or one type of it; return whether it was there.

        A group without domains is removed.

        Differs:
            What the platform does with a group that has lost its last domain is not known.
        """
        named = read_domain(domain) or domain
        groups = self.firebrick.egress_groups
        with writing(self.firebrick.engine) as connection:
            present = groups.find(self.installation.id, connection).groups
            group = next((one for one in present if one.key == key), None)
            if group is None or (left := group.without(named, type_)) == group:
                return False
            if left.entries:
                groups.set(connection, self.installation.id, left, self.admin.account_id)
            else:
                groups.remove(connection, self.installation.id, key)
            taken: dict[str, object] = {"domain": named, "types": [type_] if type_ else "all"}
            record = self._record("egress.domain-removed", key, taken)
            self.firebrick.audit.append_in(connection, record)
        return True

    def set_endpoint(self, remote: str, url: str) -> str:
        """Say where a remote is, and return the address as it is kept.

        Raises:
            InstallationError: ``REMOTE_NOT_CONFIGURABLE`` if the manifest does not let customers
                say that, ``REMOTE_ENDPOINT`` for an address where it cannot be.
        """
        said = find_configurable(manifest_of(self.firebrick, self.installation), remote)
        if said is None:
            raise InstallationError(
                "REMOTE_NOT_CONFIGURABLE",
                f"The app does not let customers say where {remote[:80]!r} is: its manifest has no "
                "remote of that key with configurable, or says nothing of "
                "permissions.external.configurable.enabled: true.",
            )
        endpoint = read_endpoint(url, said)
        if isinstance(endpoint, Decision):
            raise InstallationError("REMOTE_ENDPOINT", endpoint.message)
        with writing(self.firebrick.engine) as connection:
            self.firebrick.egress_groups.set_endpoint(
                connection, self.installation.id, remote, endpoint, self.admin.account_id
            )
            record = self._record("remote.endpoint-set", remote, {"endpoint": endpoint})
            self.firebrick.audit.append_in(connection, record)
        return endpoint

    def reset_endpoint(self, remote: str) -> bool:
        """Let the manifest's address of a remote count again; return whether another one did."""
        with writing(self.firebrick.engine) as connection:
            reset = self.firebrick.egress_groups.reset_endpoint(
                connection, self.installation.id, remote
            )
            if reset:
                record = self._record("remote.endpoint-reset", remote, {})
                self.firebrick.audit.append_in(connection, record)
        return reset

    def _record(self, rule: str, path: str, detail: Mapping[str, object]) -> AuditRecord:
        return AuditRecord(
            kind="install",
            allowed=True,
            rule=rule,
            app_id=self.installation.app_id,
            installation_id=self.installation.id,
            cloud_id=self.installation.cloud_id,
            account_id=self.admin.account_id,
            path=path,
            detail=detail,
        )


def manifest_of(firebrick: "Firebrick", installation: Installation) -> Mapping[str, object]:
    """Return the manifest of the version that an installation runs."""
    running = firebrick.apps.running_version(installation)
    return firebrick.images.manifest(running).sections


def choices_of(firebrick: "Firebrick", version: AppVersion, cloud_id: str) -> Choices:
    """Return what the customer chose for an app on a site.

    Raises:
        InstallationError: ``NOT_INSTALLED``.
    """
    return firebrick.egress_groups.find(firebrick.apps.find_installation(version, cloud_id).id)


def list_remotes(firebrick: "Firebrick", installation: Installation) -> tuple[RemoteStanding, ...]:
    """Return the remotes of an installation that its customer may configure."""
    endpoints = firebrick.egress_groups.find(installation.id).endpoints
    return tuple(
        _standing(one, endpoints)
        for one in configurable_remotes(manifest_of(firebrick, installation))
    )


def _standing(remote: Mapping[str, object], endpoints: Mapping[str, str]) -> RemoteStanding:
    said, key = remote["configurable"], str(remote.get("key", ""))
    told = said if isinstance(said, Mapping) else {}
    base = remote.get("baseUrl", "")
    return RemoteStanding(
        key=key,
        name=str(told.get("name", "")),
        description=str(told.get("description", "")),
        patterns=tuple(map(str, told.get("supportedPatterns") or ())),
        default=str(base.get("default", "") if isinstance(base, Mapping) else base),
        endpoint=endpoints.get(key),
    )


def _domain(text: str) -> str:
    domain = read_domain(text)
    if domain is None:
        raise InstallationError(
            "EGRESS_GROUP",
            f"{text[:200]!r} cannot be added: name a host behind https, such as api.example.com, "
            "api.example.com:8443 or *.example.com, or * for every address.",
        )
    return domain
