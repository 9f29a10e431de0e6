"""Another time for the runs of an image."""

from collections.abc import Callable
from dataclasses import replace

from runtime.sandbox.engine import JavaScriptImage
from runtime.sandbox.timebase import Timebase
from runtime.sandbox.values import Image
from runtime.sandbox.wasm_guest import WasmImage


def timed(image: Image, timebase: Callable[[], Timebase]) -> Image:
    """Return an image whose runs have another time; what else they share stays shared.

    Args:
        image: An image of an engine.
        timebase: Makes the time of each run.
    """
    if not isinstance(image, JavaScriptImage | WasmImage):
        raise TypeError(f"{type(image).__name__} is no image of an engine")
    return replace(image, timebase=timebase)
