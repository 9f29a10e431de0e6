"""An app's source files as ES modules for the sandbox, without Node and without a bundler.

Starting from the handlers, every file that is imported is read, turned into an ES module, and kept
under its path in the app's folder. The platform's packages are the emulator's own stand-ins; other
packages, and the modules of Node, are refused where they are imported.
"""

import hashlib
import json
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtime.errors import ManifestError
from runtime.hostfunctions.prelude import PUBLIC_STANDINS, platform_prelude, standins
from runtime.invocation.esmodules import to_es_module
from runtime.invocation.imports import Import, Reading, read_imports
from runtime.invocation.linemaps import line_map
from runtime.invocation.nodemodules import find_standin, is_standin, neighbour, standin_text
from runtime.invocation.refusals import refusal_of
from runtime.invocation.sourcefiles import SourceFolder
from runtime.manifest.exports import HANDLER_ENDINGS
from runtime.sandbox.values import JavaScriptSource
from runtime.sandbox.world import world_prelude

ENTRY = "firebrick:entry"
"""The generated module that imports the handlers and hands them over; no file has this name."""

ENDINGS = (".ts", ".tsx", ".jsx", ".js", ".json", ".cjs", ".mjs")
"""What may be left out of an import, in the order in which it is tried."""

TRANSFORMED = (".ts", ".tsx", ".jsx")
"""Files that are not evaluated as they are written."""


@dataclass(frozen=True, slots=True)
class AppSources:
    """The modules of an app, ready for the sandbox.

    Attributes:
        modules: ES source by path in the app's folder, and the entry.
        entry: Name of the module that is evaluated last and registers the handlers.
        lines: Of each TypeScript module, the file's line of each of its lines; for stacks.
    """

    modules: Mapping[str, str]
    entry: str
    lines: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the modules and the entry."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, object]:
        """Return a JSON value that `from_json` reads."""
        lines = {name: list(numbers) for name, numbers in self.lines.items()}
        return {"modules": dict(self.modules), "entry": self.entry, "lines": lines}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "AppSources":
        """Return what `as_json` made a value of.

        Raises:
            ManifestError: ``SOURCE_TEXT`` if the value is something else.
        """
        modules, entry = value.get("modules"), value.get("entry")
        if not isinstance(modules, dict) or not isinstance(entry, str):
            raise ManifestError("SOURCE_TEXT", "The stored sources cannot be read; deploy again.")
        return cls({str(name): str(text) for name, text in modules.items()}, entry, lines_of(value))

    def javascript(self) -> JavaScriptSource:
        """Return everything the sandbox evaluates: globals, stand-ins, modules, entry."""
        modules = {**standins(), **self.modules}
        return JavaScriptSource(
            prelude=world_prelude() + platform_prelude(),
            modules=modules,
            entry=self.entry,
            resolve=lambda base, specifier: _resolve(base, specifier, modules.__contains__),
        )


def lines_of(value: Mapping[str, object]) -> dict[str, list[int]]:
    """Return the lines of TypeScript modules in a stored JSON value; none if it has none."""
    lines = value.get("lines")
    if not isinstance(lines, dict):
        return {}
    return {str(name): list(map(int, numbers)) for name, numbers in lines.items()}


def load_sources(folder: Path, handlers: Iterable[str]) -> AppSources:
    """Read an app's handlers and everything that they import.

    Args:
        folder: The app's folder.
        handlers: Each ``module.export`` or ``folder/module.export``, as in the manifest; the file
            is below ``src/``.

    Raises:
        ManifestError: ``SOURCE_NOT_FOUND``, ``SOURCE_IMPORT``, ``SOURCE_OUTSIDE``,
            ``SOURCE_LIMIT``, ``SOURCE_TEXT`` or ``TYPESCRIPT_ERROR``; the message names file and
            line, and what to do.

    Differs:
        The platform bundles with webpack. Here files stay modules, so an import of a package other
        than the stand-ins is refused; of Node's modules those are there that a sandbox can have.
    """
    source = SourceFolder(folder)
    names = sorted({handler.rpartition(".")[0] for handler in handlers})
    files = {name: _handler_file(source, name) for name in names}
    modules, lines = _load(source, files.values())
    return AppSources({**modules, ENTRY: _entry(files)}, ENTRY, lines)


