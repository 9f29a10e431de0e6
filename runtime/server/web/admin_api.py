"""What admins do, for programs: the same as their pages, as JSON."""

import re

from pydantic import SecretStr

from runtime.identity.oauth.blocks import EVERY
from runtime.server.web.administration import Administration, Standing
from runtime.server.web.console_json import Body, answer_json, answering, error_json
from runtime.wire import JiraRequest, JiraResponse

PREFIX = "/console/api"
SITES = f"{PREFIX}/sites"
ORGANIZATION = f"{PREFIX}/organization"
ALL = "every"  # names every app in a path
_PLACE = re.compile(
    r"/console/api/(?:organization|sites/([^/]{1,64}))/apps"
    r"(?:/([0-9a-f]{32}|every)/(block|grants))?"
)


class Organization(Body):
    """What the organization allows; what is left out stays."""

    user_apps_allowed: bool | None = None
    api_tokens_allowed: bool | None = None
    api_token_max_days: int | None = None


class AdminApi:
    """Answers ``/console/api/sites…`` and ``/console/api/organization…``.

    Args:
        administration: Looks and acts.
        access_token: What opens it, as it opens the console.
    """

    def __init__(self, administration: Administration, access_token: SecretStr) -> None:
        self._administration = administration
        self._access_token = access_token

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a resource; None for any other path."""
        if not request.path.startswith((SITES, ORGANIZATION)):
            return None
        return answering(request, self._access_token, self._answer)

    def _answer(self, request: JiraRequest) -> JiraResponse:
        if request.path == ORGANIZATION:
            return self._organization(request)
        if request.path == SITES and request.method == "GET":
            sites = self._administration.hosts().items()
            return answer_json(200, [{"cloudId": one, "host": host} for one, host in sites])
        match = _PLACE.fullmatch(request.path)
        if match is None or (match[1] and match[1] not in self._administration.hosts()):
            return error_json(404, "UNKNOWN_SITE", "There is no such site, or no such resource.")
        place = match[1] or EVERY
        if match[2] is None:
            return self._list(request, place)
        if match[2] != ALL and self._administration.clients.find(match[2]) is None:
            return error_json(404, "UNKNOWN_OAUTH_APP", "There is no such app.")
        return self._act(request.method, EVERY if match[2] == ALL else match[2], place, match[3])

    def _list(self, request: JiraRequest, place: str) -> JiraResponse:
        if request.method != "GET":
            return _not_taken()
        return answer_json(200, [_bean(one) for one in self._administration.standings(place)])

    def _act(self, method: str, client_id: str, place: str, what: str) -> JiraResponse:
        match method, what:
            case "PUT" | "DELETE", "block":
                changed = self._administration.set_blocked(
                    client_id, place, blocked=method == "PUT", by=None
                )
                return answer_json(200, {"changed": changed})
            case "DELETE", "grants" if client_id != EVERY:
                return answer_json(
                    200, {"ended": self._administration.uninstall(client_id, place, by=None)}
                )
            case _:
                return _not_taken()

    def _organization(self, request: JiraRequest) -> JiraResponse:
        policy, tokens = self._administration.policy, self._administration.tokens
        if request.method == "PUT":
            wanted = Organization.model_validate_json(request.body)
            tokens.set(allowed=wanted.api_tokens_allowed, max_days=wanted.api_token_max_days)
            if wanted.user_apps_allowed is not None:
                policy.set_user_apps_allowed(allowed=wanted.user_apps_allowed)
        elif request.method != "GET":
            return _not_taken()
        now = tokens.find()
        return answer_json(
            200,
            {
                "userAppsAllowed": policy.user_apps_allowed(),
                "apiTokensAllowed": now.allowed,
                "apiTokenMaxDays": now.max_days,
            },
        )


def _bean(one: Standing) -> dict[str, object]:
    return {
        "clientId": one.client.client_id,
        "name": one.client.name,
        "owner": one.owner,
        "people": list(one.people),
        "scopes": sorted(one.scopes),
        "blockedHere": one.blocked_here,
        "refused": one.refused,
    }


def _not_taken() -> JiraResponse:
    return error_json(405, "BAD_OPTION", "This address does not take that method.")
