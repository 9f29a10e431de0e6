"""Turn YAML text into nodes that know where they stand, or into problems; never into an exception.

The parser's events are composed here with an explicit stack rather than by PyYAML's recursive
composer, so that depth, size, aliases and duplicate keys are decided before anything is built.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import yaml

from runtime.manifest.nodes import NO_KEYS, START, Node, Scalar
from runtime.manifest.problems import OURS, Level, Position, Problem, quoted
from runtime.manifest.scalars import CORE, UnknownTagError, resolve

DEPTH_LIMIT = 64  # the deepest real manifests reach about 15 levels
NODE_LIMIT = 20_000  # 150 modules, the platform's most, of 40 values each are 6,000
TEXT_PER_VALUE = 256  # characters that weigh as much as a value, so that aliased text counts too
SIZE_LIMIT_BYTES = 1024 * 1024  # the largest of 100 public manifests had 31 KiB
DUPLICATE_LIMIT = 20  # duplicate keys reported before we stop reading

YAML = "valid-yaml-required"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it
_BLAME_START = ("while scanning a quoted scalar", "while scanning a simple key")
_HINTS = {
    "could not find expected ':'": "Every entry of a map is written `key: value`.",
    "mapping values are not allowed": "Quote a value that holds `: `, or check the indentation.",
    "found unexpected end of stream": "A quote that is opened must be closed.",
    "cannot start any token": "Quote values that begin with @, ` or %.",
}


@dataclass(frozen=True, slots=True)
class Composition:
    """What came of a text: the root node unless it could not be read, and the problems."""

    root: Node | None
    problems: tuple[Problem, ...] = ()


def decode(
    raw: bytes, path: str, most_bytes: int = SIZE_LIMIT_BYTES
) -> tuple[str | None, tuple[Problem, ...]]:
    """Return the text of a file, or None, with what is wrong with its bytes.

    UTF-8 is required, as on the platform; a byte order mark is taken off with a warning.
    """
    if len(raw) > most_bytes:
        message = f"The file is larger than {most_bytes // 1024} KiB."
        return None, (_fault(path, Position(), OURS + "too-large", message),)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None, (_not_utf8(path, Position(), "The file is UTF-16."),)
    marked = raw.startswith(codecs.BOM_UTF8)
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place(raw[: error.start].decode("utf-8", "replace"))
        return None, (_not_utf8(path, place, f"Byte 0x{raw[error.start]:02x} is not UTF-8."),)
    return text, (_byte_order_mark(path),) if marked else ()


def compose(text: str, path: str, most_values: int = NODE_LIMIT) -> Composition:
    """Return the nodes of one YAML document, with every problem of its form.

    Args:
        text: The document.
        path: The file's name for the problems.
        most_values: How many values it may hold, aliases written out.
    """
    composer = _Composer(path, most_values)
    try:
        composer.read(text)
    except _StopReadingError as stop:
        return Composition(None, (*composer.problems, stop.problem))
    except yaml.reader.ReaderError as error:
        return Composition(None, (_unreadable_character(path, text, chr(error.character)),))
    except UnicodeEncodeError as error:
        return Composition(None, (_unreadable_character(path, text, text[error.start]),))
    except yaml.MarkedYAMLError as error:
        return Composition(None, (*composer.problems, _syntax(path, text, error)))
    return Composition(composer.root, tuple(composer.problems))


class _StopReadingError(Exception):
    """Reading ends here; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    position: Position
    anchor: str | None
    is_map: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Position] = field(default_factory=dict)
    key: Node | None = None
    size: int = 1
    depth: int = 1
    is_flow: bool = False
    last: Position = START

    def close(self, end: Position) -> Node:
        """Return the finished collection; `end` is where the parser saw its end."""
        behind = end if self.is_flow else self.last
        common = (self.size, self.depth, behind, self.is_flow)
        if self.is_map:
            keys = MappingProxyType(self.keys)
            return Node(MappingProxyType(self.entries), self.position, keys, *common)
        return Node(tuple(self.items), self.position, NO_KEYS, *common)


