"""The source files of an app, with what can be read off their tokens: imports, calls, constants."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runtime.manifest.exports import FILE_LIMIT, HANDLER_ENDINGS, SCAN_LIMIT
from runtime.manifest.files import AppFiles
from runtime.manifest.problems import Fix, Level, Position, Problem
from runtime.manifest.tokens import Token, place_of, tokens_of, until_close

SOURCE_ENDINGS = (*HANDLER_ENDINGS, ".mjs")
FOLDER_DEPTH = 8
FILE_COUNT = 300  # files that are looked at; further ones are not checked
ARGUMENT_LIMIT = 400  # tokens of one call's arguments
CHAIN_LIMIT = 8  # names before a called one that are kept
CALL_LIMIT = 1000  # calls of one file
_TESTS = frozenset({"__tests__", "__mocks__"})
_SKIPPED = _TESTS | {"node_modules"}
_NO_CODE = (".json", ".css", ".md", ".txt", ".svg", ".png", ".d.ts")


@dataclass(frozen=True, slots=True)
class Call:
    """A call in a source.

    Attributes:
        name: The called name, such as ``requestJira``.
        chain: The names it hangs on, such as ``("api", "asApp")``; empty if it stands alone.
        arguments: The tokens of each argument.
        start: Offset of the name.
    """

    name: str
    chain: tuple[str, ...]
    arguments: tuple[tuple[Token, ...], ...]
    start: int


@dataclass(frozen=True, slots=True)
class Import:
    """A name that a source takes from a package; ``default`` and ``*`` are names too."""

    package: str
    name: str
    local: str
    start: int


@dataclass(frozen=True, slots=True)
class Source:
    """One source file.

    Attributes:
        path: Relative to the app folder.
        text: Its text.
        tokens: Its tokens.
        imports: What it imports, in ES module form or by ``require``.
        constants: Tokens of the values of its ``const`` declarations, by name.
    """

    path: str
    text: str
    tokens: tuple[Token, ...]
    imports: tuple[Import, ...]
    constants: Mapping[str, tuple[Token, ...]]

    def place(self, offset: int) -> Position:
        """Return the place of an offset."""
        return place_of(self.text, offset)

    def problem(
        self,
        start: int,
        rule: str,
        message: str,
        hint: str,
        *,
        level: Level = "error",
        fix: Fix | None = None,
    ) -> Problem:
        """Return a problem of this file at an offset."""
        place = self.place(start)
        return Problem(self.path, place.line, place.column, level, rule, message, hint, fix)

    def imported(self, package: str) -> Mapping[str, Import]:
        """Return what is imported from a package, by its local name."""
        return {one.local: one for one in self.imports if one.package == package}


class Sources:
    """The sources below ``src/``, as far as the limits reach; to be gone through once.

    Args:
        files: The app's files.
    """

    def __init__(self, files: AppFiles) -> None:
        self._files = files
        self._is_complete = True

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left out so far but tests."""
        return self._is_complete

    def __iter__(self) -> Iterator[Source]:
        """Yield one source after the other."""
        characters = 0
        for count, path in enumerate(self._paths("src", 0)):
            text = self._files.read(path) if count < FILE_COUNT else None
            if text is None or len(text) > FILE_LIMIT:
                self._is_complete = False
                continue
            characters += len(text)
            if characters > SCAN_LIMIT:
                self._is_complete = False
                return
            yield source_of(path, text)

    def _paths(self, folder: str, depth: int) -> Iterator[str]:
        for name in self._files.names(folder):
            path = f"{folder}/{name}"
            kind = self._files.kind(path)
            if kind == "folder" and depth < FOLDER_DEPTH and name not in _SKIPPED:
                yield from self._paths(path, depth + 1)
            elif kind == "file" and name.endswith(SOURCE_ENDINGS):
                if ".test." not in name:
                    yield path
            elif not (kind == "file" and name.endswith(_NO_CODE)) and name not in _TESTS:
                self._is_complete = False


def source_of(path: str, text: str) -> Source:
    """Return a source read into tokens."""
    tokens = tokens_of(text)
    return Source(path, text, tokens, tuple(_imports(tokens)), _constants(tokens))


def calls_of(source: Source) -> Iterator[Call]:
    """Yield the calls of a source, with or without a template tag before their brackets."""
    tokens, found = source.tokens, 0
    for index in range(len(tokens) - 1):
        is_call = tokens[index].kind == "word" and tokens[index + 1].text == "("
        if not is_call or tokens[index + 1].kind != "mark" or found >= CALL_LIMIT:
            continue
        found += 1
        inner = tuple(until_close(tokens, index + 2, ARGUMENT_LIMIT))
        chain = _chain(tokens, index)
        yield Call(tokens[index].text, chain, tuple(_split(inner)), tokens[index].start)


