"""Stacks name the app's own lines: of modules as they are, of bundles through their source maps."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import InvocationError
from runtime.hostfunctions.prelude import platform_prelude
from runtime.installation.model import AppVersion
from runtime.invocation.images import Images, bundled_source
from runtime.invocation.sourcemaps import ModuleLines, Places, SourceMap, app_map
from runtime.invocation.sources import AppSources, load_sources
from runtime.sandbox.snapshot import kernel_text
from runtime.sandbox.values import Fault, LogLine, Outcome, Usage
from runtime.sandbox.world import OUR_LINES, world_prelude
from tests.guests.lab import ROOMY, Calls, shared_engine, start_with

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
Segment = tuple[int, int, int, int]


def vlq(number: int) -> str:
    value, text = (-number << 1 | 1) if number < 0 else number << 1, ""
    while True:
        value, digit = value >> 5, value & 31
        text += ALPHABET[digit | (32 if value else 0)]
        if not value:
            return text


def encoded(rows: Sequence[Sequence[Segment]]) -> str:
    """Encode rows of (generated column, source, line, column), all from 0."""
    last = [0, 0, 0]
    lines = []
    for row in rows:
        column, segments = 0, []
        for segment in row:
            deltas = [
                segment[0] - column,
                *(one - was for one, was in zip(segment[1:], last, strict=True)),
            ]
            column, last = segment[0], list(segment[1:])
            segments.append("".join(map(vlq, deltas)))
        lines.append(",".join(segments))
    return ";".join(lines)


def text_of(rows: Sequence[Sequence[Segment]], *sources: str) -> str:
    return json.dumps({"version": 3, "sources": sources, "mappings": encoded(rows)})


ROWS = [[], [(0, 0, 9, 4), (10, 1, 0, 0)], [(2, 0, 10, 0)]]
MAP_TEXT = text_of(ROWS, "src/a.ts", "src/b.ts")
MAP = SourceMap(MAP_TEXT)


@pytest.mark.parametrize(
    ("line", "column", "place"),
    [
        (1, 1, None),
        (2, 1, ("src/a.ts", 10, 5)),
        (2, 10, ("src/a.ts", 10, 5)),
        (2, 11, ("src/b.ts", 1, 1)),
        (2, 99, ("src/b.ts", 1, 1)),
        (3, 2, None),
        (3, 3, ("src/a.ts", 11, 1)),
        (4, 1, None),
        (0, 1, None),
    ],
)
def test_a_place_comes_from_the_last_mapping_before_it(
    line: int, column: int, place: tuple[str, int, int] | None
) -> None:
    assert MAP.place(line, column) == place


segments = st.tuples(*[st.integers(0, 2**20)] * 4)


@given(
    st.lists(st.lists(segments, max_size=4, unique_by=lambda one: one[0]).map(sorted), max_size=5)
)
def test_what_was_encoded_is_found_again(rows: list[list[Segment]]) -> None:
    rows = [[(column, source % 3, line, at) for column, source, line, at in row] for row in rows]
    found = SourceMap(text_of(rows, "a", "b", "c"))
    for line, row in enumerate(rows, start=1):
        for column, source, its_line, its_column in row:
            expected = ("abc"[source], its_line + 1, its_column + 1)
            assert found.place(line, column + 1) == expected


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", '{"sources": 5, "mappings": "AAAA"}', '{"sources": ["a"]}',
     '{"sources": ["a"], "mappings": "!"}', '{"sources": ["a"], "mappings": "g"}',
     '{"sources": [], "mappings": "AAAA"}', '{"sources": ["a"], "mappings": "A"}'],
)  # fmt: skip
def test_a_map_that_is_none_maps_nothing(text: str) -> None:
    broken = SourceMap(text)
    assert broken.place(1, 1) is None
    assert broken.translate("at bundle.js:1:1") == "at bundle.js:1:1"


def test_places_of_the_bundle_are_replaced_wherever_they_stand_in_a_stack() -> None:
    text = "Error: x\n    at run (bundle.js:2:1)\n    at bundle.js:2:12\n    at native"
    assert MAP.translate(text) == (
        "Error: x\n    at run (src/a.ts:10:5)\n    at src/b.ts:1:1\n    at native"
    )
    for other in ("xbundle.js:2:1", "./bundle.js:2:1", "bundle.js:2", "bundle.js:2:1234567890123"):
        assert MAP.translate(other) == other


def test_of_a_log_line_only_the_frames_change() -> None:
    text = "see bundle.js:2:1\nError: x\n    at run (bundle.js:2:1)"
    assert MAP.translate_frames(text) == "see bundle.js:2:1\nError: x\n    at run (src/a.ts:10:5)"
    assert MAP.translate_frames("plain") == "plain"


def test_an_outcome_is_changed_in_its_stack_and_logs_and_nowhere_else() -> None:
    frame = "    at bundle.js:2:1"
    outcome = Outcome(
        result=b'"    at bundle.js:2:1"',
        fault=Fault("APP_ERROR", "at bundle.js:2:1", "Error", f"Error\n{frame}"),
        logs=(LogLine("info", frame, 1.0),),
        usage=Usage(),
    )
    changed = MAP.apply(outcome)
    assert changed.fault is not None
    assert changed.fault.stack == "Error\n    at src/a.ts:10:5"
    assert changed.fault.message == "at bundle.js:2:1"
    assert changed.logs == (LogLine("info", "    at src/a.ts:10:5", 1.0),)
    assert changed.result == outcome.result


def test_sources_are_named_by_their_path_in_the_app(tmp_path: Path) -> None:
    app, shims, out = tmp_path / "app", tmp_path / "shims", tmp_path / "out"
    for folder in (app, shims, out):
        folder.mkdir()
    sources = ["../app/src/a.ts", "../shims/util.js", "../app/node_modules/x/i.js",
               "../node_modules/y/i.js", "../elsewhere.js"]  # fmt: skip
    path = out / "bundle.js.map"
    path.write_text(json.dumps({"version": 3, "sources": sources, "mappings": "AAAA"}))
    assert json.loads(app_map(path, app, shims))["sources"] == [
        "src/a.ts", "node:util.js", "node_modules/x/i.js", "node_modules/y/i.js", "elsewhere.js",
    ]  # fmt: skip
    for text in ("", "[]", "{}", '{"sources": 5}'):
        path.write_text(text)
        assert app_map(path, app, shims) == ""


# ---------------------------------------------------------------------------------- in a guest


SCRIPT = """(() => {
  function inner() {
    throw new RangeError('far');
  }
  __register__({ index: {
    run: () => inner(),
    log: () => console.log(new Error('seen')),
    text: () => new Error('x').stack,
    formatted: () => {
      Error.prepareStackTrace = (error, sites) =>
        sites.map((one) => [one.getFileName(), one.getLineNumber()]);
      return new Error('x').stack;
    },
  } });
})();
"""


def run_bundle(handler: str) -> Outcome:
    image = shared_engine().javascript(bundled_source(SCRIPT))
    return image.run(start_with(handler=f"index.{handler}"), Calls(), ROOMY)


def test_a_bundles_frames_are_counted_from_its_own_first_line() -> None:
    fault = run_bundle("run").fault
    assert fault is not None
    frames = [line.strip().partition(" (")[0] for line in fault.stack.split("\n")]
    assert frames[:2] == ["RangeError: far", "at inner"]
    assert "(bundle.js:3:" in fault.stack
    assert "bundle.js:6:" in fault.stack


@pytest.mark.hostile
def test_no_frame_of_the_host_stands_in_a_bundles_stack() -> None:
    outcome = run_bundle("text")
    assert b"bundle.js:8:" in (outcome.result or b"")
    assert b"eval_script" not in (outcome.result or b"")
    (line,) = run_bundle("log").logs
    assert "eval_script" not in line.text
    places = json.loads(run_bundle("formatted").result or b"")
    assert ["bundle.js", 12] in places


def test_no_script_of_ours_is_so_long_that_it_could_be_taken_for_a_bundle() -> None:
    for name, text in (*world_prelude(), *platform_prelude(), ("kernel.js", kernel_text())):
        assert text.count("\n") < OUR_LINES, name


TYPESCRIPT = """import { helper } from './helper';

