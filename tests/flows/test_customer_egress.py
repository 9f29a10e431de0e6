"""Addresses that an administrator lets one installation of an app reach, with real guests."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from runtime.errors import InstallationError
from runtime.hostfunctions.fetch import Egress
from runtime.hostfunctions.stubreader import read_stubs
from runtime.installation.model import AppVersion
from runtime.invocation.invoker import Order
from runtime.policy.customer_approval import Approved, find_approved
from runtime.policy.customer_egress import BACKEND, Choices, EgressEntry, EgressGroup, read_domain
from runtime.server.customer_egress import Custody, choices_of
from runtime.server.egress_groups import egress_group_table
from runtime.server.explain.why import Reasons
from tests.flows.conftest import Bench
from tests.flows.forge_app import MANIFEST as OUTSIDE
from tests.flows.forge_app import deploy as forge_deploy
from tests.flows.forge_app import outside
from tests.hostile.oauth_place import Place

APP = "reaching"
MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/6e2f5a0c-6c1f-4a53-9a0e-1f5b8f4f0c11
  runtime: {name: nodejs22.x}
modules:
  webtrigger: [{key: hook, function: ask}]
  function: [{key: ask, handler: index.ask}, {key: all, handler: index.all}]
permissions:
  scopes: [read:jira-work]
  external:
    configurable: {enabled: true}
    fetch: {backend: [{address: https://declared.example}]}
"""
SOURCE = """
export const ask = async ({ url }) => {
  const answer = await fetch(url);
  return { status: answer.status, text: await answer.text() };
};
export const all = async ({ urls }) =>
  Promise.all(urls.map(async (url) => (await fetch(url)).status));
"""
STUBS = [
    {"url": "https://moved.example/*", "reply": {"status": 302, "headers": {"location": "https://evil.test/"}}},
    {"url": "https://*", "reply": {"body": "outside"}},
]  # fmt: skip


def deploy(
    bench: Bench, folder: Path, manifest: str = MANIFEST, source: str = SOURCE
) -> AppVersion:
    home = folder / APP
    (home / "src").mkdir(parents=True, exist_ok=True)
    (home / "manifest.yml").write_text(manifest)
    (home / "src" / "index.js").write_text(source)
    bench.install(home)
    return bench.firebrick.find_app(APP, "development")


def approve(
    bench: Bench,
    version: AppVersion,
    addresses: Sequence[str],
    key: str = "own",
    *,
    as_: str = "amy",
    types: tuple[str, ...] = (BACKEND,),
) -> EgressGroup:
    entries = [EgressEntry(address, types) for address in addresses]
    return custody(bench, version, as_).set_group(key, "The customer's own server", entries)


def custody(bench: Bench, version: AppVersion, as_: str = "amy") -> Custody:
    person = bench.firebrick.find_person(as_)
    return Custody.of(bench.firebrick, version, bench.cloud_id, person)


def ask(bench: Bench, url: str) -> int:
    """What a guest gets from an address: its status."""
    return int(str(answer(bench, url)["status"]))


def answer(bench: Bench, url: str) -> dict[str, object]:
    firebrick = bench.firebrick
    version = firebrick.find_app(APP, "development")
    installation = firebrick.apps.find_installation(version, bench.cloud_id)
    order = Order(
        version=version,
        installation=installation,
        function="ask",
        payload={"url": url},
        egress=Egress(read_stubs(STUBS)),
    )
    result = firebrick.invoker.invoke(replace(order, prove=True))
    assert result.outcome.fault is None, result.outcome.fault
    value = result.value
    assert isinstance(value, dict)
    return value


