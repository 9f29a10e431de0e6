"""The doors themselves: an unknown one is refused, a broken one tells nothing of the host."""

import json
from typing import cast

import pytest

from runtime.errors import ForgeError, StateError
from runtime.gateway.gateway import Gateway
from runtime.gateway.values import Caller, CallReport, ProductCall, ProductReply
from runtime.hostfunctions.doors import Doors
from runtime.hostfunctions.request_jira import RequestJira

pytestmark = pytest.mark.hostile

CALLER = Caller("invocation", "app", "installation", "cloud", "1:app", "1:user")
PATH_OF_THE_HOST = "/home/somebody/.firebrick/state.db"


class BrokenGateway:
    """A gateway that fails as it is told."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send(self, caller: Caller, call: ProductCall) -> tuple[ProductReply, CallReport]:
        raise self._error


def answer(error: Exception) -> dict[str, object]:
    door = RequestJira(cast(Gateway, BrokenGateway(error)), CALLER)
    value = json.loads(door(b'{"path":"/rest/api/3/myself"}'))
    assert isinstance(value["error"], dict)
    assert door.reports == ()
    return value["error"]


@pytest.mark.parametrize(
    "name", ["", "fetch", "requestjira", "__proto__", "../requestJira", "x" * 999]
)
def test_a_door_that_does_not_exist_is_refused_by_its_name(name: str) -> None:
    doors = Doors({"requestJira": lambda raw: raw})
    error = json.loads(doors(name, b"{}"))["error"]
    assert error["code"] == "UNKNOWN_DOOR"
    assert len(error["message"]) < 120
    assert doors("requestJira", b"{}") == b"{}"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(PATH_OF_THE_HOST),
        OSError(13, "denied", PATH_OF_THE_HOST),
        KeyError(PATH_OF_THE_HOST),
        StateError("STATE_BROKEN", PATH_OF_THE_HOST),
    ],
)
def test_an_error_of_the_host_reaches_the_guest_without_its_words(error: Exception) -> None:
    assert answer(error) == {"code": "INTERNAL", "message": "The host failed."}


def test_an_error_that_was_meant_for_the_app_reaches_it() -> None:
    assert answer(ForgeError("SOME_CODE", "words")) == {"code": "SOME_CODE", "message": "words"}
