"""What the server's own pages have in common: headers, cookies, forms, redirects.

Cookies do not know ports: one of this host reaches every other server on it. So they are sent to
one folder alone, and no script may read them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, PackageLoader, select_autoescape
from pydantic import SecretStr

from runtime.identity.sessions import SESSION_S, fits
from runtime.wire import JiraRequest, JiraResponse

STYLE_PATH = "/_firebrick/pages.css"
MAX_FORM_FIELDS = 500  # the console's form has a box for each of some 260 scopes
HTML = ("content-type", "text/html;charset=UTF-8")
COMMON = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("x-frame-options", "DENY"),
)
POLICY = (
    "default-src 'none'; style-src 'self'; form-action {targets}; frame-ancestors 'none'; "
    "base-uri 'none'"
)
_PLAIN_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
_TOKEN = re.compile(r"fbk_ses_[0-9a-f]{64}")
_OWN_PAGES = frozenset({"same-origin", "none"})

Form = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Cookie:
    """The cookie of one kind of session.

    Attributes:
        name: Its name.
        path: The folder it is sent to.
    """

    name: str
    path: str

    def read(self, request: JiraRequest) -> SecretStr | None:
        """Return the session token a request carries; None for none, or for what is none."""
        try:
            jar = SimpleCookie(request.headers.get("cookie", ""))
        except CookieError:
            return None
        morsel = jar.get(self.name)
        if morsel is None or not _TOKEN.fullmatch(morsel.value):
            return None
        return SecretStr(morsel.value)

    def set(self, request: JiraRequest, value: SecretStr) -> tuple[str, str]:
        """Return the header that sets it."""
        return self._header(request, value.get_secret_value(), int(SESSION_S))

    def clear(self, request: JiraRequest) -> tuple[str, str]:
        """Return the header that takes it away."""
        return self._header(request, "", 0)

    def _header(self, request: JiraRequest, value: str, life_s: int) -> tuple[str, str]:
        secure = "; Secure" if request.base_url.startswith("https:") else ""
        text = f"{self.name}={value}; Path={self.path}; Max-Age={life_s}; HttpOnly; SameSite=Lax"
        return ("set-cookie", text + secure)


class Pages:
    """Renders templates with the headers that every page carries."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("runtime.server", "pages"), autoescape=select_autoescape()
        )

    def html(
        self,
        status: int,
        template: str,
        *,
        sends_to: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        **values: object,
    ) -> JiraResponse:
        """Return a page.

        Args:
            status: HTTP status.
            template: Its file.
            sends_to: An address that its form may lead to, beside this host.
            headers: Further headers.
            values: What the template shows.
        """
        body = self._templates.get_template(template).render(values).encode()
        policy = ("content-security-policy", POLICY.format(targets=_targets(sends_to)))
        return JiraResponse(status, (HTML, *COMMON, policy, *headers), body, rule="edge")

    def message(self, status: int, title: str, text: str) -> JiraResponse:
        """Return a page of one message."""
        return self.html(status, "account-message.html", title=title, text=text)


def style(request: JiraRequest) -> JiraResponse | None:
    """Answer the style sheet of the pages."""
    if request.path != STYLE_PATH or request.method not in ("GET", "HEAD"):
        return None
    text = files("runtime.server").joinpath("pages", "pages.css").read_bytes()
    headers = (("content-type", "text/css;charset=UTF-8"), *COMMON)
    return JiraResponse(200, headers, text, rule="edge")


def redirect(location: str, *headers: tuple[str, str], status: int = 303) -> JiraResponse:
    """Send a browser elsewhere; 303 and 302 both make its next request a GET."""
    return JiraResponse(status, (("location", location), *COMMON, *headers), rule="edge")


def read_form(request: JiraRequest) -> Form:
    """Return the fields of a form; what is no form has none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != "application/x-www-form-urlencoded":
        return {}
    try:
        pairs = parse_qsl(
            request.body.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError:
        return {}
    form: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        form[name] = (*form.get(name, ()), value)
    return form


def first(form: Form, name: str) -> str:
    """Return the first value of a field without blanks around it; empty if there is none."""
    return form.get(name, ("",))[0].strip()


def is_own_form(request: JiraRequest, form: Form, token: str) -> bool:
    """Return whether a form was sent by a page that this session was given.

    The browser's own word, where it gives one, must agree: another port of this host is another
    site's page.
    """
    said = request.headers.get("sec-fetch-site", "same-origin")
    return said in _OWN_PAGES and fits(first(form, "form_token"), token)


def _targets(address: str) -> str:
    """Return the sources of a form's targets; an origin with any odd character is left out."""
    if not address:
        return "'self'"
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    return f"'self' {origin}" if _PLAIN_ORIGIN.fullmatch(origin) else "'self'"
