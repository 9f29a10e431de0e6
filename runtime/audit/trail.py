"""The audit trail: one record for each decision, in the order they were made.

No record holds a secret: `redact` runs over every text that enters, as a second wall behind the
rule that nobody hands one in.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    String,
    Table,
    Text,
    insert,
    select,
)

from runtime.audit.webtokens import replace_web_tokens
from runtime.clock import Clock
from runtime.database import metadata

audit_table = Table(
    "audit_record",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at_s", Float, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("rule", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("model", String(16), nullable=False),
    Column("invocation_id", String(64), index=True),
    Column("app_id", String(128)),
    Column("installation_id", String(64)),
    Column("cloud_id", String(64)),
    Column("account_id", String(128)),
    Column("act_as", String(16)),
    Column("method", String(16)),
    Column("path", Text),
    Column("operation", String(128)),
    Column("status", Integer),
    Column("duration_ms", Float),
    Column("detail", Text, nullable=False),
)

_VALUE = r"[^&\s\"'\\<>]+"  # of a parameter; a quote or a backslash ends it, so JSON stays JSON
_SECRET = re.compile(rf"fbk_[a-z]+_[0-9A-Za-z]+|(?<=[?&]jwt=){_VALUE}")
_CODE = re.compile(rf"((?:^|[?&])(?:code|client_secret|refresh_token|access_token)=){_VALUE}")
_MARKS = ("fbk_", "eyJ", "jwt=", "code=", "client_secret=", "_token=")
"""One of these stands in every text that holds something to redact; looking for them is quick."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One decision.

    Attributes:
        kind: ``door`` (a guest's product call), ``egress``, ``remote`` (a call of an app's own
            server), ``http`` (a wire client's call), ``deploy``, ``install``, ``grant``,
            ``token``, ``webhook`` or ``invocation``.
        allowed: The verdict.
        rule: Dotted name of the deciding rule.
        message: The reason in words.
        model: The security model: forge, basic, oauth, connect, anonymous.
        act_as: ``user``, ``app`` or ``none`` for door calls.
        status: HTTP status the caller got.
        duration_ms: How long the call took.
        detail: Further facts as JSON values; never a secret.
        at_s: Filled by the trail.
        id: Filled by the database.
    """

    kind: str
    allowed: bool
    rule: str
    message: str = ""
    model: str = "forge"
    invocation_id: str | None = None
    app_id: str | None = None
    installation_id: str | None = None
    cloud_id: str | None = None
    account_id: str | None = None
    act_as: str | None = None
    method: str | None = None
    path: str | None = None
    operation: str | None = None
    status: int | None = None
    duration_ms: float | None = None
    detail: Mapping[str, object] = field(default_factory=dict)
    at_s: float = 0.0
    id: int = 0


class AuditTrail:
    """Appends records and reads them back; there is no way to change or remove one.

    Args:
        engine: The state database.
        clock: Stamps the records.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def append(self, record: AuditRecord) -> AuditRecord:
        """Write one record and return it as written."""
        with self._engine.begin() as connection:
            return self.append_in(connection, record)

    def append_in(self, connection: Connection, record: AuditRecord) -> AuditRecord:
        """Write one record inside the caller's transaction: both are kept, or neither."""
        stamped = replace(
            record,
            at_s=self._clock.now_s(),
            message=redact(record.message),
            path=None if record.path is None else redact(record.path),
            account_id=None if record.account_id is None else redact(record.account_id),
        )
        row = dict(zip(_COLUMNS, _VALUES(stamped), strict=True))
        detail = stamped.detail
        row["detail"] = redact(json.dumps(detail, sort_keys=True)) if detail else "{}"
        connection.execute(_INSERT, row)
        return stamped

    def read(
        self, *, invocation_id: str | None = None, limit: int = 100, allowed: bool | None = None
    ) -> tuple[AuditRecord, ...]:
        """Return the newest `limit` records, oldest first.

        Args:
            invocation_id: Only those of this invocation; None for all.
            limit: How many at most.
            allowed: Only those with this verdict; None for both.
        """
        query = select(audit_table).order_by(audit_table.c.id.desc()).limit(limit)
        if invocation_id is not None:
            query = query.where(audit_table.c.invocation_id == invocation_id)
        if allowed is not None:
            query = query.where(audit_table.c.allowed == allowed)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(_record(dict(row._mapping)) for row in reversed(rows))


_COLUMNS = tuple(column.name for column in audit_table.columns if column.name != "id")
_VALUES = attrgetter(*_COLUMNS)
_INSERT = insert(audit_table)


def redact(text: str) -> str:
    """Return the text with everything that looks like a credential replaced by ``***``."""
    if not any(mark in text for mark in _MARKS):
        return text
    return _CODE.sub(r"\1***", _SECRET.sub("***", replace_web_tokens(text)))


def _record(row: dict[str, object]) -> AuditRecord:
    row["detail"] = json.loads(str(row["detail"]))
    return AuditRecord(**row)  # type: ignore[arg-type]  # columns and attributes are the same
