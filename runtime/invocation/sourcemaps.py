"""Source maps: from a place in a bundle to the place in the app's own file.

Source:
    ECMA-426, "Source map format": version 3, without sections and without names.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from runtime.sandbox.values import Fault, LogLine, Outcome
from runtime.sandbox.world import BUNDLE

_DIGITS = {
    digit: value
    for value, digit in enumerate(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    )
}
_PLACE = re.compile(r"(?<![\w./-])" + re.escape(BUNDLE) + r":(\d{1,9}):(\d{1,9})(?!\d)")
_FRAME = re.compile(r"^\s+at .*$", re.MULTILINE)
_AT = " at "


@dataclass(frozen=True, slots=True)
class _Row:
    """The mapped places of one generated line, by column: source, line and column of each."""

    columns: tuple[int, ...]
    places: tuple[tuple[int, int, int], ...]


def has_frames(outcome: Outcome) -> bool:
    """Return whether a stack may stand in an outcome: in most there is none."""
    fault = outcome.fault
    return (fault is not None and bool(fault.stack)) or any(_AT in one.text for one in outcome.logs)


class Places:
    """Translates the places in a guest's stacks; of itself it changes none."""

    def translate(self, text: str) -> str:
        """Return a text with every place in it replaced by the app's own."""
        return text

    def translate_frames(self, text: str) -> str:
        """Return a text with the places in its stack frames replaced; the rest stays as it is."""
        return _FRAME.sub(lambda frame: self.translate(frame[0]), text) if _AT in text else text

    def apply(self, outcome: Outcome) -> Outcome:
        """Return an outcome whose stacks, in its fault and in what it logged, name the app's files.

        What the app itself made of a stack and returned stays as the guest saw it.
        """
        return replace(
            outcome,
            fault=None if outcome.fault is None else self._fault(outcome.fault),
            logs=tuple(self._line(line) for line in outcome.logs),
        )

    def _fault(self, fault: Fault) -> Fault:
        return replace(fault, stack=self.translate(fault.stack)) if fault.stack else fault

    def _line(self, line: LogLine) -> LogLine:
        return replace(line, text=self.translate_frames(line.text)) if _AT in line.text else line


class ModuleLines(Places):
    """The lines of modules that were transformed, by the module's name.

    The column is left out: that of the transformed line means nothing to anyone.

    Args:
        lines: The file's line of each line of the module; 0 where it is not known.
    """

    def __init__(self, lines: Mapping[str, Sequence[int]]) -> None:
        self._lines = lines
        names = "|".join(re.escape(name) for name in sorted(lines, key=len, reverse=True))
        self._place = re.compile(rf"(?<![\w./-])({names}):(\d{{1,9}}):\d{{1,9}}(?!\d)")

    def translate(self, text: str) -> str:
        """Return a text with every place in it replaced by the app's own."""
        return self._place.sub(self._replaced, text) if self._lines else text

    def _replaced(self, found: re.Match[str]) -> str:
        name, line = found[1], int(found[2])
        lines = self._lines[name]
        known = lines[line - 1] if 0 < line <= len(lines) else 0
        return f"{name}:{known}" if known else name


class SourceMap(Places):
    """One bundle's map, decoded when it is first asked.

    Args:
        text: The map as JSON; anything else maps nothing.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _map(self) -> Mapping[str, object]:
        try:
            found = json.loads(self._text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def _sources(self) -> tuple[str, ...]:
        sources = self._map.get("sources")
        return tuple(map(str, sources)) if isinstance(sources, list) else ()

    @cached_property
    def _rows(self) -> tuple[_Row, ...]:
        try:
            return tuple(_rows(str(self._map.get("mappings", ""))))
        except (KeyError, ValueError):
            return ()

    def place(self, line: int, column: int) -> tuple[str, int, int] | None:
        """Return file, line and column that a place of the bundle comes from, all from 1.

        None if the map does not know: the bundler's own code.
        """
        if not 0 < line <= len(self._rows):
            return None
        row = self._rows[line - 1]
        at = bisect_right(row.columns, column - 1) - 1
        if at < 0:
            return None
        source, its_line, its_column = row.places[at]
        if not 0 <= source < len(self._sources):
            return None
        return self._sources[source], its_line + 1, its_column + 1

    def translate(self, text: str) -> str:
        """Return a text with every place of the bundle in it replaced by the app's own."""
        return _PLACE.sub(self._replaced, text) if BUNDLE in text else text

    def _replaced(self, found: re.Match[str]) -> str:
        place = self.place(int(found[1]), int(found[2]))
        return found[0] if place is None else ":".join(map(str, place))


def app_map(path: Path, directory: Path, shims: Path) -> str:
    """Return a bundler's map with sources named by their path in the app's folder.

    Args:
        path: The map; its sources are relative to it.
        directory: The app's folder.
        shims: The folder of the emulator's stand-ins; these are named as ``node:`` modules.
    """
    try:
        drawn = json.loads(path.read_text(encoding="utf-8"))
        sources = [str(one) for one in drawn["sources"]]
        mappings = str(drawn["mappings"])
    except (ValueError, LookupError, TypeError):
        return ""
    root, own = directory.resolve(), shims.resolve()
    named = [_readable((path.parent / one).resolve(), root, own) for one in sources]
    return json.dumps({"version": 3, "sources": named, "mappings": mappings})


def _readable(source: Path, root: Path, shims: Path) -> str:
    if source.is_relative_to(shims):
        return f"node:{source.relative_to(shims).as_posix()}"
    if source.is_relative_to(root):
        return source.relative_to(root).as_posix()
    parts = source.parts
    if "node_modules" in parts:
        return "/".join(parts[parts.index("node_modules") :])
    return source.name


def _rows(mappings: str) -> Iterator[_Row]:
    source = line = column = 0
    for generated in mappings.split(";"):
        columns: list[int] = []
        places: list[tuple[int, int, int]] = []
        at = 0
        for segment in filter(None, generated.split(",")):
            fields = _numbers(segment)
            at += fields[0]
            if len(fields) >= 4:  # noqa: PLR2004  # fewer: code that comes from no source
                source, line, column = source + fields[1], line + fields[2], column + fields[3]
                places.append((source, line, column))
            else:
                places.append((-1, 0, 0))
            columns.append(at)
        yield _Row(tuple(columns), tuple(places))


def _numbers(segment: str) -> list[int]:
    """Decode the base64 VLQ numbers of one segment."""
    numbers: list[int] = []
    value = shift = 0
    for digit in segment:
        bits = _DIGITS[digit]
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or not numbers:
        raise ValueError("a segment is cut off")
    return numbers
