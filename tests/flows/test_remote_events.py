"""Events at an app's own server, sent again while they fail; what was sent, made again offline."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from runtime.errors import ForgeError, InvocationError, ManifestError
from runtime.gateway.outside import ExternalReply
from runtime.gateway.remotes import RemoteCall
from runtime.invocation.deliveries import REASONS, Errand, deliver
from runtime.invocation.recordfile import read_record, write_record
from runtime.invocation.recording import recording_table
from runtime.server.explain.why import Reasons
from runtime.server.replaying import export, find_recording, replay_file, replay_kept
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.flows.conftest import Bench
from tests.flows.remote_app import APP_A, RemoteBench, remote_served, write_app
from tests.flows.serving import served

EVENT = {"issue": {"key": "TEAM-1"}}


@pytest.fixture
def remote(bench: Bench, tmp_path: Path) -> Iterator[RemoteBench]:
    with served(bench.firebrick) as url, remote_served(APP_A, url) as server:
        remote = RemoteBench(bench.firebrick, url, server)
        remote.install(write_app(tmp_path / "remote"))
        yield remote


def answers(remote: RemoteBench, *statuses: int) -> None:
    """Have the server answer so, one after the other; the last of them for good."""
    left = list(statuses)

    def next_one() -> None:
        status = left.pop(0) if len(left) > 1 else left[0]
        remote.server.answer = (status, {"location": remote.server.url}, b'"done"')

    remote.server.pause = next_one


def contexts(remote: RemoteBench) -> list[object]:
    return [json.loads(one.body).get("retryContext") for one in remote.server.received]


# --- again, while it fails ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["on-created", "hourly"])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "REMOTE_FAILED"), (404, "REMOTE_FAILED"), (302, "REMOTE_REDIRECT"),
        (401, "REMOTE_UNAUTHORIZED"),
    ],
)  # fmt: skip
def test_an_event_that_fails_is_sent_four_times_more(
    remote: RemoteBench, name: str, status: int, code: str
) -> None:
    answers(remote, status)
    waits: list[float] = []
    result = remote.invoke(name, EVENT, wait=waits.append)
    assert result.outcome.fault is not None
    assert result.outcome.fault.code == code
    assert waits == [60.0] * 4
    assert [one.number for one in result.attempts] == [1, 2, 3, 4, 5]
    assert [one.delay_s for one in result.attempts] == [0, 60, 60, 60, 60]
    assert {one.code for one in result.attempts} == {code}
    told = [
        {"retryData": None, "retryCount": count, "retryReason": REASONS[code]}
        for count in (1, 2, 3, 4)
    ]
    assert contexts(remote) == [None, *told]
    assert all(json.loads(one.body)["issue"] == EVENT["issue"] for one in remote.server.received)


def test_it_ends_with_the_first_success(remote: RemoteBench) -> None:
    answers(remote, 503, 500, 200)
    result = remote.invoke("on-created", EVENT)
    assert (result.value, result.outcome.fault) == ("done", None)
    assert [one.code for one in result.attempts] == ["REMOTE_FAILED", "REMOTE_FAILED", None]
    assert len(remote.server.received) == 3
    (record,) = remote.firebrick.records.read(limit=1)
    assert record.succeeded


def test_a_page_is_asked_once(remote: RemoteBench) -> None:
    answers(remote, 500)
    result = remote.invoke("page")
    assert [(one.number, one.code) for one in result.attempts] == [(1, "REMOTE_FAILED")]
    assert len(remote.server.received) == 1


def test_each_attempt_proves_the_platform_anew_and_is_in_the_trail(remote: RemoteBench) -> None:
    answers(remote, 500)
    result = remote.invoke("ticked")
    tokens = [one.claims["jti"] for one in remote.server.received if one.claims is not None]
    assert len(set(tokens)) == 5
    assert len({one.headers["x-b3-spanid"] for one in remote.server.received}) == 5
    assert len({one.headers["x-b3-traceid"] for one in remote.server.received}) == 1
    records = remote.firebrick.audit.read(invocation_id=result.invocation_id)
    assert [one.kind for one in records] == ["remote"] * 5 + ["invocation"]
    assert [one.detail["attempt"] for one in records[:5]] == [1, 2, 3, 4, 5]
    assert {(one.rule, one.status) for one in records[:5]} == {("remote.named", 500)}
    notes = Reasons(remote.firebrick).explain(records[1]).notes
    assert any("sent again" in words for _, words in notes)


def test_an_app_that_is_gone_meanwhile_is_not_asked_again(remote: RemoteBench) -> None:
    firebrick = remote.firebrick
    answers(remote, 500)

    def uninstall(_seconds: float) -> None:
        version = firebrick.find_app(remote.name, "development")
        installation = firebrick.apps.find_installation(version, firebrick.find_site(None))
        firebrick.apps.uninstall(installation, firebrick.find_person("amy"))

    result = remote.invoke("on-created", wait=uninstall)
    assert [one.code for one in result.attempts] == ["REMOTE_FAILED", "DENIED"]
    assert len(remote.server.received) == 1
    assert firebrick.audit.read(limit=2)[0].rule == "installation.ended"


def test_what_the_emulator_does_not_ask_is_not_asked_again(remote: RemoteBench) -> None:
    result = remote.invoke("on-created", remotes={})
    assert [one.code for one in result.attempts] == ["REMOTE_NO_ADDRESS"]


def test_nobody_there_is_tried_again(remote: RemoteBench) -> None:
    result = remote.invoke("on-created", remotes={"backend": "http://127.0.0.1:9"})
    assert [one.code for one in result.attempts] == ["REMOTE_UNREACHABLE"] * 5


@pytest.mark.parametrize(
    ("body", "again"),
    [
        ({"a": 1}, {"a": 1, "retryContext": ...}),
        ({"payload": {"a": 1}}, {"payload": {"a": 1, "retryContext": ...}}),
        ({"payload": [1]}, {"payload": [1], "retryContext": ...}),
        ({"retryContext": "forged"}, {"retryContext": ...}),
        ([1], [1]),
        ("text", "text"),
    ],
)
def test_why_it_comes_again_stands_where_there_is_room(body: object, again: object) -> None:
    sent: list[object] = []

    def send(call: RemoteCall) -> ExternalReply:
        assert call.timeout_s == 5
        sent.append(json.loads(call.body or b""))
        if len(sent) == 1:
            raise ForgeError("REMOTE_TIMEOUT", "The remote took too long.")
        return ExternalReply(204, (), b"")

    delivery = deliver(Errand("backend", "/x", body, is_event=True), send, lambda _: None)
    context = {"retryData": None, "retryCount": 1, "retryReason": "TIMEOUT_ERROR"}
    wanted = json.loads(json.dumps(again, default=lambda _: context))
    assert sent == [body, wanted]
    assert (delivery.result, delivery.fault) == (None, None)


# --- made again, offline ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "statuses", "calls"),
    [("page", (200,), 1), ("page", (404,), 1), ("on-created", (500, 302, 200), 3),
     ("hourly", (401,), 5)],
)  # fmt: skip
def test_what_an_endpoint_was_sent_replays_to_the_same_bytes(
    bench: Bench, tmp_path: Path, name: str, statuses: tuple[int, ...], calls: int
) -> None:
    with served(bench.firebrick) as url, remote_served(APP_A, url) as server:
        remote = RemoteBench(bench.firebrick, url, server)
        remote.install(write_app(tmp_path / "remote"))
        answers(remote, *statuses)
        result = remote.invoke(name, EVENT)
        seen = len(server.received)
    done = replay_kept(bench.firebrick, result.invocation_id, {})
    assert (done.replay.differences, done.replay.calls) == ((), calls)
    assert len(server.received) == seen == calls
    file, nowhere = tmp_path / "record.json", tmp_path / "nowhere"
    file.write_text(export(bench.firebrick, "last")[0], encoding="utf-8")
    assert replay_file(file, Settings(state=nowhere), {}).replay.equal
    assert not nowhere.exists()


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"plain", b'{"\xc3\xa4": [1, null]}'])
def test_any_bytes_of_a_server_come_back(remote: RemoteBench, body: bytes) -> None:
    remote.server.answer = (200, {"set-cookie": "sid=secret-of-the-server"}, body)
    remote.invoke("page")
    assert replay_kept(remote.firebrick, "last", {}).replay.equal
    assert "secret-of-the-server" not in find_recording(remote.firebrick, "last").body


def changed(remote: RemoteBench, before: bytes, after: bytes) -> None:
    """Change the first answer in the newest recording."""
    recording = read_record(find_recording(remote.firebrick, "last").body)
    first, *others = recording.journal.calls
    first = replace(first, reply=(first.reply or b"").replace(before, after))
    journal = replace(recording.journal, calls=(first, *others))
    with remote.firebrick.engine.begin() as connection:
        body = write_record(replace(recording, journal=journal))
        connection.execute(update(recording_table).values(body=body))


def test_a_changed_answer_shows_a_difference(remote: RemoteBench) -> None:
    remote.invoke("page", {"a": 1})
    changed(remote, b"1.0.0", b"9.9.9")
    (difference,) = replay_kept(remote.firebrick, "last", {}).replay.differences
    assert difference.what == "result"
    assert '+  "app": "9.9.9",' in difference.diff


def test_a_record_with_too_few_answers_shows_it(remote: RemoteBench) -> None:
    answers(remote, 200)
    remote.invoke("on-created")
    changed(remote, b'"status":200', b'"status":500')
    found = {one.what for one in replay_kept(remote.firebrick, "last", {}).replay.differences}
    assert found == {"result", "error", "call 2"}


@pytest.mark.hostile
@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b"null", b"{", b'{"status":"200","body":""}', b'{"status":true,"body":""}',
     b'{"status":200}', b'{"status":200,"body":"*","bodyEncoding":"base64"}', b"[" * 100_000],
)  # fmt: skip
def test_an_answer_that_is_none_is_no_record(remote: RemoteBench, answer: bytes) -> None:
    remote.invoke("page")
    first = read_record(find_recording(remote.firebrick, "last").body).journal.calls[0]
    changed(remote, first.reply or b"-", answer)
    with pytest.raises(ManifestError, match="no record"):
        replay_kept(remote.firebrick, "last", {})


@pytest.mark.hostile
@pytest.mark.parametrize("handler", ["endpoint:", "endpoint:none", "endpoint:ticked"])
def test_a_record_of_another_endpoint_is_no_record(remote: RemoteBench, handler: str) -> None:
    remote.invoke("page")
    recording = read_record(find_recording(remote.firebrick, "last").body)
    start = replace(recording.start, handler=handler)
    with remote.firebrick.engine.begin() as connection:
        body = write_record(replace(recording, start=start))
        connection.execute(update(recording_table).values(body=body))
    with pytest.raises(ManifestError, match="no such endpoint"):
        replay_kept(remote.firebrick, "last", {})


def test_where_none_are_kept_there_is_none(tmp_path: Path, cache: Path) -> None:

    settings = Settings(state=tmp_path / "state", cache=cache, recordings=0)
    with (
        open_firebrick(settings) as firebrick,
        served(firebrick) as url,
        remote_served(APP_A, url) as server,
    ):
        remote = RemoteBench(firebrick, url, server)
        remote.install(write_app(tmp_path / "remote"))
        result = remote.invoke("page")
        with pytest.raises(InvocationError, match="not kept any more"):
            replay_kept(firebrick, result.invocation_id, {})
