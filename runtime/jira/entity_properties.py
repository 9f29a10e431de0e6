"""Entity properties: JSON that apps keep beside issues, projects, comments, users, issue types.

Source:
    Jira Cloud REST API v3, "Issue properties", "Project properties" and their like: a key has at
    most 255 characters, a value at most 32768 characters of JSON; 201 when new, 200 when replaced.
"""

import json
from urllib.parse import quote

from sqlalchemy import ColumnElement, delete, insert, select, update

from runtime.errors import JiraError
from runtime.jira.beans import Bean
from runtime.jira.context import Context
from runtime.jira.failures import HIDDEN
from runtime.jira.responses import Json
from runtime.jira.schema import KEY_LENGTH, property_table

VALUE_LENGTH = 32_768
_TABLE = property_table.c


def property_keys_bean(
    context: Context, entity: str, entity_id: str, path: str, query: str = ""
) -> Bean:
    """Return the keys of an entity's properties, with links.

    Args:
        context: The call.
        entity: ``issue``, ``project``, ``comment``, ``user`` or ``issuetype``.
        entity_id: The entity's id.
        path: Path of its properties below the API's version.
        query: What a link to one of them has behind it.
    """
    rows = context.connection.execute(
        select(_TABLE.key)
        .where(_TABLE.cloud_id == context.site.cloud_id)
        .where(_TABLE.entity == entity, _TABLE.entity_id == entity_id)
        .order_by(_TABLE.key)
    )
    return {
        "keys": [
            {"self": context.link(f"{path}/{quote(row.key, safe='')}{query}"), "key": row.key}
            for row in rows
        ]
    }


def get_property(context: Context, entity: str, entity_id: str, key: str) -> Bean:
    """Return a property with its value.

    Raises:
        JiraError: 404 if the entity has none of that key.
    """
    row = context.connection.execute(
        select(_TABLE.value).where(*_one(context, entity, entity_id, key))
    ).first()
    if row is None:
        raise _no_property(key)
    return {"key": key, "value": row.value}


def set_property(context: Context, entity: str, entity_id: str, key: str) -> bool:
    """Store the request's body as a property and say whether it is new.

    Raises:
        JiraError: 400 if the key or the value is too long, or the body is no JSON.
    """
    return store_property(context, entity, entity_id, key, check_property(key, context.body()))


def store_property(context: Context, entity: str, entity_id: str, key: str, value: Json) -> bool:
    """Store a property and say whether it is new."""
    where = _one(context, entity, entity_id, key)
    changed = context.connection.execute(update(property_table).where(*where).values(value=value))
    if changed.rowcount:
        return False
    context.connection.execute(
        insert(property_table).values(
            cloud_id=context.site.cloud_id, entity=entity, entity_id=entity_id, key=key, value=value
        )
    )
    return True


def delete_property(context: Context, entity: str, entity_id: str, key: str) -> None:
    """Delete a property.

    Raises:
        JiraError: 404 if the entity has none of that key.
    """
    where = _one(context, entity, entity_id, key)
    if not context.connection.execute(delete(property_table).where(*where)).rowcount:
        raise _no_property(key)


def check_property(key: str, value: Json) -> Json:
    """Return a value that may be stored under a key.

    Raises:
        JiraError: 400 if the key or the value is too long.
    """
    if len(key) > KEY_LENGTH:
        raise JiraError(400, f"The property key cannot be longer than {KEY_LENGTH} characters.")
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) > VALUE_LENGTH:
        message = f"The property value cannot be longer than {VALUE_LENGTH} characters."
        raise JiraError(400, message)
    return value


def _one(
    context: Context, entity: str, entity_id: str, key: str
) -> tuple[ColumnElement[bool], ...]:
    return (
        _TABLE.cloud_id == context.site.cloud_id,
        _TABLE.entity == entity,
        _TABLE.entity_id == entity_id,
        _TABLE.key == key,
    )


def _no_property(key: str) -> JiraError:
    return JiraError(404, f"The property {key} does not exist.", rule=HIDDEN)
