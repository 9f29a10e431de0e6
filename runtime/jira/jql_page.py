"""Search pages: run a query, and hand out the token of the next page.

A token says where a page ended. It is bound to the site, the account and the query, so that a token
of another query or one that was tampered with is refused. It is no secret and gives no right: what
may be seen is decided anew for every page.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from runtime.errors import JiraError
from runtime.jira.context import Context
from runtime.jira.jql_ast import Query
from runtime.jira.jql_compile import Sql, compile_condition
from runtime.jira.jql_errors import JqlError
from runtime.jira.jql_parser import parse_jql
from runtime.jira.jql_sort import Position, after, order_clauses, sort_keys
from runtime.jira.schema import issue_table
from runtime.jira.visibility import visible_issues_clause

UNBOUNDED = (
    "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
)
BAD_TOKEN = "The provided nextPageToken is invalid or has expired."  # noqa: S105  # a message
_DIGEST_BYTES = 16
_MAX_TOKEN = 8_192  # characters; sort keys are at most seven short texts


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search.

    Attributes:
        ids: Ids of the issues, in order.
        next_token: Token of the next page; None on the last.
    """

    ids: tuple[int, ...]
    next_token: str | None


def bounded_query(jql: str | None) -> Query:
    """Parse a query that must restrict its search.

    Raises:
        JqlError: 400 if it does not parse, or restricts nothing.
    """
    query = parse_jql(jql or "")
    if query.where is None:
        raise JqlError(UNBOUNDED)
    return query


def search_page(context: Context, jql: str | None, token: str | None, size: int) -> Page:
    """Return one page of the issues that fit a query and that the caller may see.

    Args:
        context: The call.
        jql: The query.
        token: Token of the page before; None for the first page.
        size: Issues per page.

    Raises:
        JqlError: 400 for a query that is wrong or unbounded.
        JiraError: 400 for a token that does not belong to this search.
    """
    query = bounded_query(jql)
    where = visible_matches(context, query)
    keys = sort_keys(context, query.order_by)
    seal = _seal(context, jql or "")
    if token is not None:
        where.append(after(keys, _open(token, seal, len(keys))))
    columns = [key.expression.label(f"k{number}") for number, key in enumerate(keys)]
    found = select(*columns).where(*where).order_by(*order_clauses(keys)).limit(size + 1)
    rows = context.connection.execute(found).all()
    ids = tuple(int(row[-1]) for row in rows[:size])
    last = tuple(rows[size - 1]) if len(rows) > size else None
    return Page(ids, None if last is None else _close(last, seal))


def count_matches(context: Context, jql: str | None) -> int:
    """Return how many visible issues fit a bounded query."""
    where = visible_matches(context, bounded_query(jql))
    query = select(func.count()).select_from(issue_table).where(*where)
    return int(context.connection.execute(query).scalar_one())


def count_all(context: Context, jql: str) -> int:
    """Return how many visible issues fit a query, which need not restrict its search."""
    where = visible_matches(context, parse_jql(jql))
    query = select(func.count()).select_from(issue_table).where(*where)
    return int(context.connection.execute(query).scalar_one())


def offset_page(context: Context, jql: str, start_at: int, size: int) -> tuple[int, ...]:
    """Return ids of visible issues that fit a query, counted from a place in its order."""
    query = parse_jql(jql)
    keys = sort_keys(context, query.order_by)
    columns = [key.expression.label(f"k{number}") for number, key in enumerate(keys)]
    found = select(*columns).where(*visible_matches(context, query)).order_by(*order_clauses(keys))
    rows = context.connection.execute(found.offset(start_at).limit(size))
    return tuple(int(row[-1]) for row in rows)


def visible_matches(context: Context, query: Query) -> list[Sql]:
    """Return the conditions of a query's answer: what fits, and may be seen."""
    visible = visible_issues_clause(context.site, context.permissions)
    if query.where is None:
        return [visible]
    return [visible, compile_condition(context, query.where)]


def _seal(context: Context, jql: str) -> bytes:
    parts = (context.site.cloud_id, context.account_id or "", jql)
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _close(position: Sequence[object], seal: bytes) -> str:
    payload = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(payload, seal) + payload).decode().rstrip("=")


def _open(token: str, seal: bytes, length: int) -> Position:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise JiraError(400, BAD_TOKEN) from error
    digest, payload = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if len(token) > _MAX_TOKEN or not hmac.compare_digest(digest, _digest(payload, seal)):
        raise JiraError(400, BAD_TOKEN)
    position: Position = tuple(json.loads(payload))
    if len(position) != length:
        raise JiraError(400, BAD_TOKEN)
    return position


def _digest(payload: bytes, seal: bytes) -> bytes:
    return hmac.digest(seal, payload, "sha256")[:_DIGEST_BYTES]
