"""What an invocation token says: which app, where, by which module, for whom."""

from collections.abc import Mapping
from dataclasses import dataclass

APP_ARI = "ari:cloud:ecosystem::app/"
BACKEND_MODULE = "core:endpoint"
"""The module type in calls that no page made: behind events, and from functions."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation as a remote is told of it. All of it is the host's word, but the extension.

    Attributes:
        app_id: The app's ARI.
        version: ``major.minor.patch`` of the version that runs.
        installation_ari: The installation.
        environment_type: ``DEVELOPMENT``, ``STAGING`` or ``PRODUCTION``.
        environment_ari: The environment.
        module_type: Of the page that led to the call, else `BACKEND_MODULE`.
        module_key: Key of the module.
        licence: What stands under ``app.license``; None for an app without one.
        context: What a page was opened on; None behind events and functions.
        principal: Account id of the user who invoked the app; None if no user did.
    """

    app_id: str
    version: str
    installation_ari: str
    environment_type: str
    environment_ari: str
    module_type: str
    module_key: str
    licence: Mapping[str, object] | None = None
    context: Mapping[str, object] | None = None
    principal: str | None = None

    @property
    def audience(self) -> str:
        """Return whom the token is for: the app's ARI, without what may stand before it."""
        return APP_ARI + self.app_id.rpartition(APP_ARI)[2]

    def claims(self, api_base_url: str) -> dict[str, object]:
        """Return the claims of the token.

        Args:
            api_base_url: Where the site's API is.

        Source:
            Forge documentation, "Forge Remote essentials", "The Forge Invocation Token (FIT)".
        """
        app: dict[str, object] = {
            "id": self.audience,
            "version": self.version.partition(".")[0],
            "appVersion": self.version,
            "installationId": self.installation_ari,
            "apiBaseUrl": api_base_url,
            "environment": {"type": self.environment_type, "id": self.environment_ari},
            "module": {"type": self.module_type, "key": self.module_key},
            "installation": {
                "id": self.installation_ari,
                "contexts": [{"name": "jira", "apiBaseUrl": api_base_url}],
            },
        }
        if self.licence is not None:
            app["license"] = dict(self.licence)
        claims: dict[str, object] = {"app": app}
        if self.context is not None:
            claims["context"] = dict(self.context)
        if self.principal is not None:
            claims["principal"] = self.principal
        return claims
