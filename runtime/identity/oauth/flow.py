"""The OAuth server's flow: consent becomes a code, a code becomes tokens, tokens are renewed."""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from functools import partial

from pydantic import SecretStr
from sqlalchemy import Connection, Engine

from runtime.audit.trail import AuditRecord, AuditTrail
from runtime.clock import Clock
from runtime.database import writing
from runtime.errors import OAuthError
from runtime.identity.accounts import Account, find_account
from runtime.identity.oauth.authorizing import decide_authorize, read_fields
from runtime.identity.oauth.blocks import is_blocked_everywhere, open_sites
from runtime.identity.oauth.policy import OAuthPolicy
from runtime.identity.oauth.requests import (
    CODE,
    read_credentials,
    read_grant_type,
    required,
    verifier_fits,
)
from runtime.identity.oauth.store import OAuthClients, OAuthGrants
from runtime.identity.oauth.tokens import Code, OAuthTokens, Refresh
from runtime.identity.oauth.values import (
    OFFLINE,
    AuthorizeFault,
    AuthorizeRequest,
    OAuthClient,
    TokenAnswer,
    with_query,
)

DENIED = "User did not authorize the request"
BAD_CODE = "Invalid authorization code"
BAD_REFRESH = "Unknown or invalid refresh token."

_Outcome = TokenAnswer | OAuthError
"""An error as a value: what was written before it must not be undone by raising it."""


