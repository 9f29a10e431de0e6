"""What a call would get, decided by what decides real calls, with nothing kept of it.

The product, the gateway and whatever resolves credentials are the ones that serve; all that is
different is that no secret is shown, and that every transaction is rolled back.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runtime.errors import CredentialError, JiraError, OAuthError
from runtime.gateway.values import Caller, ProductCall
from runtime.identity.accounts import Account
from runtime.identity.api_tokens import VerifiedToken
from runtime.identity.connect.impersonation import ImpersonationServer
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.connect.usertokens import UserToken
from runtime.identity.oauth.authenticator import principal_of
from runtime.identity.principal import Principal
from runtime.ids import Ids
from runtime.jira.product import Jira
from runtime.policy.decision import Decision
from runtime.policy.target import parse_target
from runtime.server.explain.askers import Asker
from runtime.server.hosts import GATEWAY_PREFIX
from runtime.tokens.broker import TokenGrant
from runtime.wire import Host, JiraRequest, JiraResponse

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

NO_TOKEN = "none"  # noqa: S105  # what is shown in place of a token where none can be valid
ACCEPT = {"accept": "application/json"}
JSON_TYPE = {"content-type": "application/json"}
EMPTY_BODY = b"{}"

Resolve = Callable[[JiraRequest], Principal]


@dataclass(frozen=True, slots=True)
class Question:
    """A request that nobody sends.

    Attributes:
        method: Upper-case HTTP method.
        path: Path with query, as a guest or a client would write it; below ``/ex/jira/{cloudId}``
            on the gateway.
        cloud_id: The site.
        body: JSON; None for an empty object where the method has a body.
    """

    method: str
    path: str
    cloud_id: str
    body: bytes | None = None

    def content(self) -> bytes:
        """Return the body that is asked about."""
        if self.method in ("GET", "HEAD", "DELETE", "OPTIONS"):
            return self.body or b""
        return EMPTY_BODY if self.body is None else self.body


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was, or would be, decided.

    Attributes:
        allowed: The verdict.
        rule: The deciding rule.
        status: HTTP status of the answer.
        reason: Why.
        scopes: What the credential could do; None where it has no scopes.
        operation: Key of the operation.
        credential: What was shown, as far as it resolved; empty where it did not come to it.
    """

    allowed: bool
    rule: str
    status: int | None = None
    reason: str = ""
    scopes: tuple[str, ...] | None = None
    operation: str | None = None
    credential: str = ""


class _Presented:
    """An authenticator that believes what it is told of the next request."""

    def __init__(self) -> None:
        self.resolve: Resolve = _nobody

    def authenticate(self, request: JiraRequest) -> Principal:
        return self.resolve(request)


