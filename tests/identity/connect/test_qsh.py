"""Query string hashes: the published vectors, and what two forms of one request have in common."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.identity.connect.qsh import canonical_request, matches, query_hash, url_hash

VECTORS = [
    ("GET", "/rest/api/3/issue/PRJ-1", "GET&/rest/api/3/issue/PRJ-1&",
     "256b9cc7f0092a127fbbbee832447e128be50899eb4a614f28ad625ec37959d0"),
    ("POST", "/installed", "POST&/installed&",
     "4a2e1de8ca74e6cafe8862d332fa3ac7a8e51e692bc6d798ea4dfedc14948bf4"),
    ("GET", "/?param=foo", "GET&/&param=foo",
     "557b49d80f3f963f6bec47b74d9832d8d601d6ed0979476bdb35bae4abafb0a4"),
    ("GET", "/path/to/service?zee_last=param&repeated=parameter%201&first=param"
            "&repeated=parameter%202",
     "GET&/path/to/service&first=param&repeated=parameter%201,parameter%202&zee_last=param",
     "e52bb281606c3bd9ca16cfe96fe2df78f5d9ffa126f06befd750dfa10fa1a897"),
    ("GET", "/p?k=b&k=a&k=B", "GET&/p&k=B,a,b",
     "c2cf400e1d0bafb1220e7d6818b98f86d9d6850ba431ff2bda6748c8f480205a"),
    ("GET", "/p?q=a*b~c!(d)'e", "GET&/p&q=a%2Ab~c%21%28d%29%27e",
     "7035778fb8b214aec07d99944cf4d668304e0f15985318cbb8e61bbb5e618f3e"),
    ("GET", "/rest/api/3/search/jql?jql=project+%3D+PRJ&fields=summary,status",
     "GET&/rest/api/3/search/jql&fields=summary%2Cstatus&jql=project%20%3D%20PRJ",
     "f96ea68d50292cacfbcd95bba46f32e9b1752de1e59a30d09c4a197281d7edbf"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "url", "text", "known"), VECTORS)
def test_the_published_vectors_are_met(method: str, url: str, text: str, known: str) -> None:
    assert url_hash(method, url) == known


def test_a_page_of_a_real_app_is_met() -> None:
    key = "com.github.integration.konstantin"
    pairs = [
        ("xdm_e", "https://kabakumov.atlassian.net"),
        ("xdm_c", f"channel-{key}__github-post-install-page"),
        ("cp", ""),
        ("xdm_deprecated_addon_key_do_not_use", key),
        ("lic", "none"),
        ("cv", "1001.0.0-SNAPSHOT"),
    ]
    assert query_hash("GET", "/jira/configuration", pairs) == (
        "345c5da1c34c5126155b18ff4522446c89cc017debe4878bfa6056cacd5245ae"
    )


@pytest.mark.parametrize(
    ("path", "pairs", "text"),
    [
        ("", [], "GET&/&"),
        ("/", [], "GET&/&"),
        ("/a/", [], "GET&/a&"),
        ("a", [], "GET&/a&"),
        ("/a&b", [], "GET&/a%26b&"),
        ("//a//b", [], "GET&//a//b&"),
        ("/a", [("k", "")], "GET&/a&k="),
        ("/a", [("jwt", "x"), ("k", "1")], "GET&/a&k=1"),
        ("/a", [("ä", "ü")], "GET&/a&%C3%A4=%C3%BC"),
        ("/a", [("a", "1,2")], "GET&/a&a=1%2C2"),
        ("/a", [("a", "1"), ("a", "2")], "GET&/a&a=1,2"),
        ("/a", [("a", "1"), ("A", "2")], "GET&/a&A=2&a=1"),
    ],
)
def test_the_canonical_form_of_odd_requests(
    path: str, pairs: list[tuple[str, str]], text: str
) -> None:
    assert canonical_request("get", path, pairs) == text


def test_the_slash_at_the_end_is_accepted_and_said() -> None:
    import hashlib  # noqa: PLC0415  # a client's own computation

    slashed = hashlib.sha256(b"GET&/a/&").hexdigest()
    assert matches(slashed, "GET", "/a/", []) == (True, True)
    assert matches(slashed, "GET", "/a", []) == (False, False)
    assert matches(url_hash("GET", "/a"), "GET", "/a/", []) == (True, False)


@pytest.mark.hostile
@pytest.mark.parametrize("claimed", [None, 1, "", "context-qsh", [], "ü", "0" * 64])
def test_nothing_but_the_hash_matches(claimed: object) -> None:
    assert matches(claimed, "GET", "/a", []) == (False, False)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
queries = st.lists(st.tuples(texts, texts), max_size=5)


@given(queries, st.randoms())
def test_the_order_of_parameters_does_not_count(
    pairs: list[tuple[str, str]], random: object
) -> None:
    mixed = list(reversed(pairs))
    assert query_hash("GET", "/a", mixed) == query_hash("GET", "/a", pairs)


@given(queries, queries)
def test_two_requests_are_the_same_only_if_their_parameters_are(
    first: list[tuple[str, str]], second: list[tuple[str, str]]
) -> None:
    def plain(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return sorted(pair for pair in pairs if pair[0] != "jwt")

    same = canonical_request("GET", "/", first) == canonical_request("GET", "/", second)
    assert same == (plain(first) == plain(second))


@given(queries)
def test_a_url_and_its_parts_have_one_hash(pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    assert url_hash("PUT", f"/a/b?{query}") == query_hash("PUT", "/a/b", pairs)
