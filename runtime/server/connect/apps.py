"""The life of Connect apps on sites: install, update, switch off and on, uninstall.

Source:
    Connect documentation, "Lifecycle", "App descriptor", "Scopes"; the signed-install announcement.

Differs:
    App properties are kept over an uninstall. An app that gives no answer is asked three times at
    once, not over hours.
"""

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine

from runtime import __version__
from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.database import writing
from runtime.errors import ForgeError, InstallationError
from runtime.identity.accounts import (
    Account,
    add_account,
    find_account,
    rename_account,
    set_account_active,
)
from runtime.identity.app_webhooks import remove_of_app
from runtime.identity.connect.descriptor import Descriptor, read_descriptor
from runtime.identity.connect.dynamic_modules import remove_modules
from runtime.identity.connect.installations import ConnectInstallation, State
from runtime.identity.connect.lifecycle import Event, lifecycle_message
from runtime.ids import Ids
from runtime.jira.app_users import add_app_user, remove_app_user
from runtime.jira.connect_fields import hide_connect_fields, sync_connect_fields
from runtime.server.admins import require_site_admin
from runtime.server.connect.client import AppClient, AppUnreachableError
from runtime.server.connect.parts import ConnectParts

DONE = (200, 204)
"""What an app answers a lifecycle message with; anything else is a failure, a redirect too."""
HANDLE_CHARACTERS = 40
NAME_CHARACTERS = 254  # of an account's display name
MAX_SHOWN = 200

Licence = Literal["active", "none"]


@dataclass(frozen=True, slots=True)
class ConnectPlan:
    """What an admin is asked to approve.

    Attributes:
        descriptor: What is to be installed.
        source: Where it came from.
        current: The installation there is, uninstalled ones too; None for none.
        new_scopes: Scopes that are not approved yet.
        lost_scopes: Scopes the app has now and will not have any more.
    """

    descriptor: Descriptor
    source: str
    current: ConnectInstallation | None
    new_scopes: tuple[str, ...]
    lost_scopes: tuple[str, ...]

    @property
    def is_update(self) -> bool:
        """Return whether the app is there already."""
        return self.current is not None and self.current.state != "uninstalled"


