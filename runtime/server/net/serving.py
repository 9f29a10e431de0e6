"""The HTTP server: a FastAPI application around the product, run by uvicorn on one socket."""

import logging
import socket
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.types import ASGIApp

from runtime import __version__
from runtime.errors import StateError
from runtime.server.hosts import Hosts
from runtime.server.net.connect_edges import connect_edges
from runtime.server.net.forge_edges import forge_edges
from runtime.server.net.http import UNAVAILABLE, JiraHttp, Receive, Scope, Send
from runtime.server.net.oauth_edges import oauth_edges
from runtime.server.net.page_edges import DEFAULT_OPTIONS, PageOptions, page_edges
from runtime.server.net.remote_edges import remote_edges
from runtime.server.net.session_edges import session_edges
from runtime.server.net.webhook_edges import webhook_edges

if TYPE_CHECKING:
    from runtime.server.runtime import Firebrick

log = logging.getLogger(__name__)

BACKLOG = 128
PAGE_ROLES = {"/": ("everything", "site"), "/_firebrick/health": ("everything",)}
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


def create_app(firebrick: "Firebrick", options: PageOptions = DEFAULT_OPTIONS) -> FastAPI:
    """Return the ASGI application: a start page, a health answer and the product below them."""
    app = FastAPI(title="Firebrick", version=__version__, docs_url=None, redoc_url=None)
    pages = Environment(
        loader=PackageLoader("runtime.server", "pages"), autoescape=select_autoescape()
    )

    @app.get("/", response_class=HTMLResponse)
    def start_page(request: Request) -> HTMLResponse:
        place = hosts.find(request.headers.get("host", ""))
        page = pages.get_template("start.html").render(
            version=__version__, sites=firebrick.site_names(), people=firebrick.people(),
            base_url=str(request.base_url).rstrip("/"),
            of_all_hosts=place is not None and place.role == "everything",
        )  # fmt: skip
        return HTMLResponse(page, headers=PAGE_HEADERS)

    @app.get("/_firebrick/health")
    def health() -> dict[str, object]:
        return {"status": "ok", "version": __version__, "sites": firebrick.site_names()}

    @app.exception_handler(StateError)
    def unavailable(_request: Request, error: StateError) -> JSONResponse:
        log.error("503: %s", error.message)
        return JSONResponse(UNAVAILABLE, status_code=503)

    hosts = hosts_of(firebrick)
    product = JiraHttp(
        firebrick.jira,
        hosts,
        firebrick.audit,
        firebrick.clock,
        (
            *connect_edges(firebrick),
            *oauth_edges(firebrick),
            *remote_edges(firebrick),
            *forge_edges(firebrick),
            *webhook_edges(firebrick),
            *session_edges(firebrick),
            *page_edges(firebrick, options),
        ),
    )
    app.mount("/", product)
    app.add_middleware(OwnPages, product=product, hosts=hosts)
    return app


def hosts_of(firebrick: "Firebrick") -> Hosts:
    """Return the names that a server of this state answers to."""
    names = (name.strip() for name in firebrick.settings.allowed_hosts.split(","))
    return Hosts(firebrick.sites_by_host, [name for name in names if name])


class OwnPages:
    """Keeps the pages of this server itself to names that are not the platform's.

    Args:
        app: The application with the pages.
        product: What answers instead of them.
        hosts: The names.
    """

    def __init__(self, app: ASGIApp, product: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._product = product
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        shown = scope["type"] != "http" or scope["path"] not in PAGE_ROLES
        if not shown:
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            place = self._hosts.find_known(host.decode("latin-1"))
            shown = place is not None and place.role in PAGE_ROLES[scope["path"]]
        await (self._app if shown else self._product)(scope, receive, send)


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket.

    Raises:
        StateError: ``PORT_IN_USE`` if the address cannot be bound.
    """
    # the protocol is named, else asyncio does not switch off the delay of small packets
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StateError(
            "PORT_IN_USE",
            f"Cannot listen on {host}:{port}: {error.strerror}. Choose another port.",
        ) from error
    listener.listen(BACKLOG)
    return listener
