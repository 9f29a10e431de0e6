"""Run a script of ``clients/`` with a real client beside it."""

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any  # JSON

from conformance.environment import Which, modules_of, python_of

SCRIPTS = Path(__file__).parent / "clients"
RUN_S = 300
Answering = Callable[[str], str]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def run_python(
    client: str,
    which: Which,
    script: str,
    place: object,
    answering: Answering | None = None,
    **more: str,
) -> Any:
    """Run a script with a package of PyPI; return what it said.

    Args:
        client: The package.
        which: Pinned or newest.
        script: Name of the script; it is given `place` as JSON, and its last line is JSON.
        place: Where the emulator is, and who asks.
        answering: Answers each line that is an address, as a person does who opens it.
        more: Environment variables.
    """
    command = [str(python_of(client, which)), str(SCRIPTS / script), json.dumps(place)]
    return _said(command, more, answering)


def run_node(which: Which, script: str, place: object, **more: str) -> Any:
    """Run a script with packages of npm; return what it said."""
    return _said(["node", str(script_of(which, script)), json.dumps(place)], more, None)


def run_example(command: list[str], variables: dict[str, str]) -> None:
    """Run an example of the documentation, which fails where something is not as it says."""
    done = subprocess.run(
        command, check=False, cwd=SCRIPTS, env=environment_with(variables),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_S,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


def script_of(which: Which, script: str) -> Path:
    """Put a script where Node finds the packages, and return it."""
    folder = modules_of(which) / "scripts"
    folder.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as copy:
        copy.write((SCRIPTS / script).read_bytes())
    return Path(copy.name).replace(folder / script)  # whole, whoever reads it at the moment


def environment_with(more: dict[str, str]) -> dict[str, str]:
    """Return this process's environment without its proxies, and with what is added."""
    own = {name: value for name, value in os.environ.items() if name.lower() not in PROXIES}
    return own | more


def _said(command: list[str], more: dict[str, str], answering: Answering | None) -> Any:
    """Return the JSON of the last line that a command says."""
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, cwd=SCRIPTS, env=environment_with(more), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        ) as process,
    ):  # fmt: skip
        stop = threading.Timer(RUN_S, process.kill)
        stop.start()
        lines = list(_heard(process, answering))
        code = process.wait()
        stop.cancel()
        errors.seek(0)
        assert code == 0, "\n".join([*lines, errors.read()])[-4000:]
    return json.loads(lines[-1])


def _heard(process: "subprocess.Popen[str]", answering: Answering | None) -> Iterator[str]:
    assert process.stdin is not None
    assert process.stdout is not None
    for line in process.stdout:
        if answering is not None and line.startswith("http"):
            process.stdin.write(answering(line.strip()) + "\n")
            process.stdin.flush()
        yield line
