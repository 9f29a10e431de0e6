"""Remotes whose address a customer says: functions and endpoints ask there, until it is reset."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.errors import InstallationError
from runtime.hostfunctions.fetch import Egress
from runtime.hostfunctions.stubreader import read_stubs
from runtime.installation.model import AppVersion
from runtime.invocation.invoker import InvocationResult, Order
from runtime.policy.customer_egress import Choices
from runtime.server.customer_egress import Custody, choices_of, list_remotes
from runtime.server.explain.why import Reasons
from tests.flows.conftest import Bench
from tests.hostile.oauth_place import Place

APP = "roaming"
MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/6e2f5a0c-6c1f-4a53-9a0e-1f5b8f4f0c12
  runtime: {name: nodejs22.x}
modules:
  webtrigger: [{key: hook, function: ask}]
  function: [{key: ask, handler: index.ask}]
  endpoint: [{key: page, remote: own, route: {path: /page}}]
remotes:
  - key: own
    operations: [compute]
    configurable:
      name: Your server
      description: What the app asks
      supportedPatterns: ["*.customer.example", "exact.example"]
  - key: either
    baseUrl: https://default.example/base
    operations: [compute]
    configurable: {name: Either, description: Ours or yours}
  - {key: fixed, baseUrl: "https://fixed.example", operations: [compute]}
permissions:
  scopes: [read:jira-work]
  external:
    configurable: {enabled: true}
    fetch: {backend: [{remote: own}]}
"""
SOURCE = """
import { invokeRemote } from "@forge/api";
export const ask = async ({ remote, url }) => {
  try {
    const answer = url ? await fetch(url) : await invokeRemote(remote, { path: "/x" });
    return { status: answer.status, text: await answer.text() };
  } catch ({ message, code }) {
    return { status: 0, text: code ?? message };
  }
};
"""
STUBS = [
    {"url": f"https://{host}/*", "reply": {"body": host}}
    for host in ("a.customer.example:8443", "a.customer.example", "default.example",
                 "fixed.example", "new.example", "evil.test")
]  # fmt: skip


def deploy(bench: Bench, folder: Path, manifest: str = MANIFEST) -> AppVersion:
    home = folder / APP
    (home / "src").mkdir(parents=True, exist_ok=True)
    (home / "manifest.yml").write_text(manifest)
    (home / "src" / "index.js").write_text(SOURCE)
    bench.install(home)
    return bench.firebrick.find_app(APP, "development")


def custody(bench: Bench, version: AppVersion, as_: str = "amy") -> Custody:
    person = bench.firebrick.find_person(as_)
    return Custody.of(bench.firebrick, version, bench.cloud_id, person)


def invoke(
    bench: Bench, payload: Mapping[str, str], function: str = "ask", **named: str
) -> InvocationResult:
    firebrick = bench.firebrick
    version = firebrick.find_app(APP, "development")
    order = Order(
        version=version,
        installation=firebrick.apps.find_installation(version, bench.cloud_id),
        function=function,
        payload=payload,
        egress=Egress(read_stubs(STUBS), remotes=named),
    )
    return firebrick.invoker.invoke(replace(order, prove=function == "ask"))


def ask(bench: Bench, **payload: str) -> str:
    """Who answered a guest: the host, the error, or the status of an empty refusal."""
    value = invoke(bench, payload).value
    assert isinstance(value, dict)
    return str(value["text"] or value["status"])


def test_a_remote_is_where_the_customer_says_until_that_is_taken_back(
    bench: Bench, tmp_path: Path
) -> None:
    version = deploy(bench, tmp_path)
    mine = custody(bench, version)
    assert ask(bench, remote="own") == "DENIED"
    assert bench.firebrick.audit.read(limit=2)[0].rule == "remote.unconfigured"
    kept = mine.set_endpoint("own", "HTTPS://A.customer.example:443/v1/")
    assert kept == "https://a.customer.example/v1/"
    assert ask(bench, remote="own") == "a.customer.example"
    record = bench.firebrick.audit.read(limit=2)[0]
    assert (record.path, record.rule) == ("https://a.customer.example/v1/x", "remote.stubbed")
    assert record.detail == {"remote": "own", "base_url": "customer"}
    notes = dict(Reasons(bench.firebrick).explain(record).notes)
    assert notes["Remote"] == "own at https://a.customer.example/v1/x, by the customer's word"
    assert invoke(bench, {}, "page").outcome.fault is None
    paths = [one.path for one in bench.firebrick.audit.read(limit=3)]
    assert "https://a.customer.example/v1/page" in paths
    assert ask(bench, remote="either") == "default.example"
    mine.set_endpoint("either", "https://new.example")
    assert ask(bench, remote="either") == "new.example"
    assert ask(bench, remote="fixed") == "fixed.example"
    shown = list_remotes(bench.firebrick, mine.installation)
    assert [(one.key, one.name, one.default, one.endpoint) for one in shown] == [
        ("own", "Your server", "", kept),
        ("either", "Either", "https://default.example/base", "https://new.example/"),
    ]
    assert mine.reset_endpoint("either")
    assert ask(bench, remote="either") == "default.example"
    assert mine.reset_endpoint("own")
    assert ask(bench, remote="own") == "DENIED"
    assert not mine.reset_endpoint("own")
    rules = [one.rule for one in bench.firebrick.audit.read(limit=60)]
    assert (rules.count("remote.endpoint-set"), rules.count("remote.endpoint-reset")) == (2, 2)


