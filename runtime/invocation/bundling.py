"""Bundle an app that has packages of its own: esbuild, with stand-ins for Node's built-ins.

An app without ``node_modules`` needs none of this; see `runtime.invocation.sources`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

from runtime.errors import ManifestError
from runtime.invocation.nodemodules import aliases, require_text
from runtime.invocation.sourcemaps import app_map

ESBUILD_VERSION = "0.28.0"
TIMEOUT_S = 120  # a build of a 10 MB bundle takes some seconds
ENTRY_NAME = "entry.js"
MAX_BUNDLE_BYTES = 32 * 1024 * 1024
_NO_FILES = frozenset({ENTRY_NAME, "<stdin>"})
RESOLVED = ".ts,.tsx,.js,.jsx,.json,.cjs"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Where a bundler may be taken from.

    Attributes:
        folder: The tool folder; None for none.
        trust_apps: Whether the one in an app's own ``node_modules`` may run. It is a program that
            the app brings, and it would run on this machine, not in a sandbox (ADR 0004).
    """

    folder: Path | None = None
    trust_apps: bool = False

    def find_esbuild(self, directory: Path) -> Path | None:
        """Return the esbuild to bundle an app with, or None."""
        roots = (self.folder, directory if self.trust_apps else None)
        return next((found for root in roots if root and (found := esbuild_of(root))), None)


def esbuild_of(root: Path) -> Path | None:
    """Return the esbuild that npm put below a folder, or None."""
    found = root / "node_modules" / ".bin" / "esbuild"
    return found if found.exists() else None


def bundle(directory: Path, handlers: Iterable[str], esbuild: Path) -> str:
    """Return one script that registers every handler of an app; see `bundle_with_map`."""
    return bundle_with_map(directory, handlers, esbuild)[0]


def bundle_with_map(directory: Path, handlers: Iterable[str], esbuild: Path) -> tuple[str, str]:
    """Return one script that registers every handler of an app, and its source map as JSON.

    The map names sources by their path in the app's folder; it is empty if the bundler made none.

    Args:
        directory: The app's folder, with ``node_modules``.
        handlers: ``module.export`` names; modules are below ``src/``.
        esbuild: The bundler.

    Raises:
        ManifestError: ``BUNDLE_FAILED`` with the bundler's own words; ``SOURCE_OUTSIDE`` if the
            app takes in a file of this machine that is neither its own nor a package's.
    """
    modules = sorted({handler.rpartition(".")[0] for handler in handlers})
    entry = _entry(modules)
    with (
        as_file(files("runtime.invocation") / "node") as shims,
        TemporaryDirectory(prefix="firebrick-") as scratch,
    ):
        listing, script = Path(scratch) / "meta.json", Path(scratch) / "bundle.js"
        output = [f"--metafile={listing}", f"--outfile={script}"]
        done = _run(esbuild, [*_arguments(shims), *output], entry, directory)
        if done.returncode != 0:
            raise ManifestError("BUNDLE_FAILED", done.stderr.decode("utf-8", "replace").strip())
        _check_inputs(listing, directory, shims)
        if script.stat().st_size > MAX_BUNDLE_BYTES:
            raise ManifestError("BUNDLE_FAILED", f"The bundle is over {MAX_BUNDLE_BYTES} bytes.")
        drawn = script.with_name(f"{script.name}.map")
        source_map = app_map(drawn, directory, shims) if drawn.exists() else ""
        return script.read_bytes().decode(), source_map


def _check_inputs(listing: Path, directory: Path, shims: Path) -> None:
    """Refuse a bundle with a file from outside of the app: it could carry it away.

    Packages may lie above the app, as in a workspace, but only below some ``node_modules``.
    """
    roots = (directory.resolve(), shims.resolve())
    for name in json.loads(listing.read_text(encoding="utf-8"))["inputs"]:
        path = (directory / name).resolve()
        if name in _NO_FILES or name.startswith("(disabled):") or "node_modules" in path.parts:
            continue
        if not any(path.is_relative_to(root) for root in roots):
            raise ManifestError(
                "SOURCE_OUTSIDE", f"{name}: the app imports a file outside of its folder."
            )


def install_toolchain(toolchain: Path) -> Path:
    """Install the bundler into the tool folder through npm and return it.

    Raises:
        ManifestError: ``TOOLCHAIN_FAILED`` if npm is missing or fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ManifestError("TOOLCHAIN_FAILED", "npm is not on the PATH: install Node first.")
    toolchain.mkdir(parents=True, exist_ok=True)
    (toolchain / "package.json").write_text(json.dumps({"private": True}))
    command = [npm, "install", "--no-audit", "--no-fund", f"esbuild@{ESBUILD_VERSION}"]
    done = subprocess.run(  # noqa: S603  # npm itself, with our own arguments
        command, cwd=toolchain, capture_output=True, check=False, timeout=TIMEOUT_S
    )
    found = esbuild_of(toolchain)
    if done.returncode != 0 or found is None:
        raise ManifestError("TOOLCHAIN_FAILED", done.stderr.decode("utf-8", "replace").strip())
    return found


def _entry(modules: list[str]) -> str:
    lines = [
        f"import * as m{number} from {json.dumps('./src/' + module)};"
        for number, module in enumerate(modules)
    ]
    names = ",".join(f"{json.dumps(module)}:m{number}" for number, module in enumerate(modules))
    return "\n".join([*lines, f"__register__({{{names}}});"])


def _arguments(shims: Path) -> list[str]:
    names = [f"--alias:{name}={shims / file}" for name, file in aliases().items()]
    return [
        "--bundle",
        "--format=iife",
        "--platform=node",
        "--target=es2022",
        f"--sourcefile={ENTRY_NAME}",
        "--loader=js",
        "--log-level=error",
        "--color=false",
        f"--resolve-extensions={RESOLVED}",
        f"--banner:js={require_text()}",
        "--sourcemap=external",
        "--sources-content=false",
        *names,
    ]


def _run(
    esbuild: Path, arguments: list[str], entry: str, directory: Path
) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(  # noqa: S603  # the bundler, with our own arguments
            [str(esbuild.absolute()), *arguments],
            input=entry.encode(),
            cwd=directory,
            env={"PATH": os.environ.get("PATH", "")},
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ManifestError("BUNDLE_FAILED", f"esbuild took over {TIMEOUT_S} s.") from error
