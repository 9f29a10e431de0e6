"""The examples of docs/clients.md, as they stand there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.emulator import Emulator, emulating
from conformance.environment import NPM, PYPI, ROOT, WHICH, Which, modules_of, python_of
from conformance.oauth_desk import Desk
from conformance.running import run_example
from tests.flows.connect_app import ConnectApp, running

PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^```(python|js)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples(language: str) -> list[tuple[str, str]]:
    """Return each example of a language with the client it is of."""
    found = []
    for section in PAGE.split("\n### ")[1:]:
        name = section.partition("\n")[0]
        found += [(name, code) for kind, code in EXAMPLE.findall(section) if kind == language]
    return found


def is_module(code: str) -> bool:
    """Say whether an example is one of ECMAScript modules."""
    return code.startswith("import ")


def of_node() -> Iterator[tuple[str, str, Which]]:
    """Return the examples for Node; what is a module needs the newest."""
    for name, code in examples("js"):
        if not is_module(code):
            yield name, code, "pinned"
        version_5 = name == "jira.js" and not is_module(code)
        yield name, code.replace('"jira.js"', '"jira.js-5"') if version_5 else code, "newest"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulating(tmp_path_factory.mktemp("guide")) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def variables(emulator: Emulator) -> Iterator[dict[str, str]]:
    desk = Desk.open(emulator, "Guide")
    with running(ConnectApp()) as app:
        url = app.descriptor_url
        emulator.say("connect", "install", url, "--yes", "--base-url", emulator.base)
        yield {
            "BASE": emulator.base,
            "EMAIL": desk.dana.email,
            "TOKEN": desk.dana.secret,
            "GATEWAY": emulator.gateway,
            "ACCESS_TOKEN": desk.tokens()["access_token"],
            "CLIENT": desk.client,
            "SECRET": desk.secret,
            "CALLBACK": desk.callback,
            "KEY": app.key,
            "CLIENT_KEY": app.tenant["clientKey"],
            "SHARED_SECRET": app.tenant["sharedSecret"],
        }


@pytest.fixture
def place(emulator: Emulator, variables: dict[str, str]) -> dict[str, str]:
    """The variables, with a consent of its own."""
    scope = "offline_access read:jira-work read:me"
    told = emulator.tell(
        "oauth", "authorize", "--client", variables["CLIENT"], "--as", "dana", "--scope", scope
    )
    return variables | {"REDIRECT": told["location"]}


def test_every_client_has_an_example_or_says_how() -> None:
    sections = {section.partition("\n")[0] for section in PAGE.split("\n### ")[1:]}
    assert sections >= {client.name for client in (*PYPI, *NPM)} - {"@atlassian/atlassian-jwt"}


@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize(("name", "code"), examples("python"))
def test_python(place: dict[str, str], tmp_path: Path, name: str, code: str, which: Which) -> None:
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    run_example([str(python_of(name, which)), str(script)], place)


@pytest.mark.npm
@pytest.mark.parametrize(("name", "code", "which"), list(of_node()))
def test_node(variables: dict[str, str], name: str, code: str, which: Which) -> None:
    folder = modules_of(which) / "examples"
    folder.mkdir(exist_ok=True)
    script = folder / f"{name}.{'mjs' if is_module(code) else 'cjs'}"
    script.write_text(code, encoding="utf-8")
    run_example(["node", str(script)], variables)
