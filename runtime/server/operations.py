"""The operation table that the package carries, read once."""

import json
from functools import cache
from importlib.resources import files

from runtime.policy.operations import OperationTable


@cache
def load_operations() -> OperationTable:
    """Return the operation table; it never changes, so one serves the whole process."""
    data = files("runtime.policy").joinpath("operations.json").read_bytes()
    return OperationTable.from_data(json.loads(data))
