"""A seeded world in memory, and a client whose every answer is checked against its shape."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any  # JSON
from urllib.parse import parse_qsl, quote

from sqlalchemy import Engine

from runtime.clock import ManualClock
from runtime.database import open_database
from runtime.errors import CredentialError, JiraError
from runtime.identity.accounts import Account, find_account_by_name
from runtime.identity.principal import ANONYMOUS, LOGIN_FAILED, Principal
from runtime.ids import Ids
from runtime.jira.configuration import load_site
from runtime.jira.permissions import Permissions
from runtime.jira.product import Jira
from runtime.jira.site import Site
from runtime.jira.world import seed_default_world
from runtime.policy import operations
from runtime.policy.operations import OperationTable
from runtime.wire import Host, JiraRequest, JiraResponse
from tests.fidelity.shapes import assert_shape

TABLE = OperationTable.from_data(
    json.loads(Path(operations.__file__).with_name("operations.json").read_text("utf-8"))
)
SITE_URL = "https://acme.atlassian.net"
GATEWAY_URL = "https://api.atlassian.com/ex/jira"


class FakeAuthenticator:
    """Believes a JSON credential: ``{"account_id", "scopes", "error"}``."""

    def authenticate(self, request: JiraRequest) -> Principal:
        text = request.headers.get("authorization")
        if text is None:
            return ANONYMOUS
        shown = json.loads(text)
        if "error" in shown:
            raise CredentialError
        if "jira_error" in shown:
            raise JiraError(*shown["jira_error"])
        if shown["account_id"] is None:
            return LOGIN_FAILED
        scopes = shown.get("scopes")
        model: Any = "basic" if scopes is None else "forge"
        held = None if scopes is None else frozenset(scopes)
        return Principal(model, shown["account_id"], held)


@dataclass(frozen=True)
class Answer:
    """An answer and its parsed body."""

    response: JiraResponse

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def body(self) -> bytes:
        return self.response.body

    @property
    def json(self) -> Any:
        return json.loads(self.response.body)

    @property
    def rule(self) -> str:
        return self.response.rule

    @property
    def errors(self) -> list[str]:
        body = self.json
        return [*body["errorMessages"], *body.get("errors", {}).values()]

    def header(self, name: str) -> str | None:
        return self.response.header(name)


@dataclass
class World:
    """The default world and a client for it."""

    engine: Engine
    cloud_id: str
    clock: ManualClock
    ids: Ids
    jira: Jira = field(init=False)
    _account_ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.jira = Jira(self.engine, TABLE, FakeAuthenticator(), self.clock, self.ids)

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, value: Any = None, **options: Any) -> Answer:
        return self.request("POST", path, value, **options)

    def put(self, path: str, value: Any = None, **options: Any) -> Answer:
        return self.request("PUT", path, value, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.request("DELETE", path, **options)

    def request(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        as_: str | None = None,
        scopes: set[str] | None = None,
        host: Host = "site",
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        check: bool = True,
    ) -> Answer:
        """Send a request as a person (by handle) or anonymously; check the answer's shape.

        Args:
            method: HTTP method.
            path: Path and query.
            value: JSON of the body; None for no body.
            as_: Handle of the caller.
            scopes: Scopes of the credential; None for one without scopes.
            host: Site host or gateway.
            raw: Body bytes instead of `value`.
            headers: Headers on top.
            check: Check the shape.
        """
        body = raw if raw is not None else b"" if value is None else json.dumps(value).encode()
        sent = {"accept": "application/json"}
        if body:
            sent["content-type"] = "application/json"
        if as_ is not None:
            credential = {"account_id": self.account_id(as_)}
            shown = credential if scopes is None else {**credential, "scopes": sorted(scopes)}
            sent["authorization"] = json.dumps(shown)
        target, _, query = path.partition("?")
        request = JiraRequest(
            method=method,
            path=quote(target, safe="/%:~@!$&'()*+,;="),
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={**sent, **(headers or {})},
            body=body,
            cloud_id=self.cloud_id,
            host=host,
            base_url=SITE_URL if host == "site" else f"{GATEWAY_URL}/{self.cloud_id}",
        )
        response = self.jira.handle(request)
        key = response.operation_id
        if check and key is not None and method != "HEAD" and response.status != 501:
            assert_shape(key, response.status, response.body)
        return Answer(response)

    def account_id(self, handle: str) -> str:
        """Return an account id; asked for once, for the database is one connection."""
        if handle not in self._account_ids:
            self._account_ids[handle] = self.account(handle).account_id
        return self._account_ids[handle]

    def account(self, handle: str) -> Account:
        with self.engine.connect() as connection:
            account = find_account_by_name(connection, handle)
        assert account is not None
        return account

    def site(self) -> Site:
        with self.engine.connect() as connection:
            return load_site(connection, self.cloud_id)

    def permissions(self, handle: str | None) -> Permissions:
        return Permissions(self.site(), None if handle is None else self.account(handle))

    def role_id(self, name: str) -> int:
        return next(role.id for role in self.site().roles.values() if role.name == name)

    def project_id(self, key: str) -> int:
        return self.site().project_ids[key]


def make_world(url: str = "sqlite://") -> World:
    """Return a fresh default world, in memory unless a database is named."""
    engine = open_database(url)
    clock, ids = ManualClock(1_767_603_600), Ids.seeded(1)
    with engine.begin() as connection:
        cloud_id = seed_default_world(connection, ids, clock)
    return World(engine, cloud_id, clock, ids)
