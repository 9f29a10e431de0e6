"""`timeoutSeconds` is for functions of consumers and schedules."""

from collections.abc import Iterator

from runtime.manifest.draft import Draft, ModuleNode
from runtime.manifest.model import Function
from runtime.manifest.problems import Problem, quoted

LIMITS_RULE = "https://developer.atlassian.com/platform/forge/limits-invocation/"
SHARED_RULE = "https://developer.atlassian.com/platform/forge/use-a-long-running-function/"
"""The platform names these two rules by the page that explains them."""

LONG_RUNNING = frozenset({"consumer", "scheduledTrigger"})
LIMIT_S = 25.0
WEB_TRIGGER_LIMIT_S = 55.0


def check_timeouts(draft: Draft) -> Iterator[Problem]:
    """Yield functions whose time-out a module that uses them does not support.

    Source:
        Forge documentation, "Invocation limits" and "Use a long-running function".
    """
    users = _users(draft)
    for function in draft.manifest.functions.values():
        if function.timeout_s is not None:
            found = users.get(function.key, [])
            yield from _function(draft, function, function.timeout_s, found)


def _users(draft: Draft) -> dict[str, list[ModuleNode]]:
    """Return the modules that name each function."""
    users: dict[str, list[ModuleNode]] = {}
    for module in draft.modules:
        named = (part.get("function") for part in module.node.walk())
        for name in dict.fromkeys(node.text for node in named if node and node.text):
            users.setdefault(name, []).append(module)
    return users


def _function(
    draft: Draft, function: Function, timeout_s: float, users: list[ModuleNode]
) -> Iterator[Problem]:
    short = [module for module in users if module.type not in LONG_RUNNING]
    is_shared = len(short) < len(users)
    for module in short:
        limit = WEB_TRIGGER_LIMIT_S if module.type == "webtrigger" else LIMIT_S
        if not is_shared or timeout_s > limit:
            yield _problem(draft, function, module, is_shared)
            return


def _problem(draft: Draft, function: Function, module: ModuleNode, is_shared: bool) -> Problem:
    node = draft.by_key("function")[function.key].node
    name = quoted(function.key)
    if is_shared:
        message = f"Function {name} serves a long-running module and {module.title} as well."
        hint = "Give each its own function."
        return draft.problem(node.at("timeoutSeconds"), SHARED_RULE, message, hint)
    message = f"Function {name} has `timeoutSeconds`, but {module.title} supports none."
    hint = "Only functions of a consumer or scheduledTrigger may set it; remove it."
    return draft.problem(node.at("timeoutSeconds"), LIMITS_RULE, message, hint)