def _chain(tokens: tuple[Token, ...], index: int) -> tuple[str, ...]:
    """Return the names before a called one, over empty brackets: ``a.b().c`` gives a, b."""
    names: list[str] = []
    at = index - 1
    while at > 0 and tokens[at].text in (".", "?.") and len(names) < CHAIN_LIMIT:
        at -= 1
        if tokens[at].text == ")":
            at = _opening(tokens, at) - 1
        if at < 0 or tokens[at].kind != "word":
            break
        names.insert(0, tokens[at].text)
        at -= 1
    return tuple(names)


def _opening(tokens: tuple[Token, ...], at: int) -> int:
    depth = 0
    for index in range(at, max(-1, at - ARGUMENT_LIMIT), -1):
        if tokens[index].kind == "mark":
            depth += (tokens[index].text == ")") - (tokens[index].text == "(")
        if depth == 0:
            return index
    return 0


def _split(tokens: tuple[Token, ...]) -> Iterator[tuple[Token, ...]]:
    """Yield the parts between commas that stand in no bracket."""
    part: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind == "mark":
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
            if token.text == "," and depth == 0:
                yield tuple(part)
                part = []
                continue
        part.append(token)
    if part:
        yield tuple(part)


def _constants(tokens: tuple[Token, ...]) -> Mapping[str, tuple[Token, ...]]:
    found: dict[str, tuple[Token, ...]] = {}
    for index in range(len(tokens) - 3):
        is_const = tokens[index].text == "const" and tokens[index + 1].kind == "word"
        if is_const and tokens[index + 2].text == "=" and len(found) < CALL_LIMIT:
            found.setdefault(tokens[index + 1].text, _value(tokens, index + 3))
    return found


def _value(tokens: tuple[Token, ...], at: int) -> tuple[Token, ...]:
    """Return the tokens of a simple value: a text, a tagged template, or an object literal."""
    first = tokens[at]
    if first.kind == "mark" and first.text == "{":
        return (first, *until_close(tokens, at + 1, ARGUMENT_LIMIT))
    if first.kind == "word" and at + 1 < len(tokens) and tokens[at + 1].kind == "template":
        return (first, tokens[at + 1])
    is_joined = at + 1 < len(tokens) and tokens[at + 1].text in ("+", ".", "?")
    return (first,) if first.kind in ("string", "template") and not is_joined else ()


def _imports(tokens: tuple[Token, ...]) -> Iterator[Import]:
    for index, token in enumerate(tokens):
        if token.kind != "word" or (index and tokens[index - 1].text in (".", "?.")):
            continue
        if token.text == "import" and _is_declaration(tokens, index):
            yield from _es_import(tokens, index + 1)
        elif token.text == "require":
            yield from _required(tokens, index)


def _is_declaration(tokens: tuple[Token, ...], index: int) -> bool:
    return index + 1 < len(tokens) and tokens[index + 1].text != "("


def _es_import(tokens: tuple[Token, ...], at: int) -> Iterator[Import]:
    """Read ``import a, {b as c} from "package"`` from behind its first word."""
    head: list[Token] = []
    for token in tokens[at : at + ARGUMENT_LIMIT]:
        if token.kind == "string":
            yield from _bindings(head, token.text)
            return
        head.append(token)


def _bindings(head: list[Token], package: str) -> Iterator[Import]:
    words = [token for token in head if token.text not in ("type", "from", ",", "}")]
    in_braces, name = False, ""
    for index, token in enumerate(words):
        if token.text == "{":
            in_braces = True
        elif token.text == "as":
            continue
        elif index and words[index - 1].text == "as":
            yield Import(package, name, token.text, token.start)
        else:
            name = token.text if in_braces or token.text == "*" else "default"
            is_renamed = index + 1 < len(words) and words[index + 1].text == "as"
            if not is_renamed:
                yield Import(package, name, token.text, token.start)


def _required(tokens: tuple[Token, ...], at: int) -> Iterator[Import]:
    """Read ``const a = require("package")`` and ``const {b} = require("package")``."""
    named = tokens[at + 2 : at + 3]
    if not named or named[0].kind != "string" or tokens[at + 1].text != "(":
        return
    package = named[0].text
    before = at - 2
    if before < 0 or tokens[at - 1].text != "=":
        return
    if tokens[before].kind == "word":
        yield Import(package, "default", tokens[before].text, tokens[before].start)
        return
    for token in reversed(tokens[max(0, before - ARGUMENT_LIMIT) : before]):
        if token.text == "{":
            return
        if token.kind == "word":
            yield Import(package, token.text, token.text, token.start)
