"""The command line: stubs of the world file, allowed hosts, a clock that jumps, true lines."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Firebrick

MANIFEST = """
app:
  id: ari:cloud:ecosystem::app/6e2f5a0c-6c1f-4a53-9a0e-1f5b8f4f0a78
  runtime:
    name: nodejs22.x
modules:
  webtrigger:
    - key: hook
      function: ask
  function:
    - key: ask
      handler: index.ask
    - key: wait
      handler: index.wait
    - key: fail
      handler: index.fail
permissions:
  scopes: []
  external:
    fetch:
      backend:
        - address: https://api.test.example
        - address: https://localhost.test.example
"""
SOURCE = """import { createHash } from 'crypto';

interface Asked {
  path: string;
}

export const ask = async ({ path }: Asked) => {
  const init = { method: 'POST', body: 'an order' };
  const response = await fetch(`https://api.test.example${path}`, init);
  return [response.status, await response.text(), createHash('sha1').update('a').digest('hex')];
};

export const wait = async ({ ms }: { ms: number }) => {
  const begin = Date.now();
  await new Promise((done) => setTimeout(done, ms));
  return Date.now() - begin;
};

export const fail = () => {
  console.warn('before', new Error('logged'));
  throw new RangeError('on purpose');
};
"""
WORLD = """
egress:
  - method: POST
    url: https://api.test.example/orders
    body: {text: order}
    reply: {status: 201, body: made}
"""


@pytest.fixture
def outside(firebrick: Firebrick, tmp_path: Path) -> Firebrick:
    folder = tmp_path / "app"
    (folder / "src").mkdir(parents=True)
    (folder / "manifest.yml").write_text(MANIFEST)
    (folder / "src" / "index.ts").write_text(SOURCE)
    (tmp_path / "firebrick.yml").write_text(WORLD)
    assert firebrick("deploy", "app").code == 0
    assert firebrick("install", "--yes").code == 0
    return firebrick


def result_of(firebrick: Firebrick, function: str, payload: object, *options: str) -> object:
    said = firebrick(
        "invoke", function, "--payload", json.dumps(payload), "--format", "json", *options
    )
    assert isinstance(said.json, dict), said
    return said.json["error"] or said.json["result"]


def test_a_stub_of_the_world_file_answers(outside: Firebrick) -> None:
    found = result_of(outside, "ask", {"path": "/orders"})
    assert found == [201, "made", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"]


def test_without_a_stub_the_error_says_how_to_add_one(outside: Firebrick) -> None:
    error = result_of(outside, "ask", {"path": "/other"})
    assert isinstance(error, dict)
    assert "firebrick.yml" in error["message"]
    assert "--allow-egress api.test.example" in error["message"]


@pytest.mark.hostile
def test_an_allowed_host_that_is_not_outside_is_refused(
    outside: Firebrick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", 443))])
    error = result_of(outside, "ask", {"path": "/other"}, "--allow-egress", "api.test.example")
    assert isinstance(error, dict)
    assert "no public address" in error["message"]
    records = outside("audit", "--format", "json").json
    assert isinstance(records, list)
    assert "egress.private-address" in {record["rule"] for record in records}


def test_timers_jump_under_virtual_time(outside: Firebrick) -> None:
    assert result_of(outside, "wait", {"ms": 20_000}, "--virtual-time") == 20_000
    error = result_of(outside, "wait", {"ms": 3_600_000}, "--virtual-time")
    assert isinstance(error, dict)
    assert error["code"] == "TIMEOUT"


def test_stacks_name_the_lines_of_the_typescript_file(outside: Firebrick) -> None:
    said = outside("invoke", "fail")
    assert said.code == 1
    assert "at fail (src/index.ts:21)" in said.out + said.err
    assert "at fail (src/index.ts:20)" in said.out + said.err
