"""Every kind of source file as an ES module: TypeScript, JSON, CommonJS."""

import json
import re

from runtime.errors import ManifestError
from runtime.invocation.imports import Reading, read_imports
from runtime.manifest.exports import exports_of
from runtime.sandbox.typescript import strip_types

NAME_LIMIT = 1_000  # named exports made of the keys of one JSON file
WHOLE = '"module.exports"'  # the name under which a file that is no ES module exports itself

_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)


def to_es_module(name: str, text: str) -> tuple[str, Reading]:
    """Return a file as an ES module, and what it imports.

    A JSON file exports its value as default and its keys by name. A CommonJS file exports what it
    assigns to ``exports``; its ``require`` calls with literal names become imports.

    Raises:
        ManifestError: ``SOURCE_TEXT`` for broken JSON, ``TYPESCRIPT_ERROR`` for TypeScript.

    Differs:
        CommonJS files run in strict mode, load what they require before their first line, and
        cannot require each other in a circle.
    """
    if name.endswith(".json"):
        return _from_json(name, text), Reading((), is_module=True, is_commonjs=False)
    plain = strip_types(f"{name}.tsx" if name.endswith(".jsx") else name, text)
    reading = read_imports(plain)
    if name.endswith(".cjs") or (reading.is_commonjs and not reading.is_module):
        return _from_commonjs(plain, reading), reading
    return _without_attributes(plain, reading), reading


def _from_json(name: str, text: str) -> str:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ManifestError("SOURCE_TEXT", f"{name}: not JSON: {error}.") from None
    keys = list(value)[:NAME_LIMIT] if isinstance(value, dict) else []
    return f"const $all = JSON.parse({json.dumps(text)}); " + _exports("$all", keys, "$all")


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON value")


def _exports(value: str, keys: list[str], default: str) -> str:
    """Return the statements that export an object: whole, as default, and by its keys."""
    names = [key for key in keys if _IDENTIFIER.fullmatch(key) and key != "default"]
    named = "".join(
        f" const $key{at} = {value}[{json.dumps(key)}]; export {{ $key{at} as {key} }};"
        for at, key in enumerate(names)
    )
    return f"export default {default}; export {{ {value} as {WHOLE} }};{named}"


def _from_commonjs(source: str, reading: Reading) -> str:
    """Wrap a file in a function as Node does; its first line stays its first line."""
    wanted = sorted({one.specifier for one in reading.imports if one.form == "require"})
    hoisted = "".join(
        f"import * as $module{at} from {json.dumps(specifier)}; "
        for at, specifier in enumerate(wanted)
    )
    known = ", ".join(
        f"[{json.dumps(specifier)}, $module{at}]" for at, specifier in enumerate(wanted)
    )
    return (
        f"{hoisted}const $known = new Map([{known}]); const $module = {{ exports: {{}} }}; "
        "const $require = (name) => { const found = $known.get(name); "
        "if (found === undefined) throw new Error(`Cannot find module '${name}'`); "
        f"return {WHOLE} in found ? found[{WHOLE}] : found; }}; "
        f"(function (exports, require, module) {{{source}\n"
        "}).call($module.exports, $module.exports, $require, $module); "
        "const $exports = $module.exports; "
        + _exports(
            "$exports",
            sorted(exports_of(source).names),
            "($exports?.__esModule ? $exports.default : $exports)",
        )
    )


def _without_attributes(source: str, reading: Reading) -> str:
    """Blank out ``with { type: "json" }``: JSON files are ES modules by now."""
    for one in reading.imports:
        if one.attributes is not None:
            start, end = one.attributes
            source = source[:start] + " " * (end - start) + source[end:]
    return source
