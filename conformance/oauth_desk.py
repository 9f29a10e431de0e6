"""An OAuth app at the emulator, and the person who opens its pages."""

from dataclasses import dataclass, field
from typing import Any  # JSON

import httpx

from conformance.emulator import Emulator, Login
from tests.flows.browser import Browser

CALLBACK = "http://127.0.0.1:9/callback"  # nobody listens there; the redirect is read, not followed
SCOPES = "read:jira-work write:jira-work read:jira-user read:me"


@dataclass(frozen=True, slots=True)
class Desk:
    """One app of dana's.

    Attributes:
        emulator: Where it is registered.
        client: Its client id.
        secret: Its secret.
        callback: Where codes go.
        dana: Its owner.
    """

    emulator: Emulator
    client: str
    secret: str = field(repr=False)
    callback: str
    dana: Login

    @classmethod
    def open(cls, emulator: Emulator, name: str, *callbacks: str) -> "Desk":
        """Register an app."""
        wanted = callbacks or (CALLBACK,)
        named = [part for one in wanted for part in ("--callback", one)]
        made = emulator.tell(
            "oauth", "app", "create", name, "--owner", "dana", "--scope", SCOPES, *named
        )
        login = emulator.login("dana")
        return cls(emulator, made["clientId"], made["clientSecret"], wanted[0], login)

    def place(self, **more: object) -> dict[str, object]:
        """Return what a script needs to know."""
        known = {"base": self.emulator.base, "client": self.client, "secret": self.secret}
        return {**known, "callback": self.callback, **more}

    def consent(self, url: str, button: str = "Accept") -> str:
        """Open an address as dana in a new browser; return where she was sent in the end."""
        browser = Browser(self.emulator.base)
        browser.open(url)
        browser.press("Sign in", account=self.dana.account_id)
        browser.press(button)
        assert browser.left_for, browser.page.text
        return browser.left_for

    def tokens(self) -> dict[str, Any]:
        """Return tokens of dana's, consented without a page."""
        told = self.emulator.tell("oauth", "authorize", "--client", self.client, "--as", "dana")
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client,
            "client_secret": self.secret,
            "code": told["code"],
            "redirect_uri": self.callback,
        }
        answer = httpx.post(f"{self.emulator.base}/oauth/token", data=form)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        self.emulator.asked()  # that was no client
        return tokens
