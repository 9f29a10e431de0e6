"""Invocations run again from their records, offline, to the same bytes (I13)."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from runtime.errors import InvocationError, ManifestError
from runtime.invocation.recordfile import read_record, write_record
from runtime.invocation.recording import PRUNE_EVERY, recording_table
from runtime.jira.schema import comment_table, issue_table
from runtime.server.replaying import export, find_recording, replay_file, replay_kept
from runtime.server.runtime import Firebrick
from runtime.server.settings import Settings
from tests.flows.conftest import Bench

Sample = Callable[[str], Bench]
SECRET = 'tr0ub4dor&3 "quoted" ünïcode'  # of an app's variable


def replay_last(firebrick: Firebrick, **given: str) -> bool:
    return replay_kept(firebrick, "last", given).replay.equal


def write_app(folder: Path, source: str) -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "index.js").write_text(source, encoding="utf-8")
    (folder / "manifest.yml").write_text(
        "app:\n  id: ari:cloud:ecosystem::app/7b1f5a0c-6c1f-4a53-9a0e-1f5b8f4f0a02\n"
        "  runtime:\n    name: nodejs22.x\nmodules:\n  function:\n    - key: run\n"
        "      handler: index.run\n  scheduledTrigger:\n    - key: hourly\n      function: run\n"
        "      interval: hour\npermissions:\n  scopes:\n    - read:jira-work\n",
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize(
    ("sample", "function", "payload", "user"),
    [
        ("issue-health", "resolver:getHealth", {"issueKey": "TEAM-3"}, "dana"),
        ("issue-health", "resolver:getHealth", {"issueKey": "TEAM-3"}, "otto"),
        ("issue-health", "resolver:leaveNote", {"issueKey": "TEAM-3"}, "vera"),
        ("confused-deputy", "resolver:mended", {"issueKey": "TEAM-3", "summary": "x"}, "vera"),
        ("wat-hello", "hello", None, None),
        ("token-thief", "steal", None, None),
    ],
)
def test_the_samples_run_again_to_the_same_bytes(
    with_sample: Sample, sample: str, function: str, payload: object, user: str | None
) -> None:
    bench = with_sample(sample)
    bench.invoke(sample, function, payload, as_=user)
    done = replay_kept(bench.firebrick, "last", {})
    assert (done.replay.differences, done.replay.notes) == ((), ())
    assert done.replay.bytes > 0


def test_a_replay_needs_no_jira_and_asks_nobody(with_sample: Sample) -> None:
    bench = with_sample("issue-health")
    bench.invoke("issue-health", "resolver:getHealth", {"issueKey": "TEAM-3"}, as_="dana")
    firebrick = bench.firebrick
    with firebrick.engine.begin() as connection:
        connection.execute(delete(comment_table))
        connection.execute(delete(issue_table))
    before = len(firebrick.audit.read(limit=10_000))
    assert replay_last(firebrick)
    assert len(firebrick.audit.read(limit=10_000)) == before


def test_time_and_chance_come_again(bench: Bench, tmp_path: Path) -> None:
    source = """
      export async function run() {
        const begin = Date.now();
        while (Date.now() < begin + 5);
        await new Promise((done) => setTimeout(done, 3));
        console.log(Math.random(), crypto.randomUUID(), performance.now(), new Date());
        return [Date.now(), Math.random(), process.env.NOTHING];
      }
    """
    bench.install(write_app(tmp_path / "app", source))
    bench.invoke("app", "run")
    assert replay_last(bench.firebrick)


def test_a_changed_record_shows_a_readable_difference(with_sample: Sample) -> None:
    bench = with_sample("issue-health")
    bench.invoke("issue-health", "resolver:getHealth", {"issueKey": "TEAM-3"}, as_="dana")
    kept = find_recording(bench.firebrick, "last")
    recording = read_record(kept.body)
    reply = recording.journal.calls[0].reply or b""
    changed = replace(recording.journal.calls[0], reply=reply.replace(b"TEAM-3", b"TEAM-4"))
    journal = replace(recording.journal, calls=(changed, *recording.journal.calls[1:]))
    with bench.firebrick.engine.begin() as connection:
        body = write_record(replace(recording, journal=journal))
        connection.execute(update(recording_table).values(body=body))
    again = replay_kept(bench.firebrick, "last", {}).replay
    assert [one.what for one in again.differences] == ["result", "logs"]
    assert '-  "key": "TEAM-3",' in again.differences[0].diff
    assert '+  "key": "TEAM-4",' in again.differences[0].diff


def test_a_record_travels_to_a_machine_without_a_state(with_sample: Sample, tmp_path: Path) -> None:
    bench = with_sample("issue-health")
    result = bench.invoke("issue-health", "resolver:getHealth", {"issueKey": "TEAM-3"}, as_="dana")
    text, proof = export(bench.firebrick, result.invocation_id[:8])
    assert (proof.found, proof.secrets > 0) == (0, True)
    file = tmp_path / "record.json"
    file.write_text(text, encoding="utf-8")
    nowhere = tmp_path / "nowhere"
    assert replay_file(file, Settings(state=nowhere), {}).replay.equal
    assert not nowhere.exists()


def secretive(bench: Bench, folder: Path) -> Firebrick:
    """Install and run an app that says its encrypted variable in every way it can."""
    source = """
      import { fetch } from '@forge/api';
      export async function run() {
        const { TOKEN } = process.env;
        console.log(`the token is ${TOKEN}`, JSON.stringify({ TOKEN }), encodeURIComponent(TOKEN));
        console.log(btoa(unescape(encodeURIComponent(`user:${TOKEN}`))));
        const headers = { Authorization: `Bearer ${TOKEN}` };
        const body = JSON.stringify({ deep: JSON.stringify({ TOKEN }) });
        const sent = { method: 'POST', headers, body };
        await fetch(`https://${'api'}.example.com/x`, sent).catch(() => {});
        if (!TOKEN) throw new Error('no token');
        return { TOKEN };
      }
    """
    firebrick = bench.firebrick
    bench.install(write_app(folder, source))
    version = firebrick.find_app("app", "development")
    firebrick.set_variable(version, "TOKEN", SECRET, secure=True)
    firebrick.set_variable(version, "PLAIN", "in the open")
    bench.install(folder)
    return firebrick


@pytest.mark.hostile
def test_an_encrypted_variable_stands_in_no_record_and_is_needed_to_replay(
    bench: Bench, tmp_path: Path
) -> None:
    firebrick = secretive(bench, tmp_path / "app")
    result = bench.invoke("app", "run")
    assert result.value == {"TOKEN": SECRET}
    text, _ = export(firebrick, "last")
    logs = str(firebrick.records.read())
    for kept in (text, logs, str(firebrick.audit.read())):
        for form in ("tr0ub4dor", "dHIwdWI0ZG", "n\\u00efc", "ïcode", "RyMHViNGRvc"):
            assert form not in kept
    assert "in the open" in text
    assert replay_last(firebrick)
    file = tmp_path / "record.json"
    file.write_text(text, encoding="utf-8")
    elsewhere = Settings(state=tmp_path / "elsewhere")
    for given in ({}, {"TOKEN": "guess"}):
        with pytest.raises(InvocationError, match="--variable TOKEN=") as caught:
            replay_file(file, elsewhere, given)
        assert caught.value.code == "RECORD_NEEDS_SECRET"
    assert replay_file(file, elsewhere, {"TOKEN": SECRET}).replay.equal


@pytest.mark.hostile
def test_no_credential_that_ever_lived_stands_in_a_recording(with_sample: Sample) -> None:
    bench = with_sample("token-thief")
    bench.invoke("token-thief", "steal")
    firebrick = bench.firebrick
    held = [secret.get_secret_value() for secret in firebrick.broker.live_tokens()]
    body = find_recording(firebrick, "last").body
    assert held
    assert not any(secret in body for secret in held)


@pytest.mark.hostile
def test_a_live_credential_in_an_app_stops_the_export(bench: Bench, tmp_path: Path) -> None:
    owner = bench.firebrick.find_person("dana")
    _, token = bench.firebrick.api_tokens.create(owner, "pasted into code")
    source = f"export const run = () => 'x'; // {token.get_secret_value()}"
    bench.install(write_app(tmp_path / "app", source))
    bench.invoke("app", "run")
    with pytest.raises(InvocationError) as caught:
        export(bench.firebrick, "last")
    assert caught.value.code == "RECORD_HOLDS_SECRET"


def test_only_the_newest_recordings_are_kept(tmp_path: Path, cache: Path) -> None:
    from runtime.server.runtime import open_firebrick  # noqa: PLC0415

    settings = Settings(state=tmp_path / "state", cache=cache, recordings=10)
    with open_firebrick(settings) as firebrick:
        bench = Bench(firebrick)
        bench.install(write_app(tmp_path / "app", "export const run = () => 1;"))
        for _ in range(PRUNE_EVERY + 5):
            bench.invoke("app", "run")
        with firebrick.engine.connect() as connection:
            table = recording_table.c
            first, last = connection.execute(
                select(func.min(table.number), func.max(table.number))
            ).one()
        assert (first, last) == (PRUNE_EVERY - 9, PRUNE_EVERY + 5)


def test_no_recordings_are_kept_where_none_are_wanted(tmp_path: Path, cache: Path) -> None:
    from runtime.server.runtime import open_firebrick  # noqa: PLC0415

    settings = Settings(state=tmp_path / "state", cache=cache, recordings=0)
    with open_firebrick(settings) as firebrick:
        bench = Bench(firebrick)
        bench.install(write_app(tmp_path / "app", "export const run = () => 1;"))
        bench.invoke("app", "run")
        with pytest.raises(InvocationError, match="no recording") as caught:
            replay_kept(firebrick, "last", {})
    assert caught.value.code == "UNKNOWN_RECORDING"


def test_a_name_must_mean_one_recording(with_sample: Sample) -> None:
    bench = with_sample("wat-hello")
    ids = [bench.invoke("wat-hello", "hello").invocation_id for _ in range(2)]
    assert find_recording(bench.firebrick, ids[0]).invocation_id == ids[0]
    with bench.firebrick.engine.begin() as connection:
        for number, name in enumerate(("abcd-1", "abcd-2"), 1):
            connection.execute(
                update(recording_table)
                .where(recording_table.c.number == number)
                .values(invocation_id=name)
            )
    for name in ("abcd", "abc", "%", "____"):
        with pytest.raises(InvocationError):
            find_recording(bench.firebrick, name)


@pytest.mark.hostile
@pytest.mark.parametrize(
    "harm",
    [
        lambda file: "",
        lambda file: "{}",
        lambda file: "[" * 100_000,
        lambda file: json.dumps({**file, "sources": "{}"}),
        lambda file: json.dumps({**file, "more": 1}),
        lambda file: json.dumps({**file, "record": {**file["record"], "limits": {}}}),
        lambda file: json.dumps({**file, "record": {**file["record"], "result": {"base64": "?"}}}),
        lambda file: json.dumps({**file, "record": {**file["record"], "format": "other"}}),
    ],
)
def test_a_file_that_is_no_record_is_refused(
    with_sample: Sample, tmp_path: Path, harm: Callable[[dict[str, dict[str, object]]], str]
) -> None:
    bench = with_sample("wat-hello")
    bench.invoke("wat-hello", "hello")
    text, _ = export(bench.firebrick, "last")
    file = tmp_path / "record.json"
    file.write_text(harm(json.loads(text)), encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        replay_file(file, Settings(state=tmp_path / "nowhere"), {})
    assert caught.value.code == "BAD_RECORD"


@pytest.mark.hostile
def test_a_file_that_is_not_text_or_not_there_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_bytes(b"\xff\xfe")
    for path in (file, tmp_path, tmp_path / "missing"):
        with pytest.raises(ManifestError):
            replay_file(path, Settings(state=tmp_path / "nowhere"), {})


def test_another_sandbox_is_said(with_sample: Sample) -> None:
    bench = with_sample("wat-hello")
    bench.invoke("wat-hello", "hello")
    with bench.firebrick.engine.begin() as connection:
        body = find_recording(bench.firebrick, "last").body
        recording = replace(read_record(body), image="0" * 64)
        connection.execute(update(recording_table).values(body=write_record(recording)))
    (note,) = replay_kept(bench.firebrick, "last", {}).replay.notes
    assert note.startswith("The sandbox is another one than the record's")


def test_bytes_that_are_no_text_come_back(with_sample: Sample) -> None:
    bench = with_sample("wat-hello")
    bench.invoke("wat-hello", "hello")
    recording = read_record(find_recording(bench.firebrick, "last").body)
    call = replace(recording.journal.calls[0], body=b"\xff\x00", reply=None, answered=False)
    changed = replace(recording, journal=replace(recording.journal, calls=(call,)))
    assert read_record(write_record(changed)) == changed
