"""Whether an issue fits the filters of webhooks, for the server, which has no call of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from runtime.clock import Clock
from runtime.identity.principal import Principal
from runtime.ids import Ids
from runtime.jira.beans import Bean
from runtime.jira.context import Context
from runtime.jira.issue_changes import load_change
from runtime.jira.jql_compile import compile_condition
from runtime.jira.jql_errors import JqlError
from runtime.jira.jql_parser import parse_jql
from runtime.jira.permissions import Permissions
from runtime.jira.store import Store
from runtime.jira.webhook_filters import fits
from runtime.policy.operations import OperationTable
from runtime.wire import JiraRequest


class WebhookMatcher:
    """Evaluates filters as somebody.

    Args:
        engine: The state database.
        operations: All operations.
        clock: Tells the time.
        ids: Makes ids.
    """

    def __init__(self, engine: Engine, operations: OperationTable, clock: Clock, ids: Ids) -> None:
        self._store = Store(engine)
        self._operation = next(iter(operations))
        self._clock = clock
        self._ids = ids

    def fits(self, cloud_id: str, who: Principal, issue_id: int, jql: str) -> bool:
        """Return whether an issue fits a filter, whose names mean what they mean to somebody."""
        with self._context(cloud_id, who) as context:
            return context is not None and fits(context, issue_id, jql)

    def problems(self, cloud_id: str, who: Principal, jql: str) -> list[str]:
        """Return what is wrong with a filter that may use all of JQL."""
        with self._context(cloud_id, who) as context:
            try:
                query = parse_jql(jql)
                if context is not None and query.where is not None:
                    compile_condition(context, query.where)
            except JqlError as error:
                return list(error.messages)
        return []

    def change(self, change_id: int) -> Bean | None:
        """Return an entry of an issue's history as webhooks tell of it, or None."""
        with self._store.reading() as connection:
            return load_change(connection, change_id)

    @contextmanager
    def _context(self, cloud_id: str, who: Principal) -> Iterator[Context | None]:
        with self._store.reading() as connection:
            entrance = self._store.enter(connection, cloud_id, who.account_id)
            if entrance is None or entrance.account is None:
                yield None
                return
            site, account = entrance.site, entrance.account
            yield Context(
                request=JiraRequest("GET", "/", cloud_id=cloud_id),
                operation=self._operation,
                params={},
                version=3,
                site=site,
                principal=who,
                account=account,
                permissions=Permissions(site, account),
                connection=connection,
                now_ms=int(self._clock.now_s() * 1000),
                ids=self._ids,
            )
