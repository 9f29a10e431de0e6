"""The names that a source file exports, read from its tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from runtime.manifest.files import AppFiles
from runtime.manifest.tokens import CLOSE_LIMIT, Token, tokens_of, until_close

HANDLER_ENDINGS = (".tsx", ".jsx", ".ts", ".js", ".cjs")
"""Endings a handler's file may have, in the platform's order; ``.mjs`` is not one of them."""

RAW_ENDINGS = (".wasm", ".wat")
"""Endings of raw WebAssembly modules, which this emulator runs and the platform does not."""

FOLLOW_LIMIT = 20  # files that one chain of `export * from` may lead through


FILE_LIMIT = 256 * 1024  # characters; what people write is shorter, a longer file is a bundle
EXPORT_LIMIT = 500  # export statements of one file that are read
SCAN_LIMIT = 1024 * 1024  # characters of all files together


@dataclass(frozen=True, slots=True)
class Exports:
    """What a file exports.

    Attributes:
        names: Exported names, ``default`` among them.
        stars: Modules named by ``export * from``.
        is_open: Whether the file exports something computed, so that any name may be there.
    """

    names: frozenset[str]
    stars: tuple[str, ...] = ()
    is_open: bool = False


_HEADS = frozenset({"export", "module", "exports"})
_ANYTHING = Exports(frozenset(), is_open=True)


def find_source(files: AppFiles, module: str) -> str | None:
    """Return the path of a handler's source file, or None.

    Differs:
        Raw WebAssembly modules are accepted too.
    """
    paths = (f"src/{module}{ending}" for ending in (*HANDLER_ENDINGS, *RAW_ENDINGS))
    return next((path for path in paths if files.kind(path) == "file"), None)


class ExportReader:
    """Answers whether source files export names; reads each file once.

    Args:
        files: The app's files.
    """

    def __init__(self, files: AppFiles) -> None:
        self._files = files
        self._known: dict[str, Exports] = {}
        self._read_characters = 0

    def may_export(self, path: str, name: str) -> bool:
        """Return whether a source file may export a name, also through relative ``export *``.

        Differs:
            The platform's linter does not look through ``export * from`` and warns there.
        """
        waiting, seen = [path], set[str]()
        while waiting and len(seen) < FOLLOW_LIMIT:
            one = waiting.pop()
            found = self._exports(one)
            if name in found.names or found.is_open:
                return True
            seen.add(one)
            targets = (_target(self._files, one, star) for star in found.stars)
            waiting += (target for target in targets if target and target not in seen)
        return False

    def _exports(self, path: str) -> Exports:
        if path not in self._known:
            self._known[path] = self._scan(path)
        return self._known[path]

    def _scan(self, path: str) -> Exports:
        if self._read_characters > SCAN_LIMIT or path.endswith(RAW_ENDINGS):
            return _ANYTHING
        source = self._files.read(path)
        if source is None or len(source) > FILE_LIMIT:
            return _ANYTHING
        self._read_characters += len(source)
        return exports_of(source)


def _target(files: AppFiles, path: str, star: str) -> str | None:
    if not star.startswith("."):
        return None
    folder = path.rpartition("/")[0]
    stem = _joined(folder, star)
    endings = ("", *HANDLER_ENDINGS, "/index.ts", "/index.js")
    return next((stem + e for e in endings if files.kind(stem + e) == "file"), None)


def _joined(folder: str, relative: str) -> str:
    parts = folder.split("/")
    for part in relative.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def exports_of(source: str) -> Exports:
    """Return what a source exports, in ES module and in CommonJS form."""
    tokens = tokens_of(source)
    heads = [
        index
        for index, token in enumerate(tokens)
        if token.kind == "word" and token.text in _HEADS and not _is_member(tokens, index)
    ]
    names: set[str] = set()
    stars: list[str] = []
    is_open = len(heads) > EXPORT_LIMIT
    for index in heads[:EXPORT_LIMIT]:
        if tokens[index].text == "export":
            names.update(_declared(tokens, index + 1))
            stars += _starred(tokens, index + 1)
        else:
            found, computed = _assigned(tokens, index)
            names.update(found)
            is_open = is_open or computed
    return Exports(frozenset(names), tuple(stars), is_open)


def _is_member(tokens: tuple[Token, ...], index: int) -> bool:
    return index > 0 and tokens[index - 1].text in (".", "?.")


def _text(tokens: tuple[Token, ...], index: int) -> str:
    return tokens[index].text if index < len(tokens) else ""


_DECLARATIONS = frozenset({"const", "let", "var", "function", "class", "enum"})


def _declared(tokens: tuple[Token, ...], at: int) -> Iterator[str]:
    """Yield the names of the ES export whose `export` stands before `at`."""
    while _text(tokens, at) in ("async", "abstract", "declare"):
        at += 1
    first = _text(tokens, at)
    if first == "default":
        yield "default"
    elif first == "{":
        yield from _listed(tokens, at + 1)
    elif first == "*" and _text(tokens, at + 1) == "as":
        yield _text(tokens, at + 2)
    elif first in _DECLARATIONS:
        at += 2 if _text(tokens, at + 1) == "*" else 1
        yield from _bound(tokens, at)


def _bound(tokens: tuple[Token, ...], at: int) -> Iterator[str]:
    if _text(tokens, at) in ("{", "["):
        yield from (token.text for token in until_close(tokens, at + 1) if token.kind == "word")
        return
    yield _text(tokens, at)
    depth = 0
    for token, after in pairwise(tokens[at : at + CLOSE_LIMIT]):  # `, b = …` of the same statement
        if token.kind == "mark":
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth < 0 or (depth == 0 and token.text in (";", "export", "import")):
            return
        if depth == 0 and token.text == "," and after.kind == "word":
            yield after.text


def _listed(tokens: tuple[Token, ...], at: int) -> Iterator[str]:
    """Yield the outer names of ``{a, b as c}``."""
    words = [token.text for token in until_close(tokens, at)]
    for index, word in enumerate(words):
        after = words[index + 1] if index + 1 < len(words) else ","
        if after == "," and word != ",":
            yield word


def _starred(tokens: tuple[Token, ...], at: int) -> Iterator[str]:
    if _text(tokens, at) == "*" and _text(tokens, at + 1) == "from":
        yield _text(tokens, at + 2)


def _assigned(tokens: tuple[Token, ...], at: int) -> tuple[set[str], bool]:
    """Return names given to ``exports`` or ``module.exports``, and whether they are computed."""
    if _text(tokens, at) == "module":
        if _text(tokens, at + 1) != "." or _text(tokens, at + 2) != "exports":
            return set(), False
        at += 2
    after = _text(tokens, at + 1)
    if after == "." and _text(tokens, at + 3) == "=":
        return {_text(tokens, at + 2)}, False
    if after == "[" or (after == "," and at + 2 < len(tokens)):  # exports["x"], define(exports, "x"
        name = tokens[at + 2] if at + 2 < len(tokens) else None
        return ({name.text}, False) if name and name.kind == "string" else (set(), True)
    if after != "=" or _text(tokens, at + 2) == "=":
        return set(), False
    return _object(tokens, at + 2)


def _object(tokens: tuple[Token, ...], at: int) -> tuple[set[str], bool]:
    """Return the keys of an object literal at `at`; anything else is computed."""
    if _text(tokens, at) != "{":
        return set(), True
    names, depth, expects_key = set[str](), 0, True
    for token in until_close(tokens, at + 1):
        if depth == 0 and expects_key and token.text == "...":
            return names, True
        if depth == 0 and expects_key and token.kind in ("word", "string"):
            names.add(token.text)
            expects_key = token.text in ("async", "get", "set")
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth == 0 and token.text == ",":
            expects_key = True
    return names, False
