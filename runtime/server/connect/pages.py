"""Pages of Connect apps inside the site, seen as one of the world's people.

There is no login and no cookie: a cookie of this host would reach every app on another port of it.
Who looks is said by a form of the page itself, which a page of another origin cannot send.
"""

import json
from importlib.resources import files
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment
from sqlalchemy import Engine

from runtime.clock import Clock
from runtime.identity.accounts import Account, find_account_by_name, list_accounts
from runtime.identity.connect.descriptor import Module
from runtime.identity.connect.dynamic_modules import list_modules
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.connect.pages import PageContext, page_url
from runtime.jira.page_context import find_page_context, uses_product
from runtime.server.connect.bridge import Bridge, bridge_answer, bridge_error
from runtime.server.connect.parts import ConnectParts
from runtime.wire import JiraRequest, JiraResponse

PREFIX = "/plugins/servlet/ac/"
LIST_PATH = "/connect"
APPS_PATH = "/apps"  # the same list, where one looks for apps of a site
DIALOG_PATH = "/_firebrick/connect/dialog"
SCRIPTS = {"/all.js": "all.js", "/_firebrick/connect-host.js": "connect-host.js"}
TITLES = {403: "Not opened", 404: "No such page"}
MAX_FORM_FIELDS = 20
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "frame-src {frames}; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HTML = ("content-type", "text/html;charset=UTF-8")
COMMON = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),  # else the forms here would say `Origin: null`
    ("cache-control", "no-store"),
    ("x-frame-options", "DENY"),
)


class Scripts:
    """Serves ``/all.js``, which apps load into their pages, and the script of the page around."""

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a script's path."""
        name = SCRIPTS.get(request.path)
        if name is None or request.method not in ("GET", "HEAD"):
            return None
        text = files("runtime.server").joinpath("pages", name).read_bytes()
        headers = (
            ("content-type", "text/javascript;charset=UTF-8"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "cross-origin"),
        )
        return JiraResponse(200, headers, text, rule="edge")


