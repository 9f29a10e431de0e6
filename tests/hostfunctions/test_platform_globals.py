"""`__forge_fetch__`, `__forge_runtime__` and `fetch` of a real guest before a listening door."""

import base64
import json
import threading

import pytest

from tests.guests.lab import Calls, evaluate, value_of

SETUP = """
const jira = (path, init, more) => __forge_fetch__({ type: 'fpp', provider: 'app', remote: 'jira', ...more }, path, init);
const shown = async (response) => {
  const { status, ok, statusText, headers } = await response;
  return [status, ok, statusText, [...headers], await (await response).text()];
};
"""  # noqa: E501  # one line of JavaScript


def sent(source: str) -> dict[str, object]:
    """Return the one message that an expression sends through the door."""
    calls = Calls()
    evaluate(source, setup=SETUP, door=calls)
    ((_, message),) = calls.seen
    return message


def test_a_call_carries_path_provider_and_remote_and_asks_by_get() -> None:
    calls = Calls()
    evaluate("jira('/rest/api/3/myself').then(() => 1)", setup=SETUP, door=calls)
    assert calls.seen == [
        (
            "requestJira",
            {
                "path": "/rest/api/3/myself",
                "method": "GET",
                "headers": [],
                "provider": "app",
                "remote": "jira",
            },
        )
    ]


def test_the_account_of_the_call_is_passed_on_as_given() -> None:
    message = sent("jira('/x', {}, { provider: 'user', accountId: 'someone' }).then(() => 1)")
    assert (message["provider"], message["accountId"]) == ("user", "someone")


@pytest.mark.parametrize(
    "headers", ["{ Accept: 'a/b' }", "[['ACCEPT', 'a/b']]", "new Headers({ accept: 'a/b' })"]
)
def test_headers_may_be_an_object_a_list_or_headers(headers: str) -> None:
    assert sent(f"jira('/x', {{ headers: {headers} }}).then(() => 1)")["headers"] == [
        ["accept", "a/b"]
    ]


FORM = "application/x-www-form-urlencoded;charset=UTF-8"


@pytest.mark.parametrize(
    ("body", "text", "kind"),
    [
        ("'{\"a\":1}'", '{"a":1}', "text/plain;charset=UTF-8"),
        ("''", "", "text/plain;charset=UTF-8"),
        ("new URLSearchParams({ a: 'b c' })", "a=b+c", FORM),
        ("{ toString: () => 'own' }", "own", "text/plain;charset=UTF-8"),
    ],
)
def test_a_text_body_goes_as_text_with_the_content_type_that_fetch_gives_it(
    body: str, text: str, kind: str
) -> None:
    message = sent(f"jira('/x', {{ method: 'post', body: {body} }}).then(() => 1)")
    assert (message["method"], message["body"]) == ("POST", text)
    assert message["headers"] == [["content-type", kind]]


def test_bytes_go_as_base64_and_without_a_content_type() -> None:
    message = sent(
        "jira('/x', { method: 'PUT', body: new Uint8Array([0, 255, 65]) }).then(() => 1)"
    )
    assert base64.b64decode(str(message["body"])) == b"\x00\xffA"
    assert (message["bodyEncoding"], message["headers"]) == ("base64", [])


BYTES = "new Uint8Array([0, 255, 65])"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f"new Blob([{BYTES}], {{ type: 'a/b' }})", "a/b"),
        (f"new DataView({BYTES}.buffer)", None),
        (f"Buffer.from({BYTES})", None),
    ],
)
def test_every_kind_of_bytes_arrives(body: str, kind: str | None) -> None:
    message = sent(f"jira('/x', {{ method: 'POST', body: {body} }}).then(() => 1)")
    assert base64.b64decode(str(message["body"])) == b"\x00\xffA"
    assert message["headers"] == ([] if kind is None else [["content-type", kind]])


def test_a_stream_is_read_to_its_end_before_it_goes() -> None:
    stream = "ReadableStream.from([new Uint8Array([97]), new Uint8Array([98])])"
    message = sent(
        f"jira('/x', {{ method: 'POST', duplex: 'half', body: {stream} }}).then(() => 1)"
    )
    assert message["body"] == "ab"


def test_a_form_goes_as_multipart_with_its_boundary() -> None:
    source = """(() => {
      const form = new FormData();
      form.append('text', 'ü');
      form.append('file', new Blob([new Uint8Array([255])], { type: 'a/b' }), 'n.bin');
      return jira('/x', { method: 'POST', body: form }).then(() => 1);
    })()"""
    message = sent(source)
    headers = message["headers"]
    assert isinstance(headers, list)
    ((name, kind),) = headers
    assert name == "content-type"
    boundary = kind.removeprefix("multipart/form-data; boundary=").encode()
    body = base64.b64decode(str(message["body"]))
    assert body.count(b"--" + boundary) == 3
    assert b'name="text"\r\n\r\n\xc3\xbc\r\n' in body
    assert b'filename="n.bin"\r\nContent-Type: a/b\r\n\r\n\xff\r\n' in body


