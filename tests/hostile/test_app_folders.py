"""App folders that reach for files of this machine: links, paths, spellings, bundlers, bombs."""

import ast
import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from runtime.errors import ForgeError, ManifestError
from runtime.invocation.bundling import bundle
from runtime.invocation.deploy import prepare
from runtime.invocation.sources import load_sources
from runtime.manifest.files import FolderFiles
from runtime.manifest.reader import read_manifest
from tests.manifest.texts import GOOD, HEAD

pytestmark = pytest.mark.hostile

ROOT = Path(__file__).parents[2]
SECRET = "the-secret-of-this-machine"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "secret.js").write_text(f"export const run = () => '{SECRET}';")
    (tmp_path / "secret.json").write_text(json.dumps({"key": SECRET}))
    (tmp_path / "secret.wat").write_text(f'(module (data "{SECRET}"))')
    folder = tmp_path / "app"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text("export const run = () => 1;")
    (folder / "manifest.yml").write_text(GOOD)
    return folder


HANDLERS = [
    "../secret.run", "../../secret.run", "./../../secret.run", "a/../../../secret.run",
    "/etc/passwd.run", "..\\\\..\\\\secret.run", "%2e%2e/secret.run", "\\u202e.run", "index\\0.run",
    "~/secret.run", "file:///etc/passwd.run", "index.js/../../../secret.run", "....//secret.run",
]  # fmt: skip


@pytest.mark.parametrize("handler", HANDLERS)
def test_no_handler_name_leads_out_of_the_folder(app: Path, handler: str) -> None:
    (app / "manifest.yml").write_text(GOOD.replace("index.run", f'"{handler}"'))
    with pytest.raises(ManifestError) as caught:
        prepare(app)
    assert SECRET not in caught.value.message
    plain = handler.replace("\\\\", "\\").replace("\\0", "\0").replace("\\u202e", "\u202e")
    with pytest.raises(ManifestError) as caught:
        load_sources(app, [plain])
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("name", ["secret.js", "secret.json", "secret.wat"])
@pytest.mark.parametrize("place", ["src/index", "src"])
def test_no_link_lends_a_file_of_this_machine(app: Path, name: str, place: str) -> None:
    ending = name.removeprefix("secret")
    (app / "src" / "index.js").unlink()
    if place == "src":
        (app / "src").rmdir()
        (app.parent / f"index{ending}").write_text((app.parent / name).read_text())
        (app / "src").symlink_to(app.parent)
    else:
        (app / f"{place}{ending}").symlink_to(app.parent / name)
    with pytest.raises(ForgeError) as caught:
        prepare(app)
    assert SECRET not in caught.value.message


def test_a_raw_module_is_the_file_itself(app: Path) -> None:
    (app / "src" / "index.js").unlink()
    (app / "real.wat").write_text("(module)")
    (app / "src" / "index.wat").symlink_to(app / "real.wat")
    with pytest.raises(ManifestError, match="symbolic link"):
        prepare(app)


IMPORTS = [
    "../../secret.json", "../../secret", "../../app/../secret.js", "/etc/passwd",
    "file:///etc/passwd",
    "./a/../../../secret.json", "..\\\\..\\\\secret.js", "%2e%2e/%2e%2e/secret.json", "#secret",
    "~/x",
    "@/secret", "secret", "data:text/javascript,1", "https://evil.test/x.js", "./index.js\\0.json",
    "./INDEX.js", "./Index", "node:fs", "child_process", "firebrick:entry",
    "../src/../../secret.json",
]  # fmt: skip


@pytest.mark.parametrize("specifier", IMPORTS)
@pytest.mark.parametrize("form", ["import x from '%s';", "const x = require('%s');"])
def test_no_import_leads_out_of_the_folder(app: Path, specifier: str, form: str) -> None:
    paths = {"compilerOptions": {"paths": {"secret": ["../secret.json"], "@/*": ["../*"]}}}
    (app / "tsconfig.json").write_text(json.dumps(paths))
    (app / "package.json").write_text(json.dumps({"imports": {"#secret": "../secret.json"}}))
    (app / "src" / "index.js").write_text(form % specifier + "\nexport const run = () => x;")
    with pytest.raises(ManifestError) as caught:
        load_sources(app, ["index.run"])
    assert caught.value.code in ("SOURCE_IMPORT", "SOURCE_NOT_FOUND", "SOURCE_OUTSIDE")
    assert SECRET not in caught.value.message


def test_a_file_system_that_folds_case_does_not_make_two_modules_one(app: Path) -> None:
    (app / "src" / "Index.js").write_text("export const run = () => 'other';")
    if len(list((app / "src").iterdir())) == 2:  # it does not fold
        first = load_sources(app, ["index.run"])
        second = load_sources(app, ["Index.run"])
        assert first.digest != second.digest


RESOURCES = ["../secret.json", "/etc", "..", "static/../../secret.json", "a\\0b", "~"]


@pytest.mark.parametrize("path", RESOURCES)
def test_no_resource_lies_outside_of_the_folder(app: Path, path: str) -> None:
    module = "  jira:globalPage: [{key: p, title: t, resource: r, resolver: {function: main}}]\n"
    text = GOOD.replace("modules:\n", "modules:\n" + module)
    (app / "manifest.yml").write_text(text + f'resources: [{{key: r, path: "{path}"}}]\n')
    report = read_manifest(app)
    assert report.manifest is None
    assert all(SECRET not in problem.text() for problem in report.problems)


