"""The organization's word on apps that people install by themselves.

It is about *new* consent alone: what people consented to before goes on. What refuses calls, those
of earlier consent too, is a block: see `runtime.identity.oauth.blocks`.

Source:
    The administrator's guide, "Manage your organization's user-installed apps".
"""

from sqlalchemy import Connection, Engine, delete, insert, select

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.database import joined, writing
from runtime.identity.oauth.schema import policy_table

USER_APPS = "user-apps"
BLOCKED = "blocked"


class OAuthPolicy:
    """Keeps the switch.

    Args:
        engine: The state database.
        audit: Gets one record for each change.
    """

    def __init__(self, engine: Engine, audit: AuditTrail) -> None:
        self._engine = engine
        self._audit = audit

    def user_apps_allowed(self, inside: Connection | None = None) -> bool:
        """Return whether people may consent to apps by themselves; they may unless blocked."""
        query = select(policy_table.c.value).where(policy_table.c.name == USER_APPS)
        with joined(self._engine, inside) as connection:
            return connection.execute(query).scalar() != BLOCKED

    def set_user_apps_allowed(self, *, allowed: bool, by_account_id: str | None = None) -> None:
        """Let people consent to apps by themselves, or stop that; grants there are stay.

        Args:
            allowed: Whether they may.
            by_account_id: Who says so; None for the command line.
        """
        with writing(self._engine) as connection:
            if self.user_apps_allowed(connection) == allowed:
                return
            connection.execute(delete(policy_table).where(policy_table.c.name == USER_APPS))
            if not allowed:
                connection.execute(insert(policy_table).values(name=USER_APPS, value=BLOCKED))
            self._audit.append_in(
                connection,
                AuditRecord(
                    kind="grant",
                    allowed=True,
                    rule="consent.policy",
                    message=f"user-installed apps: {'allowed' if allowed else 'blocked'}",
                    model="oauth",
                    account_id=by_account_id,
                ),
            )
