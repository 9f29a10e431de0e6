"""Pages of a person's API tokens: the list, a new one, and the end of one.

Source:
    "Manage API tokens for your Atlassian account".
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from pydantic import SecretStr

from runtime.clock import Clock
from runtime.errors import ForgeError
from runtime.identity.accounts import Account
from runtime.identity.api_tokens import MAX_LABEL_CHARACTERS, ApiToken, ApiTokens
from runtime.server.web.forms import Form, Pages, first, redirect
from runtime.server.web.sign_in import SIGN_OUT, TOKENS, SignIn, Visit, method_of
from runtime.wire import JiraRequest, JiraResponse

REVOKE = f"{TOKENS}/revoke"
MAX_DIGITS = 4


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One token as the list shows it.

    Attributes:
        token: The token.
        made: The day it was made.
        ends: The day it ends, by its own life or by the organization's rule.
        over: Whether it has ended already.
        scopes: What it may do at most; None for all that its owner may.
    """

    token: ApiToken
    made: str
    ends: str
    over: bool
    scopes: tuple[str, ...] | None


class TokenPages:
    """Answers the pages of API tokens.

    Args:
        tokens: Makes, lists and ends them.
        sign_in: Says who has signed in.
        pages: Renders.
        clock: Says which have ended.
        scopes: All scopes that operations ask for.
    """

    def __init__(
        self, tokens: ApiTokens, sign_in: SignIn, pages: Pages, clock: Clock, scopes: Set[str]
    ) -> None:
        self._tokens = tokens
        self._sign_in = sign_in
        self._pages = pages
        self._clock = clock
        self._scopes = scopes
        self._routes = {
            ("GET", TOKENS): self._list,
            ("POST", TOKENS): self._create,
            ("POST", REVOKE): self._revoke,
        }

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a page; None for any other path."""
        route = self._routes.get((method_of(request), request.path))
        if route is None:
            return None
        visit = self._sign_in.visit(request)
        return visit if isinstance(visit, JiraResponse) else route(request, visit)

    def _list(self, request: JiraRequest, visit: Visit) -> JiraResponse:
        return self._page(request, visit)

    def _create(self, request: JiraRequest, visit: Visit) -> JiraResponse:
        try:
            token, secret = self._made(visit.account, visit.form)
        except ForgeError as error:
            return self._page(request, visit, fault=error.message)
        return self._page(request, visit, made=token, secret=secret)

    def _made(self, account: Account, form: Form) -> tuple[ApiToken, SecretStr]:
        scopes = frozenset(first(form, "scopes").split())
        for scope in sorted(scopes - self._scopes):
            near = ", ".join(get_close_matches(scope, sorted(self._scopes), 3, 0.5))
            hint = f" Near it: {near}." if near else ""
            raise ForgeError("UNKNOWN_SCOPE", f"No operation accepts the scope {scope!r}.{hint}")
        days = first(form, "days")
        if not (days.isascii() and days.isdigit() and len(days) <= MAX_DIGITS):
            raise ForgeError("BAD_TOKEN_LIFETIME", "Say in days how long the token lives.")
        return self._tokens.create(account, first(form, "label"), int(days), scopes or None)

    def _revoke(self, _request: JiraRequest, visit: Visit) -> JiraResponse:
        wanted = first(visit.form, "id")
        if wanted in {one.id for one in self._tokens.list(visit.account.account_id)}:
            self._tokens.revoke(wanted)
        return redirect(TOKENS)

    def _page(
        self,
        request: JiraRequest,
        visit: Visit,
        *,
        fault: str = "",
        made: ApiToken | None = None,
        secret: SecretStr | None = None,
    ) -> JiraResponse:
        policy = self._tokens.policy()
        rows = [
            self._row(one)
            for one in reversed(self._tokens.list(visit.account.account_id))
            if not one.revoked
        ]
        return self._pages.html(
            400 if fault else 200, "account-tokens.html", account=visit.account, rows=rows,
            policy=policy, fault=fault, secret="" if secret is None else secret.get_secret_value(),
            address=_address(request, made), form=visit.form if fault else {},
            form_token=visit.form_token, action=TOKENS, revoke=REVOKE, sign_out=SIGN_OUT,
            label_length=MAX_LABEL_CHARACTERS,
        )  # fmt: skip

    def _row(self, token: ApiToken) -> TokenRow:
        ends_s = self._tokens.ends_at_s(token)
        return TokenRow(
            token=token,
            made=_day(token.created_at_s),
            ends=_day(ends_s),
            over=ends_s <= self._clock.now_s(),
            scopes=None if token.scopes is None else tuple(sorted(token.scopes)),
        )


def _address(request: JiraRequest, made: ApiToken | None) -> str:
    """Return where a token is valid: one without scopes on the site, any other on the gateway."""
    if made is None or made.scopes is None:
        return request.base_url
    return f"{request.base_url}/ex/jira/{request.cloud_id}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
