"""JSON read with the place of every value, so that messages can point at it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"
Path: TypeAlias = tuple[str | int, ...]

MAX_CHARACTERS = 512 * 1024
MAX_DEPTH = 64
_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null")


class JsonFaultError(ValueError):
    """A text that is no JSON; `at` is the offset of the fault."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class Located:
    """A JSON value and where each part of it begins.

    Attributes:
        value: The value.
        offsets: Offset of each part, by its path.
        text: The text it was read from.
    """

    value: Value
    offsets: Mapping[Path, int]
    text: str

    def place(self, path: Path) -> tuple[int, int]:
        """Return line and column, from 1, of a part; of the nearest part around it if missing."""
        while path and path not in self.offsets:
            path = path[:-1]
        return line_and_column(self.text, self.offsets[path])


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column of an offset, both from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def read_json(text: str) -> Located:
    """Read a JSON text.

    Raises:
        JsonFaultError: It is no JSON, too deep, too long, or an object names a member twice.
    """
    if len(text) > MAX_CHARACTERS:
        raise JsonFaultError(f"The text has more than {MAX_CHARACTERS} characters.", 0)
    reader = _Reader(text)
    value, at = reader.value(reader.blank(0), ())
    end = reader.blank(at)
    if end != len(text):
        raise JsonFaultError("Nothing may follow the value.", end)
    return Located(value, reader.offsets, text)


class _Reader:
    """Recursive descent over one text, of bounded depth."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.offsets: dict[Path, int] = {}

    def blank(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return at if found is None else found.end()

    def value(self, at: int, path: Path) -> tuple[Value, int]:
        self.offsets[path] = at
        if len(path) > MAX_DEPTH:
            raise JsonFaultError("The value is nested too deeply.", at)
        first = self._text[at : at + 1]
        if first == "{":
            return self._object(at, path)
        if first == "[":
            return self._array(at, path)
        if first == '"':
            return self._string(at)
        found = _PLAIN.match(self._text, at)
        if found is None:
            raise JsonFaultError("A value is expected here.", at)
        return _plain(found.group(), at), found.end()

    def _object(self, at: int, path: Path) -> tuple[Value, int]:
        members: dict[str, Value] = {}
        at = self.blank(at + 1)
        while self._text[at : at + 1] != "}":
            if members:
                at = self._expect(",", at)
            if self._text[at : at + 1] != '"':
                raise JsonFaultError("A name in double quotes is expected here.", at)
            begin = at
            name, at = self._string(at)
            if name in members:
                raise JsonFaultError(f"{json.dumps(name)} stands here a second time.", begin)
            at = self._expect(":", self.blank(at))
            members[name], at = self.value(at, (*path, name))
            at = self.blank(at)
        return members, at + 1

    def _array(self, at: int, path: Path) -> tuple[Value, int]:
        items: list[Value] = []
        at = self.blank(at + 1)
        while self._text[at : at + 1] != "]":
            if items:
                at = self._expect(",", at)
            item, at = self.value(at, (*path, len(items)))
            items.append(item)
            at = self.blank(at)
        return items, at + 1

    def _string(self, at: int) -> tuple[str, int]:
        try:
            text, end = _DECODER.raw_decode(self._text, at)
            text.encode()
        except ValueError as error:
            raise JsonFaultError("This text is not closed, or has a broken escape.", at) from error
        return str(text), end

    def _expect(self, mark: str, at: int) -> int:
        if self._text[at : at + 1] != mark:
            raise JsonFaultError(f"A '{mark}' is expected here.", at)
        return self.blank(at + 1)


def _plain(word: str, at: int) -> Value:
    try:
        value: Value = json.loads(word)
    except ValueError as error:  # an integer of thousands of digits
        raise JsonFaultError("This number is too long.", at) from error
    return value
