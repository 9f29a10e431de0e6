"""How an app in development registers itself: the plugin manager's resources, for admins.

Source:
    The calls of atlassian-connect-express 11.5 when it starts in development mode, as measured.

Differs:
    Only these calls are served, not the whole plugin manager.
"""

import json
import secrets
import threading
from collections.abc import Callable

from runtime.errors import ForgeError
from runtime.identity.accounts import Account
from runtime.jira.responses import Headers
from runtime.server.connect.apps import ConnectApps
from runtime.wire import JiraRequest, JiraResponse

PREFIX = "/rest/plugins/1.0/"
TOKEN_HEADER = "upm-token"  # noqa: S105  # a header's name
KEY_SUFFIX = "-key"
PING_AFTER_MS = 300
MAX_REMEMBERED = 100

Person = Callable[[JiraRequest], Account | JiraResponse]
"""Who shows basic credentials, or the refusal of whoever does not."""
IsAdmin = Callable[[str, Account], bool]


class Tasks:
    """Installs that run, and what became of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: dict[int, str | None] = {}
        self._errors: dict[int, str] = {}
        self._last = 0

    def start(self, install: Callable[[], str]) -> int:
        """Run an install in a thread of its own and return its number.

        Args:
            install: Returns the key of the app.
        """
        with self._lock:
            self._last += 1
            number = self._last
            self._done[number] = None
            self._done.pop(number - MAX_REMEMBERED, None)
            self._errors.pop(number - MAX_REMEMBERED, None)
        threading.Thread(target=self._run, args=(number, install), daemon=True).start()
        return number

    def find(self, number: int) -> tuple[str | None, str | None] | None:
        """Return the app's key and the error of an install, both None while it runs; or None."""
        with self._lock:
            if number not in self._done:
                return None
            return self._done[number], self._errors.get(number)

    def _run(self, number: int, install: Callable[[], str]) -> None:
        try:
            key, error = install(), None
        except ForgeError as fault:
            key, error = None, fault.message
        except Exception:
            self._finish(number, None, "The server failed.")
            raise
        self._finish(number, key, error)

    def _finish(self, number: int, key: str | None, error: str | None) -> None:
        with self._lock:
            self._done[number] = key
            if error is not None:
                self._errors[number] = error


class PluginManager:
    """Serves ``/rest/plugins/1.0/``.

    Args:
        apps: Installs and uninstalls.
        list_keys: Cloud id to the keys of the apps there, and whether each is enabled.
        person: Who shows basic credentials.
        is_admin: Whether an account administers a site.
        frozen: Whether installs are over.
    """

    def __init__(
        self,
        apps: ConnectApps,
        list_keys: Callable[[str], dict[str, bool]],
        person: Person,
        is_admin: IsAdmin,
        *,
        frozen: bool,
    ) -> None:
        self._apps = apps
        self._list_keys = list_keys
        self._person = person
        self._is_admin = is_admin
        self._frozen = frozen
        self._token = secrets.token_urlsafe(32)
        self._tasks = Tasks()

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a resource of the plugin manager; None for any other path."""
        if not f"{request.path}/".startswith(PREFIX):
            return None
        admin = self._person(request)
        if isinstance(admin, JiraResponse):
            return admin
        if not self._is_admin(request.cloud_id, admin):
            return _json(403, {"message": "Only an administrator of the site may do this."})
        rest = f"{request.path}/".removeprefix(PREFIX).strip("/")
        if rest.startswith("pending/"):
            return self._pending(request, rest.removeprefix("pending/"))
        if rest.endswith(KEY_SUFFIX):
            return self._plugin(request, rest.removesuffix(KEY_SUFFIX), admin)
        return self._root(request, rest, admin)

    def _root(self, request: JiraRequest, rest: str, admin: Account) -> JiraResponse:
        if rest == "settings":
            setting = {"key": "connectDeveloperListingsEnabled", "value": not self._frozen}
            return _json(200, {"settings": [setting]})
        if rest:
            return _json(404, {"message": "There is no such resource."})
        if request.method == "POST":
            return self._install(request, admin)
        plugins = [
            {"key": key, "enabled": enabled}
            for key, enabled in self._list_keys(request.cloud_id).items()
        ]
        return _json(200, {"plugins": plugins}, (TOKEN_HEADER, self._token))

    def _install(self, request: JiraRequest, admin: Account) -> JiraResponse:
        shown = (request.first("token") or "").encode()
        if not secrets.compare_digest(shown, self._token.encode()):
            return _json(403, {"message": f"The {TOKEN_HEADER} is missing or wrong."})
        try:
            body = json.loads(request.body)
        except (ValueError, RecursionError):
            body = None
        source = body.get("pluginUri") if isinstance(body, dict) else None
        if not isinstance(source, str) or "://" not in source:
            return _json(400, {"message": "pluginUri must be the URL of a descriptor."})

        def install() -> str:
            plan = self._apps.plan(source, request.cloud_id)
            self._apps.install(plan, request.cloud_id, admin, request.base_url)
            return plan.descriptor.key

        number = self._tasks.start(install)
        return _json(
            202,
            {
                "pingAfter": PING_AFTER_MS,
                "links": {"self": f"{PREFIX}pending/{number}"},
                "status": {"done": False, "statusCode": 200, "source": source},
            },
        )

    def _pending(self, request: JiraRequest, number: str) -> JiraResponse:
        task = None
        if number.isascii() and number.isdigit() and len(number) < len("1000000000"):
            task = self._tasks.find(int(number))
        if task is None:
            return _json(404, {"message": "There is no such task."})
        key, error = task
        if key is not None:
            place = f"{request.base_url}{PREFIX}{key}{KEY_SUFFIX}"
            return JiraResponse(303, (("location", place),), rule="edge")
        status: dict[str, object] = {"done": error is not None}
        if error is not None:
            status["errorMessage"] = error
        return _json(200, {"pingAfter": PING_AFTER_MS, "status": status})

    def _plugin(self, request: JiraRequest, key: str, admin: Account) -> JiraResponse:
        keys = self._list_keys(request.cloud_id)
        if key not in keys:
            return _json(404, {"message": "There is no such plugin."})
        if request.method == "DELETE":
            self._apps.uninstall(key, request.cloud_id, admin)
            return JiraResponse(204, rule="edge")
        return _json(200, {"key": key, "enabled": keys[key]})


def nobody(reason: Headers = ()) -> JiraResponse:
    """Refuse whoever shows no basic credentials, or wrong ones, as `reason` says then."""
    return _json(401, {"message": "An e-mail and an API token are needed."}, *reason)


def _json(status: int, body: object, *headers: tuple[str, str]) -> JiraResponse:
    kind = ("content-type", "application/json;charset=UTF-8")
    return JiraResponse(status, (kind, *headers), json.dumps(body).encode(), rule="edge")
