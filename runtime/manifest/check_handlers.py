"""Every function's handler must name a source file, and that file should export the name."""

from collections.abc import Iterator

from runtime.manifest.building import split_handler, text_at
from runtime.manifest.draft import MODULE, Draft, ModuleNode
from runtime.manifest.exports import HANDLER_ENDINGS, find_source, may_export
from runtime.manifest.files import AppFiles
from runtime.manifest.nearest import nearest
from runtime.manifest.problems import Problem, listed, quoted

RAW_ENDINGS = (".wat", ".wasm")
"""Raw WebAssembly guests, which the platform does not have."""
_ENDINGS = "|".join(ending.removeprefix(".") for ending in HANDLER_ENDINGS)


def check_handlers(draft: Draft) -> Iterator[Problem]:
    """Yield handlers that name no file (an error) or no export of it (a warning).

    An app that brings its own bundle (``app.package.bundler: manual@2026``) is not looked into.
    """
    manual = text_at(draft.root, "app", "package", "bundler").startswith("manual")
    for module in draft.modules:
        if module.type == "function":
            yield from _handler(draft, module, None if manual else draft.files)


def _handler(draft: Draft, module: ModuleNode, files: AppFiles | None) -> Iterator[Problem]:
    place = module.node.at("handler")
    node = module.node.get("handler")
    place = node.position if node else place
    handler = text_at(module.node, "handler")
    parts = split_handler(handler)
    if parts is None:
        message = f"{module.title}: the handler {quoted(handler)} is not `file.export`."
        hint = "For instance `index.run`: the export `run` of `src/index.js`."
        yield draft.problem(place, MODULE, message, hint)
        return
    if files is None:
        return
    if any(files.kind(f"src/{parts[0]}{ending}") == "file" for ending in RAW_ENDINGS):
        return  # a raw WebAssembly guest; its exports are checked when it is built
    source = find_source(files, parts[0])
    if source is None:
        message = f"{module.title}: there is no file `src/{parts[0]}.({_ENDINGS})`."
        yield draft.problem(place, MODULE, message, _other_files(files, parts[0]))
    elif not may_export(files, source, parts[1]):
        message = f"{module.title}: {quoted(source)} has no export {quoted(parts[1])}."
        hint = f"Write `export const {parts[1]} = …` there."
        yield draft.problem(place, MODULE, message, hint, level="warning")


def _other_files(files: AppFiles, module: str) -> str:
    folder, _, stem = f"src/{module}".rpartition("/")
    names = files.names(folder)
    if f"{stem}.mjs" in names:
        return f"`{folder}/{stem}.mjs` is there, but `.mjs` is not looked for; rename it."
    stems = (name.rpartition(".")[0] for name in names if name.endswith(HANDLER_ENDINGS))
    near = nearest(stem, stems, 1)
    return f"Did you mean {listed(near)}?" if near else ""