class ConnectApps:
    """Connect apps of one state.

    Args:
        engine: The state database.
        parts: Stores, keys and tokens.
        client: Asks apps.
        audit: Gets one record for each change.
        clock: Stamps them.
        ids: Makes ids and secrets.
        frozen: The platform's end of support: nothing new is installed and nothing updated.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        parts: ConnectParts,
        client: AppClient,
        audit: AuditTrail,
        clock: Clock,
        ids: Ids,
        frozen: bool,
    ) -> None:
        self._engine = engine
        self._parts = parts
        self.client = client
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._frozen = frozen
        self._lock = threading.Lock()  # one change at a time: the app hears them in their order

    # --- looking ---------------------------------------------------------------------------------

    def plan(self, source: str, cloud_id: str) -> ConnectPlan:
        """Return what installing a descriptor would grant.

        Args:
            source: URL or file of the descriptor.
            cloud_id: The site.

        Raises:
            ManifestError: ``BAD_DESCRIPTOR``.
            InstallationError: ``DESCRIPTOR_UNREACHABLE``, ``CONNECT_FROZEN``.
            ForgeError: ``ADDRESS_REFUSED``.
        """
        self._require_open()
        descriptor = read_descriptor(self._fetch(source), source)
        current = self._parts.installations.find(cloud_id, descriptor.key)
        held = current.scopes if current is not None and current.state != "uninstalled" else ()
        return ConnectPlan(
            descriptor,
            source,
            current,
            tuple(sorted(descriptor.scopes - frozenset(held))),
            tuple(sorted(frozenset(held) - descriptor.scopes)),
        )

    def get(self, app_key: str, cloud_id: str) -> ConnectInstallation:
        """Return an app that is on a site, switched off or not.

        Raises:
            InstallationError: ``NOT_INSTALLED``.
        """
        found = self._parts.installations.find(cloud_id, app_key)
        if found is None or found.state == "uninstalled":
            raise InstallationError(
                "NOT_INSTALLED",
                f"No Connect app {app_key!r} is on this site; see 'firebrick connect list'.",
            )
        return found

    # --- changing --------------------------------------------------------------------------------

    def install(
        self,
        plan: ConnectPlan,
        cloud_id: str,
        admin: Account,
        host_url: str,
        licence: Licence = "none",
    ) -> ConnectInstallation:
        """Install an app, or move it to the planned descriptor: the admin's approval.

        A new install gets a new secret, and what was signed with an older one is dead. An update
        keeps it. If the app does not take the message `installed`, nothing has happened.

        Args:
            plan: What is approved.
            cloud_id: The site.
            admin: Who approves.
            host_url: Where the app reaches the site.
            licence: What its pages are told.

        Raises:
            InstallationError: ``NOT_SITE_ADMIN``, ``PLAN_OUTDATED``, ``CONNECT_FROZEN``,
                ``LIFECYCLE_FAILED``.
        """
        self._require_open()
        require_site_admin(self._engine, cloud_id, admin)
        with self._lock:
            found = self._parts.installations.find(cloud_id, plan.descriptor.key)
            if found != plan.current:
                raise InstallationError(
                    "PLAN_OUTDATED",
                    f"The installation of {plan.descriptor.key} changed while it was approved.",
                )
            fresh = self._candidate(plan, cloud_id, admin, host_url, licence)
            self._tell("installed", fresh, admin)
            with writing(self._engine) as connection:
                rule = "app.upgraded" if plan.is_update else "app.installed"
                self._settle(connection, fresh, admin, rule)
            if fresh.state == "enabled":
                self._tell_if_possible("enabled", fresh, admin)
        return fresh

    def update(self, app_key: str, cloud_id: str, admin: Account) -> ConnectPlan | None:
        """Fetch an app's descriptor again; apply it at once if it asks for no further scope.

        Returns:
            None if it was applied or nothing had changed; otherwise the plan that an admin has to
            approve. Until then the app runs with what was approved, and the new text is kept.

        Raises:
            InstallationError: ``NOT_INSTALLED``, and those of `plan` and `install`.
        """
        current = self.get(app_key, cloud_id)
        plan = self.plan(current.source, cloud_id)
        if plan.descriptor.key != app_key:
            raise InstallationError(
                "DESCRIPTOR_CHANGED", f"{current.source} describes {plan.descriptor.key} now."
            )
        if plan.descriptor.text == current.descriptor.text:
            return None
        if not plan.new_scopes:
            self.install(plan, cloud_id, admin, current.host_url, _licence(current))
            return None
        waiting = replace(current, pending=plan.descriptor.text)
        with writing(self._engine) as connection:
            self._parts.installations.save(connection, waiting)
        return replace(plan, current=self.get(app_key, cloud_id))

    def set_enabled(
        self, app_key: str, cloud_id: str, admin: Account, *, enabled: bool
    ) -> ConnectInstallation:
        """Switch an app off or on. Switched off it keeps everything and may do nothing.

        Raises:
            InstallationError: ``NOT_SITE_ADMIN``, ``NOT_INSTALLED``.
        """
        require_site_admin(self._engine, cloud_id, admin)
        state: State = "enabled" if enabled else "disabled"
        with self._lock:
            changed = replace(self.get(app_key, cloud_id), state=state)
            with writing(self._engine) as connection:
                self._parts.installations.save(connection, changed)
                rule = "app.enabled" if enabled else "app.disabled"
                self._record(connection, changed, admin, rule)
            self._tell_if_possible(state, changed, admin)
        return changed

    def uninstall(self, app_key: str, cloud_id: str, admin: Account) -> None:
        """Take an app from a site: its secret and its tokens are dead before it is told.

        Raises:
            InstallationError: ``NOT_SITE_ADMIN``, ``NOT_INSTALLED``.
        """
        require_site_admin(self._engine, cloud_id, admin)
        with self._lock:
            current = self.get(app_key, cloud_id)
            with writing(self._engine) as connection:
                gone = replace(current, state="uninstalled", pending=None)
                self._parts.installations.save(connection, gone)
                remove_modules(connection, cloud_id, app_key)
                remove_of_app(connection, cloud_id, app_key)
                hide_connect_fields(connection, cloud_id, app_key)
                remove_app_user(connection, cloud_id, current.account_id)
                set_account_active(connection, current.account_id, active=False)
                self._record(connection, gone, admin, "app.uninstalled")
            if current.state == "enabled":
                self._tell_if_possible("disabled", current, admin)
            self._tell_if_possible("uninstalled", current, admin)

    # --- how -------------------------------------------------------------------------------------

    def _require_open(self) -> None:
        if self._frozen:
            raise InstallationError(
                "CONNECT_FROZEN",
                "As on the platform since 31 March 2026, no Connect app is installed or updated: "
                "FIREBRICK_CONNECT_FROZEN is on.",
            )

    def _fetch(self, source: str) -> str:
        if "://" not in source:
            try:
                return Path(source).read_text(encoding="utf-8")
            except (OSError, UnicodeError) as error:
                raise InstallationError(
                    "DESCRIPTOR_UNREACHABLE", f"{source} cannot be read: {error}."
                ) from error
        try:
            reply = self.client.get(source)
            text, failure = reply.body.decode(), f"the answer is {reply.status}"
        except (AppUnreachableError, UnicodeError) as error:
            reply, text, failure = None, "", str(error)
        if reply is None or reply.status != 200:  # noqa: PLR2004  # HTTP
            raise InstallationError(
                "DESCRIPTOR_UNREACHABLE", f"{source} cannot be fetched: {failure}."
            )
        return text

    def _candidate(
        self, plan: ConnectPlan, cloud_id: str, admin: Account, host_url: str, licence: Licence
    ) -> ConnectInstallation:
        """Return the installation as it will be if the app agrees."""
        current, descriptor = plan.current, plan.descriptor
        if current is not None and plan.is_update:
            return replace(
                current, scopes=descriptor.scopes, descriptor=descriptor, source=plan.source,
                pending=None, host_url=host_url, licence=licence,
            )  # fmt: skip
        return ConnectInstallation(
            cloud_id=cloud_id,
            app_key=descriptor.key,
            state="enabled",
            generation=1 if current is None else current.generation + 1,
            shared_secret=self._ids.token("sec"),
            oauth_client_id=self._ids.uuid() if current is None else current.oauth_client_id,
            account_id=self._ids.account_id() if current is None else current.account_id,
            scopes=descriptor.scopes,
            descriptor=descriptor,
            source=plan.source,
            pending=None,
            host_url=host_url,
            licence=licence,
            installed_by=admin.account_id,
            installed_at_s=self._clock.now_s(),
        )

    def _settle(
        self, connection: Connection, app: ConnectInstallation, admin: Account, rule: str
    ) -> None:
        self._parts.installations.save(connection, app)
        name = app.descriptor.name[:NAME_CHARACTERS]
        account = find_account(connection, app.account_id)
        if account is None:
            suffix = app.account_id.rpartition(":")[2][:8]
            account = Account(
                account_id=app.account_id,
                account_type="app",
                handle=f"{app.app_key[:HANDLE_CHARACTERS]}-{suffix}",
                email=None,
                display_name=name,
            )
            add_account(connection, account)
        rename_account(connection, app.account_id, name)
        set_account_active(connection, app.account_id, active=True)
        add_app_user(connection, app.cloud_id, account)
        sync_connect_fields(connection, app.cloud_id, app.descriptor)
        self._record(connection, app, admin, rule)

    def _tell(self, event: Event, app: ConnectInstallation, admin: Account) -> None:
        """Post a lifecycle message.

        Raises:
            InstallationError: ``LIFECYCLE_FAILED``: the app did not take it.
        """
        keys = self._parts.site_keys.keys(app.cloud_id)
        message = lifecycle_message(event, app, keys, self._clock, admin.account_id, __version__)
        if message is None:
            return
        try:
            reply = self.client.post(message.url, message.body, message.authorization)
            failure = f"it answered {reply.status}" if reply.status not in DONE else ""
        except AppUnreachableError as error:
            failure = str(error)
        if failure:
            raise InstallationError(
                "LIFECYCLE_FAILED",
                f"{app.app_key} did not take '{event}' at {message.url}: {failure[:MAX_SHOWN]}. "
                "An app answers 200 or 204; nothing was changed on the site.",
            )

    def _tell_if_possible(self, event: Event, app: ConnectInstallation, admin: Account) -> None:
        """Post a message that changes nothing more on this side; a failure is only written down."""
        try:
            self._tell(event, app, admin)
        except ForgeError as error:
            self._audit.append(_record(app, admin, "app.not-told", error.message, allowed=False))

    def _record(
        self, connection: Connection, app: ConnectInstallation, admin: Account, rule: str
    ) -> None:
        self._audit.append_in(connection, _record(app, admin, rule))


def _record(
    app: ConnectInstallation, admin: Account, rule: str, message: str = "", *, allowed: bool = True
) -> AuditRecord:
    return AuditRecord(
        kind="install",
        allowed=allowed,
        rule=rule,
        message=message,
        model="connect",
        app_id=app.app_key,
        cloud_id=app.cloud_id,
        account_id=admin.account_id,
        path=app.source,
        detail={"scopes": sorted(app.scopes)},
    )


def _licence(app: ConnectInstallation) -> Licence:
    return "active" if app.licence == "active" else "none"
