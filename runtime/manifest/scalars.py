"""What an unquoted YAML scalar means, by the core schema of YAML 1.2.

The platform reads manifests with a YAML 1.2 library, where ``no``, ``on``, ``12:30`` and
``2024-01-01`` are text. PyYAML's own rules are those of YAML 1.1, where they are not.
"""

import re

from runtime.manifest.nodes import Scalar

CORE = "tag:yaml.org,2002:"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_SPECIAL = {"inf": float("inf"), "nan": float("nan")}
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
INT_DIGITS = 300  # Python refuses to parse more than 4,300 digits; the platform keeps 15 of them


class UnknownTagError(ValueError):
    """A tag that no manifest value can have."""


def resolve(text: str, tag: str | None, plain: bool) -> Scalar:
    """Return what a scalar means.

    Args:
        text: The scalar as written, unescaped.
        tag: Its explicit tag, or None.
        plain: Whether it was written without quotes and tag.

    Raises:
        UnknownTagError: The tag is outside the core schema, or does not fit the text.

    Source:
        YAML 1.2.2, section 10.3, "Core schema".
    """
    if tag is None:
        return _implicit(text) if plain else text
    if tag in ("!", CORE + "str"):
        return text
    value = _implicit(text)
    if tag != CORE + _kind(value):
        raise UnknownTagError(tag)
    return value


def _implicit(text: str) -> Scalar:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return _number(text) if text[0] in "+-.0123456789" else text


def _number(text: str) -> Scalar:
    if len(text) > INT_DIGITS:
        return text
    if _INT.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        return float(text)
    special = _INFINITY.match(text)
    if special is None:
        return text
    value = _SPECIAL[text[-3:].lower()]
    return -value if text[0] == "-" else value


def _kind(value: Scalar) -> str:
    names = {bool: "bool", int: "int", float: "float", str: "str", type(None): "null"}
    return names[type(value)]
