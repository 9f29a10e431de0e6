"""An app's folder becomes modules that run; what cannot run is refused at its line."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from runtime.errors import ManifestError
from runtime.invocation import sourcefiles
from runtime.invocation.sources import AppSources, load_sources
from runtime.sandbox.limits import Limits
from tests.guests.lab import Calls, shared_engine, start_with

Files = Mapping[str, str | bytes]


def app(folder: Path, files: Files) -> Path:
    """Write an app's files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def result_of(folder: Path, handler: str, *handlers: str) -> object:
    """Load an app, store it as JSON and back, and run one handler."""
    sources = load_sources(folder, [handler, *handlers])
    stored = AppSources.from_json(json.loads(json.dumps(sources.as_json())))
    assert stored.digest == sources.digest
    image = shared_engine().javascript(stored.javascript())
    outcome = image.run(start_with({"n": 1}, handler=handler), Calls(), Limits())
    assert outcome.fault is None, outcome.fault
    return None if outcome.result is None else json.loads(outcome.result)


def refusal(folder: Path, files: Files, handler: str = "index.run") -> ManifestError:
    """Return the error that loading an app ends with."""
    with pytest.raises(ManifestError) as caught:
        load_sources(app(folder, files), [handler])
    return caught.value


def test_a_handler_runs_with_everything_it_imports(tmp_path: Path) -> None:
    files = {
        "src/index.js": """
            import { double } from './lib';
            import text, { name } from '../data.json' with { type: 'json' };
            import { Thing } from './deep/thing';
            export * from './more.js';
            export const run = async ({ n }) =>
              [double(n), name, text.list, new Thing().x, (await import('./lazy')).default];
        """,
        "src/lib/index.js": "export const double = (n) => n * 2;",
        "src/deep/thing.ts": "import { base } from '../base';\n"
        "export class Thing { x: number = base }",
        "src/base.ts": "export const base = 7; export type Unused = string;",
        "src/lazy.js": "export default 'late';",
        "src/more.ts": "export const other = (event: unknown): string => 'other';",
        "data.json": '{"name": "n", "list": [1], "default": 2, "class": 3, "a-b": 4}',
    }
    assert result_of(app(tmp_path, files), "index.run") == [2, "n", [1], 7, "late"]
    assert result_of(tmp_path, "index.other", "index.run") == "other"


def test_handlers_may_live_below_folders_and_share_modules(tmp_path: Path) -> None:
    files = {
        "src/a/one.js": "import { tag } from '../tag'; export const run = () => tag('one');",
        "src/two.js": "import { tag } from './tag'; export const run = () => tag('two');",
        "src/tag.js": "export const tag = (name) => `<${name}>`;",
    }
    assert result_of(app(tmp_path, files), "a/one.run", "two.run") == "<one>"
    assert result_of(tmp_path, "two.run", "a/one.run") == "<two>"


def test_the_platforms_packages_are_the_stand_ins(tmp_path: Path) -> None:
    files = {
        "src/index.ts": """
            import api, { route, type Route } from '@forge/api';
            import Resolver from '@forge/resolver';
            import type { Unknown } from 'some-types';
            const path: Route = route`/rest/api/3/myself`;
            const resolver = new Resolver();
            resolver.define('ask', async () => (await api.asUser().requestJira(path)).status);
            const handler = resolver.getDefinitions();
            export const run = () => handler({ call: { functionKey: 'ask' } }, {});
        """
    }
    assert result_of(app(tmp_path, files), "index.run") == 200


def test_commonjs_files_export_what_they_assign(tmp_path: Path) -> None:
    files = {
        "src/index.cjs": """const { route } = require('@forge/api');
            const lib = require('./lib');
            const data = require('./data.json');
            const path = route`/x/${1}`.value;
            exports.run = () => [lib.name, data.k, path, lib.esm, typeof lib.missing];
        """,
        "src/lib.js": """const { one } = require('./esm');
            let missing;
            try { require(String('nope')); } catch (error) { missing = error; }
            module.exports = { name: 'lib', esm: one, missing };
        """,
        "src/esm.mjs": "export const one = 1;",
        "src/data.json": '{"k": [true]}',
        "src/user.js": "import lib, { name } from './lib';\n"
        "export const run = () => [lib.esm, name];",
    }
    assert result_of(app(tmp_path, files), "index.run") == ["lib", [True], "/x/1", 1, "object"]
    assert result_of(tmp_path, "user.run") == [1, "lib"]


