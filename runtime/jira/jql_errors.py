"""What is wrong with a query, in the product's words."""

from collections.abc import Sequence

from runtime.errors import JiraError
from runtime.jira.jql_ast import Value

QUERY = "Error in the JQL Query: "
_OPERATORS = (
    "The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and "
    "'IS NOT'."
)


class JqlError(JiraError):
    """A query that the product refuses with 400; the parser raises nothing else.

    Args:
        messages: All that is wrong, in the order of the query.
    """

    def __init__(self, *messages: str) -> None:
        super().__init__(400, *messages, rule=None)


def at(line: int, column: int) -> str:
    """Return where an error is, as the product writes it."""
    return f" (line {line}, character {column})"


def reserved_word(word: str, line: int, column: int) -> JqlError:
    """Return the refusal of a reserved word without quotation marks."""
    return JqlError(
        f"{QUERY}'{word}' is a reserved JQL word. You must surround it in quotation marks to use "
        f"it in a query.{at(line, column)}"
    )


def reserved_character(character: str, line: int, column: int) -> JqlError:
    """Return the refusal of a reserved character outside a quoted string."""
    return JqlError(
        f"{QUERY}The character '{character}' is a reserved JQL character. You must enclose it in a "
        f"string or use the escape '\\u{ord(character):04x}' instead.{at(line, column)}"
    )


def unfinished_string(value: str, line: int, column: int) -> JqlError:
    """Return the refusal of a quoted string that does not end."""
    return JqlError(f"{QUERY}The quoted string '{value}' has not been completed.{at(line, column)}")


def illegal_escape(escape: str, line: int, column: int) -> JqlError:
    """Return the refusal of an unknown escape."""
    return JqlError(
        f"{QUERY}'{escape}' is an illegal JQL escape sequence. The valid escape sequences are "
        f"\\', \\\", \\t, \\n, \\r, \\\\, '\\ ' and \\uXXXX.{at(line, column)}"
    )


def unexpected(got: str | None, expected: Sequence[str], line: int, column: int) -> JqlError:
    """Return the refusal of a word that does not fit.

    Args:
        got: The word; None for the end of the query.
        expected: Names of the tokens that would have fitted.
        line: Line of the word, from 1.
        column: Character of the word in its line, from 1.
    """
    what = _expectation(frozenset(expected))
    hint = f" {_OPERATORS}" if what == "operator" else ""
    if got is None:
        return JqlError(f"{QUERY}Expecting {what} before the end of the query.{hint}")
    if what == _VALUE and any(letter.isalnum() for letter in got):
        hint = f" You must surround '{got}' in quotation marks to use it as a value."
    return JqlError(f"{QUERY}Expecting {what} but got '{got}'.{hint}{at(line, column)}")


_VALUE = "either a value, list or function"
_WANTED = (
    ("EQUALS", "operator"),
    ("CF", "a field name"),
    ("STRING", _VALUE),
    ("EMPTY", "'EMPTY' or 'NULL'"),
    ("AND", "either 'OR' or 'AND'"),
    ("LPAR", "a list"),
    ("RPAR", "')'"),
    ("COMMA", "',' or the end of the query"),
)


def _expectation(expected: frozenset[str]) -> str:
    """Return what would have fitted: the first of the table that could have come."""
    return next((what for token, what in _WANTED if token in expected), min(expected))


# --- what a well-formed query may still get wrong -------------------------------------------------


def not_evaluated(what: str) -> JqlError:
    """Return the honest refusal of what the product knows and the emulator does not evaluate."""
    return JqlError(f"Firebrick parses {what} and does not evaluate it yet.")


def no_such_field(name: str, *, anonymous: bool) -> JqlError:
    """Return the refusal of an unknown field."""
    if anonymous:
        return JqlError(
            f"Field '{name}' does not exist or this field cannot be viewed by anonymous users."
        )
    return JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")


def no_such_value(field: str, value: Value) -> JqlError:
    """Return the refusal of a value that is missing, or hidden: the same for both."""
    if value.is_number:
        return JqlError(f"A value with ID '{value.text}' does not exist for the field '{field}'.")
    return JqlError(f"The value '{value.text}' does not exist for the field '{field}'.")


def operator_unsupported(operator: str, field: str) -> JqlError:
    """Return the refusal of an operator that a field does not know."""
    return JqlError(f"The operator '{operator}' is not supported by the '{field}' field.")


def not_sortable(name: str) -> JqlError:
    """Return the refusal to sort by a field."""
    return JqlError(f"Not able to sort using field '{name}'.")
