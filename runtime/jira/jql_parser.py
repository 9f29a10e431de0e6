"""Parse JQL: the whole language, into the values of `runtime.jira.jql_ast`.

Source:
    Jira Cloud support documentation, "Advanced search reference"; the conformance corpus in
    ``tests/fidelity/jql_cases.json``.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedToken, v_args
from lark.lexer import Lexer

from runtime.jira import jql_ast as ast
from runtime.jira.jql_errors import JqlError, unexpected
from runtime.jira.jql_tokens import position, tokens

MAX_CLAUSES = 500  # a database takes conditions about twice as deep
MAX_VALUES = 5_000  # in all lists together; a database takes some 32,000 parameters
CACHED_QUERIES = 1024
CACHED_LENGTH = 2_000  # characters; longer queries are parsed each time, so the cache stays small


def parse_jql(source: str) -> ast.Query:
    """Parse a query; the last thousand different ones are remembered.

    Raises:
        JqlError: 400 with the product's text; nothing else, whatever the text is.
    """
    return _remembered(source) if len(source) <= CACHED_LENGTH else _parse(source)


def _parse(source: str) -> ast.Query:
    try:
        query = _parser().parse(source)
    except UnexpectedToken as error:
        raise _explain(error, source) from error
    if not isinstance(query, ast.Query):
        raise TypeError("the grammar's start rule builds a query")
    clauses = _clauses(query.where)
    values = sum(
        len(one.operand.items) for one in clauses if isinstance(one.operand, ast.ListOperand)
    )
    if len(clauses) > MAX_CLAUSES or values > MAX_VALUES:
        raise JqlError(
            f"The JQL query has more than {MAX_CLAUSES} clauses or {MAX_VALUES} values in lists."
        )
    return query


_remembered = lru_cache(maxsize=CACHED_QUERIES)(_parse)


class _Tokens(Lexer):
    """Hands our own tokens to the parser."""

    def __init__(self, _configuration: object) -> None:
        pass

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]  # lark hands the text itself to such a lexer
        return tokens(str(data))


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = files("runtime.jira").joinpath("jql.lark").read_text("utf-8")
    return Lark(
        grammar, parser="lalr", lexer=_Tokens, transformer=_Builder(), maybe_placeholders=True
    )


def _explain(error: UnexpectedToken, source: str) -> JqlError:
    token = error.token
    if token.type == "$END":
        return unexpected(None, sorted(error.expected), 0, 0)
    line, column = position(source, token.start_pos or 0)
    return unexpected(str(token), sorted(error.expected), line, column)


def _clauses(condition: ast.Condition | None) -> list[ast.Clause]:
    found: list[ast.Clause] = []
    stack = [condition]
    while stack:
        current = stack.pop()
        match current:
            case ast.Clause():
                found.append(current)
            case ast.Not():
                stack.append(current.condition)
            case ast.And() | ast.Or():
                stack.extend(current.conditions)
            case None:
                return []
    return found


@v_args(inline=True)
class _Builder(Transformer[Token, ast.Query]):
    """Builds the values while the parser reduces, so no depth of the text becomes recursion."""

    def start(self, *parts: Any) -> ast.Query:  # a condition, sort fields, or both
        order = parts[-1] if parts and isinstance(parts[-1], tuple) else ()
        where = parts[0] if parts and not isinstance(parts[0], tuple) else None
        return ast.Query(where, order)

    def any(self, *parts: Any) -> ast.Condition:  # tokens between conditions
        found = _conditions(parts)
        return found[0] if len(found) == 1 else ast.Or(found)

    def all(self, *parts: Any) -> ast.Condition:  # tokens between conditions
        found = _conditions(parts)
        return found[0] if len(found) == 1 else ast.And(found)

    def negation(self, _sign: Token, condition: ast.Condition) -> ast.Condition:
        return condition.condition if isinstance(condition, ast.Not) else ast.Not(condition)

    def group(self, _open: Token, condition: ast.Condition, _close: Token) -> ast.Condition:
        return condition

    def compare(self, field: ast.Field, sign: Token, operand: ast.Operand) -> ast.Clause:
        return ast.Clause(field, str(sign), operand)

    def is_in(self, field: ast.Field, *rest: Any) -> ast.Clause:  # tokens, then the operand
        return ast.Clause(field, _words(rest), rest[-1])

    def is_empty(self, field: ast.Field, *rest: Token) -> ast.Clause:
        return ast.Clause(field, _words(rest[:-1]), ast.Empty())

    def was(self, field: ast.Field, *rest: Any) -> ast.Clause:  # tokens, operand, predicates
        predicates = tuple(part for part in rest if isinstance(part, ast.Predicate))
        operand = rest[len(rest) - len(predicates) - 1]
        return ast.Clause(field, _words(rest), operand, predicates)

    def changed(self, field: ast.Field, _word: Token, *rest: ast.Predicate) -> ast.Clause:
        return ast.Clause(field, "changed", None, rest)

    def predicate(self, name: Token, operand: ast.Operand) -> ast.Predicate:
        return ast.Predicate(name.lower(), operand)

    def value(self, token: Token) -> ast.Value:
        return ast.Value(str(token), token.type == "NUMBER")

    def function(self, name: Token, *rest: Any) -> ast.Function:  # tokens and values
        values = (part.text for part in rest if isinstance(part, ast.Value))
        return ast.Function(str(name), tuple(values))

    def empty(self, _word: Token) -> ast.Empty:
        return ast.Empty()

    def list(self, *parts: Any) -> ast.ListOperand:  # tokens and operands
        items: list[ast.Single] = []
        for part in parts:
            if isinstance(part, ast.ListOperand):
                items.extend(part.items)
            elif isinstance(part, ast.Value | ast.Function | ast.Empty):
                items.append(part)
        return ast.ListOperand(tuple(items))

    def field(self, name: str, *properties: tuple[str, str | None]) -> ast.Field:
        return ast.Field(name, properties)

    def plain_name(self, token: Token) -> str:
        return str(token)

    def custom_name(self, _cf: Token, _open: Token, number: Token, _close: Token) -> str:
        return f"cf[{number}]"

    def property(
        self, _open: Token, key: Token, _close: Token, path: Token | None
    ) -> tuple[str, str | None]:
        return str(key), None if path is None else str(path)

    def order_by(self, *parts: Any) -> tuple[ast.Sort, ...]:  # tokens and sorts
        return tuple(part for part in parts if isinstance(part, ast.Sort))

    def sort(self, field: ast.Field, direction: Token | None) -> ast.Sort:
        return ast.Sort(field, None if direction is None else direction.type == "DESC")


def _conditions(parts: Sequence[Any]) -> tuple[ast.Condition, ...]:
    return tuple(part for part in parts if not isinstance(part, Token))


def _words(parts: Sequence[object]) -> str:
    """Return the operator that a run of keywords spells, in lower case."""
    words = [part for part in parts if isinstance(part, Token)]
    return " ".join(str(word).lower().replace("!", "not") for word in words)
