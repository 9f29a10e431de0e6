import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.gateway.values import ProductCall, ProductReply
from runtime.hostfunctions.codec import (
    CodecError,
    decode_fetch,
    decode_request,
    encode_error,
    encode_reply,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def test_a_whole_request_is_read() -> None:
    raw = json.dumps(
        {"path": "/x", "method": "post", "headers": [["A", "b"]], "body": "é",
         "provider": "user", "accountId": "1:a", "remote": "jira"}
    ).encode()  # fmt: skip
    assert decode_request(raw) == ProductCall(
        "/x", "POST", (("A", "b"),), "é".encode(), "user", "1:a", "jira"
    )


def test_the_least_request_is_a_get_as_nobody() -> None:
    assert decode_request(b'{"path":"/x"}') == ProductCall("/x")


@pytest.mark.hostile
@pytest.mark.parametrize(
    "raw",
    [
        b"", b"null", b"[]", b"{}", b"\xff", b'{"path":1}', b'{"path":"/x","token":"y"}',
        b'{"path":"/x","provider":"admin"}', b'{"path":"/x","body":{}}', b'{"path":"/x"}{}',
        b'{"path":"/x","body":"!","bodyEncoding":"base64"}', b"[" * 100_000,
        b'{"path":"\\ud800"}', b'{"path":"/x","headers":{"a":1}}',
        b'{"path":"/x","method":"' + b"A" * 99 + b'"}',
    ],
)  # fmt: skip
def test_anything_else_is_the_codecs_one_error(raw: bytes) -> None:
    with pytest.raises(CodecError) as caught:
        decode_request(raw)
    assert caught.value.code == "BAD_REQUEST"
    with pytest.raises(CodecError):
        decode_fetch(raw)


@given(st.binary(max_size=64) | json_values.map(lambda value: json.dumps(value).encode()))
def test_for_any_bytes_the_codec_parses_or_raises_its_one_error(raw: bytes) -> None:
    for decode in (decode_request, decode_fetch):
        with suppress(CodecError):
            decode(raw)


def test_replies_carry_text_as_text_and_bytes_as_base64() -> None:
    text = json.loads(encode_reply(ProductReply(200, (("a", "b"),), "é".encode())))
    assert text == {"status": 200, "headers": [["a", "b"]], "body": "é"}
    raw = json.loads(encode_reply(ProductReply(200, (), b"\xff\x00")))
    assert (raw["body"], raw["bodyEncoding"]) == ("/wA=", "base64")
    assert json.loads(encode_error("X", "y")) == {"error": {"code": "X", "message": "y"}}
