"""Rules of single module types that no table of properties can say."""

from collections import Counter
from collections.abc import Iterator

from runtime.manifest.building import text_at
from runtime.manifest.draft import MODULE, Draft, ModuleNode
from runtime.manifest.problems import Problem, quoted

ONLY_ONE = ("sql", "objectStore", "llm")
"""Module types of which an app may have one."""

PROPERTY_VALUE_LIMIT = 100  # values of all entity properties together


def check_rules(draft: Draft) -> Iterator[Problem]:
    """Yield breaches of the rules of single module types.

    Source:
        Forge manifest reference, the page of each module type.
    """
    yield from _workflow_rules(draft)
    yield from _admin_pages(draft)
    yield from _singles(draft)
    yield from _repeated(draft, "jira:jqlFunction", "name")
    yield from _repeated(draft, "jira:actionValidator", "action")
    yield from _property_values(draft)


def _of_type(draft: Draft, module_type: str) -> list[ModuleNode]:
    return [module for module in draft.modules if module.type == module_type]


def _workflow_rules(draft: Draft) -> Iterator[Problem]:
    for module in _of_type(draft, "jira:workflowValidator"):
        ways = [way for way in ("function", "expression") if way in module.node.entries]
        if len(ways) != 1:
            message = f"{module.title} must have either `function` or `expression`."
            place = module.node.at(ways[1]) if ways else module.node.position
            hint = "Remove one of them." if ways else "Add one of them."
            yield draft.problem(place, MODULE, message, hint)
    for module in _of_type(draft, "jira:workflowCondition"):
        if not text_at(module.node, "expression").strip():
            message = f"{module.title} has a blank expression."
            yield draft.problem(module.node.at("expression"), MODULE, message)


def _admin_pages(draft: Draft) -> Iterator[Problem]:
    seen: Counter[str] = Counter()
    for module in _of_type(draft, "jira:adminPage"):
        use = next((u for u in ("useAsConfig", "useAsGetStarted") if _is_on(module, u)), "neither")
        seen[use] += 1
        if seen[use] > 1:
            message = f"{module.title}: there is already an admin page with {_use_words(use)}."
            yield draft.problem(module.at_key, MODULE, message)


def _use_words(use: str) -> str:
    return "neither `useAsConfig` nor `useAsGetStarted`" if use == "neither" else f"`{use}`"


def _is_on(module: ModuleNode, name: str) -> bool:
    found = module.node.get(name)
    return found is not None and found.value is True


def _singles(draft: Draft) -> Iterator[Problem]:
    for module_type in ONLY_ONE:
        for module in _of_type(draft, module_type)[1:]:
            message = f"{module.title}: an app may have one `{module_type}` module."
            yield draft.problem(module.at_key, MODULE, message)


def _repeated(draft: Draft, module_type: str, name: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for module in _of_type(draft, module_type):
        value = text_at(module.node, name)
        if value in seen:
            message = f"{module.title}: another module has the {name} {quoted(value)} already."
            yield draft.problem(module.node.at(name), MODULE, message)
        seen.add(value)


def _property_values(draft: Draft) -> Iterator[Problem]:
    count = 0
    for module in _of_type(draft, "jira:entityProperty"):
        values = module.node.get("values")
        count += len(values.items) if values else 0
        if count > PROPERTY_VALUE_LIMIT:
            message = f"The app's entity properties have more than {PROPERTY_VALUE_LIMIT} values."
            yield draft.problem(module.node.at("values"), MODULE, message)
            return
