"""What is kept holds no secret, is JSON still, and is whole again for whoever knows the secret."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.invocation.scrubbing import SHORTEST, Scrubber, forms_of

secrets = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=24)


def nested(value: str) -> list[str]:
    """The value in JSON of one to three levels, as guests and as the host write it."""
    texts = [json.dumps({"v": value}), json.dumps({"v": value}, ensure_ascii=False)]
    for _ in range(2):
        texts += [json.dumps({"body": text}) for text in texts]
        texts += [json.dumps({"body": text}, ensure_ascii=False) for text in texts]
    return texts


@pytest.mark.hostile
@given(secrets)
def test_no_form_of_a_variable_is_kept_and_each_comes_back(value: str) -> None:
    scrubber = Scrubber({"NAME": value})
    for text in nested(value):
        kept = scrubber.scrub(text)
        json.loads(kept)
        assert value not in kept
        assert scrubber.restore(kept) == text


@pytest.mark.hostile
@pytest.mark.parametrize("before", ["", "u:", "us:", "user:"])
def test_a_variable_inside_base64_is_found_wherever_it_begins(before: str) -> None:
    value = "a-secret-of-some-length"
    encoded = base64.b64encode(f"{before}{value}:end".encode()).decode()
    kept = Scrubber({"NAME": value}).scrub(json.dumps({"authorization": f"Basic {encoded}"}))
    assert "***NAME." in kept
    assert value not in base64.b64decode(encoded[:4] + "AAAA").decode("latin-1")
    assert not any(encoded[at : at + 16] in kept for at in range(len(encoded) - 16))


@pytest.mark.parametrize("value", ["a b/c d", "ünïcode & more", 'quo"ted'])
def test_a_variable_in_an_address_or_as_hex_is_found(value: str) -> None:
    scrubber = Scrubber({"NAME": value})
    for text in (f"?x={quote(value, safe='')}", value.encode().hex()):
        assert "***NAME." in scrubber.scrub(json.dumps(text))


def test_a_short_value_is_ordinary_text() -> None:
    text = json.dumps({"v": "x" * SHORTEST})
    assert Scrubber({"NAME": "x" * (SHORTEST - 1)}).scrub(text) == text
    assert Scrubber({"NAME": "x" * SHORTEST}).scrub(text) != text


def test_of_two_variables_the_longer_is_taken_first() -> None:
    scrubber = Scrubber({"SHORT": "secret", "LONG": "secret-and-more"})
    text = json.dumps(["secret-and-more", "secret"])
    assert scrubber.scrub(text) == '["***LONG.0***", "***SHORT.0***"]'
    assert scrubber.restore(scrubber.scrub(text)) == text


@pytest.mark.hostile
def test_a_credential_is_gone_for_good() -> None:
    text = json.dumps({"log": "fbk_at_" + "a1" * 32, "next": 1})
    kept = Scrubber({}).scrub(text)
    assert json.loads(kept) == {"log": "***", "next": 1}
    assert Scrubber({}).restore(kept) == kept


@given(st.text(max_size=20))
def test_forms_begin_with_the_value_itself(value: str) -> None:
    assert forms_of(value)[0] == value
