"""The keys of invocation tokens: one signs, older ones verify for a while, none is readable."""

import json
from pathlib import Path

import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, text

from runtime.clock import ManualClock
from runtime.database import open_database, sqlite_url
from runtime.errors import StateError
from runtime.ids import Ids
from runtime.tokens.invocation_tokens import ISSUER, LIFETIME_S, InvocationTokens
from runtime.tokens.signing_keys import (
    KID_PREFIX,
    PUBLISHED_AFTER_S,
    SIGNS_FOR_S,
    SigningKey,
    SigningKeys,
)
from runtime.tokens.vault import Vault

APP = "ari:cloud:ecosystem::app/5f1e0000-0000-4000-8000-000000000099"


class Place:
    """Keys and tokens over one state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.engine: Engine = open_database(sqlite_url(folder / "state.db"))
        self.keys = SigningKeys(self.engine, self.clock, Ids(), Vault(folder))
        self.tokens = InvocationTokens(self.keys, self.clock, Ids())

    def verify(self, token: str, audience: str = APP) -> dict[str, object]:
        """Return the claims of a token, as a remote verifies it with the published set."""
        published = jwt.PyJWKSet.from_dict({"keys": list(self.keys.published())})
        kid = jwt.get_unverified_header(token)["kid"]
        claims: dict[str, object] = jwt.decode(
            token,
            published[kid],
            ["RS256"],
            audience=audience,
            issuer=ISSUER,
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
        return claims


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_token_is_for_one_app_and_for_seconds(place: Place) -> None:
    token = place.tokens.mint(APP, {"app": {"id": APP}}).get_secret_value()
    claims = place.verify(token)
    now_s = int(place.clock.now_s())
    assert claims == {
        "iss": ISSUER,
        "aud": APP,
        "iat": now_s,
        "nbf": now_s,
        "exp": now_s + LIFETIME_S,
        "jti": claims["jti"],
        "app": {"id": APP},
    }
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    assert header["kid"].startswith(KID_PREFIX)
    with pytest.raises(jwt.InvalidAudienceError):
        place.verify(token, f"{APP}0")


def test_no_claim_can_take_the_place_of_the_platforms_own(place: Place) -> None:
    claims = {"iss": "x", "aud": "y", "exp": 9e9, "iat": 0, "nbf": 0, "jti": "z"}
    said = place.verify(place.tokens.mint(APP, claims).get_secret_value())
    assert (said["iss"], said["aud"]) == (ISSUER, APP)
    assert said["exp"] == int(place.clock.now_s()) + LIFETIME_S
    assert said["jti"] != "z"


def test_two_tokens_are_never_the_same(place: Place) -> None:
    first, second = (place.tokens.mint(APP, {}) for _ in range(2))
    assert first != second
    assert place.tokens.live_tokens() == (first, second)
    place.clock.advance(LIFETIME_S)
    assert place.tokens.live_tokens() == ()
    third = place.tokens.mint(APP, {})
    assert place.tokens.live_tokens() == (third,)


def test_a_key_signs_until_it_is_old(place: Place) -> None:
    first = place.keys.current()
    place.clock.advance(SIGNS_FOR_S - 1)
    assert place.keys.current() == first
    place.clock.advance(1)
    second = place.keys.current()
    assert second.kid != first.kid
    assert [key["kid"] for key in place.keys.published()] == [second.kid, first.kid]


def test_a_retired_key_verifies_for_a_while(place: Place) -> None:
    assert place.keys.published() == ()
    token = place.tokens.mint(APP, {}).get_secret_value()
    place.keys.rotate()
    place.clock.advance(PUBLISHED_AFTER_S - 1)
    assert place.verify(token)["aud"] == APP
    place.clock.advance(1)
    with pytest.raises(KeyError):
        place.verify(token)
    assert len(place.keys.published()) == 1


def test_several_processes_share_one_key(place: Place) -> None:
    other = SigningKeys(place.engine, place.clock, Ids(), Vault(place.folder))
    assert other.current() == place.keys.current()


def test_of_two_that_find_none_the_first_one_counts(place: Place) -> None:
    class Late(SigningKeys):
        """Looks a moment before another process has made its key."""

        def _find(self, connection: Connection) -> SigningKey | None:
            found = super()._find(connection)
            self.looks = getattr(self, "looks", 0) + 1
            return None if self.looks == 1 else found

    first = place.keys.current()
    late = Late(place.engine, place.clock, Ids(), Vault(place.folder))
    assert late.current() == first
    assert len(place.keys.published()) == 1


@pytest.mark.hostile
def test_no_private_key_is_readable_in_the_state(place: Place) -> None:
    key = place.keys.current()
    with place.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM forge_signing_key")).all()
    stored = json.dumps([list(map(str, row)) for row in rows])
    assert "PRIVATE" not in stored
    body = key.private_key.get_secret_value().splitlines()[1]
    assert body not in stored
    assert all(set(one) == {"kty", "use", "alg", "kid", "n", "e"} for one in place.keys.published())
    assert "PRIVATE" not in repr(key)


def test_a_lost_key_file_is_said_and_mended_by_a_new_key(place: Place) -> None:
    place.keys.current()
    (place.folder / "secrets.key").unlink()
    with pytest.raises(StateError, match="rotate-key"):
        place.tokens.mint(APP, {})
    fresh = place.keys.rotate()
    assert place.keys.current() == fresh


@pytest.mark.hostile
@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_the_published_set_verifies_nothing_but_rs256(place: Place, algorithm: str) -> None:
    public = place.keys.current().kid
    secret = None if algorithm == "none" else place.keys.published()[0]["n"]
    claims = {"iss": ISSUER, "aud": APP}
    forged = jwt.encode(claims, secret or "", algorithm, headers={"kid": public})
    with pytest.raises(jwt.InvalidTokenError):
        place.verify(forged)


@pytest.mark.hostile
def test_another_states_key_of_the_same_name_verifies_nothing(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Place(tmp_path_factory.mktemp("stranger"))
    mine, theirs = place.keys.current(), stranger.keys.current()
    claims = {"iss": ISSUER, "aud": APP}
    private = theirs.private_key.get_secret_value()
    forged = jwt.encode(claims, private, "RS256", headers={"kid": mine.kid})
    with pytest.raises(jwt.InvalidSignatureError):
        place.verify(forged)
    assert isinstance(theirs.private_key, SecretStr)
