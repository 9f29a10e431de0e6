"""TypeScript in, JavaScript out."""

import pytest

from runtime.errors import ManifestError
from runtime.sandbox.typescript import MOST_SOURCE_BYTES, is_typescript, strip_types


def test_types_are_erased_and_what_runs_stays() -> None:
    source = """
    import type { Issue } from './issue';
    import { read, type Reader } from './read';
    enum Colour { Red = 1 }
    interface Shape { side: number }
    export const area = <T extends Shape>(shape: T): number => (shape.side as number) ** 2;
    export default class Box { constructor(private readonly side: number) {} }
    export const first: Issue | undefined = read(Colour.Red)!;
    """
    stripped = strip_types("box.ts", source)
    for gone in ("interface", "Issue", "Reader", "readonly", ": number", " as "):
        assert gone not in stripped
    assert "export default class Box" in stripped
    assert 'from "./read"' in stripped


@pytest.mark.parametrize("name", ["a.ts", "a.mts", "a.cts", "a.tsx"])
def test_the_ending_says_what_is_typescript(name: str) -> None:
    assert is_typescript(name)
    assert ":" not in strip_types(name, "const a: number = 1;")


def test_jsx_in_typescript_becomes_calls() -> None:
    assert "jsx" in strip_types("a.tsx", "export const view = <Text>hi</Text>;")


@pytest.mark.parametrize("name", ["a.js", "a.mjs", "a.json", "ts"])
def test_anything_else_comes_back_as_it_is(name: str) -> None:
    assert strip_types(name, "let x: = not code") == "let x: = not code"


def test_empty_and_unicode_sources_are_fine() -> None:
    assert strip_types("a.ts", "") == ""
    assert "é😀" in strip_types("a.ts", "const a: string = 'é😀';")


def test_what_does_not_parse_names_the_file_and_the_reason() -> None:
    with pytest.raises(ManifestError, match=r"^src/a\.ts: Unexpected token") as caught:
        strip_types("src/a.ts", "let x: = 1")
    assert caught.value.code == "TYPESCRIPT_ERROR"


@pytest.mark.hostile
@pytest.mark.parametrize(
    "source", ["(" * 200_000, "{" * 200_000, "<" * 100_000, "x" * (MOST_SOURCE_BYTES + 1)]
)
def test_deep_and_huge_sources_are_an_error_and_the_next_one_works(source: str) -> None:
    with pytest.raises(ManifestError) as caught:
        strip_types("a.ts", source)
    assert caught.value.code == "TYPESCRIPT_ERROR"
    assert strip_types("a.ts", "let a: number = 1") == "let a = 1;\n"
