"""API tokens: made, taken back, expired; with scopes and without."""

from dataclasses import dataclass

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, multiple, rule

from tests.hostile.rights.facts import (
    ADMIN_SCOPE,
    GATEWAY,
    PROJECT_SCOPE,
    READ_SCOPE,
    SITE,
    WRITE_SCOPE,
    Operation,
)
from tests.hostile.rights.held import Credential, RightsMachine, people
from tests.hostile.rights.place import RightsPlace, Seen

DAY_S = 86_400
scopes = st.none() | st.frozensets(
    st.sampled_from([READ_SCOPE, WRITE_SCOPE, PROJECT_SCOPE, ADMIN_SCOPE]), min_size=1
)


@dataclass
class ApiToken(Credential):
    """An API token, with what the reference knows of it."""

    shown: str
    id: str
    scopes: frozenset[str] | None
    ends_s: float
    revoked: bool = False

    def alive(self, site: int, host: str) -> bool:
        there = host == (SITE if self.scopes is None else GATEWAY)
        lives = not self.revoked and self.facts.now_s < self.ends_s
        return there and lives and self.who in self.facts.active

    def covers(self, operation: Operation) -> bool:
        return self.scopes is None or operation.scope in self.scopes

    def silent(self, host: str) -> bool:
        return host == SITE

    def show(self, place: RightsPlace, operation: Operation, site: int, host: str) -> Seen:
        return place.ask(operation, site, host, {"authorization": self.shown})


class ScriptRules(RightsMachine):
    """The life of API tokens."""

    api_tokens: Bundle[ApiToken] = Bundle("api_tokens")

    @initialize(target=api_tokens)
    def open_script(self) -> ApiToken | MultipleResults[ApiToken]:
        return self.create_api_token(handle="dana", scopes=None, days=30)

    @rule(target=api_tokens, handle=people, scopes=scopes, days=st.sampled_from([1, 30, 365]))
    def create_api_token(
        self, handle: str, scopes: frozenset[str] | None, days: int
    ) -> ApiToken | MultipleResults[ApiToken]:
        if handle not in self.facts.active:
            return multiple()
        owner = self.place.person(handle)
        made, secret = self.place.firebrick.api_tokens.create(owner, "t", days, scopes)
        shown = httpx.BasicAuth(str(owner.email), secret.get_secret_value())._auth_header
        token = ApiToken(
            self.facts, handle, shown, made.id, scopes, self.facts.now_s + days * DAY_S
        )
        self.hold(token)
        return token

    def renew(self) -> None:
        super().renew()
        if self.lacks(ApiToken, "dana", 0):
            self.create_api_token(handle="dana", scopes=None, days=30)

    @rule(token=api_tokens)
    def revoke_api_token(self, token: ApiToken) -> None:
        assert self.place.firebrick.api_tokens.revoke(token.id) != token.revoked
        token.revoked = True