def _handler_file(source: SourceFolder, module: str) -> str:
    found = next((n for e in HANDLER_ENDINGS if source.exists(n := f"src/{module}{e}")), None)
    if found is None:
        raise ManifestError(
            "SOURCE_NOT_FOUND",
            f"src/{module}: there is no such file with the ending {', '.join(HANDLER_ENDINGS)}.",
        )
    return found


def _entry(files: Mapping[str, str]) -> str:
    """Return the module that registers each handler's module under its name in the manifest."""
    imports = "".join(
        f"import * as $handlers{at} from {json.dumps(path)};\n"
        for at, path in enumerate(files.values())
    )
    whole = '"module.exports"'
    named = ", ".join(
        f"{json.dumps(name)}: {whole} in $handlers{at} ? $handlers{at}[{whole}] : $handlers{at}"
        for at, name in enumerate(files)
    )
    return f"{imports}__register__({{ {named} }});\n"


def _load(
    source: SourceFolder, first: Iterable[str]
) -> tuple[dict[str, str], dict[str, tuple[int, ...]]]:
    modules: dict[str, str] = {}
    lines: dict[str, tuple[int, ...]] = {}
    waiting = list(dict.fromkeys(first))
    while waiting:
        name = waiting.pop()
        if name in modules:
            continue
        text = standin_text(name) if is_standin(name) else source.read(name)
        modules[name], reading = to_es_module(name, text)
        if name.endswith(TRANSFORMED):
            lines[name] = line_map(text, modules[name])
        waiting += _files_of(source, name, text, reading)
    return modules, lines


def _files_of(source: SourceFolder, name: str, text: str, reading: Reading) -> list[str]:
    found = []
    for one in reading.imports:
        target = _resolve(name, one.specifier, source.exists)
        if target is None:
            raise _refused(name, text, one)
        if target not in PUBLIC_STANDINS:
            found.append(target)
    return found


def _refused(name: str, text: str, wanted: Import) -> ManifestError:
    """Say why an import leads nowhere, at its line of the file as the author wrote it."""
    written = read_imports(text).imports
    line = next((one.line for one in written if one.specifier == wanted.specifier), wanted.line)
    code, reason = refusal_of(wanted.specifier, _joined(name, wanted.specifier))
    return ManifestError(code, f"{name}:{line}: {reason}")


def _resolve(base: str, specifier: str, exists: Callable[[str], bool]) -> str | None:
    """Return the module that a specifier means in a module, or None."""
    if base == ENTRY or base in standins():
        return specifier if exists(specifier) or specifier in standins() else None
    if specifier in PUBLIC_STANDINS:
        return specifier
    if is_standin(base):
        return neighbour(specifier)
    standin = find_standin(specifier)
    if standin is not None:
        return standin
    path = _joined(base, specifier)
    return None if path is None else next(filter(exists, _candidates(path)), None)


def _joined(base: str, specifier: str) -> str | None:
    """Return the path a relative specifier names; None if it is not relative or leads outside."""
    if specifier not in (".", "..") and not specifier.startswith(("./", "../")):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(base), specifier))
    if path == ".." or path.startswith("../"):
        return None
    return ("" if path == "." else path) + ("/" if specifier.endswith("/") else "")


def _candidates(path: str) -> Iterator[str]:
    """Yield the files that a path without an ending may mean, first that which wins."""
    bare = path.removesuffix("/")
    if bare and bare == path:
        if path.endswith(ENDINGS):
            yield path
        yield from (path + ending for ending in ENDINGS)
        if path.endswith(".js"):  # TypeScript names the file that it would be compiled to
            yield from (path.removesuffix(".js") + ending for ending in (".ts", ".tsx"))
    folder = f"{bare}/" if bare else ""
    yield from (f"{folder}index{ending}" for ending in ENDINGS)
