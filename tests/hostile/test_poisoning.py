"""Apps that prepare something while they load, or spoil the prelude, to meet a later invocation."""

# ruff: noqa: E501  # JavaScript reads better on its own lines

import json
from pathlib import Path

import pytest

from runtime.errors import InvocationError
from runtime.invocation.invoker import InvocationResult
from tests.flows.conftest import APPS, Bench
from tests.guests.lab import Calls, run

pytestmark = pytest.mark.hostile

MANIFEST = (APPS / "token-thief" / "manifest.yml").read_text()

POISON = """
import api, { route } from "@forge/api";
const kept = [];
const keep = (what) => (value) => { kept.push([what, `${value}`]); return value; };
for (const name of ["assign", "keys", "entries", "defineProperty", "fromEntries"]) {
  const old = Object[name];
  Object[name] = (...args) => { args.forEach(keep(name)); return old(...args); };
}
const { parse, stringify } = JSON;
JSON.parse = (text, ...rest) => { kept.push(["parse", text]); return parse(text, ...rest); };
JSON.stringify = (value, ...rest) => { const text = stringify(value, ...rest); kept.push(["stringify", text]); return text; };
const { then } = Promise.prototype;
Promise.prototype.then = function (good, bad) { return then.call(this, good && ((v) => good(keep("then")(v))), bad); };
globalThis.fetch = keep("fetch");
globalThis.kept = kept;
globalThis.count = 0;
process.env.LEFT = "at load";
Object.defineProperty(Object.prototype, "accountId", { get() { return "712020:acc00000-0000-4000-8000-000000000001"; }, configurable: true });
export const steal = async ({ path }) => {
  globalThis.count += 1;
  const seen = kept.map(([what, text]) => text).filter((text) => typeof text === "string");
  kept.push(["run", "mark of this run"]);
  const response = await api.asApp().requestJira(route`/rest/api/3/myself`);
  return {
    count: globalThis.count,
    marks: seen.filter((text) => text.includes("mark of this run")).length,
    accounts: seen.filter((text) => text.includes("712020:")).length,
    secrets: kept.filter(([, text]) => `${text}`.includes("fbk_")).length,
    me: response.status === 200 ? (await response.json()).accountId : response.status,
    left: process.env.LEFT,
  };
};
"""


def app(root: Path, source: str, name: str = "poisoner") -> Path:
    folder = root / name
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text(source)
    (folder / "manifest.yml").write_text(MANIFEST)
    return folder


def value(result: InvocationResult) -> dict[str, object]:
    assert result.outcome.fault is None, result.outcome.fault
    assert isinstance(result.value, dict)
    assert result.proof is not None
    assert result.proof.found == 0
    return result.value


def test_patches_made_at_load_time_meet_one_invocation_and_no_other(
    bench: Bench, tmp_path: Path
) -> None:
    bench.install(app(tmp_path, POISON))
    own = []
    for who in ("amy", "vera", None, "amy"):
        found = value(bench.invoke("poisoner", "steal", {}, as_=who))
        assert (found["count"], found["marks"], found["secrets"]) == (1, 0, 0)
        assert "left" not in found  # the environment is the invocation's own
        own.append(found["me"])
    assert len(set(own)) == 1
    assert own[0] not in {bench.firebrick.find_person(who).account_id for who in ("amy", "vera")}


def test_two_apps_of_the_same_image_share_nothing(bench: Bench, tmp_path: Path) -> None:
    other_id = MANIFEST.replace("4f0a04", "4f0a05")
    first, second = app(tmp_path, POISON, "one"), app(tmp_path, POISON, "two")
    (second / "manifest.yml").write_text(other_id)
    bench.install(first)
    bench.install(second)
    found = [value(bench.invoke(name, "steal", {})) for name in ("one", "two", "one")]
    assert [one["marks"] for one in found] == [0, 0, 0]
    assert [one["count"] for one in found] == [1, 1, 1]
    assert found[0]["me"] == found[2]["me"] != found[1]["me"]


REFUSED_AT_LOAD = {
    "a timer": "setTimeout(() => {}, 0);",
    "an interval": "setInterval(() => {}, 1);",
    "a call": "await (await import('@forge/api')).default.asApp().requestJira((await import('@forge/api')).route`/x`);",
    "a fetch": "await fetch('https://' + 'example.com/');",
    "randomness": "crypto.getRandomValues(new Uint8Array(4));",
    "an id": "crypto.randomUUID();",
    "a promise that never settles": "await new Promise(() => {});",
    "an error": "throw new Error('no');",
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED_AT_LOAD)
def test_an_app_that_cannot_rest_after_loading_is_not_deployed(
    bench: Bench, tmp_path: Path, what: str
) -> None:
    source = REFUSED_AT_LOAD[what] + "\nexport const steal = () => 1;"
    with pytest.raises(InvocationError):
        bench.install(app(tmp_path, source))


