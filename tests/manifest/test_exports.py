import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.manifest.exports import ExportReader, exports_of, find_source
from runtime.manifest.files import MemoryFiles
from runtime.manifest.tokens import tokens_of


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("export const run = async () => {};", {"run"}),
        ("export const run: Handler = x", {"run"}),
        ("export const a = f(1, x), b = 2;", {"a", "b"}),
        ("export async function run() {}", {"run"}),
        ("export function* run() {}", {"run"}),
        ("export abstract class Run {}", {"Run"}),
        ("export default resolver.getDefinitions();", {"default"}),
        ("const run = 1; export { run, b as c };", {"run", "c"}),
        ("export { run } from './other';", {"run"}),
        ("export * as all from './other';", {"all"}),
        ("export const { run, other } = handlers;", {"run", "other"}),
        ("module.exports.run = () => {};", {"run"}),
        ("exports.a = exports.b = x;", {"a", "b"}),
        ("exports['run'] = x;", {"run"}),
        ("Object.defineProperty(exports, 'run', {});", {"run"}),
        ("module.exports = { run, other: x, 'more': 1, f() { return { no: 1 }; } };",
         {"run", "other", "more", "f"}),
        ("// export const no = 1\n/* export const no = 1 */", set()),
        ("const s = 'export const no = 1', t = `export const no = ${1}`;", set()),
        ("const r = /export const no/; export const run = 1;", {"run"}),
        ("x.exports.no = 1; y.module.exports = {};", set()),
        ("export type { Foo }; export interface Bar {}", set()),
        ("return <Text>Don't</Text>;\nexport const run = 1;", {"run"}),
        ("const t = `a ${`b ${c}`} }`; export const run = 1;", {"run"}),
        ("if (module.exports == 1) {}", set()),
    ],
)  # fmt: skip
def test_exports_are_read_in_every_usual_form(source: str, names: set[str]) -> None:
    found = exports_of(source)
    assert found.names == names
    assert not found.is_open


@pytest.mark.parametrize(
    "source",
    ["module.exports = make();", "module.exports = { a, ...rest };", "module.exports = run;",
     "exports[name] = x;", "export { x };\n" * 600],
)  # fmt: skip
def test_what_is_computed_may_export_anything(source: str) -> None:
    assert exports_of(source).is_open


@given(st.text(alphabet="ab'\"`/*\\${}()[]\n.,=<> export const module.exports", max_size=60))
def test_any_text_is_cut_into_tokens_that_stand_in_it(source: str) -> None:
    tokens = tokens_of(source)
    assert [token.start for token in tokens] == sorted({token.start for token in tokens})
    assert all(token.text in source for token in tokens)
    exports_of(source)


FILES = MemoryFiles(
    {
        "src/index.js": "export * from './lib/a'; export * from './index'; export * from 'pkg';",
        "src/lib/a.ts": "export * from '../b';",
        "src/b/index.js": "export const deep = 1;",
        "src/raw.wat": "(module)",
        "src/both.tsx": "",
        "src/both.js": "",
    }
)


def test_relative_stars_are_followed_and_circles_end() -> None:
    reader = ExportReader(FILES)
    assert reader.may_export("src/index.js", "deep")
    assert not reader.may_export("src/index.js", "nothing")


def test_a_source_is_found_by_its_ending_in_the_platforms_order() -> None:
    assert find_source(FILES, "both") == "src/both.tsx"
    assert find_source(FILES, "lib/a") == "src/lib/a.ts"
    assert find_source(FILES, "nothing") is None


def test_a_raw_module_is_a_source_whose_exports_are_not_read() -> None:
    assert find_source(FILES, "raw") == "src/raw.wat"
    assert ExportReader(FILES).may_export("src/raw.wat", "anything")


def test_a_bundle_is_not_scanned() -> None:
    files = MemoryFiles({"src/index.js": "x;" * 200_000})
    assert ExportReader(files).may_export("src/index.js", "anything")
