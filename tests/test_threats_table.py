"""Each row of the threat list has its tests, and ``docs/threats.md`` says where."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TABLE = TESTS.parent / "docs" / "threats.md"
ROWS = range(1, 46)
NAME = re.compile(r"test_(\d\d)_\w+")
ROW = re.compile(r"\| (\d+) \|.+\| ([^|]*) \|")


def functions(module: ast.Module) -> list[tuple[int, ast.FunctionDef]]:
    """Return the tests of a module that stand for a row, with the row."""
    return [
        (int(found.group(1)), node)
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef) and (found := NAME.fullmatch(node.name))
    ]


def marked(module: ast.Module, function: ast.FunctionDef) -> bool:
    """Say whether a test carries the marker `hostile`, by itself or by its module."""
    marks = [ast.unparse(one) for one in function.decorator_list]
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            marks.append(ast.unparse(node.value))
    return any("pytest.mark.hostile" in one for one in marks)


MODULES = {
    path.relative_to(TESTS).as_posix(): ast.parse(path.read_text())
    for path in sorted(TESTS.rglob("test_*.py"))
}
COUNTED = {
    row: Counter(
        name for name, module in MODULES.items() for found, _ in functions(module) if found == row
    )
    for row in ROWS
}
SAID = {int(row): cell for row, cell in ROW.findall(TABLE.read_text())}


@pytest.mark.parametrize("row", ROWS)
def test_the_table_names_every_test_of_a_row(row: int) -> None:
    assert COUNTED[row], f"no test is called test_{row:02}_…"
    cell = ", ".join(f"`{name}` {count}" for name, count in sorted(COUNTED[row].items()))
    assert SAID.get(row) == cell


def test_no_test_stands_for_a_row_that_is_not_there() -> None:
    numbers = {row for module in MODULES.values() for row, _ in functions(module)}
    assert numbers | set(SAID) == set(ROWS)


def test_every_test_of_a_row_is_marked_as_hostile() -> None:
    assert [
        f"{name}: {function.name}"
        for name, module in MODULES.items()
        for _, function in functions(module)
        if not marked(module, function)
    ] == []