def test_what_is_approved_may_be_reached_until_it_is_taken_back(
    bench: Bench, tmp_path: Path
) -> None:
    version = deploy(bench, tmp_path)
    assert ask(bench, "https://declared.example/x") == 200
    record = bench.firebrick.audit.read(limit=2)[0]
    assert record.detail == {"egress_entry": "https://declared.example"}
    assert ask(bench, "https://api.customer.example/x") == 403
    assert bench.firebrick.audit.read(limit=2)[0].detail == {}
    group = approve(bench, version, ["API.customer.example", "*.tenant.example:8443"])
    assert [one.domain for one in group.entries] == [
        "https://api.customer.example",
        "https://*.tenant.example:8443",
    ]
    assert ask(bench, "https://api.customer.example/x") == 200
    assert ask(bench, "https://a.tenant.example:8443/x") == 200
    record = bench.firebrick.audit.read(limit=2)[0]
    assert (record.kind, record.allowed, record.detail) == ("egress", True, {"egress_group": "own"})
    told = Reasons(bench.firebrick).explain(record)
    assert ("Admitted by", "the group own that the customer approved") in told.notes
    assert choices_of(bench.firebrick, version, bench.cloud_id).groups == (group,)
    replaced = approve(bench, version, ["other.example"])
    assert ask(bench, "https://api.customer.example/x") == 403
    assert ask(bench, "https://other.example/x") == 200
    assert custody(bench, version).remove_group(replaced.key)
    assert ask(bench, "https://other.example/x") == 403
    assert not custody(bench, version).remove_group(replaced.key)
    rules = [one.rule for one in bench.firebrick.audit.read(limit=40)]
    assert rules.count("egress.group-set") == 2
    assert rules.count("egress.group-removed") == 1


@pytest.mark.parametrize(("configurable", "status"), [("true", 502), ("false", 403)])
def test_it_counts_for_app_code_outside_too(
    bench: Bench, tmp_path: Path, configurable: str, status: int
) -> None:
    external = "  external:\n    configurable: {enabled: CHOICE}\n"
    open_ = OUTSIDE.replace("  external:\n", external.replace("CHOICE", "true"))
    with outside(bench, tmp_path, manifest=open_) as one:
        version = bench.firebrick.find_app("outsider", "development")
        approve(bench, version, ["api.customer.example"])
        if configurable == "false":
            forge_deploy(bench, tmp_path, manifest=open_.replace("enabled: true", "enabled: false"))
        assert one.fetch("https://api.customer.example/x").status_code == status
        assert one.fetch("https://evil.test/x").status_code == 403


@pytest.mark.hostile
def test_45_a_group_admits_what_it_says_and_nothing_that_looks_like_it(
    bench: Bench, tmp_path: Path
) -> None:
    version = deploy(bench, tmp_path)
    approve(bench, version, ["api.example.com", "*.wild.example", "moved.example"])
    for url, status in (
        ("https://API.EXAMPLE.com/x", 200), ("https://api.example.com:443/x", 200),
        ("https://api.example.com:8443/x", 403), ("http://api.example.com/x", 403),
        ("https://example.com/x", 403), ("https://api.example.com.evil.test/x", 403),
        ("https://evil.test/?api.example.com", 403), ("https://xapi.example.com/x", 403),
        ("https://a.wild.example/x", 200), ("https://wild.example/x", 403),
        ("https://wild.example.evil.test/x", 403), ("https://2130706433/x", 403),
        ("https://api.example.com./x", 403), ("https://evil.test#.wild.example", 403),
        ("https://moved.example/x", 403),
    ):  # fmt: skip
        assert ask(bench, url) == status, url
    declared = ("https://api.example.com", "https://*.wild.example")
    groups = [Approved("egress_group", "own", declared)]
    for trick in (
        "https://api.example.com@evil.test/", "https://u@api.example.com/",
        "https://evil.test\\.wild.example/", "https://api.example.com\n/", "api.example.com/", "",
    ):  # fmt: skip
        assert find_approved(groups, trick) is None, trick


@pytest.mark.hostile
@pytest.mark.parametrize(
    "address",
    ["**", "https://*", "*.com", "*example.com", "a.*.example.com", "localhost", "127.0.0.1",
     "https://10.0.0.1", "[::1]", "http://api.example.com", "https://u@api.example.com",
     "api.example.com/path", "api.example.com?x", "api.example.com#x", "api.example.com:0",
     "api.example.com:65536", "api.example.com:x", "api..example.com", "-a.example.com",
     "api.example.com.", "api.example.com\n", " api.example.com", "bücher.example", "", "wss://a.b",
     "a." * 150 + "com", "%2A.example.com", "a_b.example.com", "0x7f.1", "example.c%6Fm"],
)  # fmt: skip
def test_what_is_no_plain_host_cannot_be_approved(address: str) -> None:
    assert read_domain(address) is None


