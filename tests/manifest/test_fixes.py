import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.manifest.files import MemoryFiles
from runtime.manifest.fixes import apply_fixes
from runtime.manifest.problems import Fix
from runtime.manifest.reader import parse_manifest
from runtime.manifest.yaml_nodes import compose
from tests.manifest.texts import GOOD, HEAD, TRIGGER

SCOPE = Fix("scope", "write:jira-work")
EGRESS = Fix("egress", "https://api.example.com")


def fixed(text: str, *fixes: Fix) -> str:
    return apply_fixes(text, fixes)[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "permissions:\n  scopes:\n    - a:b  # why\n    # end\nresources: []\n",
            "permissions:\n  scopes:\n    - a:b  # why\n    - write:jira-work\n    # end\n"
            "resources: []\n",
        ),
        (
            "permissions:\n  scopes:\n  - a:b\n",
            "permissions:\n  scopes:\n  - a:b\n  - write:jira-work\n",
        ),
        ("permissions:\n  scopes: [a:b]\n", "permissions:\n  scopes: [a:b, write:jira-work]\n"),
        ("permissions:\n  scopes: []\n", "permissions:\n  scopes: [write:jira-work]\n"),
        (
            "permissions:\n  scopes:\n    a:b: {}\n",
            "permissions:\n  scopes:\n    a:b: {}\n    write:jira-work: {}\n",
        ),
        (
            "permissions:\n  scopes: {a:b: {}}\n",
            "permissions:\n  scopes: {a:b: {}, write:jira-work: {}}\n",
        ),
        (
            "permissions:\n    external: {}\n",
            "permissions:\n    external: {}\n    scopes:\n      - write:jira-work\n",
        ),
        ("app: 1\n", "app: 1\npermissions:\n  scopes:\n    - write:jira-work\n"),
        ("app: 1", "app: 1\npermissions:\n  scopes:\n    - write:jira-work"),
        (
            "app: |\n  text\n\nb: 1\n",
            "app: |\n  text\n\nb: 1\npermissions:\n  scopes:\n    - write:jira-work\n",
        ),
    ],
)  # fmt: skip
def test_a_scope_is_added_where_scopes_stand_and_nothing_else_moves(
    before: str, after: str
) -> None:
    assert apply_fixes(before, [SCOPE]) == (after, (SCOPE,))


def test_line_breaks_are_kept_as_the_file_has_them() -> None:
    before = "permissions:\r\n  scopes:\r\n    - a:b\r\n"
    assert fixed(before, SCOPE) == before + "    - write:jira-work\r\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "permissions:\n  external:\n    images: []\n",
            "permissions:\n  external:\n    images: []\n    fetch:\n      backend:\n"
            "        - address: https://api.example.com\n",
        ),
        (
            "permissions:\n  external:\n    fetch:\n      backend:\n        - address: a.b\n",
            "permissions:\n  external:\n    fetch:\n      backend:\n        - address: a.b\n"
            "        - address: https://api.example.com\n",
        ),
        (
            "permissions: {external: {fetch: {backend: [a.b]}}}\n",
            "permissions: {external: {fetch: {backend: [a.b, "
            "{address: https://api.example.com}]}}}\n",
        ),
    ],
)
def test_an_address_is_added_for_functions(before: str, after: str) -> None:
    assert fixed(before, EGRESS) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "permissions:\n  external:\n    images:\n      - a.b  # why\n      - address: c.d\n"
            "      - 'e.f'\n",
            "permissions:\n  external:\n    images:\n      - address: a.b  # why\n"
            "      - address: c.d\n      - address: 'e.f'\n",
        ),
        (
            "permissions: {external: {images: [a.b, '*.c.d']}}\n",
            "permissions: {external: {images: [{address: a.b}, {address: '*.c.d'}]}}\n",
        ),
    ],
)
def test_plain_addresses_become_objects(before: str, after: str) -> None:
    assert fixed(before, Fix("egress-object", "images")) == after


def test_a_module_that_a_package_needs_is_added_below_the_others() -> None:
    assert fixed("modules:\n  trigger:\n    - key: t\nb: 1\n", Fix("module", "sql")) == (
        "modules:\n  trigger:\n    - key: t\n"
        "  sql:\n    - key: app-sql\n      engine: mysql\nb: 1\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "permissions: {}\n",
        "permissions: x\n",
        "[]\n",
        "a: 'b\n",
        "",
        "permissions: {a: 1}\n",
        "permissions:\n  scopes: [\n    a:b,\n  ]\n",
    ],
)
def test_what_has_no_safe_place_is_left_alone(text: str) -> None:
    assert apply_fixes(text, [SCOPE]) == (text, ())


def test_the_same_fix_is_made_once() -> None:
    _, made = apply_fixes(GOOD, [SCOPE, SCOPE])
    assert made == (SCOPE,)


SOURCE = (
    "import { fetch, storage } from '@forge/api';\nimport sql from '@forge/sql';\n"
    "export const run = () => fetch('https://api.example.com/v1');\n"
)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        HEAD + TRIGGER,
        HEAD + TRIGGER + "permissions:\n  scopes: []\n",
        GOOD + "  external:\n    images:\n      - a.b\n",
        GOOD.replace("\n", "\r\n"),
    ],
    ids=["good", "no section", "empty", "plain address", "windows"],
)
def test_a_mended_manifest_no_longer_has_what_was_mended(text: str) -> None:
    files = MemoryFiles({"src/index.js": SOURCE})
    before = parse_manifest(text, files=files).problems
    changed, made = apply_fixes(text, [problem.fix for problem in before if problem.fix])
    after = parse_manifest(changed, files=files)
    assert made
    assert [problem.rule for problem in after.problems] == ["deprecated-api-storage"]
    assert after.manifest is not None


@given(st.integers(0, len(GOOD)), st.integers(0, 40))
def test_whatever_is_mended_is_yaml_and_keeps_its_text(at: int, cut: int) -> None:
    text = GOOD[:at] + GOOD[at + cut :]
    changed, made = apply_fixes(text, [SCOPE, EGRESS, Fix("module", "sql")])
    if made:
        assert compose(changed, "").problems == ()
        rest = iter(changed)
        assert all(character in rest for character in text)  # nothing went, nothing moved
    else:
        assert changed == text