class OAuthFlow:
    """Authorize requests, consent and the token endpoint.

    Args:
        engine: The state database.
        clock: Decides about expiry.
        clients: The apps.
        grants: The consents.
        tokens: Codes and tokens.
        policy: The organization's word on new consent.
        audit: Gets one record for each consent given or refused.
        may_use: Says whether an account uses the product of a site.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        clients: OAuthClients,
        grants: OAuthGrants,
        tokens: OAuthTokens,
        policy: OAuthPolicy,
        audit: AuditTrail,
        may_use: Callable[[str, Account], bool],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._clients = clients
        self._grants = grants
        self._tokens = tokens
        self._policy = policy
        self._audit = audit
        self._may_use = may_use

    # --- consent ---------------------------------------------------------------------------------

    def prepare_authorize(
        self, params: Iterable[tuple[str, str]], account: Account
    ) -> AuthorizeRequest | AuthorizeFault:
        """Return what an account is to be asked, or why it is not asked.

        Nothing is looked at before somebody has logged in; see `decide_authorize` for the order.

        Args:
            params: The decoded query of ``/authorize``.
            account: Who has logged in.
        """
        fields = read_fields(params)
        if isinstance(fields, AuthorizeFault):
            return fields
        client = self._clients.find(fields.get("client_id", ""))
        with self._engine.connect() as connection:
            blocked = client and is_blocked_everywhere(connection, client.client_id)
        return decide_authorize(
            fields,
            client,
            account,
            user_apps_allowed=self._policy.user_apps_allowed(),
            blocked=bool(blocked),
        )

    def approve(self, request: AuthorizeRequest, account: Account, cloud_ids: Set[str]) -> str:
        """Keep an account's consent and return the redirect that carries the code.

        Everything is checked again: between the page and the button the app may have changed.

        Args:
            request: What was asked.
            account: Who says yes.
            cloud_ids: The sites picked: one for a resource-level app, at least one for any app that
                asks for more than the account itself.

        Raises:
            OAuthError: The request would not be asked any more, or the sites do not fit.
        """
        current = self.prepare_authorize(request.params(), account)
        if isinstance(current, AuthorizeFault):
            raise OAuthError(current.error, current.description, max(current.status, 400))
        self._check_sites(current, account, frozenset(cloud_ids))
        with writing(self._engine) as connection:
            _check_blocks(connection, current.client, frozenset(cloud_ids))
            grant = self._grants.consent(
                connection,
                current.client,
                account.account_id,
                frozenset(current.scopes),
                frozenset(cloud_ids),
            )
            code = self._tokens.issue_code(connection, current, grant)
            record = _record(current, account, "consent.approved")
            for cloud_id in (*sorted(cloud_ids),) or (None,):
                self._audit.append_in(connection, replace(record, cloud_id=cloud_id))
        return with_query(current.redirect_uri, code=code.get_secret_value(), state=current.state)

    def deny(self, request: AuthorizeRequest, account: Account | None = None) -> str:
        """Return the redirect that says no; nothing but a record of it is kept."""
        self._audit.append(_record(request, account, "consent.denied"))
        return with_query(
            request.redirect_uri,
            error="access_denied",
            error_description=DENIED,
            state=request.state,
        )

    def _check_sites(
        self, request: AuthorizeRequest, account: Account, cloud_ids: frozenset[str]
    ) -> None:
        if request.needs_site and not cloud_ids:
            raise OAuthError("invalid_request", "Pick a site.")
        if request.client.grant_kind == "resource" and len(cloud_ids) > 1:
            raise OAuthError("invalid_request", "The app's grants are for one site each.")
        if not all(self._may_use(cloud_id, account) for cloud_id in cloud_ids):
            raise OAuthError("access_denied", "You have no access to that site.", 403)

    # --- the token endpoint ----------------------------------------------------------------------

    def exchange(self, form: Mapping[str, str], authorization: str | None) -> TokenAnswer:
        """Answer a token request.

        Args:
            form: Its fields, from a form or a JSON object.
            authorization: Its ``Authorization`` header, if it has one.

        Raises:
            OAuthError: With the status and the texts of the platform.

        Source:
            "OAuth 2.0 (3LO) apps", "Exchange authorization code for access token", "Use a refresh
            token"; RFC 6749 sections 4.1.3 and 6; RFC 9700 section 4.14 for rotation.
        """
        kind = read_grant_type(form)
        shown = read_credentials(form, authorization)
        used = SecretStr(required(form, "code" if kind == CODE else "refresh_token"))
        act = partial(self._use_code if kind == CODE else self._use_refresh, form, used)
        with writing(self._engine) as connection:
            client = self._clients.authenticate(shown.client_id, shown.secret, connection)
            if client is None:
                outcome: _Outcome = OAuthError("access_denied", "Unauthorized", 401)
            else:
                outcome = act(client, connection)
        if isinstance(outcome, OAuthError):
            raise outcome
        return outcome

    def revoke(self, form: Mapping[str, str], authorization: str | None) -> OAuthClient:
        """End the family of a refresh token, as its app asks; an unknown token is no error.

        Returns:
            The app.

        Raises:
            OAuthError: The request is not complete, or not from an app of this server.

        Source:
            RFC 7009 section 2.
        """
        shown = read_credentials(form, authorization)
        named = SecretStr(required(form, "token"))
        with writing(self._engine) as connection:
            client = self._clients.authenticate(shown.client_id, shown.secret, connection)
            if client is None:
                raise OAuthError("access_denied", "Unauthorized", 401)
            refresh = self._tokens.find_refresh(connection, named)
            if refresh is not None and refresh.family.grant.client_id == client.client_id:
                self._tokens.drop_family(connection, refresh.family.id)
        return client

    def _use_code(
        self,
        form: Mapping[str, str],
        used: SecretStr,
        client: OAuthClient,
        connection: Connection,
    ) -> _Outcome:
        if not form.get("redirect_uri"):
            return OAuthError("invalid_request", "Missing required parameter: redirect_uri")
        code = self._tokens.find_code(connection, used)
        if code is None or code.client_id != client.client_id:
            return OAuthError("invalid_grant", BAD_CODE, 403)
        if code.family_id is not None:
            self._tokens.drop_family(connection, code.family_id)
            return OAuthError("invalid_grant", BAD_CODE, 403)
        if not self._fits(code, form, client, connection):
            return OAuthError("invalid_grant", BAD_CODE, 403)
        return self._tokens.use_code(connection, code, client)

    def _fits(
        self, code: Code, form: Mapping[str, str], client: OAuthClient, connection: Connection
    ) -> bool:
        return (
            code.expires_at_s > self._clock.now_s()
            and code.redirect_uri == form["redirect_uri"]
            and verifier_fits(code.challenge, form.get("code_verifier"))
            and self._usable(client, code.grant.account_id, connection)
        )

    def _use_refresh(
        self,
        form: Mapping[str, str],
        used: SecretStr,
        client: OAuthClient,
        connection: Connection,
    ) -> _Outcome:
        refresh = self._tokens.find_refresh(connection, used)
        if refresh is None:
            return OAuthError("invalid_grant", BAD_REFRESH, 403)
        if refresh.family.grant.client_id != client.client_id:
            return OAuthError("unauthorized_client", "refresh_token is invalid", 403)
        if self._was_stolen(refresh):
            self._tokens.drop_family(connection, refresh.family.id)
            return OAuthError("invalid_grant", BAD_REFRESH, 403)
        if not self._is_live(refresh, client, connection):
            return OAuthError("invalid_grant", BAD_REFRESH, 403)
        wanted = frozenset(form.get("scope", "").split()) or refresh.family.scopes
        if not wanted <= refresh.family.scopes:
            return OAuthError("invalid_scope", "A refresh cannot widen the scope.")
        return self._tokens.use_refresh(connection, refresh, client, wanted)

    def _was_stolen(self, refresh: Refresh) -> bool:
        """Say whether a used token comes back too late for a retry: two parties hold it."""
        used_at_s = refresh.used_at_s
        leeway_s = self._tokens.lifetimes.leeway_s
        return used_at_s is not None and self._clock.now_s() > used_at_s + leeway_s

    def _is_live(self, refresh: Refresh, client: OAuthClient, connection: Connection) -> bool:
        now_s, lives, grant = self._clock.now_s(), self._tokens.lifetimes, refresh.family.grant
        return (
            now_s < refresh.issued_at_s + lives.idle_s
            and now_s < refresh.family.started_at_s + lives.absolute_s
            and OFFLINE in grant.scopes
            and self._usable(client, grant.account_id, connection)
        )

    @staticmethod
    def _usable(client: OAuthClient, account_id: str, connection: Connection) -> bool:
        account = find_account(connection, account_id)
        return (
            account is not None
            and account.active
            and client.may_be_used_by(account_id)
            and not is_blocked_everywhere(connection, client.client_id)
        )


def _check_blocks(connection: Connection, client: OAuthClient, cloud_ids: frozenset[str]) -> None:
    """Refuse consent to what an administrator blocks."""
    blocked = is_blocked_everywhere(connection, client.client_id)
    if blocked or open_sites(connection, client.client_id, cloud_ids) != cloud_ids:
        raise OAuthError("access_denied", "An administrator blocks this app there.", 403)


def _record(request: AuthorizeRequest, account: Account | None, rule: str) -> AuditRecord:
    return AuditRecord(
        kind="grant",
        allowed=rule == "consent.approved",
        rule=rule,
        model="oauth",
        app_id=request.client.client_id,
        account_id=None if account is None else account.account_id,
        detail={"scopes": sorted(request.scopes)},
    )
