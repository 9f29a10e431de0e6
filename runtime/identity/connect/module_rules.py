"""What modules of a Connect app must be: each type with its members, as a table.

Source:
    Connect documentation for Jira and Jira Service Management, the page of each module.

Differs:
    A type that is not in the table is taken as it is, unless it is close to one that is: the
    platform knows types of other products too. Members that a type does not have are ignored.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from urllib.parse import unquote

from runtime.identity.connect.positions import Path, Value

MODULE_KEY = re.compile(r"[A-Za-z0-9-]{1,100}")
SINGLE = frozenset({"configurePage", "postInstallPage"})
KEYLESS = frozenset({"webhooks", "postInstallPage"})
"""Types whose modules need no key."""
I18N_CHARACTERS = 1500
NEAR = 0.88  # how alike a wrong name must be to a known one to be taken for a slip of it
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")

Faults = Iterator[tuple[Path, str]]
Shape = Mapping[str, str]
"""Member to kind; a kind that begins with ``!`` is required."""

_PLACED: Shape = {"weight": "number", "conditions": "conditions"}
_PAGE: Shape = {
    **_PLACED, "name": "!i18n", "url": "!page", "location": "text", "icon": "icon",
    "cacheable": "boolean", "fullPage": "boolean",
}  # fmt: skip
_TAB: Shape = {**_PLACED, "name": "!i18n", "url": "!page", "params": "texts"}
_ITEM: Shape = {
    **_PLACED, "name": "!i18n", "location": "!text", "params": "texts", "tooltip": "i18n",
}  # fmt: skip
_CONTEXT: Shape = {
    "name": "!i18n", "icon": "!icon", "content": "!object", "target": "!target",
    "status": "object", "conditions": "conditions",
}  # fmt: skip
_PERMISSION: Shape = {"name": "!i18n", "description": "!i18n", "conditions": "conditions"}
_RULE: Shape = {
    "name": "!i18n", "description": "!i18n", "create": "place", "edit": "place", "view": "place",
}  # fmt: skip
_PORTAL: Shape = {**_PLACED, "url": "!page", "name": "i18n", "pages": "list"}

MODULES: Mapping[str, Shape] = {
    "generalPages": _PAGE,
    "adminPages": _PAGE,
    "profilePages": _PAGE,
    "configurePage": _PAGE,
    "postInstallPage": {**_PAGE, "name": "i18n"},
    "jiraProjectPages": {**_PLACED, "name": "!i18n", "url": "!page", "iconUrl": "text"},
    "jiraProjectAdminTabPanels": {**_TAB, "location": "!text"},
    "jiraIssueTabPanels": _TAB,
    "jiraProjectTabPanels": _TAB,
    "jiraProfileTabPanels": _TAB,
    "webItems": {
        **_ITEM, "url": "!text", "context": "addon|page|product", "icon": "icon",
        "styleClasses": "list", "target": "object",
    },
    "webPanels": {**_ITEM, "url": "!page", "layout": "object", "supportsNative": "boolean"},
    "webSections": _ITEM,
    "dialogs": {"url": "!page", "options": "object"},
    "webhooks": {
        "event": "!text", "url": "!path", "filter": "text", "propertyKeys": "list",
        "excludeBody": "boolean",
    },
    "jiraReports": {
        **_PLACED, "name": "!i18n", "url": "!page", "description": "!i18n", "thumbnailUrl": "text",
        "reportCategory": "agile|issue_analysis|forecast_management|other",
    },
    "jiraDashboardItems": {
        "name": "!i18n", "url": "!page", "description": "!i18n", "thumbnailUrl": "text",
        "configurable": "boolean", "conditions": "conditions",
    },
    "jiraSearchRequestViews": {
        **_PLACED, "name": "!i18n", "url": "!page", "description": "i18n", "params": "texts",
    },
    "jiraBackgroundScripts": {"url": "!page", "location": "text", "conditions": "conditions"},
    "jiraIssueContexts": _CONTEXT,
    "jiraIssueGlances": _CONTEXT,
    "jiraIssueContents": {
        "name": "!i18n", "icon": "!icon", "target": "!target", "tooltip": "i18n",
        "conditions": "conditions",
    },
    "jiraEntityProperties": {
        "name": "!i18n", "entityType": "issue|user|project", "keyConfigurations": "!extractions",
    },
    "jiraIssueFields": {
        "name": "!i18n", "description": "!i18n", "extractions": "list", "property": "object",
        "type": "!string|text|rich_text|single_select|multi_select|number|read_only",
    },
    "jiraGlobalPermissions": {
        **_PERMISSION, "anonymousAllowed": "boolean", "defaultGrants": "list",
    },
    "jiraProjectPermissions": {
        **_PERMISSION,
        "category": "projects|issues|voters_and_watchers|comments|attachments|time_tracking|other",
    },
    "jiraTimeTrackingProviders": {"name": "!i18n", "adminPageKey": "text"},
    "jiraWorkflowPostFunctions": {**_RULE, "triggered": "!place"},
    "jiraWorkflowConditions": {**_RULE, "expression": "!text"},
    "jiraWorkflowValidators": {**_RULE, "expression": "!text"},
    "serviceDeskPortalHeaders": _PORTAL,
    "serviceDeskPortalSubheaders": _PORTAL,
    "serviceDeskPortalFooters": _PORTAL,
    "serviceDeskPortalProfilePanels": _PORTAL,
    "serviceDeskPortalRequestViewPanels": _PORTAL,
    "serviceDeskPortalRequestViewDetailsPanels": _PORTAL,
}  # fmt: skip


def module_faults(value: dict[str, Value]) -> Faults:
    """Yield what is wrong with lists of modules by type, as under ``modules`` of a descriptor.

    Paths begin with ``modules``.
    """
    seen: set[str] = set()
    for kind, entry in value.items():
        root: Path = ("modules", kind)
        yield from _type(kind, entry, root)
        if isinstance(entry, list):
            for at, module in enumerate(entry):
                yield from _module(kind, module, (*root, at), seen)
        else:
            yield from _module(kind, entry, root, seen)


def path_text(path: Path) -> str:
    """Return a path as people write it, such as ``generalPages[0].url``."""
    text = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path[1:])
    return text.removeprefix(".")


def path_fault(path: str) -> str | None:
    """Return what keeps a text from being a path below an app's base, or None."""
    if not path.startswith("/") or path.startswith("//") or _UNSAFE.search(path):
        return "must be a path that begins with one '/': it is below `baseUrl`, and nowhere else"
    if "#" in path or has_dots(path.partition("?")[0]):
        return "must have no fragment and no '.' or '..' segment"
    return None


