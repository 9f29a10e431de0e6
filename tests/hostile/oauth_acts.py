"""What the attacks on OAuth do again and again."""

import pytest
from pydantic import SecretStr

from runtime.errors import OAuthError
from runtime.identity.oauth.values import AuthorizeFault, AuthorizeRequest, TokenAnswer
from tests.hostile.oauth_place import CALLBACK, Place

READ = frozenset({"read:jira-work", "offline_access"})
ISSUE = "/rest/api/3/issue/TEAM-1"


def asked(place: Place, as_: str = "dana", **more: str) -> AuthorizeRequest | AuthorizeFault:
    return place.firebrick.oauth.flow.prepare_authorize(
        place.params(READ, **more), place.person(as_)
    )


def login(place: Place, as_: str = "dana", site: int = 0) -> TokenAnswer:
    return place.exchange(place.code(as_, READ, place.sites[site]))


def refresh_of(issued: TokenAnswer) -> str:
    assert issued.refresh_token is not None
    return issued.refresh_token.get_secret_value()


def again(place: Place, issued: TokenAnswer) -> TokenAnswer:
    return place.refresh(SecretStr(refresh_of(issued)))


def status(place: Place, issued: TokenAnswer, site: int = 0, path: str = ISSUE) -> int:
    return place.call(issued.access_token, place.sites[site], "GET", path).status


def refused(place: Place, **form: str) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        place.ask_tokens(**form)
    return caught.value


def use(place: Place, code: str, **more: str) -> dict[str, str]:
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **more}