class ConnectPages:
    """Serves the list of apps and the pages around their frames.

    Args:
        engine: The state database.
        parts: Stores and keys.
        bridge: Opens a session for each page.
        clock: Stamps tokens.
        templates: Loads the pages.
        frozen: Whether new Connect apps are refused, as on the platform today.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        parts: ConnectParts,
        bridge: Bridge,
        clock: Clock,
        templates: Environment,
        frozen: bool,
    ) -> None:
        self._engine = engine
        self._parts = parts
        self._bridge = bridge
        self._clock = clock
        self._templates = templates
        self._frozen = frozen

    def __call__(self, request: JiraRequest) -> JiraResponse | None:
        """Answer a page; None for any other path."""
        if request.path in (LIST_PATH, APPS_PATH) and request.method in ("GET", "HEAD"):
            return self._list(request)
        if request.path == DIALOG_PATH:
            return self._dialog(request)
        if not request.path.startswith(PREFIX):
            return None
        app_key, _, module_key = request.path.removeprefix(PREFIX).partition("/")
        app = self._parts.installations.find_enabled(request.cloud_id, app_key)
        module = None if app is None else self._module(app, module_key)
        if app is None or module is None or not module.url:
            return self._message(404, "There is no such page, or its app is not enabled.")
        if request.method == "POST":
            return self._page(request, app, module)
        return self._choice(request, app, module)

    def _list(self, request: JiraRequest) -> JiraResponse:
        apps = [
            (app, [module for module in self._modules(app) if module.url and module.key])
            for app in self._parts.installations.list(request.cloud_id)
            if app.state != "uninstalled"
        ]
        return self._html(200, "connect-list.html", apps=apps, prefix=PREFIX, frozen=self._frozen)

    def _choice(
        self, request: JiraRequest, app: ConnectInstallation, module: Module
    ) -> JiraResponse:
        with self._engine.connect() as connection:
            people = [
                account
                for account in list_accounts(connection)
                if uses_product(connection, request.cloud_id, account)
            ]
        return self._html(
            200, "connect-choice.html", app=app, module=module, people=people,
            action=f"{request.path}?{urlencode(request.query)}", list_path=LIST_PATH,
        )  # fmt: skip

    def _page(self, request: JiraRequest, app: ConnectInstallation, module: Module) -> JiraResponse:
        if request.headers.get("origin") != request.base_url:
            return self._message(403, "This form was sent from another page.")
        viewer, context = self._viewer(request)
        if viewer is None:
            return self._message(403, "Only an active person with access to Jira sees this page.")
        if context is None:
            return self._message(404, "The issue or the project does not exist for this person.")
        url = self._url(request, app, module, viewer.account_id, context)
        if url is None:
            return self._message(404, "The module leads away from its app.")
        return self._html(
            200, "connect-page.html", app=app, module=module, viewer=viewer, url=url,
            session=self._bridge.open(app, viewer.account_id, context),
            back=f"{request.path}?{urlencode(request.query)}", context=context,
            frames=app.descriptor.origin,
        )  # fmt: skip

    def _dialog(self, request: JiraRequest) -> JiraResponse:
        """Answer an open page that shows another page of its app above itself.

        The dialog has its page's viewer and place, and a session of its own.
        """
        admitted = self._bridge.admit(request)
        if isinstance(admitted, JiraResponse):
            return admitted
        session, app = admitted
        module = self._module(app, _key_of(request.body))
        if module is None or not module.url:
            return bridge_error(404, "The app has no page with that module key.")
        url = self._url(request, app, module, session.account_id, session.context)
        if url is None:
            return bridge_error(404, "The module leads away from its app.")
        name = self._bridge.open(app, session.account_id, session.context)
        return bridge_answer(200, {"url": url, "session": name, "name": module.name})

    def _url(
        self,
        request: JiraRequest,
        app: ConnectInstallation,
        module: Module,
        account_id: str,
        context: PageContext,
    ) -> str | None:
        return page_url(
            app,
            module,
            client_key=self._parts.site_keys.keys(app.cloud_id).client_key,
            host_origin=request.base_url,
            account_id=account_id,
            context=context,
            now_s=self._clock.now_s(),
        )

    def _viewer(self, request: JiraRequest) -> tuple[Account | None, PageContext | None]:
        """Return who looks, if they may, and where the page stands for them."""
        try:
            form = dict(parse_qsl(request.body.decode(), max_num_fields=MAX_FORM_FIELDS))
        except ValueError:
            return None, None
        with self._engine.connect() as connection:
            account = find_account_by_name(connection, form.get("as", ""))
            if account is None or not uses_product(connection, request.cloud_id, account):
                return None, None
            return account, find_page_context(
                connection,
                request.cloud_id,
                account,
                issue=request.first("issue.key") or "",
                project=request.first("project.key") or "",
            )

    def _module(self, app: ConnectInstallation, key: str) -> Module | None:
        return next((one for one in self._modules(app) if one.key == key != ""), None)

    def _modules(self, app: ConnectInstallation) -> tuple[Module, ...]:
        with self._engine.connect() as connection:
            return (
                *app.descriptor.modules,
                *list_modules(connection, app.cloud_id, app.app_key),
            )

    def _message(self, status: int, text: str) -> JiraResponse:
        return self._html(
            status, "connect-message.html", title=TITLES[status], text=text, list_path=LIST_PATH
        )

    def _html(
        self, status: int, template: str, *, frames: str = "'none'", **values: object
    ) -> JiraResponse:
        body = self._templates.get_template(template).render(values).encode()
        headers = (
            HTML, *COMMON, ("content-security-policy", POLICY.format(frames=frames)),
        )  # fmt: skip
        return JiraResponse(status, headers, body, rule="edge")


def _key_of(body: bytes) -> str:
    """Return the module key that a page names; empty if it names none."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    key = asked.get("key") if isinstance(asked, dict) else None
    return key if isinstance(key, str) else ""