def has_dots(path: str) -> bool:
    """Return whether a segment of a path is ``.`` or ``..``, however it is encoded."""
    return any(unquote(segment) in (".", "..") for segment in path.split("/"))


def _type(kind: str, entry: Value, path: Path) -> Faults:
    near = get_close_matches(kind, MODULES, 1, NEAR)
    if kind not in MODULES and near:
        yield path, f"There is no module type `{kind}`; near it is `{near[0]}`."
    if kind in SINGLE and isinstance(entry, list) and len(entry) > 1:
        yield path, f"An app has one `{kind}` at most."


def _module(kind: str, module: Value, path: Path, seen: set[str]) -> Faults:
    if not isinstance(module, dict):
        yield path, f"A module of `{kind}` must be an object."
        return
    yield from _key(kind, module, path, seen)
    shape = MODULES.get(kind, {"url": "text"})
    for name, rule in shape.items():
        fault = _missing_or_wrong(module, name, rule)
        if fault:
            yield (*path, name), f"`{name}` {fault}."


def _key(kind: str, module: dict[str, Value], path: Path, seen: set[str]) -> Faults:
    key = module.get("key")
    if key is None and kind in KEYLESS:
        return
    if not isinstance(key, str) or not MODULE_KEY.fullmatch(key):
        yield (
            (*path, "key"),
            "A module needs a `key`: 1 to 100 of the characters A-Z, a-z, 0-9 and '-'.",
        )
    elif key in seen:
        yield (*path, "key"), f"The key `{key}` is taken by another module."
    else:
        seen.add(key)


def _missing_or_wrong(module: dict[str, Value], name: str, rule: str) -> str | None:
    kind = rule.removeprefix("!")
    if name not in module:
        return "is required" if rule != kind else None
    value = module[name]
    check = _CHECKS.get(kind)
    if check is not None:
        return check(value)
    choices = kind.split("|")
    known = isinstance(value, str) and value in choices
    return None if known else f"must be one of {', '.join(choices)}"


# --- kinds ---------------------------------------------------------------------------------------


def _text(value: Value) -> str | None:
    return None if isinstance(value, str) and value else "must be a text that is not empty"


def _path(value: Value) -> str | None:
    return path_fault(value) if isinstance(value, str) else "must be a text"


def _page(value: Value) -> str | None:
    """Judge a page's address; one that leads away from the app is installed, and never opened."""
    if not isinstance(value, str):
        return "must be a text"
    leads_away = "://" in value or value.startswith("//")
    return None if leads_away else path_fault(f"/{value.removeprefix('/')}")


def _i18n(value: Value) -> str | None:
    text = value.get("value") if isinstance(value, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= I18N_CHARACTERS:
        return 'must be an object with a text as its `value`, such as {"value": "My page"}'
    return None


def _number(value: Value) -> str | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return None if plain else "must be a number"


def _boolean(value: Value) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _object(value: Value) -> str | None:
    return None if isinstance(value, dict) else "must be an object"


def _list(value: Value) -> str | None:
    return None if isinstance(value, list) else "must be a list"


def _texts(value: Value) -> str | None:
    plain = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    return None if plain else "must be an object of texts"


def _icon(value: Value) -> str | None:
    url = value.get("url") if isinstance(value, dict) else None
    return None if isinstance(url, str) and url else "must be an object with a `url`"


def _place(value: Value) -> str | None:
    url = value.get("url") if isinstance(value, dict) else None
    if not isinstance(url, str):
        return "must be an object with a `url`"
    fault = path_fault(url)
    return None if fault is None else f"has a `url` that {fault}"


def _target(value: Value) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "web_panel":
        return _place(value)
    return None if kind == "dialog" else "must be an object with the `type` web_panel or dialog"


def _conditions(value: Value) -> str | None:
    if not isinstance(value, list):
        return "must be a list"
    for one in value:
        group = [one.get("or"), one.get("and")] if isinstance(one, dict) else []
        named = isinstance(one, dict) and isinstance(one.get("condition"), str)
        if not named and not any(isinstance(part, list) for part in group):
            return "must hold objects with a `condition`, an `or` or an `and`"
    return None


def _extractions(value: Value) -> str | None:
    if not isinstance(value, list) or not value:
        return "must be a list that is not empty"
    for one in value:
        named = isinstance(one, dict) and isinstance(one.get("propertyKey"), str)
        if not named or not isinstance(one, dict) or not isinstance(one.get("extractions"), list):
            return "must hold objects with a `propertyKey` and a list of `extractions`"
    return None


_CHECKS = {
    "text": _text, "path": _path, "page": _page, "i18n": _i18n, "number": _number,
    "boolean": _boolean,
    "object": _object, "list": _list, "texts": _texts, "icon": _icon, "place": _place,
    "target": _target, "conditions": _conditions, "extractions": _extractions,
}  # fmt: skip