@pytest.mark.hostile
def test_the_bounds_hold(bench: Bench, tmp_path: Path) -> None:
    version = deploy(bench, tmp_path)
    hosts = [f"h{number}.example" for number in range(11)]
    with pytest.raises(InstallationError, match="1 to 10 domains"):
        approve(bench, version, hosts)
    for number in range(4):
        approve(bench, version, [f"g{number}-{one}" for one in hosts[:10]], f"g{number}")
    with pytest.raises(InstallationError, match="at most 40"):
        approve(bench, version, ["one.more.example"], "g4")
    approve(bench, version, hosts[:4], "g0")
    for number in range(4, 10):
        approve(bench, version, [f"{number}.more.example"], f"g{number}")
    with pytest.raises(InstallationError, match="at most 10 groups"):
        approve(bench, version, ["x.more.example"], "g10")
    for key in ("", "a b", "x" * 65, "a/b", "\n"):
        with pytest.raises(InstallationError, match="key"):
            approve(bench, version, ["x.more.example"], key)
    for hosts, types, said in (
        (["a.example", "A.example:443"], (BACKEND,), "stands in a group once"),
        (["a.example"], ("EVERYTHING",), "one or more of the types"),
        (["a.example"], (), "one or more of the types"),
    ):
        with pytest.raises(InstallationError, match=said):
            approve(bench, version, hosts, "g4", types=types)
    assert len(choices_of(bench.firebrick, version, bench.cloud_id).groups) == 10


@pytest.mark.hostile
def test_only_an_administrator_approves_and_only_where_the_manifest_lets_them(
    bench: Bench, tmp_path: Path
) -> None:
    version = deploy(bench, tmp_path)
    for person in ("dana", "otto"):
        with pytest.raises(InstallationError) as refused:
            approve(bench, version, ["api.example.com"], as_=person)
        assert refused.value.code == "NOT_SITE_ADMIN"
    approve(bench, version, ["api.example.com"])
    for person in ("dana", "otto"):
        with pytest.raises(InstallationError):
            custody(bench, version, person)
    assert ask(bench, "https://api.example.com/x") == 200
    closed = deploy(bench, tmp_path, MANIFEST.replace("enabled: true", "enabled: false"))
    assert ask(bench, "https://api.example.com/x") == 403
    with pytest.raises(InstallationError) as refused:
        approve(bench, closed, ["api.example.com"])
    assert refused.value.code == "EGRESS_NOT_CONFIGURABLE"


@pytest.mark.hostile
def test_a_group_is_of_one_installation_and_ends_with_it(bench: Bench, tmp_path: Path) -> None:
    version = deploy(bench, tmp_path)
    approve(bench, version, ["api.example.com"])
    firebrick, amy = bench.firebrick, bench.firebrick.find_person("amy")
    found = firebrick.apps.find_installation(version, bench.cloud_id)
    firebrick.apps.uninstall(found, amy)
    assert firebrick.egress_groups.find(found.id) == Choices()
    firebrick.apps.install(firebrick.apps.plan(version, bench.cloud_id), bench.cloud_id, amy)
    assert ask(bench, "https://api.example.com/x") == 403
    other, _ = firebrick.apps.deploy(tmp_path / APP, environment="staging")
    firebrick.apps.install(firebrick.apps.plan(other, bench.cloud_id), bench.cloud_id, amy)
    approve(bench, other, ["api.example.com"])
    assert ask(bench, "https://api.example.com/x") == 403