class _Composer:
    """Builds nodes from parser events."""

    def __init__(self, path: str, most_values: int) -> None:
        self.path = path
        self._most_values = most_values
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def read(self, text: str) -> None:
        """Read a whole text."""
        for event in _events(text):
            if isinstance(event, yaml.AliasEvent):
                self._add(self._aliased(event))
            elif isinstance(event, yaml.ScalarEvent):
                self._keep(event.anchor, self._scalar(event))
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                closed = self._open.pop()
                self._keep(closed.anchor, closed.close(_end(event)))
            elif isinstance(event, yaml.DocumentStartEvent):
                self._count_document(event)

    def _count_document(self, event: yaml.Event) -> None:
        self._documents += 1
        if self._documents > 1:
            hint = "Remove the `---` line and what follows it."
            raise self._stop(_start(event), YAML, "The file holds more than one document.", hint)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        position = _start(event)
        if len(self._open) >= DEPTH_LIMIT:
            raise self._too_deep(position)
        is_map = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", CORE + ("map" if is_map else "seq")):
            raise self._bad_tag(position, event.tag)
        is_flow = bool(event.flow_style)
        self._open.append(_Open(position, event.anchor, is_map, is_flow=is_flow))

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        try:
            value = resolve(event.value, event.tag, event.implicit[0])
        except UnknownTagError:
            raise self._bad_tag(_start(event), str(event.tag)) from None
        size = 1 + len(event.value) // TEXT_PER_VALUE
        return Node(value, _start(event), size=size, end=_end(event))

    def _aliased(self, event: yaml.AliasEvent) -> Node:
        position, anchor = _start(event), event.anchor or ""
        if any(one.anchor == anchor for one in self._open):
            message = f"Alias {quoted('*' + anchor)} stands inside what it names: a cycle."
            raise self._stop(position, OURS + "alias-cycle", message)
        if anchor not in self._anchors:
            message = f"Alias {quoted('*' + anchor)} has no anchor before it."
            raise self._stop(position, YAML, message)
        return replace(self._anchors[anchor], position=position, end=_end(event))

    def _keep(self, anchor: str | None, node: Node) -> None:
        if anchor:
            self._anchors[anchor] = node
        self._add(node)

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.last = max(parent.last, node.end)
        self._grow(parent, node)
        if not parent.is_map:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            self._enter(parent, parent.key, node)
            parent.key = None

    def _grow(self, parent: _Open, node: Node) -> None:
        parent.size += node.size
        parent.depth = max(parent.depth, node.depth + 1)
        if len(self._open) + node.depth > DEPTH_LIMIT:
            raise self._too_deep(node.position)
        if sum(one.size for one in self._open) > self._most_values:
            most = f"{self._most_values:,}"
            message = f"The document holds more than {most} values, aliases written out."
            raise self._stop(node.position, OURS + "too-many-values", message)

    def _enter(self, parent: _Open, key: Node, value: Node) -> None:
        if isinstance(key.value, (tuple, MappingProxyType)):
            raise self._stop(key.position, YAML, "A key must be a plain word, not a list or map.")
        name = _key_text(key.scalar)
        if name in parent.entries:
            self._duplicate(name, key.position, parent.keys[name])
            return
        parent.entries[name] = value
        parent.keys[name] = key.position

    def _duplicate(self, name: str, place: Position, first: Position) -> None:
        message = f"The key {quoted(name)} is already there."
        hint = f"Keys of a map must differ; the first one is on line {first.line}."
        self.problems.append(_fault(self.path, place, YAML, message, hint))
        if len(self.problems) >= DUPLICATE_LIMIT:
            raise self._stop(place, OURS + "too-many-problems", "Too many duplicate keys.")

    def _too_deep(self, position: Position) -> _StopReadingError:
        message = f"Values are nested more than {DEPTH_LIMIT} levels deep."
        return self._stop(position, OURS + "too-deep", message)

    def _bad_tag(self, position: Position, tag: str) -> _StopReadingError:
        message = f"The tag {quoted(tag)} is not supported."
        return self._stop(position, YAML, message, "Remove the tag; manifests hold plain data.")

    def _stop(
        self, position: Position, rule: str, message: str, hint: str = ""
    ) -> _StopReadingError:
        return _StopReadingError(_fault(self.path, position, rule, message, hint))


def _events(text: str) -> Iterator[yaml.Event]:
    yield from yaml.parse(text, Loader=_LOADER)


def _key_text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _start(event: yaml.Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1) if mark else Position()


def _end(event: yaml.Event) -> Position:
    mark = event.end_mark
    return Position(mark.line + 1, mark.column + 1) if mark else Position()


def _place(before: str) -> Position:
    lines = before.split("\n")
    return Position(len(lines), len(lines[-1]) + 1)


def _fault(
    path: str, place: Position, rule: str, message: str, hint: str = "", *, level: Level = "error"
) -> Problem:
    return Problem(path, place.line, place.column, level, rule, message, hint)


def _not_utf8(path: str, place: Position, message: str) -> Problem:
    return _fault(path, place, OURS + "not-utf-8", message, "Save the file as UTF-8.")


def _byte_order_mark(path: str) -> Problem:
    message = "The file begins with a byte order mark."
    rule, hint = OURS + "byte-order-mark", "Save it as UTF-8 without one."
    return _fault(path, Position(), rule, message, hint, level="warning")


def _unreadable_character(path: str, text: str, character: str) -> Problem:
    message = f"The character U+{ord(character):04X} may not stand in YAML."
    hint = "The file is binary, or holds a control character."
    place = _place(text.partition(character)[0])
    return _fault(path, place, OURS + "not-text", message, hint)


def _syntax(path: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    what = error.problem or "cannot be read"
    at_start = error.context in _BLAME_START and error.context_mark is not None
    mark = error.context_mark if at_start else error.problem_mark or error.context_mark
    place = Position(mark.line + 1, mark.column + 1) if mark else Position()
    if _character(text, place) == "\t":
        message = "A tab stands where YAML allows spaces only."
        return _fault(path, place, YAML, message, "Indent with spaces.")
    context = f"{error.context}: " if error.context else ""
    hint = next((hint for part, hint in _HINTS.items() if part in what), "")
    return _fault(path, place, YAML, f"This is not valid YAML: {context}{what}.", hint)


def _character(text: str, place: Position) -> str:
    lines = text.split("\n", place.line)
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    return line[place.column - 1 : place.column]
