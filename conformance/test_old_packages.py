"""@forge/api 2.18 to 4 as npm has them, which speak to the platform through node-fetch."""

import hmac
from pathlib import Path

import pytest

from conformance.conftest import Deployed
from runtime.hostfunctions.stubreader import read_stubs
from runtime.invocation.invoker import InvocationResult
from tests.flows.conftest import Bench

pytestmark = pytest.mark.npm

VERSIONS = ["2-18", "2-22", "3", "4"]
HOST = "https://api.test.example"
STUBS = read_stubs(
    [
        {"url": f"{HOST}/form", "body": {"text": "content"}, "reply": {"body": "took it"}},
        {"url": f"{HOST}/down", "fault": "refused"},
        {"url": f"{HOST}/*", "reply": {"body": "stubbed"}},
    ]
)


@pytest.fixture(scope="session")
def bench(deployed: Deployed) -> Bench:
    bench = deployed("old_app", "old")
    bench.firebrick.stubs = STUBS
    return bench


def invoke(bench: Bench, name: str, as_: str | None = "dana", **payload: str) -> InvocationResult:
    return bench.invoke("old", f"resolver:{name}", payload, as_=as_)


def ask(bench: Bench, name: str, as_: str | None = "dana", **payload: str) -> object:
    result = invoke(bench, name, as_, **payload)
    assert result.outcome.fault is None, result.outcome.fault
    return result.value


@pytest.mark.parametrize("version", VERSIONS)
def test_the_old_client_reads_as_the_user_and_as_the_app(bench: Bench, version: str) -> None:
    assert ask(bench, "read", version=version, issueKey="TEAM-1") == [200, "TEAM-1"]
    assert ask(bench, "asApp", version=version) == [200, "app"]


@pytest.mark.parametrize("version", VERSIONS)
def test_as_user_without_a_user_is_the_packages_own_error(bench: Bench, version: str) -> None:
    told = ask(bench, "noUser", None, version=version)
    assert isinstance(told, dict)
    assert "AUTH_TYPE_UNAVAILABLE" in told["message"]


@pytest.mark.parametrize("version", VERSIONS)
def test_its_fetch_is_the_egress_door(bench: Bench, version: str) -> None:
    stubbed = ask(bench, "outside", version=version, url=f"{HOST}/x")
    assert stubbed == [200, "stubbed", None]
    refused = ask(bench, "outside", version=version, url="https://evil.example/")
    assert "REQUEST_EGRESS_ALLOWLIST_ERR" in str(refused)


@pytest.mark.parametrize("version", VERSIONS)
def test_its_storage_says_that_it_is_not_emulated(bench: Bench, version: str) -> None:
    told = ask(bench, "storage", version=version)
    assert isinstance(told, dict)
    assert "Not emulated yet" in told["message"]


def test_a_form_of_the_form_data_package_arrives(bench: Bench) -> None:
    assert ask(bench, "form", url=f"{HOST}/form") == [200, "took it"]


def test_a_failing_request_is_node_fetchs_own_error(bench: Bench) -> None:
    told = ask(bench, "failing", url=f"{HOST}/down")
    assert isinstance(told, list)
    assert told[:2] == [True, "system"]
    assert "ECONNREFUSED" in told[2]


def test_modules_of_node_are_the_stand_ins(bench: Bench) -> None:
    digest = hmac.new(b"k", b"d", "sha256").hexdigest()
    assert ask(bench, "node") == [[4, "a", "b"], True, digest, "ENOENT", "function"]
    told = ask(bench, "http")
    assert isinstance(told, dict)
    assert "http.request was called" in told["message"]


def test_a_stack_names_the_apps_own_lines(bench: Bench) -> None:
    result = invoke(bench, "explode", version="4", issueKey="TEAM-1")
    fault = result.outcome.fault
    assert fault is not None
    assert fault.message == "nothing at TEAM-1"
    source = (Path(__file__).parent / "old_app" / "src" / "index.ts").read_text().split("\n")
    throws, logs, calls = (
        next(at for at, line in enumerate(source, start=1) if mark in line)
        for mark in ("throw new OwnError(", 'new OwnError("logged")', "return explode(")
    )
    frames = [line.strip() for line in fault.stack.split("\n")[1:]]
    assert frames[1].startswith(f"at explode (src/index.ts:{throws}:")
    assert frames[2].startswith(f"at src/index.ts:{calls}:")
    assert "node_modules/@forge/resolver/" in frames[3]
    (line,) = result.outcome.logs
    assert f"src/index.ts:{logs}:" in line.text
    assert "bundle.js" not in fault.stack + line.text
