"""A person before a browser: reads a page, fills in its forms, presses its buttons."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from runtime.identity.oauth.values import AUDIENCE
from tests.flows.conftest import Bench


@dataclass
class PageForm:
    """A form as it stands in a page."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    offered: list[tuple[str, str]] = field(default_factory=list)  # boxes that are not ticked
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)
    options: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.scripts = 0
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._text = ""
        self._open: tuple[str, dict[str, str]] = ("", {})
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append((tag, values))
        if tag == "form":
            self.forms.append(PageForm(values["action"]))
        elif tag == "input" and self.forms:
            pair = (values.get("name", ""), values.get("value", ""))
            boxed = values.get("type") in ("radio", "checkbox") and "checked" not in values
            (self.forms[-1].offered if boxed else self.forms[-1].fields).append(pair)
        elif tag == "select":
            self._select = values["name"]
        elif tag == "option":
            self.forms[-1].options.append((self._select, values["value"]))
        elif tag in ("button", "textarea"):
            self._open, self._text = (tag, values), ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        kind, values = self._open
        if tag != kind:
            return
        if tag == "textarea":
            self.forms[-1].fields.append((values["name"], self._text))
        elif tag == "button":
            pair = (values.get("name", ""), values.get("value", ""))
            self.forms[-1].buttons[self._text.strip()] = pair
        self._open = ("", {})


class Browser:
    """One browser; it follows redirects of this server and stops before any other's."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.cookies = httpx.Cookies()
        self.page = httpx.Response(200)
        self.left_for = ""  # where it was sent, away from this server

    def open(self, path: str) -> httpx.Response:
        return self._go("GET", path)

    def press(self, button: str, **fields: str | list[str]) -> httpx.Response:
        """Press the button of that name, with fields of its form filled in."""
        form = next(form for form in self.forms() if button in form.buttons)
        pairs = [one for one in form.fields if one[0] not in fields]
        for name, value in fields.items():
            pairs += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        if form.buttons[button][0]:
            pairs.append(form.buttons[button])
        return self.send(form.action, pairs)

    def send(self, action: str, pairs: list[tuple[str, str]], **headers: str) -> httpx.Response:
        data: dict[str, list[str]] = {}
        for name, value in pairs:
            data.setdefault(name, []).append(value)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._go("POST", action, data, named)

    def forms(self) -> list[PageForm]:
        return self._read().forms

    def tags(self, tag: str) -> list[dict[str, str]]:
        return [values for name, values in self._read().tags if name == tag]

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.page.text)
        return reader

    def _go(
        self,
        method: str,
        path: str,
        data: dict[str, list[str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        self.left_for = ""
        with httpx.Client(cookies=self.cookies, timeout=30) as client:
            response = client.request(method, urljoin(self.base, path), data=data, headers=headers)
            while response.next_request is not None:
                if not str(response.next_request.url).startswith(self.base + "/"):
                    self.left_for = response.headers["location"]
                    break
                response = client.send(response.next_request)
            self.cookies = client.cookies
        self.page = response
        return response

    def sign_in(self, bench: Bench, handle: str) -> httpx.Response:
        return self.press("Sign in", account=bench.firebrick.find_person(handle).account_id)


def authorize_path(client_id: str, **changes: str | None) -> str:
    """Return an authorize request; None leaves a parameter out."""
    fields: dict[str, str | None] = {
        "audience": AUDIENCE,
        "client_id": client_id,
        "scope": "read:jira-work read:me offline_access",
        "redirect_uri": "https://app.example/callback",
        "state": "s1",
        "response_type": "code",
        "prompt": "consent",
    }
    wanted = {name: value for name, value in (fields | changes).items() if value is not None}
    return f"/authorize?{httpx.QueryParams(wanted)}"
