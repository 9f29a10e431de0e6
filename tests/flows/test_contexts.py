"""A guest asks in the context of its own site, and in no other."""

from pathlib import Path

import pytest

from runtime.server.replaying import replay_kept
from tests.flows.conftest import Bench

MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/7b1f5a0c-6c1f-4a53-9a0e-1f5b8f4f0c0e
  runtime: {name: nodejs22.x}
modules:
  function: [{key: run, handler: index.run}]
  webtrigger: [{key: hook, function: run}]
permissions:
  scopes: ["read:jira-work"]
"""
SOURCE = """
import api, { route } from "@forge/api";

const path = "/rest/api/3/issue/TEAM-1?fields=summary";
const told = (call) => call().then(
  (answer) => answer.status,
  (error) => [error.status ?? error.code, error.message],
);
export const run = async ({ context }) => ({
  own: await told(() => api.asUser().withContext(__forge_runtime__.contextAri)
    .requestJira(route`/rest/api/3/issue/TEAM-1`)),
  app: await told(() => api.asApp().withContext(__forge_runtime__.contextAri)
    .requestConfluence(route`/rest/api/3/issue/TEAM-1`)),
  other: await told(() => api.asUser().withContext(context)
    .requestJira(route`/rest/api/3/issue/TEAM-1`)),
  beside: await told(() => __forge_fetch__(
    { type: "fpp", provider: "user", remote: "jira", contextAri: context }, path)),
});
"""


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("context", "rule"),
    [
        ("ari:cloud:jira::site/0acde000-0000-4000-8000-000000000002", "remote.other-context"),
        ("ari:cloud:confluence::site/0acde000-0000-4000-8000-000000000001", "remote.unknown"),
        ("ari:cloud:jira::site/../site/0acde000-0000-4000-8000-000000000001",
         "remote.other-context"),
        ("ari:cloud:jira::site/0acde000-0000-4000-8000-000000000001\x00", "remote.other-context"),
        ("ari:cloud:jira::site%2F0acde000-0000-4000-8000-000000000001", "remote.other-context"),
    ],
)  # fmt: skip
def test_a_guest_asks_in_its_own_context_alone(
    bench: Bench, tmp_path: Path, context: str, rule: str
) -> None:
    home = tmp_path / "contexts"
    (home / "src").mkdir(parents=True)
    (home / "manifest.yml").write_text(MANIFEST)
    (home / "src" / "index.js").write_text(SOURCE)
    bench.install(home)
    assert bench.cloud_id == "0acde000-0000-4000-8000-000000000001"
    result = bench.invoke("contexts", "run", {"context": context}, as_="dana")
    value = result.value
    assert isinstance(value, dict)
    assert (value["own"], value["app"]) == (200, 200)
    assert value["other"][0] == 404
    assert "INVALID_REMOTE" in value["other"][1]
    assert value["beside"] == 404
    assert [(one.rule, one.allowed) for one in result.calls] == [
        ("allowed", True), ("allowed", True), (rule, False), (rule, False),
    ]  # fmt: skip
    records = bench.firebrick.audit.read(invocation_id=result.invocation_id)
    assert {one.cloud_id for one in records} == {bench.cloud_id}
    assert replay_kept(bench.firebrick, "last", {}).replay.equal
