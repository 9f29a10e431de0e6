"""Environment variables of apps: set between deploys, frozen into a version by the next one.

Source:
    Forge CLI reference, "variables": a change takes effect with the next deploy.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import (
    Boolean,
    Column,
    Delete,
    Engine,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)

from runtime.database import metadata
from runtime.errors import InstallationError

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
MAX_NAME_CHARACTERS = 128
MAX_VALUE_CHARACTERS = 32_768

variable_table = Table(
    "app_variable",
    metadata,
    Column("app_id", String(254), primary_key=True),
    Column("environment", String(64), primary_key=True),
    Column("key", String(MAX_NAME_CHARACTERS), primary_key=True),
    Column("value", Text, nullable=False),
    Column("secure", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        key: Its name in ``process.env``.
        value: Its value; the ciphertext if it is secure.
        secure: Whether it is encrypted at rest and never shown.
    """

    key: str
    value: str
    secure: bool


class VariableStore:
    """Keeps the variables of each app and environment.

    Args:
        engine: The state database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def set(self, app_id: str, environment: str, variable: Variable) -> None:
        """Set a variable, replacing one of the same name.

        Raises:
            InstallationError: ``BAD_VARIABLE`` if name or value cannot be one.
        """
        check_name(variable.key)
        if len(variable.value) > MAX_VALUE_CHARACTERS:
            raise InstallationError(
                "BAD_VARIABLE", f"The value has more than {MAX_VALUE_CHARACTERS} characters."
            )
        with self._engine.begin() as connection:
            connection.execute(_delete(app_id, environment, variable.key))
            connection.execute(
                insert(variable_table).values(
                    app_id=app_id, environment=environment, **asdict(variable)
                )
            )

    def unset(self, app_id: str, environment: str, key: str) -> bool:
        """Remove a variable; return whether there was one."""
        with self._engine.begin() as connection:
            return bool(connection.execute(_delete(app_id, environment, key)).rowcount)

    def list(self, app_id: str, environment: str) -> tuple[Variable, ...]:
        """Return the variables of an app's environment, by name."""
        table = variable_table.c
        query = (
            select(table.key, table.value, table.secure)
            .where(table.app_id == app_id, table.environment == environment)
            .order_by(table.key)
        )
        with self._engine.connect() as connection:
            return tuple(Variable(*row) for row in connection.execute(query))


def check_name(key: str) -> None:
    """Refuse a name that cannot be a variable.

    Raises:
        InstallationError: ``BAD_VARIABLE``.
    """
    if not NAME.fullmatch(key) or len(key) > MAX_NAME_CHARACTERS:
        raise InstallationError(
            "BAD_VARIABLE", f"{key!r} is no variable name: letters, digits and _, no digit first."
        )


def freeze(variables: Iterable[Variable]) -> str:
    """Return variables as JSON text for a version."""
    return json.dumps([asdict(variable) for variable in variables])


def thaw(text: str) -> tuple[Variable, ...]:
    """Return the variables that `freeze` made a text of."""
    return tuple(Variable(**value) for value in json.loads(text or "[]"))


def _delete(app_id: str, environment: str, key: str) -> Delete:
    table = variable_table.c
    return delete(variable_table).where(
        table.app_id == app_id, table.environment == environment, table.key == key
    )
