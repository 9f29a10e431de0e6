"""Who is asking on the site's host with ``JWT`` or ``Bearer``: a Connect app, or a user through it.

Source:
    Connect documentation, "Understanding JWT" and "User impersonation for Connect apps"; probes of
    the real service, 2026, of the site's host with a Bearer.
"""

import logging

from runtime.clock import Clock
from runtime.errors import JiraError
from runtime.identity.connect import qsh
from runtime.identity.connect.installations import ConnectInstallation, ConnectInstallations
from runtime.identity.connect.sitekeys import SiteKeyStore
from runtime.identity.connect.usertokens import FORM, UserToken, UserTokens
from runtime.identity.connect.webtokens import (
    WebTokenError,
    audience,
    check_times,
    peek,
    pretend_to_verify,
    verify_symmetric,
)
from runtime.identity.principal import Principal
from runtime.policy.connect_scopes import common_scopes, of_descriptor
from runtime.wire import JiraRequest

log = logging.getLogger(__name__)

SCHEME = "JWT"
IMPERSONATION_SCOPE = "ACT_AS_USER"
BAD_BEARER = "Failed to parse Connect Session Auth Token"


class ConnectAuthenticator:
    """Resolves the two credentials of Connect.

    Args:
        installations: Knows the shared secrets.
        site_keys: Knows the client key of a site.
        user_tokens: Verifies tokens of impersonation.
        clock: Decides about expiry.
        max_lifetime_s: The strict switch: refuse tokens that live longer; None for any life.
    """

    def __init__(
        self,
        installations: ConnectInstallations,
        site_keys: SiteKeyStore,
        user_tokens: UserTokens,
        clock: Clock,
        max_lifetime_s: float | None = None,
    ) -> None:
        self._installations = installations
        self._site_keys = site_keys
        self._user_tokens = user_tokens
        self._clock = clock
        self._max_lifetime_s = max_lifetime_s

    def authenticate(self, request: JiraRequest) -> Principal | None:
        """Return who is asking; None if the request shows no credential of Connect.

        The scheme ``Bearer`` is told by its exact spelling; another one is no credential here. A
        token in the query counts only where there is no ``Authorization`` at all.

        Raises:
            JiraError: 401 or 403: a credential of Connect that is not accepted.
        """
        shown = request.headers.get("authorization", "")
        if shown.startswith("Bearer "):
            return self._bearer(request.cloud_id, shown.removeprefix("Bearer "))
        scheme, _, value = shown.partition(" ")
        if scheme.upper() == SCHEME:
            return self._web_token(request, value.strip())
        in_query = None if shown else request.first(qsh.TOKEN_PARAMETER)
        return None if in_query is None else self._web_token(request, in_query)

    def _bearer(self, cloud_id: str, token: str) -> Principal:
        if not FORM.fullmatch(token):
            raise JiraError(403, BAD_BEARER, rule="credential.refused")
        held = self._user_tokens.verify(token)
        if held is None:
            raise JiraError(401, rule="credential.session-token")
        return self.as_user(held, cloud_id)

    def as_user(self, held: UserToken, cloud_id: str) -> Principal:
        """Return who asks for a site with a live token of an app that acts as a user.

        Raises:
            JiraError: 401: the app may not act so any more, or not there.
        """
        found = None
        if held.cloud_id == cloud_id:
            found = self._installations.find_enabled(cloud_id, held.app_key)
        if found is None or found.generation != held.generation:
            raise JiraError(401, rule="credential.session-token")
        if not held.in_page and IMPERSONATION_SCOPE not in found.scopes:
            raise JiraError(401, rule="credential.session-token")
        return Principal(
            model="connect",
            account_id=held.account_id,
            scopes=common_scopes(held.scopes, found.scopes),
            app_id=found.app_key,
            connect_key=found.app_key,
            credential="user-token",
            bounds=(of_descriptor(found.scopes),),
        )

    def as_app(self, cloud_id: str, app_key: str) -> Principal:
        """Return who would ask with a token that an app signed for this very request.

        Raises:
            JiraError: 401: no such app is on the site, or it is switched off.
        """
        try:
            return _signed_by(self._enabled(cloud_id, app_key))
        except WebTokenError as error:
            raise JiraError(401, error.message, rule=error.rule) from error

    def _web_token(self, request: JiraRequest, token: str) -> Principal:
        try:
            app = self._app_of(request, token)
        except WebTokenError as error:
            log.info("a Connect token was refused: %s", error.message)
            raise JiraError(401, error.message, rule=error.rule) from error
        return _signed_by(app)

    def _enabled(self, cloud_id: str, app_key: str) -> ConnectInstallation:
        app = self._installations.find_enabled(cloud_id, app_key)
        if app is None or not app.descriptor.uses_jwt:
            raise WebTokenError("credential.jwt-issuer", "No app of this site has that key.")
        return app

    def _app_of(self, request: JiraRequest, token: str) -> ConnectInstallation:
        """Return the app that signed this very request.

        The secret is looked up by issuer *and* site. A token of the host's own has the client key
        as its issuer, which names no app: sent back it proves nothing.
        """
        issuer = peek(token).issuer
        try:
            app = self._enabled(request.cloud_id, issuer)
        except WebTokenError:
            pretend_to_verify(token)  # so that the time tells no more than the answer
            raise
        claims = verify_symmetric(token, app.shared_secret)
        check_times(claims, self._clock.now_s(), self._max_lifetime_s)
        audiences = audience(claims)
        if audiences is not None and (
            self._site_keys.find_client_key(request.cloud_id) not in audiences
        ):
            raise WebTokenError("credential.jwt-audience", "The token is for somebody else.")
        same, sloppy = qsh.matches(claims.get("qsh"), request.method, request.path, request.query)
        if not same:
            raise WebTokenError("credential.jwt-qsh", "The token is for another request.")
        if sloppy:
            log.warning("%s hashes the slash at the end of a path; accepted", app.app_key)
        return app


def _signed_by(app: ConnectInstallation) -> Principal:
    return Principal(
        model="connect",
        account_id=app.account_id,
        scopes=app.scopes,
        app_id=app.app_key,
        connect_key=app.app_key,
        credential="jwt",
        bounds=(of_descriptor(app.scopes),),
    )