def test_a_commonjs_file_keeps_its_line_numbers(tmp_path: Path) -> None:
    files = {
        "src/index.js": "require('./b');\n\nexports.run = () => new Error('x').stack;",
        "src/b.js": "",
    }
    assert "src/index.js:3:" in str(result_of(app(tmp_path, files), "index.run"))


def test_the_order_of_endings_decides_and_javascript_names_find_typescript(tmp_path: Path) -> None:
    files = {
        "src/index.js": "import { a } from './a'; import { b } from './b.js';\n"
        "export const run = () => [a, b];",
        "src/a.ts": "export const a = 'ts';",
        "src/a.js": "export const a = 'js';",
        "src/b.ts": "export const b = 'ts too';",
    }
    assert result_of(app(tmp_path, files), "index.run") == ["ts", "ts too"]


def test_a_byte_order_mark_is_no_part_of_a_source(tmp_path: Path) -> None:
    files = {"src/index.js": b"\xef\xbb\xbfexport const run = () => 'read';"}
    assert result_of(app(tmp_path, files), "index.run") == "read"


def test_only_what_is_imported_is_kept(tmp_path: Path) -> None:
    files = {"src/index.js": "export const run = 1;", "src/other.js": "x", "static/page.js": "y"}
    sources = load_sources(app(tmp_path, files), ["index.run"])
    assert set(sources.modules) == {"src/index.js", sources.entry}


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        ("import './nope';", "SOURCE_NOT_FOUND", "there is no module './nope'"),
        ("import './style.css';", "SOURCE_NOT_FOUND", "there is no module './style.css'"),
        ("export * from '../..';", "SOURCE_OUTSIDE", "leads out of the app's folder"),
        ("import '../../outside.js';", "SOURCE_OUTSIDE", "leads out of the app's folder"),
        ("import '/etc/passwd';", "SOURCE_OUTSIDE", "leads out of the app's folder"),
        ("import 'file:///etc/passwd';", "SOURCE_OUTSIDE", "leads out of the app's folder"),
        ("import _ from 'lodash';", "SOURCE_IMPORT", "is an npm package"),
        ("import _ from '@scope/package/sub';", "SOURCE_IMPORT", "is an npm package"),
        ("const _ = require('lodash');", "SOURCE_IMPORT", "is an npm package"),
        ("await import('lodash');", "SOURCE_IMPORT", "is an npm package"),
        ("import fs from 'fs';", "SOURCE_IMPORT", "is a module of Node"),
        ("import fs from 'fs/promises';", "SOURCE_IMPORT", "is a module of Node"),
        ("import fs from 'node:fs';", "SOURCE_IMPORT", "is a module of Node"),
        ("import x from '@forge/sql';", "SOURCE_IMPORT", "is not emulated yet"),
        ("import x from '@forge/react';", "SOURCE_IMPORT", "belongs to pages"),
        (
            "import 'https://a.test/b.js';",
            "SOURCE_IMPORT",
            "neither a file of the app nor a package",
        ),
        ("import 'firebrick:errors';", "SOURCE_IMPORT", "neither a file of the app nor a package"),
        ("import 'firebrick:entry';", "SOURCE_IMPORT", "neither a file of the app nor a package"),
    ],
)
def test_an_import_that_leads_nowhere_is_refused_at_its_line(
    tmp_path: Path, line: str, code: str, reason: str
) -> None:
    error = refusal(tmp_path, {"src/index.js": f"\n\n{line}\nexport const run = 1;"})
    assert error.code == code
    assert error.message.startswith("src/index.js:3: ")
    assert reason in error.message


def test_a_line_in_typescript_is_the_authors_not_the_transforms(tmp_path: Path) -> None:
    text = (
        "type A = {\n  b: string;\n};\n\nimport x from './nope';\nexport const run = (a: A) => x;"
    )
    assert refusal(tmp_path, {"src/index.ts": text}).message.startswith("src/index.ts:5: ")


def test_jsx_is_refused_with_a_reason(tmp_path: Path) -> None:
    for ending in ("tsx", "jsx"):
        error = refusal(
            tmp_path / ending, {f"src/index.{ending}": "export const run = () => <Text/>;"}
        )
        assert error.code == "SOURCE_IMPORT"
        assert "nor hold JSX" in error.message


def test_a_missing_handler_file_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"src/other.js": ""}, "index.run")
    assert (error.code, error.message.split(":")[0]) == ("SOURCE_NOT_FOUND", "src/index")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": NaN}', "NaN is no JSON value"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("", "not JSON"),
    ],
)
def test_broken_json_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    error = refusal(tmp_path, {"src/index.js": "import './a.json';", "src/a.json": text})
    assert (error.code, reason in error.message) == ("SOURCE_TEXT", True)


