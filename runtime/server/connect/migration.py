"""Forge apps that took over the key of a Connect app.

Source:
    Forge documentation, "Adopting Forge from Connect": `app.connect.key` names the Connect app, and
    the Forge app may use its app properties.
"""

import json

from runtime.identity.connect.installations import ConnectInstallations
from runtime.installation.store import InstallationStore


class MigrationKeys:
    """Knows which Connect app an installation of a Forge app took over.

    Args:
        installations: Forge apps on sites.
        connect: Connect apps on sites; one that was uninstalled there can be taken over too.
    """

    def __init__(self, installations: InstallationStore, connect: ConnectInstallations) -> None:
        self._installations = installations
        self._connect = connect

    def find(self, installation_id: str) -> str | None:
        """Return the key of a Connect app that was installed on the same site, or None."""
        grant = self._installations.find_live_grant(installation_id)
        version = None
        if grant is not None:
            version = self._installations.find_version(grant.installation.version_id)
        if grant is None or version is None:
            return None
        connect = json.loads(version.manifest_text).get("app", {}).get("connect") or {}
        key = connect.get("key")
        if not isinstance(key, str):
            return None
        found = self._connect.find(grant.installation.cloud_id, key)
        return None if found is None else found.app_key
