"""Fill the holes that loading an app left in its heap, so that runs write side by side.

The guest's allocator puts each new value into the hole that fits best. Loading leaves thousands of
them, so a run that makes a few thousand values would write to many pages of its snapshot, and each
page that it writes to is a copy of its own. With the holes filled, and one room kept free, what a
run makes lies in a few pages. What fills the holes is never freed: it is the waste that it was.
"""

from runtime.sandbox.instance import Instance
from runtime.sandbox.quickjs import QuickJs

MOST_BLOCKS = 10_000  # that fill holes; a large app leaves 7,000
ROOM_BYTES = 256 * 1024  # what a run needs before its heap grows at its end, as any heap does
SIZES = (
    *(1 << power for power in range(17, 10, -1)),
    *range(1024, 256, -64),
    *range(256, 0, -8),
)
"""Sizes that are tried, the largest first: a large hole would else be filled with small blocks."""


def fill_holes(js: QuickJs, instance: Instance) -> None:
    """Fill every hole but one of `ROOM_BYTES`, which holds zeros afterwards.

    A guest so close to its limit that there is no such room is left as it is.
    """
    room = js.call("qjs_alloc", ROOM_BYTES)
    if room == 0:
        return
    end, left = instance.memory_bytes(), MOST_BLOCKS
    for size in SIZES:
        left -= _fill(js, size, end, left)
    instance.write(room, bytes(ROOM_BYTES))
    js.call("qjs_free", room, ROOM_BYTES)


def _fill(js: QuickJs, size: int, end: int, most: int) -> int:
    """Take blocks of a size until one lies behind the heap's old end; return how many."""
    for taken in range(most):
        block = js.call("qjs_alloc", size)
        if block == 0:
            return taken
        if block + size > end:
            js.call("qjs_free", block, size)
            return taken
    return most
