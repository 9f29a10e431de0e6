"""The environment of the real clients: each in a folder of its own, none in the project's.

Every client is there twice: *pinned*, at the version whose behaviour is written down, and *newest*,
which its package manager resolves anew unless it did so within the hour. Packages of PyPI get a
virtual environment each, so that none holds another back; those of npm share a folder, where npm
keeps them apart.

``python -m conformance.environment`` builds all of it, two at a time.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

Which = Literal["pinned", "newest"]

ROOT = Path(__file__).parents[1]
FOLDER = Path(os.environ.get("FIREBRICK_CONFORMANCE", ROOT / ".conformance"))
WHICH: tuple[Which, ...] = ("pinned", "newest")
INSTALL_S = 300
AT_A_TIME = 2
FRESH_S = 3600  # how long what is newest is not asked for again


@dataclass(frozen=True, slots=True, eq=False)  # one object each
class Client:
    """A package that is tested, and what its script needs beside it.

    Attributes:
        name: The package's name at its registry.
        version: The pinned version.
        beside: Further packages with their versions, the same for both.
    """

    name: str
    version: str
    beside: Mapping[str, str] = field(default_factory=dict)


PYPI = (
    Client("mcp-atlassian", "0.23.1"),
    Client("jira", "3.10.5", {"requests-jwt": "0.6.0"}),
    Client("atlassian-python-api", "4.0.7"),
    Client("requests-oauthlib", "2.0.0"),
    Client("Authlib", "1.9.9", {"requests": "2.32.5", "httpx": "0.28.1"}),
    Client("atlassian-jwt", "3.0.0", {"requests": "2.32.5"}),
)
NPM = (
    Client("jira.js", "5.4.0", {"jira.js-5": "npm:jira.js@5"}),  # 6 is another client altogether
    Client("jira-client", "8.2.2"),
    Client("atlassian-jwt", "2.0.3"),
    Client("@atlassian/atlassian-jwt", "2.2.0"),
    Client(
        "passport-atlassian-oauth2",
        "2.1.0",
        {"express": "4.21.2", "express-session": "1.18.1", "passport": "0.7.0"},
    ),
    Client("atlassian-connect-express", "11.5.3"),
    Client(
        "@forge/api",
        "8.3.0",
        {f"forge-api-{major}": f"npm:@forge/api@{major}" for major in (5, 6, 7)},
    ),
)


class UnavailableError(Exception):
    """A client cannot be installed; the message says which, and what its installer said."""


def python_of(name: str, which: Which) -> Path:
    """Return the interpreter of a PyPI client's own environment; build it where it is missing."""
    client = next(one for one in PYPI if one.name == name)
    return _built(FOLDER / f"pypi-{name}-{which}", which, client) / "bin" / "python"


def modules_of(which: Which) -> Path:
    """Return the folder whose ``node_modules`` holds the npm clients; build it where missing."""
    return _built(FOLDER / f"npm-{which}", which, None)


def node_is_missing() -> str:
    """Return what of Node is not on this machine; empty if all is."""
    lacking = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    return " and ".join(lacking)


def summary() -> list[str]:
    """Return a line for each registry: every client, the versions pinned and newest."""
    found: dict[str, dict[str, dict[str, str]]] = {"pypi": {}, "npm": {}}
    for stamp in sorted(FOLDER.glob("*/installed.json")):
        registry, _, rest = stamp.parent.name.partition("-")
        which = rest.rpartition("-")[2]
        for name, version in json.loads(stamp.read_text())["versions"].items():
            found[registry].setdefault(name, {})[which] = version
    return [
        f"clients of {registry}, pinned and newest: "
        + ", ".join(
            f"{name} {both.get('pinned')} {both.get('newest')}" for name, both in clients.items()
        )
        for registry, clients in found.items()
    ]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no other process build the same."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _built(folder: Path, which: Which, client: Client | None) -> Path:
    """Return a folder in which a client, or all of npm, is installed.

    Raises:
        UnavailableError: It cannot be; this process tries once alone.
    """
    error = _attempt(folder, which, client)
    if error is not None:
        raise UnavailableError(str(error))
    return folder


@cache
def _attempt(folder: Path, which: Which, client: Client | None) -> UnavailableError | None:
    try:
        with _alone(folder):
            if client is None:
                _build_npm(which, folder)
            else:
                _build_pypi(client, which, folder)
    except UnavailableError as error:
        return error
    return None


def _build_pypi(client: Client, which: Which, folder: Path) -> None:
    python = folder / "bin" / "python"
    wanted = _wanted([client], which, "==")
    if not _is_built(folder, wanted, which):
        venv.create(folder, clear=True, symlinks=True)
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        command += ["--disable-pip-version-check", "--no-input"]
        _run([*command, "--upgrade", *wanted], folder, f"{which} {client.name} of PyPI")
        code = f"from importlib.metadata import version; print(version({client.name!r}))"
        version = _run([str(python), "-c", code], folder, client.name).strip()
        _stamp(folder, wanted, {client.name: version})


def _build_npm(which: Which, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    wanted = _wanted(NPM, which, "@")
    if not _is_built(folder, wanted, which):
        manifest = {"name": f"clients-{which}", "version": "1.0.0", "private": True}
        (folder / "package.json").write_text(json.dumps(manifest))
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
        _run([*command, *wanted], folder, f"{which} clients of npm")
        found = {client.name: _installed(folder, client.name) for client in NPM}
        _stamp(folder, wanted, found)


def _wanted(clients: "tuple[Client, ...] | list[Client]", which: Which, mark: str) -> list[str]:
    latest = "@latest" if mark == "@" else ""
    wanted: dict[str, str] = {}
    for client in clients:
        wanted |= {name: mark + version for name, version in client.beside.items()}
    for client in clients:
        wanted[client.name] = mark + client.version if which == "pinned" else latest
    return [name + version for name, version in wanted.items()]


def _is_built(folder: Path, wanted: list[str], which: Which) -> bool:
    stamp = folder / "installed.json"
    if not stamp.exists():
        return False
    built = json.loads(stamp.read_text())
    if built["wanted"] != wanted or built.get("place") != str(folder):  # scripts name their folder
        return False
    return which == "pinned" or time.time() - stamp.stat().st_mtime < FRESH_S


def _stamp(folder: Path, wanted: list[str], found: dict[str, str]) -> None:
    text = json.dumps({"wanted": wanted, "place": str(folder), "versions": found}, indent=2)
    (folder / "installed.json").write_text(text)


def _installed(folder: Path, name: str) -> str:
    manifest = folder / "node_modules" / name / "package.json"
    version: str = json.loads(manifest.read_text())["version"]
    return version


def _run(command: list[str], folder: Path, what: str) -> str:
    try:
        done = subprocess.run(
            command, check=False, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"Cannot install the {what} in {INSTALL_S} seconds.") from error
    if done.returncode != 0:
        raise UnavailableError(f"Cannot install the {what}:\n{done.stderr[-2000:]}")
    return done.stdout


def main() -> int:
    """Build everything; say what was built, and what could not be."""
    jobs = [(client.name, which) for client in PYPI for which in WHICH]
    lacking = node_is_missing()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        tasks = [] if lacking else [pool.submit(modules_of, which) for which in WHICH]
        tasks += [pool.submit(python_of, name, which) for name, which in jobs]
    failed = [error for task in tasks if (error := task.exception()) is not None]
    sys.stdout.writelines(f"{line}\n" for line in summary())
    for error in failed:
        sys.stderr.write(f"{error}\n")
    return 0  # the tests of what is missing say so themselves


if __name__ == "__main__":
    raise SystemExit(main())
