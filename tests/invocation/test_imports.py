"""What the reader of imports sees in a source, and what it is not fooled by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.invocation.imports import read_imports


@pytest.mark.parametrize(
    ("source", "specifiers"),
    [
        ('import a from "x";', ["x"]),
        ("import 'x'", ["x"]),
        ("import { b as c, d } from 'x'; import * as e from 'y'", ["x", "y"]),
        ("import f, { g } from 'x'", ["x"]),
        ("import f, * as g from 'x'", ["x"]),
        ("import { 'odd name' as y } from 'x'", ["x"]),
        ("import from from 'x'", ["x"]),
        ("import type from './t'", ["./t"]),
        ("export * from 'x'; export * as y from 'z'; export { a } from 'b'", ["x", "z", "b"]),
        ("export{x}from'y'", ["y"]),
        ("const a = await import('x'); import('y').then(z)", ["x", "y"]),
        ("const a = require('x'), { b } = require(\"y\");", ["x", "y"]),
        ("import {\n  a,\n  b,\n} from\n  'x'", ["x"]),
        ("export default 1; export const from = 'x'", []),
        ("export { a }; const from = 'x'", []),
        ("// import 'x'\n/* import 'y' */", []),
        ("const a = \"import 'x'\"; const b = `import 'y'`; const c = /import 'z'/;", []),
        ("object.import('x'); object.require('y'); a?.require('z')", []),
        ("import.meta.url; import(name); require(name); require('x' + y)", []),
        ("const o = { import: 1, export: 'x', from: 'y' }", []),
        ("", []),
    ],
)
def test_modules_are_found_where_they_are_asked_for(source: str, specifiers: list[str]) -> None:
    assert [one.specifier for one in read_imports(source).imports] == specifiers


def test_each_import_knows_its_line() -> None:
    found = read_imports("\nimport 'a'\n\n// one\nimport {\n b\n} from 'c'").imports
    assert [(one.specifier, one.line) for one in found] == [("a", 2), ("c", 7)]


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("import 'x'", (True, False)),
        ("export const a = 1", (True, False)),
        ("module.exports = {}", (False, True)),
        ("exports.a = 1", (False, True)),
        ("exports['a'] = 1", (False, True)),
        ("require('x')", (False, True)),
        ("import('x')", (False, False)),
        ("const a = 1", (False, False)),
    ],
)
def test_the_kind_of_a_file_is_told_from_its_words(source: str, kinds: tuple[bool, bool]) -> None:
    reading = read_imports(source)
    assert (reading.is_module, reading.is_commonjs) == kinds


def test_the_place_of_attributes_is_known() -> None:
    source = "import a from './a.json' with { type: 'json' };"
    (found,) = read_imports(source).imports
    assert found.attributes is not None
    start, end = found.attributes
    assert source[start:end] == "with { type: 'json' }"


@given(st.text(alphabet="import export from require'\"`{}()*,;/ \n\\a.$", max_size=80))
def test_any_text_is_read_without_an_error(source: str) -> None:
    assert read_imports(source).imports is not None