def test_fetch_takes_a_request_of_bytes() -> None:
    calls = Calls()
    request = f"new Request('https://h.test/', {{ method: 'POST', body: {BYTES} }})"
    assert value_of(f"fetch({request}).then((one) => one.ok)", door=calls) is True
    assert calls.seen[0][1]["bodyEncoding"] == "base64"


@pytest.mark.parametrize("body", ["null", "undefined"])
def test_no_body_is_sent_where_there_is_none(body: str) -> None:
    assert "body" not in sent(f"jira('/x', {{ method: 'POST', body: {body} }}).then(() => 1)")


@pytest.mark.parametrize(
    "init",
    [
        "{ body: 'x' }",
        "{ headers: { 'a b': 'c' } }",
        "{ headers: { a: 'b\\nc: d' } }",
        "{ method: 'A B' }",
        "{ method: 'TRACE' }",
    ],
)
def test_what_fetch_refuses_never_reaches_the_door(init: str) -> None:
    calls = Calls()
    (thrown,) = evaluate(f"jira('/x', {init})", setup=SETUP, door=calls)
    assert isinstance(thrown, dict)
    assert thrown["name"] == "TypeError"
    assert calls.seen == []


def test_the_answer_is_a_fetch_response() -> None:
    answer = {"status": 404, "headers": [["x-a", "1"], ["X-A", "2"]], "body": '{"k":"\u00fc"}'}
    found = value_of("shown(jira('/x'))", setup=SETUP, door=Calls(answer))
    assert found == [404, False, "Not Found", [["x-a", "1, 2"]], '{"k":"\u00fc"}']


def test_an_answer_of_bytes_arrives_as_bytes() -> None:
    answer = {"status": 200, "headers": [], "body": "AP9B", "bodyEncoding": "base64"}
    source = "jira('/x').then(async (one) => [...new Uint8Array(await one.arrayBuffer())])"
    assert value_of(source, setup=SETUP, door=Calls(answer)) == [0, 255, 65]


def test_an_answer_without_content_has_no_body() -> None:
    answer = {"status": 204, "headers": [], "body": ""}
    source = "jira('/x').then(async (one) => [one.body, await one.text(), one.ok])"
    assert value_of(source, setup=SETUP, door=Calls(answer)) == [None, "", True]


def test_a_failure_of_the_host_is_thrown_with_its_code() -> None:
    door = Calls({"error": {"code": "BAD_REQUEST", "message": "no"}})
    assert value_of("jira('/x')", setup=SETUP, door=door) == {
        "name": "Error",
        "message": "no",
        "code": "BAD_REQUEST",
    }


def test_ten_calls_are_in_flight_at_once_and_each_gets_its_answer() -> None:
    calls = Calls()
    ten = "Promise.all(Array.from({ length: 10 }, (_, at) => jira(`/${at}`)))"
    source = f"{ten}.then((all) => all.length)"
    assert value_of(source, setup=SETUP, door=calls) == 10
    assert sorted(str(message["path"]) for _, message in calls.seen) == [
        f"/{at}" for at in range(10)
    ]