@pytest.mark.hostile
def test_a_group_of_another_site_opens_nothing_here(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with place.firebrick as firebrick:
        here = Bench(firebrick, place.sites[0])
        there = Bench(firebrick, place.sites[1])
        version = deploy(here, tmp_path)
        amy = firebrick.find_person("amy")
        firebrick.apps.install(firebrick.apps.plan(version, there.cloud_id), there.cloud_id, amy)
        approve(there, version, ["api.example.com"])
        assert ask(here, "https://api.example.com/x") == 403
        assert ask(there, "https://api.example.com/x") == 200


def test_a_domain_is_taken_out_of_its_group_by_type_or_whole(bench: Bench, tmp_path: Path) -> None:
    version = deploy(bench, tmp_path)
    approve(bench, version, ["a.example", "b.example"], types=(BACKEND, "IMAGES"))
    mine = custody(bench, version)
    assert mine.remove_domain("own", "a.example", BACKEND)
    assert ask(bench, "https://a.example/x") == 403
    assert ask(bench, "https://b.example/x") == 200
    assert not mine.remove_domain("own", "a.example", BACKEND)
    assert not mine.remove_domain("other", "a.example")
    assert mine.remove_domain("own", "B.example:443")
    assert ask(bench, "https://b.example/x") == 403
    (left,) = choices_of(bench.firebrick, version, bench.cloud_id).groups
    assert left.entries == (EgressEntry("https://a.example", ("IMAGES",)),)
    assert mine.remove_domain("own", "a.example")
    assert choices_of(bench.firebrick, version, bench.cloud_id).groups == ()
    records = [one for one in bench.firebrick.audit.read() if one.rule == "egress.domain-removed"]
    assert [one.detail["domain"] for one in records] == [
        "https://a.example", "https://b.example", "https://a.example"
    ]  # fmt: skip


def test_a_star_admits_every_address_and_what_is_no_address_still_none(
    bench: Bench, tmp_path: Path
) -> None:
    version = deploy(bench, tmp_path)
    approve(bench, version, ["*"])
    assert ask(bench, "https://anything.example/x") == 200
    for trick in ("https://a.example@evil.test/", "https://evil.test\\.a.example/", "file:///x"):
        assert find_approved([Approved("egress_group", "own", ("*",))], trick) is None


@pytest.mark.hostile
def test_a_domain_for_pages_opens_nothing_for_functions(bench: Bench, tmp_path: Path) -> None:
    version = deploy(bench, tmp_path)
    approve(bench, version, ["api.example.com", "*"], types=("FETCH_CLIENT_SIDE", "IMAGES"))
    assert ask(bench, "https://api.example.com/x") == 403


def test_groups_from_before_there_were_types_are_for_functions(
    bench: Bench, tmp_path: Path
) -> None:
    version = deploy(bench, tmp_path)
    approve(bench, version, ["api.example.com"])
    with bench.firebrick.engine.begin() as connection:
        connection.execute(update(egress_group_table).values(addresses='["https://b.example"]'))
    assert ask(bench, "https://b.example/x") == 200
    assert ask(bench, "https://api.example.com/x") == 403


@pytest.mark.hostile
def test_app_code_cannot_add_an_address_itself(bench: Bench, tmp_path: Path) -> None:
    source = """
import api, { permissions, asUser, route } from "@forge/api";
export const ask = async ({ url }) => {
  const group = { key: "x", description: "x",
                  configured: [{ domain: url, type: ["FETCH_BACKEND_SIDE"] }] };
  const tries = {
    egress: () => permissions.egress.set({ egresses: [group] }),
    remote: () => permissions.remote.set({ remotes: [] }),
    bridge: () => globalThis.__bridge.callBridge("__permission__egressSet", group),
    page: () => asUser().requestJira(route`/_firebrick/admin`, { method: "POST", body: "a=b" }),
  };
  const got = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try { got[name] = (await attempt())?.status; } catch (error) { got[name] = "refused"; }
  }
  return { status: (await fetch(url)).status, got };
};
"""
    version = deploy(bench, tmp_path, source=source)
    assert answer(bench, "https://api.example.com/x") == {
        "status": 403,
        "got": {"egress": "refused", "remote": "refused", "bridge": "refused", "page": 401},
    }
    assert choices_of(bench.firebrick, version, bench.cloud_id) == Choices()


def test_requests_side_by_side_are_written_down_each_with_what_let_it_pass(
    bench: Bench, tmp_path: Path
) -> None:
    version = deploy(bench, tmp_path)
    approve(bench, version, ["one.example"], "one")
    approve(bench, version, ["two.example"], "two")
    urls = [f"https://{name}.example/{number}" for number in range(20) for name in ("one", "two")]
    installation = bench.firebrick.apps.find_installation(version, bench.cloud_id)
    order = Order(
        version=version,
        installation=installation,
        function="all",
        payload={"urls": urls},
        egress=Egress(read_stubs([{"url": "https://*", "delay_ms": 3, "reply": {"body": "x"}}])),
    )
    result = bench.firebrick.invoker.invoke(order)
    assert result.outcome.fault is None, result.outcome.fault
    records = bench.firebrick.audit.read(invocation_id=result.invocation_id)
    told = [(str(one.path), one.detail) for one in records if one.kind == "egress"]
    assert len(told) == len(urls)
    assert all(str(detail["egress_group"]) in path for path, detail in told)
