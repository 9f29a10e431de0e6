"""What the console's JSON resources have in common: who may ask, bodies, errors."""

import json
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from runtime.errors import ForgeError
from runtime.identity.sessions import fits
from runtime.wire import JiraRequest, JiraResponse

HEADERS = (
    ("content-type", "application/json;charset=UTF-8"),
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
)


class Body(BaseModel):
    """A body of the console: camelCase, strict, nothing that is not named."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=True, strict=True
    )


def answering(
    request: JiraRequest,
    access_token: SecretStr,
    answer: Callable[[JiraRequest], JiraResponse],
) -> JiraResponse:
    """Answer whoever shows the server's access token as a Bearer, and tell what is wrong."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not fits(token.strip(), access_token.get_secret_value()):
        return error_json(401, "CREDENTIAL", "Show the access token that the server printed.")
    try:
        return answer(request)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(one) for one in first["loc"]) or "body"
        return error_json(400, "BAD_OPTION", f"{place}: {first['msg']}")
    except ForgeError as error:
        return error_json(404 if error.code.startswith("UNKNOWN_") else 400, error.code, str(error))


def answer_json(status: int, body: object) -> JiraResponse:
    """Return a JSON answer that nobody keeps."""
    return JiraResponse(status, HEADERS, json.dumps(body).encode(), rule="edge")


def error_json(status: int, code: str, message: str) -> JiraResponse:
    """Return an error."""
    headers = (("www-authenticate", "Bearer"),) if status == 401 else ()  # noqa: PLR2004  # HTTP
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return JiraResponse(status, (*HEADERS, *headers), body, rule="edge")