class Rehearsal:
    """Asks what would be decided.

    Args:
        firebrick: The state.
    """

    def __init__(self, firebrick: "Firebrick") -> None:
        self._firebrick = firebrick
        self._presented = _Presented()
        self._product = Jira(
            firebrick.engine,
            firebrick.operations,
            self._presented,
            firebrick.world_clock,
            Ids(),
            firebrick.settings.xsrf,
            legacy_search=firebrick.settings.legacy_search,
            keep=False,
        )
        self._impersonation = ImpersonationServer(
            firebrick.connect.installations,
            firebrick.connect.user_tokens,
            firebrick.clock,
            firebrick.may_use,
        )

    def ask(self, asker: Asker, question: Question) -> Outcome:
        """Return what would be decided now."""
        if asker.by_door:
            return self._at_door(asker, question)
        target = parse_target(question.path)
        if isinstance(target, Decision):
            return Outcome(False, target.rule, 400, target.message)
        host, path = _place(asker, target.path, question.cloud_id)
        try:
            resolve = self._resolver(asker, question.cloud_id, host)
        except OAuthError as error:  # there is no token to be had
            reason = f"{error.error}: {error.message}"
            return Outcome(False, "credential.assertion", error.status, reason)
        request = JiraRequest(
            method=question.method,
            path=path,
            query=target.query,
            headers={**ACCEPT, **(JSON_TYPE if question.content() else {})},
            body=question.content(),
            cloud_id=question.cloud_id,
            host=host,
            base_url=self._firebrick.site_url(question.cloud_id),
        )
        return outcome_of(self._product_answer(resolve, request))

    def _product_answer(self, resolve: Resolve, request: JiraRequest) -> JiraResponse:
        self._presented.resolve = resolve
        return self._product.handle(request)

    # --- credentials -----------------------------------------------------------------------------

    def _resolver(self, asker: Asker, cloud_id: str, host: Host) -> Resolve:
        """Return what would say who asks; on the host that does not take it, what says so."""
        really = self._firebrick.authenticator.authenticate
        bearer = _showing(really, f"Bearer {NO_TOKEN}")
        if asker.client is not None:
            return self._of_client(asker, cloud_id) if host == "gateway" else bearer
        if asker.connect is not None:
            if host == "gateway":
                return bearer
            return self._of_connect(asker, asker.connect)
        if asker.installation is not None:
            return self._of_held_token(asker) if host == "gateway" else bearer
        if asker.account_id is not None:
            return self._of_script(asker, host)
        return really

    def _of_client(self, asker: Asker, cloud_id: str) -> Resolve:
        client = asker.client
        held = None
        if client is not None and asker.account_id is not None:
            held = self._firebrick.oauth.tokens.standing(client, asker.account_id, cloud_id)
        if held is None:
            reason = "The user has not consented to the app, or took it back."
            return _refusing(CredentialError(reason, model="oauth"))
        return lambda _request: principal_of(held, cloud_id)

    def _of_connect(self, asker: Asker, app: ConnectInstallation) -> Resolve:
        """Return who asks with what an app signed, or with a token that acts as a user.

        Raises:
            OAuthError: The app would not get such a token.
        """
        authenticator = self._firebrick.connect.authenticator
        if asker.credential == "jwt" or asker.account_id is None:
            return lambda request: authenticator.as_app(request.cloud_id, app.app_key)
        if app.state != "enabled":
            raise OAuthError("invalid_client", "There is no such client.", 401)
        scopes = self._impersonation.lend(app, asker.account_id)
        held = UserToken(
            app.cloud_id, app.app_key, app.generation, asker.account_id, scopes, in_page=False
        )
        return lambda request: authenticator.as_user(held, request.cloud_id)

    def _of_script(self, asker: Asker, host: Host) -> Resolve:
        account = self._firebrick.find_account(asker.account_id or "")
        if account is None:
            return _nobody
        held = self._held(asker, account)
        basic = self._firebrick.basic
        return lambda _request: basic.standing(str(account.email), held, host)

    def _held(self, asker: Asker, account: Account) -> VerifiedToken | None:
        if asker.token is None:
            return VerifiedToken(account, None)
        return self._firebrick.api_tokens.standing(asker.token, account)

    def _of_held_token(self, asker: Asker) -> Resolve:
        """Return who asks with an installation's token over HTTP, with all that is in force."""
        installation = asker.installation
        grant = None
        if installation is not None:
            grant = self._firebrick.installations.find_live_grant(installation.id)
        if installation is None or grant is None or asker.account_id is None:
            return _refusing(CredentialError("The app is not installed on this site any more."))
        held = TokenGrant(
            installation_id=installation.id,
            app_id=installation.app_id,
            cloud_id=installation.cloud_id,
            account_id=asker.account_id,
            scopes=installation.granted & frozenset(grant.declared),
        )
        return lambda request: self._firebrick.authenticator.of_installation(held, request)

    # --- the door --------------------------------------------------------------------------------

    def _at_door(self, asker: Asker, question: Question) -> Outcome:
        installation = asker.installation
        if installation is None or asker.act_as is None:
            return Outcome(False, "installation.ended", reason="The app is not installed any more.")
        caller = Caller(
            invocation_id="",
            app_id=installation.app_id,
            installation_id=installation.id,
            cloud_id=question.cloud_id,
            app_account_id=installation.app_account_id,
            account_id=asker.invoker_id,
        )
        other = asker.act_as == "user" and asker.account_id != asker.invoker_id
        call = ProductCall(
            path=question.path,
            method=question.method,
            headers=tuple({**ACCEPT, **(JSON_TYPE if question.content() else {})}.items()),
            body=question.content() or None,
            act_as=asker.act_as,
            account_id=asker.account_id if other else None,
        )
        report = self._firebrick.gateway.rehearse(caller, call, self._door)
        return Outcome(
            report.allowed,
            report.rule,
            report.status,
            report.message,
            report.scopes,
            report.operation,
        )

    def _door(self, grant: TokenGrant | None, request: JiraRequest) -> JiraResponse:
        if grant is None:
            return self._product_answer(self._firebrick.authenticator.authenticate, request)
        really = self._firebrick.authenticator
        return self._product_answer(lambda asked: really.of_installation(grant, asked), request)


def outcome_of(answer: JiraResponse) -> Outcome:
    """Return what an answer of the product says was decided."""
    allowed = answer.rule.startswith("allowed")
    shown = answer.shown
    return Outcome(
        allowed=allowed,
        rule=answer.rule,
        status=answer.status,
        reason="" if allowed else answer.words(),
        scopes=None if shown is None else shown.scopes,
        operation=answer.operation_id,
        credential="" if shown is None else shown.kind,
    )


def _place(asker: Asker, path: str, cloud_id: str) -> tuple[Host, str]:
    """Return host and path of a request: the gateway's where the path or the credential says so."""
    prefix = f"{GATEWAY_PREFIX}{cloud_id}"
    if path.startswith(f"{prefix}/"):
        return "gateway", path.removeprefix(prefix)
    scoped = asker.token is not None and asker.token.scopes is not None
    by_gateway = asker.model in ("oauth", "forge") or scoped
    return ("gateway" if by_gateway else "site"), path


def _showing(resolve: Resolve, authorization: str) -> Resolve:
    def shown(request: JiraRequest) -> Principal:
        headers = {**request.headers, "authorization": authorization}
        return resolve(replace(request, headers=headers))

    return shown


def _refusing(error: CredentialError | JiraError) -> Resolve:
    def refused(_request: JiraRequest) -> Principal:
        raise error

    return refused


def _nobody(_request: JiraRequest) -> Principal:
    raise CredentialError