LEFT_PENDING = {
    "a promise": "globalThis.later = new Promise(() => {}); later.then(() => (globalThis.ran = 1));",
    "a refused call": "import api, { route } from '@forge/api';\n"
    "globalThis.later = api.asApp().requestJira(route`/x`).catch((e) => e.message);",
    "a job": "Promise.resolve().then(() => (globalThis.ran = 'at load'));",
    "a rejection": "Promise.reject(new Error('left')).catch(() => {});",
    "a generator": "function* g() { yield 1; yield 2; } globalThis.g = g(); g.next;",
}


@pytest.mark.parametrize("what", LEFT_PENDING)
def test_what_is_left_pending_at_load_makes_no_call_and_is_the_same_each_time(
    bench: Bench, tmp_path: Path, what: str
) -> None:
    source = (
        LEFT_PENDING[what] + "\nexport const steal = () => [typeof later, globalThis.ran ?? 0];"
    )
    bench.install(app(tmp_path, source))
    results = [bench.invoke("poisoner", "steal", {}) for _ in range(2)]
    assert results[0].value == results[1].value
    assert all(result.calls == () for result in results)


def test_time_and_randomness_of_loading_tell_nothing_of_this_machine(
    bench: Bench, tmp_path: Path
) -> None:
    source = (
        "const at = [Date.now(), Math.random(), performance.now(), performance.timeOrigin];"
        "export const steal = () => at;"
    )
    bench.install(app(tmp_path, source, "one"))
    first = bench.invoke("one", "steal", {}).value
    second = app(tmp_path, source + "\n// another image", "two")
    (second / "manifest.yml").write_text(MANIFEST.replace("4f0a04", "4f0a05"))
    bench.install(second)
    assert bench.invoke("two", "steal", {}).value == first


# ------------------------------------------------------------- the prelude and the stand-ins

POLLUTED = ("provider", "accountId", "remote", "path", "method", "headers", "body", "error", "code",
            "status", "type", "contextAri", "bodyEncoding", "redirect", "url", "signal")  # fmt: skip


@pytest.mark.parametrize("name", POLLUTED)
def test_properties_laid_on_object_prototype_do_not_speak_for_a_request(name: str) -> None:
    door = Calls({"status": 200, "headers": [], "body": "{}"})
    code = (
        f"(Object.prototype[{name!r}] = 'polluted', packages.api.default.asApp().requestJira("
        "packages.api.route`/rest/api/3/myself`).then(() => 1, () => 0))"
    )
    outcome = run([code], door=door)
    assert outcome.fault is None
    for door_name, sent in door.seen:
        assert door_name == "requestJira"
        assert sent["provider"] == "app"
        assert sent["path"] == "/rest/api/3/myself"
        assert sent.get("accountId") in (None, "polluted")  # the host refuses it by its own rule


def test_an_account_from_a_polluted_prototype_is_refused_by_the_gateway(
    bench: Bench, tmp_path: Path
) -> None:
    amy = bench.firebrick.find_person("amy").account_id
    source = f"""
    import api, {{ route }} from "@forge/api";
    for (const name of ["accountId", "provider", "remote"])
      Object.prototype[name] = name === "accountId" ? {amy!r} : name === "remote" ? "jira" : "user";
    export const steal = async () => {{
      const out = [];
      for (const as of [api.asApp(), api.asUser()]) {{
        try {{ const r = await as.requestJira(route`/rest/api/3/myself`); out.push((await r.json()).accountId ?? r.status); }}
        catch (error) {{ out.push(error.code ?? error.message); }}
      }}
      return out;
    }};
    """
    bench.install(app(tmp_path, source))
    for who in ("vera", None):
        result = bench.invoke("poisoner", "steal", {}, as_=who)
        assert amy not in json.dumps(result.value)
        assert all(call.account_id != amy or not call.allowed for call in result.calls)


def test_a_resolver_key_of_the_language_runs_nothing_of_the_app(
    bench: Bench, tmp_path: Path
) -> None:
    source = """
    import Resolver from "@forge/resolver";
    const resolver = new Resolver();
    resolver.define("own", () => "ran");
    export const steal = resolver.getDefinitions();
    """
    bench.install(app(tmp_path, source))
    assert bench.invoke("poisoner", "steal:own", {}).value == "ran"
    for key in ("constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "nothing"):
        result = bench.invoke("poisoner", f"steal:{key}", {"evil": 1})
        assert result.outcome.fault is not None or result.value != "ran"
        assert result.calls == ()


@pytest.mark.parametrize(
    "source", ["export const steal = () => 'own';", "exports.steal = () => 'own';"]
)
def test_a_handler_named_like_a_part_of_the_language_is_the_apps_own_or_nothing(
    bench: Bench, tmp_path: Path, source: str
) -> None:
    folder = app(tmp_path, source)
    names = ("__proto__", "constructor", "prototype", "toString", "then")
    more = "".join(f"    - {{key: f{at}, handler: index.{one}}}\n" for at, one in enumerate(names))
    text = (folder / "manifest.yml").read_text()
    (folder / "manifest.yml").write_text(text.replace("permissions:", more + "permissions:", 1))
    bench.install(folder)
    assert bench.invoke("poisoner", "steal", {}).value == "own"
    for at, name in enumerate(names):
        fault = bench.invoke("poisoner", f"f{at}", {}).outcome.fault
        assert fault is not None, name
        assert fault.code == "NO_HANDLER"
