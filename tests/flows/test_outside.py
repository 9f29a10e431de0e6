"""A real guest fetches what is outside: stubs, refusals, and a clock that jumps."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.hostfunctions.fetch import Egress
from runtime.hostfunctions.stubreader import read_stubs
from runtime.invocation.invoker import InvocationResult, Order
from tests.flows.conftest import Bench

MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/6e2f5a0c-6c1f-4a53-9a0e-1f5b8f4f0a77
  runtime:
    name: nodejs22.x
modules:
  webtrigger:
    - key: hook
      function: run
  function:
    - key: run
      handler: index.run
    - key: wait
      handler: index.wait
permissions:
  scopes: []
  external:
    fetch:
      backend:
        - address: https://api.test.example
        - address: "*.wild.example"
"""
SOURCE = """
import { fetch as forgeFetch } from '@forge/api';
const shown = async (call) => {
  try {
    const { status, url, redirected, headers } = await call;
    const response = await call;
    return [status, url, redirected, headers.get('forge-proxy-error'), await response.text()];
  } catch (error) {
    return [error.name, error.message, error.code ?? null, error.cause?.message ?? null];
  }
};
export const run = ({ url, init, forge }) => shown((forge ? forgeFetch : fetch)(url, init));
export const wait = async ({ ms, url }) => {
  const begin = Date.now();
  const slow = url ? fetch(url).then((one) => one.text()) : 'nothing';
  await new Promise((done) => setTimeout(done, ms));
  return [Date.now() - begin, performance.now(), await slow];
};
"""
Outside = Callable[..., InvocationResult]
STUBS = read_stubs(
    [
        {"url": "https://api.test.example/items*", "reply": {"json": {"n": 1}}},
        {"url": "https://api.test.example/moved", "reply": {"status": 302,
         "headers": {"Location": "https://evil.example/"}}},
        {"url": "https://down.wild.example/*", "fault": "refused"},
    ]
)  # fmt: skip


@pytest.fixture
def outside(bench: Bench, tmp_path: Path) -> Outside:
    folder = tmp_path / "outside"
    (folder / "src").mkdir(parents=True)
    (folder / "manifest.yml").write_text(MANIFEST)
    (folder / "src" / "index.js").write_text(SOURCE)
    bench.install(folder)
    firebrick = bench.firebrick
    version = firebrick.find_app("outside", "development")
    installation = firebrick.apps.find_installation(version, bench.cloud_id)
    plain = Order(version=version, installation=installation, function="run", prove=True)

    def invoke(payload: object, **changes: object) -> InvocationResult:
        order = replace(plain, payload=payload, egress=Egress(STUBS), now_s=1_700_000_000.25)
        result = firebrick.invoker.invoke(replace(order, **changes))  # type: ignore[arg-type]  # by name
        assert result.outcome.fault is None, result.outcome.fault
        return result

    return invoke


@pytest.mark.parametrize("forge", [False, True])
def test_a_stub_answers_the_guest(outside: Outside, forge: bool) -> None:
    url = "https://api.test.example/items?page=2"
    result = outside({"url": url, "forge": forge})
    assert result.value == [200, url, False, None, '{"n": 1}']


@pytest.mark.hostile
@pytest.mark.parametrize(
    "url",
    ["https://evil.example/", "https://api.test.example.evil.example/", "https://2130706433/",
     "https://api.test.example./", "https://api.test.example/moved", "http://api.test.example/items",
     "https://api.test.example:8443/items", "https://wild.example/",
     "https://evil.example\\\\.wild.example/"],
)  # fmt: skip
def test_what_the_manifest_does_not_declare_is_the_platforms_403(
    outside: Outside, url: str
) -> None:
    value = outside({"url": url}).value
    assert isinstance(value, list)
    assert (value[0], value[3]) == (403, "REQUEST_EGRESS_ALLOWLIST_ERR")


def test_a_failure_is_fetchs_type_error_with_its_cause(outside: Outside) -> None:
    assert outside({"url": "https://down.wild.example/x"}).value == [
        "TypeError", "fetch failed", None, "ECONNREFUSED: the connection was refused",
    ]  # fmt: skip


def test_without_a_stub_the_app_is_told_how_to_add_one(outside: Outside) -> None:
    value = outside({"url": "https://api.test.example/other"}).value
    assert isinstance(value, list)
    assert value[2] == "EGRESS_NO_STUB"
    assert "--allow-egress api.test.example" in value[1]


@pytest.mark.hostile
def test_user_information_does_not_leave_the_guest(outside: Outside) -> None:
    value = outside({"url": "https://u:p@api.test.example/items"}).value
    assert isinstance(value, list)
    assert value[0] == "TypeError"


def test_each_attempt_stands_in_the_audit_with_its_rule(outside: Outside, bench: Bench) -> None:
    result = outside({"url": "https://api.test.example/moved"})
    records = bench.firebrick.audit.read(invocation_id=result.invocation_id)
    assert [(one.rule, one.path) for one in records if one.kind == "egress"] == [
        ("egress.stubbed", "https://api.test.example/moved"),
        ("egress.undeclared", "https://evil.example/"),
    ]


def test_under_virtual_time_a_wait_jumps_and_the_door_still_answers(outside: Outside) -> None:
    url = "https://api.test.example/items"
    result = outside({"ms": 20_000, "url": url}, function="wait", virtual_time=True)
    assert result.value == [20_000, 20_000, '{"n": 1}']
    again = outside({"ms": 20_000, "url": url}, function="wait", virtual_time=True)
    assert again.value == result.value


def test_under_virtual_time_the_time_limit_comes_at_once(outside: Outside) -> None:
    with pytest.raises(AssertionError, match="TIMEOUT"):
        outside({"ms": 3_600_000}, function="wait", virtual_time=True)
