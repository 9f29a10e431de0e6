"""From an app's folder to what is stored of it: manifest, sources, digest; or why not."""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import ManifestError
from runtime.invocation.bundling import Toolchain, bundle_with_map
from runtime.invocation.sources import load_sources
from runtime.manifest.model import Function, Manifest
from runtime.manifest.reader import read_manifest
from runtime.sandbox.wasm_guest import as_binary, check_module

RAW_SUFFIXES = (".wat", ".wasm")


@dataclass(frozen=True, slots=True)
class Deployment:
    """An app's folder, checked and read.

    Attributes:
        app_id: The app's ARI.
        name: What it is called on screens and on the command line.
        manifest_text: The manifest as JSON text, with its environment variables filled in.
        scopes: Declared scopes, each with its ``allowImpersonation``.
        egress: Declared external addresses, as ``kind address``.
        sources: The modules as JSON text.
        digest: SHA-256 of manifest and sources.
        functions: Function keys.
        warnings: Findings that do not stop the deployment, one line each.
    """

    app_id: str
    name: str
    manifest_text: str
    scopes: Mapping[str, bool]
    egress: tuple[str, ...]
    sources: str
    digest: str
    functions: frozenset[str]
    warnings: tuple[str, ...]


def prepare(
    directory: Path,
    name: str = "",
    toolchain: Toolchain = Toolchain(),  # noqa: B008  # frozen
) -> Deployment:
    """Check an app's folder and read everything that a deployment keeps.

    Args:
        directory: The folder with ``manifest.yml``.
        name: What to call the app; the folder's name if empty.
        toolchain: Where the bundler is, for apps with packages of their own.

    Raises:
        ManifestError: ``BAD_MANIFEST`` with every finding, or an error of the sources.
    """
    report = read_manifest(directory, environ=os.environ)
    manifest = report.manifest
    if manifest is None:
        findings = "\n".join(problem.text() for problem in report.problems)
        raise ManifestError("BAD_MANIFEST", f"the app was not deployed.\n{findings}")
    text = manifest.document
    sources = _sources(directory, manifest, toolchain)
    return Deployment(
        app_id=manifest.app_id,
        name=name or directory.resolve().name,
        manifest_text=text,
        scopes={scope.name: scope.allow_impersonation for scope in manifest.permissions.scopes},
        egress=_egress(manifest),
        sources=sources,
        digest=hashlib.sha256(f"{text}\0{sources}".encode()).hexdigest(),
        functions=frozenset(manifest.functions),
        warnings=tuple(problem.text() for problem in report.warnings),
    )


def _egress(manifest: Manifest) -> tuple[str, ...]:
    external = manifest.permissions.external
    kinds = {
        "fetch.backend": external.fetch_backend,
        "fetch.client": external.fetch_client,
        **external.others,
    }
    declared = [f"{kind} {one.address}" for kind, group in kinds.items() for one in group]
    of_remotes = [
        f"remote {url}" for one in manifest.remotes.values() for url in one.base_urls.values()
    ]
    return (*declared, *dict.fromkeys(of_remotes))


def _sources(directory: Path, manifest: Manifest, toolchain: Toolchain) -> str:
    functions = tuple(manifest.functions.values())
    raw = _raw_module(directory, functions)
    if raw is not None:
        return json.dumps({"wasm": base64.b64encode(_checked(raw)).decode()})
    handlers = sorted({function.handler for function in functions})
    if handlers and (directory / "node_modules").is_dir():
        script, source_map = _bundled(directory, handlers, toolchain)
        return json.dumps({"bundle": script, "map": source_map})
    return json.dumps(load_sources(directory, handlers).as_json(), sort_keys=True)


def _bundled(directory: Path, handlers: list[str], toolchain: Toolchain) -> tuple[str, str]:
    esbuild = toolchain.find_esbuild(directory)
    if esbuild is None:
        raise ManifestError(
            "TOOLCHAIN_MISSING",
            "the app has node_modules, so it must be bundled, and there is no esbuild: "
            "run 'firebrick toolchain install', or remove node_modules to use the emulator's own "
            "stand-ins for the @forge packages.",
        )
    return bundle_with_map(directory, handlers, esbuild)


def _raw_module(directory: Path, functions: tuple[Function, ...]) -> Path | None:
    """Return the one raw module that all handlers name; None for a JavaScript app."""
    found = {
        path
        for function in functions
        for suffix in RAW_SUFFIXES
        if (path := directory / "src" / f"{function.module}{suffix}").is_file()
    }
    if len(found) > 1:
        raise ManifestError("BAD_MODULE", "An app of raw WebAssembly has one module, not several.")
    return next(iter(found), None)


def _checked(path: Path) -> bytes:
    if path.is_symlink():
        raise ManifestError(
            "BAD_MODULE", f"{path.name} is a symbolic link; put the file itself there."
        )
    try:
        module = path.read_bytes()
    except OSError as error:
        raise ManifestError("BAD_MODULE", f"{path.name}: {error.strerror}.") from error
    problems = check_module(module)
    if problems:
        raise ManifestError("BAD_MODULE", f"{path.name}: " + "; ".join(problems))
    return as_binary(module)
