"""Rules that hold for every module: known types, keys, what stands alone, what is internal."""

from collections.abc import Iterator

from runtime.manifest.check_shape import INTERNAL
from runtime.manifest.draft import MODULE, PLUMBING, Draft, ModuleNode
from runtime.manifest.nearest import nearest
from runtime.manifest.problems import OURS, Position, Problem, listed, quoted
from runtime.manifest.tables import is_unchecked_module, module_variants, other_modules

FUNCTION_KEY_LIMIT = 23  # Forge manifest reference, "Function"
MODULE_LIMIT = 150  # documented, "Limits"; the platform's validator does not count
SCHEDULE_LIMIT = 5  # documented with scheduledTrigger; not counted either
SUGGESTION_LIMIT = 20  # unknown types that get suggestions; looking for them takes milliseconds
FAST_SCHEDULE_LIMIT = 1  # of them every five minutes


def check_modules(draft: Draft) -> Iterator[Problem]:
    """Yield breaches of the rules for all modules."""
    yield from _unknown_types(draft)
    yield from _nothing_to_run(draft)
    yield from _keys(draft)
    for module in draft.modules:
        yield from _internal(draft, module)
    yield from _limits(draft)


def _unknown_types(draft: Draft) -> Iterator[Problem]:
    modules = draft.root.get("modules")
    if modules is None:
        return
    known = (*module_variants(), *sorted(other_modules()))
    unknown = [n for n in modules.entries if n not in known and not is_unchecked_module(n)]
    for index, name in enumerate(unknown):
        near = nearest(name, known) if index < SUGGESTION_LIMIT else ()
        hint = f"Nearest types: {listed(near)}." if near else ""
        place = modules.keys.get(name, modules.position)
        yield draft.problem(place, MODULE, f"{quoted(name)} is no module type.", hint)


def _nothing_to_run(draft: Draft) -> Iterator[Problem]:
    if draft.root.get("connectModules") or any(m.type not in PLUMBING for m in draft.modules):
        return
    message = "The app has no module beside functions and endpoints, so nothing ever runs."
    hint = "Add one, for instance a `trigger` or a `jira:issuePanel`."
    yield draft.problem(draft.root.at("modules"), MODULE, message, hint)


def _keys(draft: Draft) -> Iterator[Problem]:
    first: dict[str, Position] = {}
    for module in draft.modules:
        place = module.at_key
        if module.type == "function" and len(module.key) > FUNCTION_KEY_LIMIT:
            message = f"The key of {module.title} has more than {FUNCTION_KEY_LIMIT} characters."
            yield draft.problem(place, MODULE, message)
        if not module.key:
            continue
        if module.key in first:
            message = f"The module key {quoted(module.key)} is already taken."
            line = first[module.key].line
            hint = f"Keys differ over all module types; the first one is on line {line}."
            yield draft.problem(place, MODULE, message, hint)
        first.setdefault(module.key, place)


def _internal(draft: Draft, module: ModuleNode) -> Iterator[Problem]:
    for name in INTERNAL & module.node.entries.keys():
        message = f"{module.title}: {quoted(name)} is written by the platform itself."
        yield draft.problem(module.node.at(name), MODULE, message, "Remove it.")


def _limits(draft: Draft) -> Iterator[Problem]:
    modules = draft.modules
    if len(modules) > MODULE_LIMIT:
        message = f"The app has {len(modules)} modules; the platform takes {MODULE_LIMIT}."
        yield draft.problem(draft.root.at("modules"), OURS + "module-limit", message)
    schedules = [module for module in modules if module.type == "scheduledTrigger"]
    for module in schedules[SCHEDULE_LIMIT:]:
        message = f"{module.title} is one more than the {SCHEDULE_LIMIT} an app may have."
        yield draft.problem(module.node.position, OURS + "schedule-limit", message)
    fast = [one for one in schedules if _interval(one) == "fiveMinute"]
    for module in fast[FAST_SCHEDULE_LIMIT:]:
        message = f"{module.title}: only one schedule of an app may run every five minutes."
        yield draft.problem(module.node.at("interval"), OURS + "schedule-limit", message)


def _interval(module: ModuleNode) -> str | None:
    found = module.node.get("interval")
    return found.text if found else None
