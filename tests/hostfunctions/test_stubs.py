import pytest

from runtime.hostfunctions.stubreader import MAX_STUBS, StubError, read_stubs
from runtime.hostfunctions.stubs import EgressStub, find_stub

HOOK = "https://h.test/v1/*"


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("https://h.test/a", "https://h.test/a", True),
        ("https://h.test/a", "https://h.test/a?x=1", True),
        ("https://h.test/a?x=1", "https://h.test/a?x=1", True),
        ("https://h.test/a?x=1", "https://h.test/a", False),
        ("https://h.test", "https://h.test/", True),
        ("https://h.test/a", "https://h.test/a/", True),
        ("https://h.test/a", "https://h.test/ab", False),
        ("https://h.test/*", "https://h.test/a/b?c", True),
        ("https://*.test/*/end", "https://h.test/a/b/end", True),
        ("https://*.test/*/end", "https://h.test/end", False),
        ("https://h.test/*?x=*", "https://h.test/a?x=2", True),
        ("https://h.test/ab*ba", "https://h.test/aba", False),
        ("*", "https://anywhere.test/x?y", True),
    ],
)
def test_a_pattern_is_of_the_whole_url(pattern: str, url: str, fits: bool) -> None:
    assert (find_stub([EgressStub(pattern)], "GET", url, None) is not None) is fits


def test_the_first_that_fits_answers() -> None:
    stubs = [EgressStub(HOOK, method="post", status=201), EgressStub("*", status=404)]
    for method, status in (("POST", 201), ("GET", 404)):
        stub = find_stub(stubs, method, "https://h.test/v1/x", None)
        assert stub is not None
        assert stub.status == status
    assert find_stub(stubs[:1], "GET", "https://h.test/v1/x", None) is None


@pytest.mark.parametrize(
    ("wanted", "body", "fits"),
    [
        ({"a": 1}, b'{"a": 1, "b": 2}', True),
        ({"a": {"b": [1]}}, b'{"a": {"b": [1], "c": 0}}', True),
        ({"a": {"b": [1]}}, b'{"a": {"b": [1, 2]}}', False),
        ({"a": 1}, b'{"a": true}', False),
        ({"a": 1}, b'["a"]', False),
        ({"a": None}, b"{}", False),
        (None, b"null", True),
        (1, b"not json", False),
        (1, b"[" * 100_000, False),
        (1, None, False),
    ],
)
def test_json_fits_where_every_wanted_part_is_there(
    wanted: object, body: bytes | None, fits: bool
) -> None:
    stub = EgressStub("*", body_json=wanted, match_json=True)
    assert (find_stub([stub], "POST", "https://h.test/", body) is not None) is fits


def test_text_fits_where_the_body_holds_it() -> None:
    stub = EgressStub("*", body_text="order")
    assert find_stub([stub], "POST", "https://h.test/", b"an order \xff") is stub
    assert find_stub([stub], "POST", "https://h.test/", b"nothing") is None


def test_a_section_is_read() -> None:
    entry = {
        "method": "POST", "url": HOOK, "body": {"text": "a", "json": {"k": 1}},
        "reply": {"status": 201, "headers": {"X-A": "1", "Set-Cookie": ["a=1", "b=2"]},
                  "json": {"ü": 1}},
        "delay_ms": 5, "fault": "reset",
    }  # fmt: skip
    assert read_stubs([entry]) == (
        EgressStub(
            url=HOOK, method="POST", body_text="a", body_json={"k": 1}, match_json=True, status=201,
            headers=(("X-A", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"),
                     ("content-type", "application/json")),
            body='{"ü": 1}'.encode(), delay_ms=5, fault="reset",
        ),
    )  # fmt: skip


def test_what_is_left_out_has_the_plainest_meaning() -> None:
    assert read_stubs(None) == ()
    assert read_stubs([{"url": HOOK}]) == (EgressStub(HOOK),)
    (text,) = read_stubs([{"url": HOOK, "reply": {"body": "hi"}}])
    assert (text.headers, text.body) == ((("content-type", "text/plain;charset=UTF-8"),), b"hi")
    (raw,) = read_stubs([{"url": HOOK, "reply": {"base64": "/wA="}}])
    assert (raw.headers, raw.body) == ((), b"\xff\x00")
    (typed,) = read_stubs(
        [{"url": HOOK, "reply": {"json": None, "headers": {"Content-Type": "x"}}}]
    )
    assert (typed.headers, typed.body) == ((("Content-Type", "x"),), b"null")
    (null,) = read_stubs([{"url": HOOK, "body": {"json": None}}])
    assert (null.body_json, null.match_json) == (None, True)


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ({}, ()),
        ("x", ()),
        (["x"], (0,)),
        ([{}], (0, "url")),
        ([{"url": "h.test"}], (0,)),
        ([{"url": "https://h test"}], (0,)),
        ([{"url": HOOK, "method": "A B"}], (0, "method")),
        ([{"url": HOOK}, {"url": HOOK, "fault": "flood"}], (1, "fault")),
        ([{"url": HOOK, "delay_ms": 60_001}], (0, "delay_ms")),
        ([{"url": HOOK, "reply": {"status": 199}}], (0, "reply", "status")),
        ([{"url": HOOK, "reply": {"body": "a", "json": 1}}], (0, "reply")),
        ([{"url": HOOK, "reply": {"base64": "!"}}], (0, "reply")),
        ([{"url": HOOK, "replies": {}}], (0, "replies")),
        ([{"url": HOOK}] * (MAX_STUBS + 1), ()),
    ],
)
def test_what_is_wrong_is_named_with_its_place(section: object, place: tuple[object, ...]) -> None:
    with pytest.raises(StubError) as caught:
        read_stubs(section)
    assert (caught.value.code, caught.value.place) == ("BAD_STUB", place)
    assert ".".join(str(part) for part in ("egress", *place)) in caught.value.message