@pytest.mark.parametrize(
    ("meta", "named"),
    [
        ("{ type: 'kvs', provider: 'app', remote: 'kvs' }", "@forge/kvs"),
        ("{ type: 'sql', provider: 'app', remote: 'sql' }", "@forge/sql"),
        ("{ type: 'os' }", "object store"),
        ("{ type: 'llm' }", "LLM"),
        ("{ type: 'realtime' }", "realtime"),
        ("{ type: 'tpp', provider: 'google' }", "withProvider"),
        ("{ type: 'fcc', service: 's' }", "invokeService"),
        ("{ type: 'emails' }", "e-mail"),
        ("{ type: 'fpp', provider: 'app', remote: 'stargate' }", "GraphQL"),
        ("{ type: 'fpp', provider: 'app', remote: 'confluence' }", "Confluence"),
        ("{ type: 'fpp', provider: 'app', remote: 'bitbucket' }", "Bitbucket"),
        ("{ type: 'fpp', provider: 'app', contextAri: 'site/other' }", "no product and no site"),
        ("{ type: 'fpp', provider: 'app' }", "no product and no site"),
        ("{ type: 'new' }", "'new'"),
        ("undefined", "'undefined'"),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(meta: str, named: str) -> None:
    calls = Calls()
    thrown = value_of(f"__forge_fetch__({meta}, '/x', {{}})", door=calls)
    assert isinstance(thrown, dict)
    assert thrown["code"] == "NOT_EMULATED"
    assert named in str(thrown["message"])
    assert calls.seen == []


def test_a_context_is_handed_to_the_host_which_knows_whose_it_is() -> None:
    calls = Calls()
    site = "ari:cloud:jira::site/any"
    meta = f"{{ type: 'fpp', provider: 'app', contextAri: '{site}' }}"
    assert value_of(f"__forge_fetch__({meta}, '/x').then((one) => one.status)", door=calls) == 200
    assert calls.seen[0][1]["remote"] == site


def test_no_product_beside_a_context_hides_it_from_the_host() -> None:
    calls = Calls()
    for remote in ("jira", "confluence"):
        meta = f"{{ type: 'fpp', provider: 'app', remote: '{remote}', contextAri: 'ari:x' }}"
        value_of(f"__forge_fetch__({meta}, '/x').then((one) => one.status)", door=calls)
    assert [message["remote"] for _, message in calls.seen] == ["ari:x", "ari:x"]


@pytest.mark.parametrize("call", ["fetch('{0}')", "__forge_fetch__({{ type: 'egress' }}, '{0}')"])
def test_fetch_asks_its_own_door_for_an_absolute_url(call: str) -> None:
    answer = {"status": 403, "headers": [["forge-proxy-error", "REQUEST_EGRESS_ALLOWLIST_ERR"]]}
    calls = Calls(answer)
    source = (
        call.format("https://EXAMPLE.test/a b") + ".then((one) => [one.status, ...one.headers][1])"
    )
    assert value_of(source, door=calls) == ["forge-proxy-error", "REQUEST_EGRESS_ALLOWLIST_ERR"]
    ((name, message),) = calls.seen
    assert (name, message["url"], message["method"]) == (
        "fetch",
        "https://example.test/a%20b",
        "GET",
    )


def test_fetch_refuses_what_is_no_absolute_url() -> None:
    calls = Calls()
    thrown = value_of("fetch('/rest/api/3/myself')", door=calls)
    assert isinstance(thrown, dict)
    assert thrown["message"] == "Failed to parse URL from /rest/api/3/myself"
    assert calls.seen == []


def test_fetch_takes_a_request() -> None:
    calls = Calls()
    request = "new Request('https://h.test/', { method: 'POST', body: 'b', headers: { a: '1' } })"
    assert value_of(f"fetch({request}).then((one) => one.ok)", door=calls) is True
    assert (calls.seen[0][1]["body"], calls.seen[0][1]["method"]) == ("b", "POST")


class SlowDoor(Calls):
    """Holds the answer to ``/slow`` back until ``/release`` is asked for."""

    def __call__(self, name: str, body: bytes, /) -> bytes:
        path = json.loads(body)["path"]
        if path == "/release":
            RELEASED.set()
        elif path == "/slow":
            RELEASED.wait(timeout=10)
        return super().__call__(name, body)


RELEASED = threading.Event()
ABORTED = {"name": "AbortError", "message": "This operation was aborted", "code": 20}


def test_a_call_under_an_aborted_signal_never_leaves() -> None:
    calls = Calls()
    assert (
        value_of("jira('/x', { signal: AbortSignal.abort() })", setup=SETUP, door=calls) == ABORTED
    )
    assert calls.seen == []


def test_a_call_in_flight_rejects_when_its_signal_aborts() -> None:
    source = """(async () => {
      const controller = new AbortController();
      const slow = jira('/slow', { signal: controller.signal }).catch((error) => error.name);
      await new Promise((done) => setTimeout(done, 1));
      controller.abort();
      const name = await slow;
      await jira('/release');
      return name;
    })()"""
    assert value_of(source, setup=SETUP, door=SlowDoor()) == "AbortError"


def test_the_runtime_tells_the_time_that_is_left() -> None:
    extra = {"runtime": {"lambdaContext": {"awsRequestId": "id", "remainingTimeInMillis": 1000}}}
    sources = (
        "__forge_runtime__.lambdaContext.awsRequestId",
        "__forge_runtime__.lambdaContext.getRemainingTimeInMillis()",
        "__forge_runtime__.metrics.counter('a').incr() ?? 'counted'",
        "__forge_runtime__.metrics.timing('a').measure().stop() ?? 'timed'",
        "__forge_runtime__.metrics.gauge('a').set(1) ?? 'set'",
        "__forge_runtime__.featureFlags('a')",
    )
    request_id, left, *rest = evaluate(*sources, extra=extra)
    assert request_id == "id"
    assert isinstance(left, (int, float))
    assert 0 <= left <= 1000
    assert rest == ["counted", "timed", "set", False]


@pytest.mark.hostile
def test_no_token_the_host_might_pass_reaches_the_runtime_object() -> None:
    extra = {"runtime": {"proxy": {"token": "SECRET", "url": "u"}, "kvs": {"url": "v"}}}
    shown = value_of("[__forge_runtime__.proxy, typeof __forge_runtime__.kvs]", extra=extra)
    assert shown == [{"token": "", "url": "u"}, "undefined"]
