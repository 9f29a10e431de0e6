"""What a handler is handed, and how it reads its request."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import Connection

from runtime.errors import JiraError
from runtime.identity.accounts import Account
from runtime.identity.principal import Principal
from runtime.ids import Ids
from runtime.jira.configuration import load_site, touch
from runtime.jira.failures import UnreadableBodyError, admin_required, bad_parameter
from runtime.jira.permissions import Permissions
from runtime.jira.responses import Json
from runtime.jira.site import Site
from runtime.policy.operations import Operation
from runtime.wire import JiraRequest, JiraResponse

Handler = Callable[["Context"], JiraResponse]
H = TypeVar("H", bound=Handler)

EMPTY_BODY = "No content to map to Object due to end of input"
BAD_JSON = "There was an error parsing JSON. Check that your request body is valid."
BAD_PAYLOAD = "Invalid request payload. Refer to the REST API documentation and try again."
LONG_MAX = 2**63 - 1
MAX_LEVELS = 500  # what is read must also be stored, shown and walked, each a stack of its own


@dataclass(frozen=True, slots=True)
class Served:
    """What the marker `operation` says of a handler.

    Attributes:
        key: Key of the operation in the operation table.
        read_only: It writes nothing, so it runs on a snapshot and takes no lock.
        takes_body: It reads a JSON body, so another media type is refused with 415.
    """

    key: str
    read_only: bool | None
    takes_body: bool


def operation(
    key: str, *, read_only: bool | None = None, takes_body: bool = True
) -> Callable[[H], H]:
    """Mark a function as the handler of an operation. Marks only; nothing is registered.

    Args:
        key: Key of the operation in the operation table, such as ``getIssue``.
        read_only: It writes nothing; None: so for GET, not for other methods.
        takes_body: A POST or PUT reads a JSON body.
    """

    def mark(handler: H) -> H:
        handler.__dict__["served"] = Served(key, read_only, takes_body)
        return handler

    return mark


@dataclass(frozen=True, slots=True)
class Context:
    """One call of one operation: who asks, of which site, within one transaction.

    Attributes:
        request: The request.
        operation: What it resolved to.
        params: Path parameters, decoded.
        version: API version, 2 or 3.
        site: The site's configuration.
        principal: By which model the caller came, and with which scopes.
        account: The caller; None for anonymous.
        permissions: The caller's permissions.
        connection: The transaction. An error rolls it back.
        now_ms: The time of the call, milliseconds since 1970-01-01 UTC.
        ids: Makes ids.
        legacy_search: The search that was removed is served.
        changes: Filled by whoever writes to the history of an issue: ids of its entries.
    """

    request: JiraRequest
    operation: Operation
    params: Mapping[str, str]
    version: int
    site: Site
    principal: Principal
    account: Account | None
    permissions: Permissions
    connection: Connection
    now_ms: int
    ids: Ids
    legacy_search: bool = False
    changes: list[int] = field(default_factory=list)

    # --- the caller ------------------------------------------------------------------------------

    @property
    def account_id(self) -> str | None:
        """Account id of the caller; None for anonymous."""
        return None if self.account is None else self.account.account_id

    def caller(self) -> Account:
        """Return the caller.

        Raises:
            JiraError: 401 if nobody is logged in.
        """
        if self.account is None:
            raise JiraError(
                401,
                "You are not authenticated. Authentication required to perform this operation.",
                rule="caller.anonymous",
            )
        return self.account

    def require_admin(self) -> None:
        """Refuse whoever lacks *Administer Jira*: 401 to anonymous, 403 to others."""
        self.caller()
        if not self.permissions.is_admin():
            raise admin_required()

    def require_product(self) -> None:
        """Refuse whoever has no access to the product: 401 to anonymous, 403 to others."""
        self.caller()
        if not self.permissions.uses_product():
            message = "You do not have access to this product."
            raise JiraError(403, message, rule="permission.product-access")

    # --- the site after a write ------------------------------------------------------------------

    def configuration_changed(self) -> "Context":
        """Announce a change of the site's configuration and return a context that sees it.

        To be called after every write to a table that `Site` is made of.
        """
        touch(self.connection, self.site.cloud_id)
        site = load_site(self.connection, self.site.cloud_id)
        permissions = Permissions(site, self.account, self.permissions.access)
        return replace(self, site=site, permissions=permissions)

    # --- links -----------------------------------------------------------------------------------

    def link(self, path: str) -> str:
        """Return an absolute link below ``/rest/api/<version>/``."""
        return f"{self.request.base_url}/rest/api/{self.version}/{path}"

    def site_link(self, path: str) -> str:
        """Return an absolute link below the site's root, outside the API."""
        return f"{self.request.base_url}/{path}"

    # --- the query -------------------------------------------------------------------------------

    def text(self, name: str) -> str | None:
        """Return the first value of a query parameter; an empty one counts as absent."""
        return self.request.first(name) or None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values of a query parameter, split at commas, without empty ones."""
        values = (value for key, value in self.request.query if key == name)
        return tuple(part for value in values for part in value.split(",") if part)

    def expands(self) -> frozenset[str]:
        """Return the names in ``expand``."""
        return frozenset(name.strip() for name in self.texts("expand"))

    def number(self, name: str, default: int) -> int:
        """Return an integer query parameter; white space around it is dropped.

        Raises:
            ProblemError: 400 if it is not an integer of 64 bits.
        """
        value = (self.request.first(name) or "").strip()
        return default if not value else parse_long(name, value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean query parameter.

        Raises:
            ProblemError: 400 if it is neither ``true`` nor ``false``.
        """
        value = (self.request.first(name) or "").strip().lower()
        if value not in ("", "true", "false"):
            raise bad_parameter(name, value)
        return value == "true" if value else default

    def path_number(self, name: str) -> int:
        """Return an integer path parameter.

        Raises:
            ProblemError: 400 if it is not an integer of 64 bits.
        """
        return parse_long(name, self.params[name])

    # --- the body --------------------------------------------------------------------------------

    def body(self) -> Json:
        """Return the JSON value of the body; bytes after the first value are ignored.

        Raises:
            UnreadableBodyError: 400 if it is empty, ``null``, not JSON, or nested too deeply.
        """
        text = self.request.body.decode("utf-8", "replace").lstrip(" \t\r\n\ufeff")
        if not text:
            raise UnreadableBodyError(EMPTY_BODY)
        try:
            value, _end = _decoder().raw_decode(text)
            if "\\u" in text:
                json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError) as error:
            raise UnreadableBodyError(BAD_JSON) from error
        if _is_deeper(value, MAX_LEVELS):
            raise UnreadableBodyError(BAD_JSON)
        if value is None:
            raise UnreadableBodyError(EMPTY_BODY)
        return value  # type: ignore[no-any-return]  # the decoder yields JSON values only

    def json_object(self) -> dict[str, Json]:
        """Return the JSON object of the body.

        Raises:
            UnreadableBodyError: 400 if the body is anything else.
        """
        value = self.body()
        if not isinstance(value, dict):
            raise UnreadableBodyError(BAD_PAYLOAD)
        return value


def parse_long(name: str, value: str) -> int:
    """Return the integer a parameter says: an optional sign and decimal digits, 64 bits.

    Raises:
        ProblemError: 400 otherwise.
    """
    digits = value[1:] if value[:1] in ("-", "+") else value
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(LONG_MAX)):
        raise bad_parameter(name, value)
    number = int(value)
    if not -LONG_MAX - 1 <= number <= LONG_MAX:
        raise bad_parameter(name, value)
    return number


def _is_deeper(value: Json, levels: int) -> bool:
    """Whether lists and objects stand in each other over more levels; layer by layer, no stack."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [inner for one in layer for inner in _inside(one)]
    return bool(layer)


def _inside(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


@lru_cache(maxsize=1)
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_reject_constant)
