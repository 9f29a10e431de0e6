"""Lay a world file over what its sites begin with.

Lists whose entries have a key are joined by it: an entry of a known key changes what it names, one
of a new key is added. Everything else in an entry replaces what was there.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from runtime.jira.world import default_people, default_site
from runtime.jira.world_data import ACME

Json = Any  # what YAML gives: maps, lists, scalars
_NAMESPACE = uuid.UUID("2f0c2b3c-7d3a-5d6e-8a55-6a0c0f0c9b11")  # of derived ids, fixed for ever

KEYS: Mapping[str, str] = {
    "users": "handle",
    "sites": "name",
    "groups": "name",
    "global_permissions": "permission",
    "applications": "key",
    "roles": "name",
    "issue_types": "name",
    "issue_type_schemes": "name",
    "statuses": "name",
    "priorities": "name",
    "resolutions": "name",
    "workflows": "name",
    "workflow_schemes": "name",
    "permission_schemes": "name",
    "security_schemes": "name",
    "categories": "name",
    "projects": "key",
    "issues": "key",
}
"""The lists whose entries have a key, and which of their fields it is."""

PERSON = "user "  # how a holder begins that names one
PEOPLED = ("users", "projects", "issues")
"""What an empty site has none of."""


def merge(file: Json) -> Json:
    """Return a file with what its sites begin with, as a value of the same form.

    What has the wrong form is left as it is: whoever validates the result says so.
    """
    if not isinstance(file, dict):
        return file
    file = _said(file)
    sites = file.get("sites", [{"name": ACME.name}])
    merged = {**file, "sites": sites}
    if isinstance(sites, list):
        merged["sites"] = [_site(file, site) for site in sites]
    base = _people() if _any_default(sites) else []
    users = _joined(base, file.get("users", []), KEYS["users"])
    merged["users"] = [_user(user) for user in users] if isinstance(users, list) else users
    return merged


def _any_default(sites: Json) -> bool:
    listed = sites if isinstance(sites, list) else []
    return any(isinstance(site, dict) and _begin(site) == "default" for site in listed)


def _begin(site: dict[str, Json]) -> Json:
    return site.get("begin", "default")


def _people() -> list[Json]:
    return [
        {
            "handle": one.handle,
            "name": one.display_name,
            "email": one.email,
            "active": one.active,
            "account_id": one.account_id,
        }
        for one in default_people()
    ]


def _user(user: Json) -> Json:
    """Give a user what is made from its handle."""
    if not isinstance(user, dict) or not isinstance(user.get("handle"), str):
        return user
    handle = user["handle"]
    made: dict[str, Json] = {"account_id": f"712020:{_derived('user', handle)}"}
    if user.get("type", "atlassian") != "app":
        made["email"] = f"{handle}@acme.example"
    return {**made, **{key: value for key, value in user.items() if value is not None}}


def _site(file: dict[str, Json], site: Json) -> Json:
    if not isinstance(site, dict) or not isinstance(site.get("name"), str):
        return site
    site = _said(site)
    name = site["name"]
    cloud_id = ACME.cloud_id if name == ACME.name else _derived("site", name)
    made = {"cloud_id": cloud_id, "title": name.title()}
    base = {**_beginning(_begin(site)), **made}
    handles = (user.get("handle") for user in _maps(file.get("users", [])))
    listed = [handle for handle in handles if isinstance(handle, str)]
    if "users" not in site:
        base["users"] = list(dict.fromkeys([*base.get("users", []), *listed]))
    return {**base, **{key: _section(base, key, value) for key, value in site.items()}}


def _beginning(begin: Json) -> dict[str, Json]:
    if begin not in ("default", "empty"):
        return {}
    site = default_site().model_dump(by_alias=True)
    if begin == "empty":
        site.update({key: [] for key in PEOPLED})
        site["groups"] = [{**group, "members": []} for group in site["groups"]]
        for scheme in site["permission_schemes"]:
            scheme["grants"] = [
                grant for grant in scheme["grants"] if not grant["to"].startswith(PERSON)
            ]
    return site


def _section(base: dict[str, Json], key: str, value: Json) -> Json:
    if key in KEYS and key != "users":
        return _joined(base.get(key, []), value, KEYS[key])
    return value


def _joined(base: list[Json], changes: Json, key: str) -> Json:
    """Join two lists of maps by a key; a list that is none of those is taken as it is."""
    if not isinstance(changes, list):
        return changes
    joined = {entry[key]: entry for entry in base}
    others = []
    for entry in changes:
        name = entry.get(key) if isinstance(entry, dict) else None
        if isinstance(name, str):
            joined[name] = {**joined.get(name, {}), **entry}
        else:
            others.append(entry)
    return [*joined.values(), *others]


def _said(entry: dict[str, Json]) -> dict[str, Json]:
    """Return an entry without the keys that have nothing behind them."""
    return {key: value for key, value in entry.items() if value is not None}


def _maps(value: Json) -> list[dict[str, Json]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _derived(kind: str, name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind} {name}"))
