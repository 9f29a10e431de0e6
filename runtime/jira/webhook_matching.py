"""What webhooks need of the product beside its operations: filters, changes, the site as itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Engine

from runtime.clock import Clock
from runtime.errors import JiraError
from runtime.identity.principal import ANONYMOUS, Principal
from runtime.ids import Ids
from runtime.jira.beans import Bean
from runtime.jira.context import Context
from runtime.jira.issue_changes import load_change
from runtime.jira.jql_compile import compile_condition
from runtime.jira.jql_errors import JqlError
from runtime.jira.jql_parser import parse_jql
from runtime.jira.permissions import Permissions
from runtime.jira.served import served_operations
from runtime.jira.site_view import WholeSite
from runtime.jira.store import Store
from runtime.jira.webhook_filters import fits
from runtime.policy.operations import OperationTable
from runtime.wire import JiraRequest, JiraResponse


class WebhookMatcher:
    """Evaluates filters as somebody, or as the site itself; reads as the site itself.

    Args:
        engine: The state database.
        operations: All operations.
        clock: Tells the time.
        ids: Makes ids.
    """

    def __init__(self, engine: Engine, operations: OperationTable, clock: Clock, ids: Ids) -> None:
        self._store = Store(engine)
        self._operations = operations
        self._operation = next(iter(operations))
        self._served = served_operations()
        self._clock = clock
        self._ids = ids

    def fits(self, cloud_id: str, who: Principal | None, issue_id: int, jql: str) -> bool:
        """Return whether an issue fits a filter, whose names mean what they mean to somebody.

        Args:
            cloud_id: The site.
            who: As whom; None for the site itself.
            issue_id: The issue.
            jql: The filter.
        """
        with self._context(cloud_id, who) as context:
            return context is not None and fits(context, issue_id, jql)

    def problems(self, cloud_id: str, jql: str) -> list[str]:
        """Return what is wrong with a filter of the site's own, which may use all of JQL."""
        with self._context(cloud_id, None) as context:
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

    def read(self, cloud_id: str, base_url: str, path: str) -> JiraResponse | None:
        """Answer a GET as the site itself would see it; None where nothing is served.

        Raises:
            JiraError: What is asked for is not there.
        """
        resolved = self._operations.resolve("GET", path)
        served = None if resolved.operation is None else self._served.get(resolved.operation.key)
        with self._context(cloud_id, None) as context:
            if context is None or served is None:
                return None
            request = JiraRequest("GET", path, cloud_id=cloud_id, base_url=base_url)
            return served.handler(
                replace(context, request=request, params=resolved.params, version=resolved.version)
            )

    def is_there(self, cloud_id: str, path: str) -> bool:
        """Return whether there is what a path names, whoever may see it."""
        try:
            return self.read(cloud_id, "", path) is not None
        except JiraError:
            return False

    def is_closed(self, cloud_id: str, app_id: str | None, project_id: int) -> bool:
        """Return whether an administrator blocks an app from the content of a project now."""
        with self._context(cloud_id, None) as context:
            return context is None or project_id in context.site.closed_to(app_id)

    @contextmanager
    def _context(self, cloud_id: str, who: Principal | None) -> Iterator[Context | None]:
        with self._store.reading() as connection:
            account_id = None if who is None else who.account_id
            entrance = self._store.enter(connection, cloud_id, account_id)
            if entrance is None or (who is not None and entrance.account is None):
                yield None
                return
            site, account = entrance.site, entrance.account
            yield Context(
                request=JiraRequest("GET", "/", cloud_id=cloud_id),
                operation=self._operation,
                params={},
                version=3,
                site=site,
                principal=who or ANONYMOUS,
                account=account,
                permissions=WholeSite(site) if who is None else Permissions(site, account),
                connection=connection,
                now_ms=int(self._clock.now_s() * 1000),
                ids=self._ids,
            )
