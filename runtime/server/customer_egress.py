"""An administrator approves what one installation of an app may reach, and takes it back."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runtime.audit.trail import AuditRecord
from runtime.database import writing
from runtime.errors import InstallationError
from runtime.identity.accounts import Account
from runtime.installation.model import AppVersion, Installation
from runtime.policy.customer_egress import EgressGroup, check_group, is_configurable, read_address
from runtime.server.admins import require_site_admin

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick


def list_groups(
    firebrick: "Firebrick", version: AppVersion, cloud_id: str
) -> tuple[EgressGroup, ...]:
    """Return the groups of an installation.

    Raises:
        InstallationError: ``NOT_INSTALLED``.
    """
    installation = firebrick.apps.find_installation(version, cloud_id)
    return firebrick.egress_groups.list(installation.id)


def set_group(  # noqa: PLR0917  # who approves what for whom
    firebrick: "Firebrick",
    version: AppVersion,
    cloud_id: str,
    admin: Account,
    key: str,
    description: str,
    addresses: Sequence[str],
) -> EgressGroup:
    """Approve a group of addresses and return it as it is kept.

    Raises:
        InstallationError: ``NOT_INSTALLED``, ``NOT_SITE_ADMIN``, ``EGRESS_NOT_CONFIGURABLE`` if the
            manifest does not let customers add addresses, ``EGRESS_GROUP`` for a group that cannot
            be added.
    """
    installation = _approved(firebrick, version, cloud_id, admin)
    running = firebrick.apps.running_version(installation)
    if not is_configurable(firebrick.images.manifest(running).sections):
        raise InstallationError(
            "EGRESS_NOT_CONFIGURABLE",
            f"{version.name} does not let customers add addresses: its manifest says nothing of "
            "permissions.external.configurable.enabled: true.",
        )
    group = EgressGroup(key, description.strip(), tuple(dict.fromkeys(map(_read, addresses))))
    with writing(firebrick.engine) as connection:
        present = firebrick.egress_groups.list(installation.id, connection)
        fault = check_group(group, [one for one in present if one.key != key])
        if fault is not None:
            raise InstallationError("EGRESS_GROUP", fault)
        firebrick.egress_groups.set(connection, installation.id, group, admin.account_id)
        firebrick.audit.append_in(
            connection, _record("egress.group-set", group, installation, admin)
        )
    return group


def remove_group(
    firebrick: "Firebrick", version: AppVersion, cloud_id: str, admin: Account, key: str
) -> bool:
    """Take a group back; return whether there was one.

    Raises:
        InstallationError: ``NOT_INSTALLED``, ``NOT_SITE_ADMIN``.
    """
    installation = _approved(firebrick, version, cloud_id, admin)
    with writing(firebrick.engine) as connection:
        removed = firebrick.egress_groups.remove(connection, installation.id, key)
        if removed:
            group = EgressGroup(key, "", ())
            record = _record("egress.group-removed", group, installation, admin)
            firebrick.audit.append_in(connection, record)
    return removed


def _approved(
    firebrick: "Firebrick", version: AppVersion, cloud_id: str, admin: Account
) -> Installation:
    installation = firebrick.apps.find_installation(version, cloud_id)
    require_site_admin(firebrick.engine, cloud_id, admin)
    return installation


def _read(text: str) -> str:
    address = read_address(text)
    if address is None:
        raise InstallationError(
            "EGRESS_GROUP",
            f"{text[:200]!r} cannot be added: name a host behind https, such as api.example.com, "
            "api.example.com:8443 or *.example.com.",
        )
    return address


def _record(
    rule: str, group: EgressGroup, installation: Installation, admin: Account
) -> AuditRecord:
    return AuditRecord(
        kind="install",
        allowed=True,
        rule=rule,
        app_id=installation.app_id,
        installation_id=installation.id,
        cloud_id=installation.cloud_id,
        account_id=admin.account_id,
        path=group.key,
        detail={"addresses": list(group.addresses)} if group.addresses else {},
    )
