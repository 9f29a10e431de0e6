"""The modules that a source file asks for, and where it asks."""

from dataclasses import dataclass
from typing import Literal

from runtime.manifest.tokens import Token, place_of, tokens_of

FROM_LIMIT = 10_000  # tokens between `import` and its `from`; no list of names is longer

Form = Literal["import", "require"]


@dataclass(frozen=True, slots=True)
class Import:
    """One place where a file asks for a module by a literal name.

    Attributes:
        specifier: The name as written.
        line: Line it stands on, from 1.
        form: ``import`` for everything of ES modules, ``require`` for CommonJS.
        attributes: Offsets of an import's ``with {…}`` clause; None without one.
    """

    specifier: str
    line: int
    form: Form
    attributes: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the tokens of a file say about it.

    Attributes:
        imports: In the order of the file.
        is_module: Whether it has an ``import`` or ``export`` of ES modules.
        is_commonjs: Whether it uses ``module.exports``, ``exports`` or ``require``.
    """

    imports: tuple[Import, ...]
    is_module: bool
    is_commonjs: bool


def read_imports(source: str) -> Reading:
    """Return the modules that a JavaScript source asks for by literal names.

    Names that are computed at run time are not seen.
    """
    tokens = tokens_of(source)
    imports: list[Import] = []
    is_module = is_commonjs = False
    for at, token in enumerate(tokens):
        if token.kind != "word" or _text(tokens, at - 1) in (".", "?."):
            continue
        if token.text in ("import", "export"):
            found = _module_name(tokens, at)
            is_module = is_module or _text(tokens, at + 1) not in ("(", ".", ":")
            if found is not None:
                imports.append(_import(source, tokens, found, "import"))
        elif token.text == "require":
            if _is_call(tokens, at + 1):
                imports.append(_import(source, tokens, at + 2, "require"))
                is_commonjs = True
        elif token.text in ("module", "exports"):
            is_commonjs = is_commonjs or _text(tokens, at + 1) in (".", "[", "=")
    return Reading(tuple(imports), is_module, is_commonjs)


def _text(tokens: tuple[Token, ...], at: int) -> str:
    return tokens[at].text if 0 <= at < len(tokens) and tokens[at].kind != "string" else ""


def _is_string(tokens: tuple[Token, ...], at: int) -> bool:
    return at < len(tokens) and tokens[at].kind == "string"


def _is_call(tokens: tuple[Token, ...], at: int) -> bool:
    closes = _text(tokens, at + 2) in (")", ",")
    return _text(tokens, at) == "(" and _is_string(tokens, at + 1) and closes


def _module_name(tokens: tuple[Token, ...], at: int) -> int | None:
    """Return where the name of the module stands that an import or export is about, or None."""
    if tokens[at].text == "import":
        if _is_string(tokens, at + 1):
            return at + 1
        if _is_call(tokens, at + 1):
            return at + 2
    elif _text(tokens, at + 1) not in ("{", "*"):
        return None
    return _after_from(tokens, at + 1)


def _after_from(tokens: tuple[Token, ...], start: int) -> int | None:
    for at in range(start, min(start + FROM_LIMIT, len(tokens))):
        if _text(tokens, at) == "from" and _is_string(tokens, at + 1):
            return at + 1
        named = tokens[at].kind in ("word", "string")
        if not named and _text(tokens, at) not in ("{", "}", ",", "*"):
            return None
    return None


def _import(source: str, tokens: tuple[Token, ...], at: int, form: Form) -> Import:
    line = place_of(source, tokens[at].start).line
    attributes = None
    if form == "import" and _text(tokens, at + 1) == "with" and _text(tokens, at + 2) == "{":
        close = next((i for i in range(at + 3, len(tokens)) if _text(tokens, i) == "}"), None)
        if close is not None:
            attributes = tokens[at + 1].start, tokens[close].start + 1
    return Import(tokens[at].text, line, form, attributes)
