"""What an organisation allows of API tokens: its settings, and what its admins narrow them to.

Source:
    The administrator's guide, "Manage API token settings in your organization's managed accounts".
"""

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Connection, Engine, Integer, Table, insert, select, update

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.database import joined, metadata, writing
from runtime.errors import ForgeError

MAX_LIFETIME_DAYS = 365

token_policy_table = Table(
    "api_token_policy",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # there is one row, or none
    Column("allowed", Boolean, nullable=False),
    Column("max_days", Integer, nullable=False),
)
ONLY = 1


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """What an organisation allows of API tokens; it holds for those already made as well.

    Attributes:
        allowed: Whether API tokens are accepted at all.
        max_days: How many days after it was made a token ends at the latest.
    """

    allowed: bool = True
    max_days: int = MAX_LIFETIME_DAYS

    def narrowed(self, allowed: bool | None, max_days: int | None) -> "TokenPolicy":
        """Return what both allow, this one and what an admin said; None where nobody said it."""
        days = self.max_days if max_days is None else min(self.max_days, max_days)
        return TokenPolicy(self.allowed and allowed is not False, days)


DEFAULT_POLICY = TokenPolicy()


class TokenPolicies:
    """Keeps what admins say.

    Args:
        engine: The state database.
        audit: Gets one record for each change.
        ceiling: What the settings allow; no admin can widen it.
    """

    def __init__(self, engine: Engine, audit: AuditTrail, ceiling: TokenPolicy) -> None:
        self._engine = engine
        self._audit = audit
        self.ceiling = ceiling

    def find(self) -> TokenPolicy:
        """Return what is allowed now."""
        return find_policy(self._engine, self.ceiling)

    def set(
        self,
        *,
        allowed: bool | None = None,
        max_days: int | None = None,
        by_account_id: str | None = None,
    ) -> TokenPolicy:
        """Keep what an admin says, which holds from the very next call on; return what is allowed.

        Args:
            allowed: Whether tokens are accepted; None leaves it as it is.
            max_days: How long one lives at most; None leaves it as it is.
            by_account_id: Who says so; None for the command line.

        Raises:
            ForgeError: ``BAD_TOKEN_LIFETIME``.
        """
        if max_days is not None and not 1 <= max_days <= MAX_LIFETIME_DAYS:
            raise ForgeError(
                "BAD_TOKEN_LIFETIME", f"A token lives 1 to {MAX_LIFETIME_DAYS} days at most."
            )
        with writing(self._engine) as connection:
            before = _said(connection)
            said = TokenPolicy(
                before.allowed if allowed is None else allowed,
                before.max_days if max_days is None else max_days,
            )
            if said != before:
                self._keep(connection, said, by_account_id)
        return self.ceiling.narrowed(said.allowed, said.max_days)

    def _keep(self, connection: Connection, said: TokenPolicy, by_account_id: str | None) -> None:
        values = {"allowed": said.allowed, "max_days": said.max_days}
        kept = connection.execute(
            update(token_policy_table).where(token_policy_table.c.id == ONLY).values(values)
        )
        if not kept.rowcount:
            connection.execute(insert(token_policy_table).values(id=ONLY, **values))
        self._audit.append_in(
            connection,
            AuditRecord(
                kind="token",
                allowed=True,
                rule="credential.policy",
                message=f"API tokens: {'allowed' if said.allowed else 'refused'}, "
                f"at most {said.max_days} days",
                model="basic",
                account_id=by_account_id,
            ),
        )


def find_policy(
    engine: Engine, ceiling: TokenPolicy, inside: Connection | None = None
) -> TokenPolicy:
    """Return what is allowed now: the settings, narrowed to what admins say."""
    with joined(engine, inside) as connection:
        said = _said(connection)
    return ceiling.narrowed(said.allowed, said.max_days)


def _said(connection: Connection) -> TokenPolicy:
    row = connection.execute(select(token_policy_table)).one_or_none()
    return DEFAULT_POLICY if row is None else TokenPolicy(row.allowed, row.max_days)