interface Shape {
  key: string;
}

enum Kind {
  One,
  Two,
}

export const run = async (shape: Shape): Promise<never> => {
  const kind: Kind = Kind.Two;
  return helper<Shape>(shape, kind);
};
"""
HELPER = """type Anything = unknown;

export function helper<T extends Anything>(
  value: T,
  kind: number,
): never {
  throw new Error(`no ${kind}`);
}
"""


def test_a_typescript_modules_stack_names_the_lines_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "index.ts").write_text(TYPESCRIPT)
    (tmp_path / "src" / "helper.ts").write_text(HELPER)
    sources = load_sources(tmp_path, ["index.run"])
    again = AppSources.from_json(json.loads(json.dumps(sources.as_json())))
    assert again.lines == {name: list(lines) for name, lines in sources.lines.items()}
    image = shared_engine().javascript(again.javascript())
    outcome = image.run(start_with({}, handler="index.run"), Calls(), ROOMY)
    fault = ModuleLines(again.lines).apply(outcome).fault
    assert fault is not None
    frames = [line.strip() for line in fault.stack.split("\n")[1:]]
    assert frames == ["at helper (src/helper.ts:7)", "at run (src/index.ts:14)"]


def test_lines_that_are_not_known_are_left_out() -> None:
    lines = ModuleLines({"src/a.ts": [0, 3]})
    assert lines.translate("at f (src/a.ts:1:2)") == "at f (src/a.ts)"
    assert lines.translate("at f (src/a.ts:2:2)") == "at f (src/a.ts:3)"
    assert lines.translate("at f (src/a.ts:9:2)") == "at f (src/a.ts)"
    for other in ("src/b.ts:1:2", "x/src/a.ts:1:2", "src/a.ts:1", "src/a.tsx:1:1"):
        assert lines.translate(other) == other
    assert Places().apply(Outcome(None, None, (), Usage())) == Outcome(None, None, (), Usage())


def test_what_fails_while_the_app_loads_names_its_lines_too(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "index.ts").write_text(
        "interface Gone {\n  a: string;\n}\n\nthrow new RangeError('while loading');\n"
    )
    sources = load_sources(tmp_path, ["index.run"])
    version = stored_version(json.dumps(sources.as_json()))
    with pytest.raises(InvocationError) as caught:
        Images(shared_engine).image(version)
    assert "RangeError: while loading" in caught.value.message
    assert "src/index.ts:5" in caught.value.message


def test_an_outcome_is_translated_by_the_version_that_ran() -> None:
    mapped = stored_version(json.dumps({"bundle": "0", "map": MAP_TEXT}))
    frame = "\n    at bundle.js:2:1"
    outcome = Outcome(None, Fault("APP_ERROR", "x", "Error", f"Error{frame}"), (), Usage())
    images = Images(shared_engine)
    for _ in range(2):
        fault = images.translate(mapped, outcome).fault
        assert fault is not None
        assert fault.stack == "Error\n    at src/a.ts:10:5"
    plain = stored_version(json.dumps({"wasm": ""}))
    assert images.translate(plain, outcome) == outcome
    quiet = replace(outcome, fault=None)
    assert images.translate(mapped, quiet) is quiet


def stored_version(sources: str) -> AppVersion:
    digest = hashlib.sha256(sources.encode()).hexdigest()
    return AppVersion(
        id=1, app_id="app", name="app", environment="development", version="1.0.0",
        manifest_text="{}", scopes={}, egress=(), sources=sources, digest=digest, deployed_at_s=0.0,
    )  # fmt: skip
