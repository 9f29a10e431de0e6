"""Strip the types from TypeScript: one file in, the JavaScript that runs out.

Source:
    The transform guest of the package quickjs-rs; types are erased file by file, as
    ``isolatedModules`` does, so a type that is imported must be imported with ``import type`` or
    used as a type alone.

Differs:
    The transform does not say in which line a file fails to parse.
"""

import wasmtime
from quickjs_rs._transform import TransformError, module_transform_flags, transform_module_source

from runtime.errors import ManifestError

MOST_SOURCE_BYTES = 8 << 20  # of one file; a bundle of dependencies is JavaScript already


def is_typescript(name: str) -> bool:
    """Return whether a file name says TypeScript."""
    return module_transform_flags(name) != 0


def strip_types(name: str, source: str) -> str:
    """Return JavaScript for a TypeScript source; other sources come back as they are.

    Args:
        name: File name, whose ending says what it is: ``.ts``, ``.mts``, ``.cts`` or ``.tsx``.
        source: Its text.

    Raises:
        ManifestError: It does not parse, or is too large or too deeply nested.
    """
    if not is_typescript(name):
        return source
    if len(source.encode()) > MOST_SOURCE_BYTES:
        raise ManifestError(
            "TYPESCRIPT_ERROR", f"{name}: a file has at most {MOST_SOURCE_BYTES} bytes"
        )
    try:
        return str(transform_module_source(name, source))
    except TransformError as error:
        reason = str(error).removeprefix(f"source parse error in {name}: ")
        raise ManifestError("TYPESCRIPT_ERROR", f"{name}: {reason}") from error
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        raise ManifestError(
            "TYPESCRIPT_ERROR", f"{name}: the file is too deeply nested or too large"
        ) from error
