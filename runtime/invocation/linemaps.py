"""From the lines of a transformed TypeScript file back to the lines of the file.

The transform says nothing of places. But it keeps the words of the code in their order: it leaves
types out, and writes enums and little else anew. So the words of both are laid side by side.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from runtime.manifest.tokens import Token, tokens_of

NEAR = 3  # words; so near a word is taken for the same without a second look
CONTEXT = 30  # words in which the next two of the output must follow: types may stand between
CANDIDATES = (
    40  # places of one word that are looked at; a file of one word must not cost its square
)


def line_map(source: str, output: str) -> tuple[int, ...]:
    """Return the source's line, from 1, of each line of the output; 0 where nothing is known.

    Args:
        source: The file as its author wrote it.
        output: What the transform made of it.
    """
    theirs, ours = _words(source), _words(output)
    source_lines, output_lines = _line_starts(source), _line_starts(output)
    lines = [0] * len(output_lines)
    for mine, found in _pairs([one.text for one in theirs], [one.text for one in ours]):
        line = bisect_right(output_lines, ours[mine].start) - 1
        if lines[line] == 0:
            lines[line] = bisect_right(source_lines, theirs[found].start)
    return tuple(_filled(lines))


def _words(text: str) -> list[Token]:
    """Return the tokens that the transform keeps: not the marks, which it sets as it likes."""
    return [token for token in tokens_of(text) if token.kind != "mark"]


def _line_starts(text: str) -> list[int]:
    starts = [0]
    at = text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return starts


def _filled(lines: list[int]) -> list[int]:
    """Give a line on which nothing was found that of the one before it."""
    last = 0
    for at, line in enumerate(lines):
        last = line or last
        lines[at] = last
    return lines


def _pairs(source: Sequence[str], output: Sequence[str]) -> list[tuple[int, int]]:
    """Return which word of the output is which of the source, both in their order."""
    places: dict[str, list[int]] = {}
    for at, word in enumerate(source):
        places.setdefault(word, []).append(at)
    pairs: list[tuple[int, int]] = []
    begin = 0
    for at, word in enumerate(output):
        known = places.get(word, [])
        first = bisect_left(known, begin)
        for place in known[first : first + CANDIDATES]:
            if place - begin < NEAR or _follows(source, place, output[at + 1 : at + 3]):
                pairs.append((at, place))
                begin = place + 1
                break
    return pairs


def _follows(source: Sequence[str], place: int, words: Sequence[str]) -> bool:
    """Return whether words stand behind a place, in this order and not far."""
    behind = iter(source[place + 1 : place + 1 + CONTEXT])
    return all(word in behind for word in words)
