"""Every function's handler must name a source file, and that file should export the name."""

from collections.abc import Iterator

from runtime.manifest.building import split_handler, text_at
from runtime.manifest.draft import MODULE, Draft, ModuleNode
from runtime.manifest.exports import HANDLER_ENDINGS, ExportReader, find_source
from runtime.manifest.files import AppFiles
from runtime.manifest.nearest import nearest
from runtime.manifest.problems import Position, Problem, listed, quoted

_ENDINGS = "|".join(ending.removeprefix(".") for ending in HANDLER_ENDINGS)


def check_handlers(draft: Draft) -> Iterator[Problem]:
    """Yield handlers that name no file (an error) or no export of it (a warning).

    An app that brings its own bundle (``app.package.bundler: manual@2026``) is not looked into.
    """
    manual = text_at(draft.root, "app", "package", "bundler").startswith("manual")
    files = None if manual else draft.files
    reader = ExportReader(files) if files else None
    for module in draft.modules:
        if module.type != "function":
            continue
        parts = split_handler(text_at(module.node, "handler"))
        if parts is None:
            yield _malformed(draft, module)
        elif files and reader:
            yield from _handler(draft, module, parts, files, reader)


def _place(module: ModuleNode) -> Position:
    node = module.node.get("handler")
    return node.position if node else module.node.position


def _malformed(draft: Draft, module: ModuleNode) -> Problem:
    handler = text_at(module.node, "handler")
    message = f"{module.title}: the handler {quoted(handler)} is not `file.export`."
    hint = "For instance `index.run`: the export `run` of `src/index.js`."
    return draft.problem(_place(module), MODULE, message, hint)


def _handler(
    draft: Draft,
    module: ModuleNode,
    parts: tuple[str, str],
    files: AppFiles,
    reader: ExportReader,
) -> Iterator[Problem]:
    name, export = parts
    source = find_source(files, name)
    if source is None:
        message = f"{module.title}: there is no file `src/{name}.({_ENDINGS})`."
        yield draft.problem(_place(module), MODULE, message, _other_files(files, name))
    elif not reader.may_export(source, export):
        message = f"{module.title}: {quoted(source)} has no export {quoted(export)}."
        hint = f"Write `export const {export} = …` there."
        yield draft.problem(_place(module), MODULE, message, hint, level="warning")


def _other_files(files: AppFiles, module: str) -> str:
    folder, _, stem = f"src/{module}".rpartition("/")
    names = files.names(folder)
    if f"{stem}.mjs" in names:
        return f"`{folder}/{stem}.mjs` is there, but `.mjs` is not looked for; rename it."
    stems = (name.rpartition(".")[0] for name in names if name.endswith(HANDLER_ENDINGS))
    near = nearest(stem, stems, 1)
    return f"Did you mean {listed(near)}?" if near else ""