def test_fetch_reaches_a_remote_that_is_declared_for_it_and_no_other(
    bench: Bench, tmp_path: Path
) -> None:
    version = deploy(bench, tmp_path)
    mine = custody(bench, version)
    url = "https://a.customer.example/anything"
    assert ask(bench, url=url) == "403"
    mine.set_endpoint("own", "https://a.customer.example/v1")
    mine.set_endpoint("either", "https://new.example")
    assert ask(bench, url=url) == "a.customer.example"
    assert bench.firebrick.audit.read(limit=2)[0].detail == {"egress_remote": "own"}
    assert ask(bench, url="https://a.customer.example:8443/x") == "403"
    assert ask(bench, url="https://new.example/x") == "403"
    mine.reset_endpoint("own")
    assert ask(bench, url=url) == "403"


def test_who_runs_the_app_still_says_the_last_word(bench: Bench, tmp_path: Path) -> None:
    version = deploy(bench, tmp_path)
    custody(bench, version).set_endpoint("own", "https://a.customer.example")
    result = invoke(bench, {"remote": "own"}, own="http://127.0.0.1:9")
    assert result.value == {"status": 0, "text": "REMOTE_UNREACHABLE"}


@pytest.mark.hostile
@pytest.mark.parametrize(
    "url",
    ["http://a.customer.example", "https://127.0.0.1", "https://2130706433", "https://[::1]",
     "https://localhost", "https://u@a.customer.example", "https://a.customer.example@evil.test",
     "https://a.customer.example?x=1", "https://a.customer.example#x", "//a.customer.example",
     "https://*.customer.example", "https://evil.test", "https://evil.test/a.customer.example",
     "https://evil.test/x.customer.example", "https://a.customer.example.evil.test",
     "https://customer.example", "https://xexact.example", "https://exact.example.", "",
     "https://evil.test\\.customer.example", "https://a.customer.example\n", "wss://a.customer.example",
     "https://a.customer.example/" + "x" * 1000],
)  # fmt: skip
def test_an_address_that_does_not_fit_is_refused(bench: Bench, tmp_path: Path, url: str) -> None:
    version = deploy(bench, tmp_path)
    with pytest.raises(InstallationError) as refused:
        custody(bench, version).set_endpoint("own", url)
    assert refused.value.code == "REMOTE_ENDPOINT"
    assert choices_of(bench.firebrick, version, bench.cloud_id) == Choices()


@pytest.mark.hostile
def test_only_what_the_manifest_opens_now_is_configured(bench: Bench, tmp_path: Path) -> None:
    version = deploy(bench, tmp_path)
    for key in ("fixed", "unknown", ""):
        with pytest.raises(InstallationError) as refused:
            custody(bench, version).set_endpoint(key, "https://a.customer.example")
        assert refused.value.code == "REMOTE_NOT_CONFIGURABLE"
    custody(bench, version).set_endpoint("own", "https://a.customer.example")
    custody(bench, version).set_endpoint("either", "https://new.example")
    narrower = MANIFEST.replace('"*.customer.example"', '"*.other.example"')
    deploy(bench, tmp_path, narrower)
    assert ask(bench, remote="own") == "DENIED"
    assert ask(bench, url="https://a.customer.example/x") == "403"
    deploy(bench, tmp_path, MANIFEST.replace("enabled: true", "enabled: false"))
    assert ask(bench, remote="own") == "DENIED"
    assert ask(bench, remote="either") == "default.example"
    with pytest.raises(InstallationError) as refused:
        custody(bench, version).set_endpoint("own", "https://a.customer.example")
    assert refused.value.code == "REMOTE_NOT_CONFIGURABLE"


@pytest.mark.hostile
def test_only_an_administrator_says_where_and_it_ends_with_the_installation(
    bench: Bench, tmp_path: Path
) -> None:
    version = deploy(bench, tmp_path)
    for person in ("dana", "otto"):
        with pytest.raises(InstallationError) as refused:
            custody(bench, version, person)
        assert refused.value.code == "NOT_SITE_ADMIN"
    mine = custody(bench, version)
    mine.set_endpoint("own", "https://a.customer.example")
    firebrick = bench.firebrick
    firebrick.apps.uninstall(mine.installation, mine.admin)
    assert firebrick.egress_groups.find(mine.installation.id) == Choices()
    plan = firebrick.apps.plan(version, bench.cloud_id)
    firebrick.apps.install(plan, bench.cloud_id, mine.admin)
    assert ask(bench, remote="own") == "DENIED"


@pytest.mark.hostile
def test_the_word_of_another_sites_customer_counts_nothing_here(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.firebrick as firebrick:
        here, there = (Bench(firebrick, one) for one in place.sites)
        version = deploy(here, tmp_path)
        plan = firebrick.apps.plan(version, there.cloud_id)
        firebrick.apps.install(plan, there.cloud_id, firebrick.find_person("amy"))
        custody(there, version).set_endpoint("own", "https://a.customer.example")
        assert ask(here, remote="own") == "DENIED"
        assert ask(here, url="https://a.customer.example/x") == "403"
        assert ask(there, remote="own") == "a.customer.example"
