"""The operation table that the package carries, read once."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from runtime.errors import ForgeError
from runtime.policy.operations import OperationTable


@cache
def load_operations() -> OperationTable:
    """Return the operation table; it never changes, so one serves the whole process."""
    data = files("runtime.policy").joinpath("operations.json").read_bytes()
    return OperationTable.from_data(json.loads(data))


def check_scopes(operations: OperationTable, scopes: Iterable[str]) -> None:
    """Check that each scope is one that some operation accepts.

    Raises:
        ForgeError: ``UNKNOWN_SCOPE`` with what comes nearest.
    """
    known = {name for operation in operations for one in operation.scopes for name in one}
    for scope in scopes:
        if scope not in known:
            near = ", ".join(get_close_matches(scope, sorted(known), 3, 0.5))
            hint = f" Near it: {near}." if near else ""
            raise ForgeError("UNKNOWN_SCOPE", f"No operation accepts the scope {scope!r}.{hint}")