def test_a_linked_resource_lies_outside_too(app: Path) -> None:
    (app / "static").symlink_to(app.parent)
    assert FolderFiles(app).kind("static") == "outside"
    assert FolderFiles(app).read("static/secret.json") is None
    assert FolderFiles(app).names("static") == ()


# ---------------------------------------------------------------------------------- the bundler


def bundler(folder: Path, inputs: list[str], script: str = "bundled") -> Path:
    """A stand-in for esbuild that says which files it took in."""
    fake = folder.parent / "fake-esbuild"
    listing = json.dumps({"inputs": {name: {} for name in inputs}})
    fake.write_text(
        '#!/bin/sh\nfor one in "$@"; do case $one in\n'
        f"--metafile=*) printf %s '{listing}' > \"${{one#--metafile=}}\";;\n"
        f"--outfile=*) printf %s '{script}' > \"${{one#--outfile=}}\";;\nesac; done\n"
    )
    fake.chmod(0o755)
    return fake


@pytest.mark.parametrize(
    "name",
    ["../secret.json", "src/../../secret.json", "/etc/passwd", "../../../../../etc/passwd",
     "src/linked.json"],
)  # fmt: skip
def test_a_bundle_with_a_file_from_outside_is_refused(app: Path, name: str) -> None:
    (app / "src" / "linked.json").symlink_to(app.parent / "secret.json")
    with pytest.raises(ManifestError) as caught:
        bundle(app, ["index.run"], bundler(app, ["src/index.js", name]))
    assert caught.value.code == "SOURCE_OUTSIDE"


def test_a_bundle_of_the_apps_files_and_of_packages_is_what_the_bundler_made(app: Path) -> None:
    shim = ROOT / "runtime" / "invocation" / "node" / "crypto.js"
    inputs = ["entry.js", "<stdin>", "src/index.js", "node_modules/pad/index.js", "(disabled):fs",
              "../node_modules/shared/index.js", os.path.relpath(shim, app)]  # fmt: skip
    assert bundle(app, ["index.run"], bundler(app, inputs)) == "bundled"


def test_a_bundler_that_fails_or_makes_too_much_is_told(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = app.parent / "failing"
    fake.write_text("#!/bin/sh\necho 'no such thing' >&2\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(ManifestError, match="no such thing"):
        bundle(app, ["index.run"], fake)
    monkeypatch.setattr("runtime.invocation.bundling.MAX_BUNDLE_BYTES", 3)
    with pytest.raises(ManifestError, match="over 3 bytes"):
        bundle(app, ["index.run"], bundler(app, []))


# ---------------------------------------------------------------------------------------- bombs


def bomb() -> bytes:
    """A megabyte of zeros, as a zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.yml", bytes(1 << 20))
    return content.getvalue()


@pytest.mark.parametrize("raw", [bomb(), gzip.compress(bytes(1 << 20))], ids=["zip", "gzip"])
def test_an_archive_is_no_manifest_no_source_and_no_module(app: Path, raw: bytes) -> None:
    (app / "manifest.yml").write_bytes(raw)
    assert read_manifest(app).manifest is None
    (app / "manifest.yml").write_text(GOOD)
    (app / "src" / "index.js").write_bytes(raw)
    with pytest.raises(ManifestError):
        prepare(app)
    (app / "src" / "index.js").rename(app / "src" / "index.wasm")
    with pytest.raises(ForgeError):
        prepare(app)


UNPACKERS = {"zipfile", "tarfile", "gzip", "bz2", "lzma", "zlib", "shelve", "pickle", "marshal"}


def test_nothing_in_the_product_unpacks_an_archive_or_wakes_an_object() -> None:
    found = set()
    for path in (ROOT / "runtime").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {(path.name, one.name) for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((path.name, str(node.module)))
    assert {one for one in found if one[1].partition(".")[0] in UNPACKERS} == set()


def test_an_alias_bomb_costs_nothing_wherever_yaml_is_read(app: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (app / "manifest.yml").write_text("\n".join(lines))
    assert read_manifest(app).manifest is None
    with pytest.raises(ManifestError):
        prepare(app)


def test_json_as_deep_as_it_is_long_is_a_broken_source(app: Path) -> None:
    (app / "src" / "deep.json").write_text("[" * 200_000)
    (app / "src" / "index.js").write_text("import x from './deep.json'; export const run = x;")
    with pytest.raises(ManifestError) as caught:
        load_sources(app, ["index.run"])
    assert caught.value.code == "SOURCE_TEXT"


def test_a_folder_without_end_is_looked_at_as_far_as_the_limits_reach(app: Path) -> None:
    (app / "src" / "loop").symlink_to(app / "src")
    deep = app / "src"
    for _ in range(40):
        deep = deep / "d"
        deep.mkdir()
        (deep / "a.js").write_text("export const a = 1;")
    assert read_manifest(app).manifest is not None


def test_a_manifest_in_another_spelling_is_not_the_manifest(app: Path) -> None:
    text = (app / "manifest.yml").read_text()
    (app / "manifest.yml").unlink()
    for name in ("Manifest.yml", "manifest.YML", "manifest.yml ", "manifest.yml\u200b"):
        (app / name).write_text(text.replace(HEAD, ""))
        problems = read_manifest(app).problems
        assert problems[0].level == "error"
        (app / name).unlink()