def test_broken_typescript_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, {"src/index.ts": "const x: = 1"}).code == "TYPESCRIPT_ERROR"


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"src/index.js": b"export const a = '\xff';"})
    assert error.code == "SOURCE_TEXT"
    assert "not UTF-8 at byte 18" in error.message


@pytest.mark.hostile
@pytest.mark.parametrize("target", ["../secret.js", "/etc/hostname", "src/real.js", "loop.js"])
def test_a_link_on_the_way_is_refused_wherever_it_leads(tmp_path: Path, target: str) -> None:
    folder = app(tmp_path / "app", {"src/index.js": "import './link.js';", "src/real.js": "1"})
    (tmp_path / "secret.js").write_text("export const secret = 1;")
    link = folder / "src" / "link.js"
    link.symlink_to(folder / target if target.startswith("src") else target)
    with pytest.raises(ManifestError) as caught:
        load_sources(folder, ["index.run"])
    assert caught.value.code in ("SOURCE_OUTSIDE", "SOURCE_NOT_FOUND")
    assert "secret = 1" not in caught.value.message


@pytest.mark.hostile
def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    app(tmp_path / "other", {"lib/index.js": "export const a = 1;"})
    folder = app(tmp_path / "app", {"src/index.js": "import './lib';"})
    (folder / "src" / "lib").symlink_to(tmp_path / "other" / "lib")
    with pytest.raises(ManifestError, match="symbolic link"):
        load_sources(folder, ["index.run"])


def test_the_apps_folder_itself_may_be_reached_through_a_link(tmp_path: Path) -> None:
    app(tmp_path / "real", {"src/index.js": "export const run = 1;"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert "src/index.js" in load_sources(tmp_path / "link", ["index.run"]).modules


@pytest.mark.hostile
@pytest.mark.parametrize(
    "name", ["./a\\0b", "./" + "x" * 5000, "./%2e%2e/index", "./..\\\\..\\\\x", "./\ufffe"]
)
def test_odd_names_lead_nowhere(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, {"src/index.js": f"import '{name}';"}).code == "SOURCE_NOT_FOUND"


@pytest.mark.hostile
def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    folder = app(tmp_path, {"src/index.js": "import './pipe.js';"})
    os.mkfifo(folder / "src" / "pipe.js")
    with pytest.raises(ManifestError) as caught:
        load_sources(folder, ["index.run"])
    assert caught.value.code == "SOURCE_NOT_FOUND"


@pytest.mark.hostile
def test_size_and_number_of_files_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sourcefiles, "FILE_LIMIT", 3)
    monkeypatch.setattr(sourcefiles, "FILE_LIMIT_BYTES", 100)
    many = {f"src/{at}.js": f"import './{at + 1}';" for at in range(5)}
    assert refusal(tmp_path / "a", many, "0.run").code == "SOURCE_LIMIT"
    assert refusal(tmp_path / "b", {"src/index.js": " " * 101}).code == "SOURCE_LIMIT"
    fits = app(tmp_path / "c", {"src/index.js": " " * 100})
    assert "src/index.js" in load_sources(fits, ["index.run"]).modules


def test_files_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    files = {
        "src/index.js": "import { b } from './b'; export const a = () => 'a';\n"
        "export const run = () => b();",
        "src/b.js": "import { a } from './index'; export const b = () => a();",
    }
    assert result_of(app(tmp_path, files), "index.run") == "a"


def test_the_digest_changes_with_any_byte(tmp_path: Path) -> None:
    one = load_sources(app(tmp_path, {"src/index.js": "export const run = 1;"}), ["index.run"])
    same = load_sources(tmp_path, ["index.run"])
    other = load_sources(app(tmp_path, {"src/index.js": "export const run = 2;"}), ["index.run"])
    assert one.digest == same.digest != other.digest


@pytest.mark.parametrize("stored", [{}, {"modules": [], "entry": "x"}, {"modules": {}, "entry": 1}])
def test_stored_sources_that_are_something_else_are_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ManifestError, match="deploy again"):
        AppSources.from_json(stored)


@pytest.mark.hostile
@pytest.mark.parametrize(
    "name", ["firebrick:errors", "firebrick:entry", "src/secret.js", "../x", "lodash"]
)
def test_an_import_made_at_run_time_reaches_only_what_was_loaded(tmp_path: Path, name: str) -> None:
    text = f"export const run = () => import(String('{name}')).then(Object.keys, () => 'refused');"
    files = {"src/index.js": text, "src/secret.js": "export const a = 1;"}
    assert result_of(app(tmp_path, files), "index.run") == "refused"
