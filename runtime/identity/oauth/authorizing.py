"""Is this authorize request one that its user may be asked about? A pure decision."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from runtime.identity.accounts import Account
from runtime.identity.oauth.values import (
    AUDIENCE,
    OFFLINE,
    OPENID_SCOPES,
    AuthorizeFault,
    AuthorizeRequest,
    OAuthClient,
    api_of,
    with_query,
)

INCOMPLETE = "The authorize request was incomplete or invalid"
NO_CLIENT = "Failed to retrieve client"
ALIEN_SCOPES = (
    "This app has requested {apis} scopes that have not been added to the app. "
    "Configure the app at the developer console"
)
API_NAMES = {"jira": "Jira API", "user-identity": "User identity API"}
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636 section 4.2: base64url of a SHA-256


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request with what the rules compare it with."""

    fields: Mapping[str, str]
    client: OAuthClient
    account: Account
    user_apps_allowed: bool
    blocked: bool

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.fields.get("scope", "").split()))


def read_fields(params: Iterable[tuple[str, str]]) -> Mapping[str, str] | AuthorizeFault:
    """Return the parameters that have a value; a name that stands twice is a fault.

    Source:
        RFC 6749 section 3.1.
    """
    fields: dict[str, str] = {}
    for name, value in params:
        if name in fields:
            return _page("invalid_request", INCOMPLETE, "credential.authorize-incomplete")
        fields[name] = value
    return {name: value for name, value in fields.items() if value}


def decide_authorize(
    fields: Mapping[str, str],
    client: OAuthClient | None,
    account: Account,
    *,
    user_apps_allowed: bool,
    blocked: bool = False,
) -> AuthorizeRequest | AuthorizeFault:
    """Decide whether a request of somebody who has logged in may be shown for consent.

    Faults of the client, of its callback URL and of scopes are for the server's own page. Only
    once the callback URL is known to be the app's may an error be sent there.

    Args:
        fields: See `read_fields`.
        client: The app that ``client_id`` names; None for an unknown one.
        account: Who has logged in.
        user_apps_allowed: The organization lets people consent to apps by themselves.
        blocked: The organization refuses this app, or every one.

    Source:
        "OAuth 2.0 (3LO) apps"; probes of the real service for the faults; RFC 6749 section 4.1.2.1;
        RFC 7636 section 4.4.1.
    """
    if fields.get("audience") != AUDIENCE or "client_id" not in fields:
        return _page("invalid_request", INCOMPLETE, "credential.authorize-incomplete")
    if client is None:
        return _page("unauthorized_client", NO_CLIENT, "credential.authorize-client")
    asked = _Asked(fields, client, account, user_apps_allowed, blocked)
    for check in _CHECKS:
        fault = check(asked)
        if fault is not None:
            return fault
    return AuthorizeRequest(
        client=client,
        redirect_uri=fields["redirect_uri"],
        scopes=asked.scopes,
        state=fields.get("state"),
        challenge=fields.get("code_challenge"),
        prompt=fields.get("prompt"),
    )


def _check_account(asked: _Asked) -> AuthorizeFault | None:
    account = asked.account
    if account.account_type != "atlassian" or account.is_service or not account.active:
        return _page(
            "access_denied", "Only an active person can consent.", "credential.authorize-account"
        )
    if not asked.client.may_be_used_by(account.account_id):
        return _page("unauthorized_client", NO_CLIENT, "credential.authorize-private")
    return None


def _check_redirect(asked: _Asked) -> AuthorizeFault | None:
    wanted = asked.fields.get("redirect_uri")
    if wanted is None:
        return _page("invalid_request", INCOMPLETE, "credential.authorize-incomplete")
    if wanted not in asked.client.callback_urls:
        text = f"Callback URL mismatch. {wanted} is not in the list of allowed callback URLs"
        return _page("unauthorized_client", text, "credential.authorize-redirect")
    return None


def _check_response_type(asked: _Asked) -> AuthorizeFault | None:
    kind = asked.fields.get("response_type")
    if kind == "code":
        return None
    error = "invalid_request" if kind is None else "unsupported_response_type"
    return _sent_back(asked, error, "The response type must be 'code'.")


def _check_challenge(asked: _Asked) -> AuthorizeFault | None:
    challenge = asked.fields.get("code_challenge")
    method = asked.fields.get("code_challenge_method")
    if challenge is None and method is None:
        return None
    if method != "S256" or challenge is None:
        text = "The code challenge method must be S256."
        return _sent_back(asked, "invalid_request", text)
    if not _CHALLENGE.fullmatch(challenge):
        text = "The code challenge is no base64url of a SHA-256."
        return _sent_back(asked, "invalid_request", text)
    return None


def _check_scopes(asked: _Asked) -> AuthorizeFault | None:
    scopes = frozenset(asked.scopes)
    if not scopes - {OFFLINE}:
        return _page("invalid_request", INCOMPLETE, "credential.authorize-incomplete")
    if scopes & OPENID_SCOPES:
        return _page("invalid_scope", "Something went wrong", "credential.authorize-scope")
    alien = scopes - asked.client.scopes - {OFFLINE}
    if alien:
        apis = " and ".join(API_NAMES[api] for api in sorted({api_of(one) for one in alien}))
        text = ALIEN_SCOPES.format(apis=apis)
        return _page("invalid_scope", text, "credential.authorize-scope")
    return None


def _check_organization(asked: _Asked) -> AuthorizeFault | None:
    if asked.user_apps_allowed and not asked.blocked:
        return None
    what = "this app" if asked.blocked else "apps that people install by themselves"
    fault = _page(
        "access_denied",
        f"Your organization's admin blocks {what}.",
        "credential.authorize-blocked",
    )
    return replace(fault, status=403)


_CHECKS: tuple[Callable[[_Asked], AuthorizeFault | None], ...] = (
    _check_account,
    _check_redirect,
    _check_scopes,
    _check_response_type,
    _check_challenge,
    _check_organization,
)


def _page(error: str, description: str, rule: str) -> AuthorizeFault:
    return AuthorizeFault(400, error, description, rule)


def _sent_back(asked: _Asked, error: str, description: str) -> AuthorizeFault:
    location = with_query(
        asked.fields["redirect_uri"],
        error=error,
        error_description=description,
        state=asked.fields.get("state"),
    )
    return AuthorizeFault(302, error, description, "credential.authorize-request", location)
