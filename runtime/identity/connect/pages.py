"""Pages of an app inside the site: their URL, with a token, and the token that pages ask for.

Source:
    Connect documentation, "Context parameters", "Understanding JWT", "Context JWT".
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from runtime.identity.connect import qsh
from runtime.identity.connect.descriptor import Module
from runtime.identity.connect.installations import ConnectInstallation
from runtime.identity.connect.webtokens import mint_symmetric

PAGE_LIFETIME_S = 180  # the platform's own
CONTEXT_LIFETIME_S = 300  # field reports: about five minutes
CLIENT_VERSION = "1001.0.0-SNAPSHOT"  # what the platform says
VARIABLE = re.compile(r"\{([A-Za-z0-9_.]+)\}")


@dataclass(frozen=True, slots=True)
class PageContext:
    """Where in the site a page stands, as far as the viewer may see it.

    Attributes:
        project: ``id`` and ``key`` of a project; None for none.
        issue: ``id`` and ``key`` of an issue; None for none.
    """

    project: tuple[str, str] | None = None
    issue: tuple[str, str] | None = None

    def claim(self) -> dict[str, object]:
        """Return the context as tokens carry it."""
        inner = {
            name: {"id": pair[0], "key": pair[1]}
            for name, pair in (("project", self.project), ("issue", self.issue))
            if pair is not None
        }
        return {"jira": inner} if inner else {}

    def variables(self) -> dict[str, str]:
        """Return what stands for the variables of a module's URL."""
        found: dict[str, str] = {}
        for name, pair in (("project", self.project), ("issue", self.issue)):
            if pair is not None:
                found |= {f"{name}.id": pair[0], f"{name}.key": pair[1]}
        return found


def page_url(
    app: ConnectInstallation,
    module: Module,
    *,
    client_key: str,
    host_origin: str,
    account_id: str,
    context: PageContext,
    now_s: float,
) -> str | None:
    """Return where the frame of a module leads; None if that is not below the app's base URL.

    So no other origin ever gets a token.

    Args:
        app: The installation.
        module: Which module.
        client_key: Of the site.
        host_origin: Origin of the page around the frame.
        account_id: Who looks.
        context: Where it stands.
        now_s: Seconds since 1970.
    """
    variables = context.variables()
    template = VARIABLE.sub(
        lambda found: quote(variables.get(found.group(1), ""), safe=""), module.url
    )
    base = app.descriptor.base_url
    if "://" in template or template.startswith("//"):
        if not template.startswith(base + "/"):
            return None
        template = template.removeprefix(base)
    path, _, query = ("/" + template.lstrip("/")).partition("#")[0].partition("?")
    pairs = [
        *parse_qsl(query, keep_blank_values=True),
        ("xdm_e", host_origin),
        ("xdm_c", f"channel-{app.app_key}__{module.key}"),
        ("cp", ""),
        ("xdm_deprecated_addon_key_do_not_use", app.app_key),
        ("lic", app.licence),
        ("cv", CLIENT_VERSION),
    ]
    claims = {
        "iss": client_key,
        "sub": account_id,
        "iat": int(now_s),
        "exp": int(now_s) + PAGE_LIFETIME_S,
        "qsh": qsh.query_hash("GET", path, pairs),
        "context": context.claim(),
    }
    pairs.append((qsh.TOKEN_PARAMETER, mint_symmetric(claims, app.shared_secret)))
    return f"{base}{path}?{urlencode(pairs, quote_via=quote)}"


def context_token(
    app: ConnectInstallation,
    *,
    client_key: str,
    account_id: str,
    context: PageContext,
    now_s: float,
) -> str:
    """Return the token that a page may show to its own server; for no single request."""
    claims = {
        "iss": client_key,
        "sub": account_id,
        "iat": int(now_s),
        "exp": int(now_s) + CONTEXT_LIFETIME_S,
        "qsh": qsh.CONTEXT_QSH,
        "context": context.claim(),
    }
    return mint_symmetric(claims, app.shared_secret)
