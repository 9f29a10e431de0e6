"""Translations: locale files that can be read, and texts that stand in the default one."""

import json
from collections.abc import Iterator

from runtime.manifest.building import text_at
from runtime.manifest.draft import DOCUMENT, Draft
from runtime.manifest.files import AppFiles
from runtime.manifest.nodes import Node
from runtime.manifest.problems import Problem, quoted


def check_translations(draft: Draft) -> Iterator[Problem]:
    """Yield locale files that are missing or broken, and keys that the default one lacks."""
    section = draft.root.get("translations")
    used = [key for module in draft.modules for key in _keys(module.node)]
    if section is None:
        for key in used[:1]:
            message = f"The text {quoted(key.text)} is to be translated, without `translations`."
            yield draft.problem(key.position, DOCUMENT, message, "Add the section.")
        return
    files = {text_at(node, "key"): node for node in _resources(section)}
    default = text_at(section, "fallback", "default")
    if default not in files:
        message = f"The default locale {quoted(default)} has no file in `translations.resources`."
        yield draft.problem(section.at("fallback", "default"), DOCUMENT, message)
    elif draft.files is not None:
        yield from _files(draft, files, draft.files)
        yield from _texts(draft, used, _read(draft.files, text_at(files[default], "path")))


def _resources(section: Node) -> tuple[Node, ...]:
    found = section.get("resources")
    return found.items if found else ()


def _keys(module: Node) -> Iterator[Node]:
    for part in module.walk():
        key = part.get("i18n")
        if key is not None and key.text is not None and len(part.entries) == 1:
            yield key


def _files(draft: Draft, locales: dict[str, Node], files: AppFiles) -> Iterator[Problem]:
    for locale, node in locales.items():
        path = text_at(node, "path")
        if _read(files, path) is None:
            message = f"The locale {quoted(locale)} has no readable JSON map at {quoted(path)}."
            yield draft.problem((node.get("path") or node).position, DOCUMENT, message)


def _read(files: AppFiles, path: str) -> dict[str, object] | None:
    text = files.read(path)
    try:
        found = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _texts(draft: Draft, used: list[Node], locale: dict[str, object] | None) -> Iterator[Problem]:
    for key in used if locale is not None else ():
        if not isinstance(_lookup(locale, str(key.text)), str):
            message = f"The default locale has no text {quoted(key.text)}."
            yield draft.problem(key.position, DOCUMENT, message)


def _lookup(locale: object, key: str) -> object:
    if isinstance(locale, dict) and key in locale:
        return locale[key]
    found = locale
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
