import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.policy.decision import Decision
from runtime.policy.target import MAX_TARGET_CHARACTERS, Target, parse_target

HOSTILE = {
    "http://169.254.169.254/": "path.not-absolute",
    "https://evil.test/rest/api/3/myself": "path.not-absolute",
    "//evil.test/": "path.not-absolute",
    "/\\evil.test": "path.not-absolute",
    "\\\\evil.test": "path.not-absolute",
    "@evil.test": "path.not-absolute",
    ".evil.test": "path.not-absolute",
    ":8080/": "path.not-absolute",
    "": "path.not-absolute",
    " /rest/api/3/myself": "path.not-absolute",
    "javascript:alert(1)": "path.not-absolute",
    "/rest/api/3/issue/\x00": "path.control-character",
    "/rest/api/3/issue/a\r\nX: y": "path.control-character",
    "/rest\t/api": "path.control-character",
    "/rest/api/3/issue/%00": "path.control-character",
    "/rest/api/3/issue/%0d%0aX:%20y": "path.control-character",
    "/rest/api/3/issue/..\\project": "path.backslash",
    "/rest/api/3/issue/a%5Cb": "path.encoded-separator",
    "/rest/api/3/issue/a%2Fb": "path.encoded-separator",
    "/rest/api/3/issue/%2E%2E%2Fmyself": "path.encoded-separator",
    "/rest/api/3/issue/../project": "path.dot-segment",
    "/rest/api/3/issue/%2E%2E/project": "path.dot-segment",
    "/rest/api/3/issue/%2e./project": "path.dot-segment",
    "/rest/api/3/./issue": "path.dot-segment",
    "/rest/api/3/issue/..": "path.dot-segment",
    "/rest/api/3//project": "path.empty-segment",
    "/rest/api/3/project;x=1": "path.parameter",
    "/rest/api/3/issue/%zz": "path.bad-escape",
    "/rest/api/3/issue/%ff": "path.bad-escape",
    "/rest/api/3/issue/\ud800": "path.bad-escape",
    "/" + "a" * MAX_TARGET_CHARACTERS: "path.too-long",
}


@pytest.mark.hostile
@pytest.mark.parametrize(("text", "rule"), HOSTILE.items(), ids=[repr(key)[:40] for key in HOSTILE])
def test_a_path_that_two_parsers_could_read_differently_is_refused(text: str, rule: str) -> None:
    result = parse_target(text)
    assert isinstance(result, Decision)
    assert (result.allowed, result.rule) == (False, rule)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("/rest/api/3/myself", Target("/rest/api/3/myself", ())),
        ("/rest/api/3/issue/a b?x=1#f", Target("/rest/api/3/issue/a%20b", (("x", "1"),))),
        ("/rest/api/3/issue/日本", Target("/rest/api/3/issue/%E6%97%A5%E6%9C%AC", ())),
        ("/a?jql=a+%3D%20b&f=&f=2", Target("/a", (("jql", "a = b"), ("f", ""), ("f", "2")))),
        ("/a?next=//evil/../\\x;y", Target("/a", (("next", "//evil/../\\x;y"),))),
        ("/rest/api/3/project/a..b", Target("/rest/api/3/project/a..b", ())),
        ("/rest/api/3/project/%252e%252e", Target("/rest/api/3/project/%252e%252e", ())),
    ],
)
def test_an_honest_path_is_made_canonical(text: str, target: Target) -> None:
    assert parse_target(text) == target


@given(st.text(max_size=60) | st.text("/.%2eEfF5cC\\;?#@: \t\0ab", max_size=40).map("/".__add__))
def test_what_passes_is_canonical_and_passes_unchanged_again(text: str) -> None:
    first = parse_target(text)
    if isinstance(first, Target):
        assert first.path.startswith("/")
        assert "//" not in first.path
        assert first.path.isascii()
        assert not set(first.path) & set("\\;?#\r\n\t \0")
        assert parse_target(first.path) == Target(first.path, ())


def test_a_query_with_too_many_fields_is_refused() -> None:
    result = parse_target("/a?" + "&".join(f"k{number}=1" for number in range(1100)))
    assert isinstance(result, Decision)
    assert result.rule == "path.query"
