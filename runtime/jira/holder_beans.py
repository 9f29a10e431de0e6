"""Holders of permissions as JSON, and JSON as holders.

Source:
    Jira Cloud REST API v3, "Permission schemes", the holder object: ``parameter`` is a group's name
    and ``value`` its id; for other types both are the same.

Differs:
    ``expand`` adds ``permissions`` to a scheme, but no details to a holder: the official schema
    does not name them.
"""

from collections.abc import Callable, Mapping

from runtime.errors import JiraError
from runtime.jira.beans import Bean, find_accounts
from runtime.jira.context import Context
from runtime.jira.payload import Payload
from runtime.jira.permission_keys import PROJECT_PERMISSIONS
from runtime.jira.permissions import HOLDER_TYPES
from runtime.jira.responses import Json
from runtime.jira.site import Grant, Holder

EXPANDS = {"group": "group", "projectRole": "projectRole", "user": "user"}


def holder_bean(context: Context, holder: Holder) -> Bean:
    """Return a holder."""
    bean: Bean = {"type": holder.type}
    if holder.parameter is None:
        return bean
    group = context.site.groups.get(holder.parameter) if holder.type == "group" else None
    bean["parameter"] = holder.parameter if group is None else group.name
    bean["value"] = holder.parameter
    if holder.type in EXPANDS:
        bean["expand"] = EXPANDS[holder.type]
    return bean


def grant_bean(context: Context, scheme_id: int, grant: Grant) -> Bean:
    """Return a grant of a permission scheme."""
    return {
        "id": grant.id,
        "self": context.link(f"permissionscheme/{scheme_id}/permission/{grant.id}"),
        "holder": holder_bean(context, grant.holder),
        "permission": grant.permission,
    }


def read_grant(context: Context, value: Json) -> tuple[str, Holder]:
    """Return the permission and the holder that a client's grant names.

    Raises:
        JiraError: 400 if the permission, the holder's type or whom it names is unknown.
    """
    payload = Payload(value)
    permission = payload.text("permission") or ""
    if permission not in PROJECT_PERMISSIONS:
        raise JiraError(400, fields={"permission": f"Unrecognized permission: {permission}"})
    return permission, read_holder(context, payload.value("holder"))


def read_holder(context: Context, value: Json) -> Holder:
    """Return the holder that a client names.

    Raises:
        JiraError: 400 if its type or whom it names is unknown.
    """
    payload = Payload(value)
    kind = payload.text("type") or ""
    if kind not in HOLDER_TYPES:
        raise JiraError(400, fields={"holder": f"Unrecognized holder type: {kind}"})
    named = payload.text("value") or payload.text("parameter")
    return Holder(kind, _PARAMETERS.get(kind, _nothing)(context, named))


def _nothing(_context: Context, _named: str | None) -> str | None:
    return None


def _group(context: Context, named: str | None) -> str:
    group = context.site.find_group(named or "")
    if group is None:
        raise _unknown("group", named)
    return group.group_id


def _role(context: Context, named: str | None) -> str:
    if named is None or not named.isdigit() or int(named) not in context.site.roles:
        raise _unknown("projectRole", named)
    return str(int(named))


def _user(context: Context, named: str | None) -> str:
    account = find_accounts(context, (named,)).get(named or "")
    if account is None:
        raise _unknown("user", named)
    return account.account_id


def _application(context: Context, named: str | None) -> str | None:
    if named is not None and named not in context.site.applications:
        raise _unknown("applicationRole", named)
    return named


def _field(_context: Context, named: str | None) -> str:
    if named is None:
        raise _unknown("custom field", named)
    return named


def _unknown(kind: str, named: str | None) -> JiraError:
    return JiraError(400, fields={"holder": f"The {kind} '{named or ''}' does not exist."})


_PARAMETERS: Mapping[str, Callable[[Context, str | None], str | None]] = {
    "group": _group,
    "projectRole": _role,
    "user": _user,
    "applicationRole": _application,
    "userCustomField": _field,
    "groupCustomField": _field,
}
