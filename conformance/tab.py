"""A person before a tab of the browser: keys, what is seen, what is wrong with it."""

import base64
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conformance.chromium import WAIT_S, Chromium, ProtocolError

MAX_STOPS = 400  # of the Tab key on one page: the console has a box for each scope
KEYS = {
    "Tab": {"code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {"code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"},
    " ": {"code": "Space", "windowsVirtualKeyCode": 32, "text": " "},
    "ArrowDown": {"code": "ArrowDown", "windowsVirtualKeyCode": 40},
}
SHIFT = 8
PAUSE_S = 0.1
_FOCUSED = """(() => {
  const it = document.activeElement;
  if (!it || it === document.body) return null;
  const style = getComputedStyle(it);
  const seen = it.matches(":focus-visible") && style.outlineStyle !== "none";
  const words = it.getAttribute("aria-label") || (it.labels?.length ? it.labels[0].innerText : "")
    || it.innerText || it.getAttribute("title") || "";
  return { tag: it.localName, type: it.type || "", value: it.value || "", seen,
           name: words.replace(/\\s+/g, " ").trim() };
})()"""
_WIDTH = """(() => {
  const wide = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > wide + 1 && !one.closest("pre"))
    .map((one) => one.outerHTML.slice(0, 120));
  return { page: document.documentElement.scrollWidth, wide, out };
})()"""
_SUMMARY = """axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  JSON.stringify(violations.map((one) => ({ id: one.id, impact: one.impact,
    where: one.nodes.map((node) => node.html.slice(0, 160) + " " + node.failureSummary) }))))"""


class Tab:
    """One tab.

    Args:
        browser: Its browser.
        axe: The source of axe-core.
    """

    def __init__(self, browser: Chromium, axe: str) -> None:
        self._browser = browser
        self._axe = axe
        self._scripts = True
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call(
            "Target.attachToTarget", targetId=self._target, flatten=True
        )["sessionId"]  # fmt: skip
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call("Page.setLifecycleEventsEnabled", enabled=True)
        self.look_at(1280)

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def close(self) -> None:
        """Close the tab."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    # --- how it is looked at ---------------------------------------------------------------------

    def look_at(self, width: int, height: int = 800, scheme: str = "light") -> None:
        """Set the window's size and the person's colour scheme."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self._call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def scripts(self, *, on: bool) -> None:
        """Let pages run scripts, or not."""
        self._scripts = on
        self._call("Emulation.setScriptExecutionDisabled", value=not on)

    # --- going places ----------------------------------------------------------------------------

    def open(self, url: str) -> None:
        """Type an address."""
        seen = len(self._browser.events)
        self._call("Page.navigate", url=url)
        self._loaded(seen)

    def _loaded(self, seen: int) -> None:
        """Wait until a page that began to load after the events seen has loaded."""
        while not any(one.get("sessionId") == self._session and _is_load(one)
                      for one in self._browser.events[seen:]):  # fmt: skip
            if self._browser.read(WAIT_S) is None:
                raise ProtocolError(f"no page came; the tab is at {self.address}")

    @property
    def address(self) -> str:
        """Return where it is."""
        return str(self._history()["url"])

    @property
    def title(self) -> str:
        """Return what the tab is called."""
        return str(self.evaluate("document.title"))

    @property
    def text(self) -> str:
        """Return what can be read."""
        return str(self.evaluate("document.body.innerText"))

    def wait_for(self, words: str) -> None:
        """Wait until a page's script has written some words."""
        ends_at = time.monotonic() + WAIT_S
        while words not in self.text:
            assert time.monotonic() < ends_at, f"{words!r} does not come; there is: {self.text}"
            self._browser.read(PAUSE_S)

    def _history(self) -> dict[str, Any]:
        history = self._call("Page.getNavigationHistory")
        entry: dict[str, Any] = history["entries"][history["currentIndex"]]
        return entry

    def evaluate(self, expression: str, *, promised: bool = False) -> Any:
        """Evaluate an expression as the driver, whatever the page's policy says of scripts."""
        answer = self._call(
            "Runtime.evaluate",
            expression=expression, returnByValue=True, awaitPromise=promised,
        )  # fmt: skip
        if "exceptionDetails" in answer:
            raise ProtocolError(json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    # --- the keyboard ----------------------------------------------------------------------------

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key and let it go."""
        known = KEYS[key]
        modifiers = SHIFT if shift else 0
        kind = "keyDown" if "text" in known else "rawKeyDown"
        self._call("Input.dispatchKeyEvent", type=kind, key=key, modifiers=modifiers, **known)
        up = {name: value for name, value in known.items() if name != "text"}
        self._call("Input.dispatchKeyEvent", type="keyUp", key=key, modifiers=modifiers, **up)

    def write(self, text: str) -> None:
        """Replace what stands in the field by a text."""
        select = {"key": "a", "code": "KeyA", "windowsVirtualKeyCode": 65, "modifiers": 2}
        for kind in ("rawKeyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, commands=["selectAll"], **select)
        self._call("Input.insertText", text=text)

    def focused(self) -> dict[str, Any] | None:
        """Return what has the focus: tag, type, value, name, and whether one can see it."""
        found = self.evaluate(_FOCUSED)
        return found if isinstance(found, dict) else None

    def tab_to(self, name: str) -> dict[str, Any]:
        """Press Tab until the thing of that name has the focus; each stop must be seen."""
        stops: list[str] = []
        for _ in range(MAX_STOPS):
            self.press("Tab")
            now = self.focused()
            if now is None:
                continue
            assert now["seen"], f"the focus cannot be seen on {now}"
            stops.append(now["name"])
            if now["name"].startswith(name):
                return now
        raise AssertionError(f"no way to {name!r} by keyboard; stops: {list(dict.fromkeys(stops))}")

    def enter(self) -> None:
        """Press Enter on a link or a button, and wait for the page it leads to."""
        seen = len(self._browser.events)
        self.press("Enter")
        self._loaded(seen)

    def activate(self, name: str) -> None:
        """Go to a link or a button by keyboard and press it."""
        self.tab_to(name)
        self.enter()

    def fill(self, **fields: str) -> None:
        """Go through fields in their order by keyboard and write into each."""
        for name, text in fields.items():
            self.tab_to(name.replace("_", " "))
            self.write(text)

    # --- what is wrong with it -------------------------------------------------------------------

    def screenshot(self, path: Path) -> None:
        """Keep the whole page as a picture."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "scale": 1, "width": size["width"], "height": size["height"]}
        data = self._call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        path.write_bytes(base64.b64decode(data["data"]))

    def overflow(self) -> list[str]:
        """Return what is wider than the window; nothing if nobody must scroll sideways."""
        found = self.evaluate(_WIDTH)
        wide: list[str] = found["out"]
        return wide or (["the page itself"] if found["page"] > found["wide"] else [])

    def violations(self) -> list[dict[str, Any]]:
        """Return what axe-core finds wrong; it may run, also where the page may not."""
        allowed = self._scripts
        self.scripts(on=True)
        self.evaluate(f"{self._axe};0")
        found: list[dict[str, Any]] = json.loads(self.evaluate(_SUMMARY, promised=True))
        self.scripts(on=allowed)
        return found

    def complaints(self) -> list[str]:
        """Return what the browser's console says: errors, refusals by policy, exceptions."""
        return [said for one in self._mine() if (said := _complaint(one))]

    def take_complaints(self) -> list[str]:
        """Return the complaints so far, which are then forgotten."""
        found = self.complaints()
        self._browser.events = [one for one in self._browser.events if not _complaint(one)]
        return found

    def asked_hosts(self) -> set[str]:
        """Return every host that any page of this tab has asked something of."""
        urls = (one["params"]["request"]["url"] for one in self._mine()
                if one["method"] == "Network.requestWillBeSent")  # fmt: skip
        return {str(urlsplit(url).hostname) for url in urls if not url.startswith("data:")}

    def headers(self) -> dict[str, str]:
        """Return the headers of the page, their names in lower case."""
        frame = self._call("Page.getFrameTree")["frameTree"]["frame"]
        answers = [one["params"]["response"] for one in self._mine()
                   if one["method"] == "Network.responseReceived"
                   and one["params"]["type"] == "Document"
                   and one["params"].get("frameId") == frame["id"]]  # fmt: skip
        return {name.lower(): value for name, value in answers[-1]["headers"].items()}

    def child_frames(self) -> list[str]:
        """Return the addresses of the frames in the page, or where their failure is shown."""
        tree = self._call("Page.getFrameTree")["frameTree"]
        return [one["frame"].get("unreachableUrl") or one["frame"]["url"]
                for one in tree.get("childFrames", ())]  # fmt: skip

    def _mine(self) -> list[dict[str, Any]]:
        return [one for one in self._browser.events if one.get("sessionId") == self._session]


def _is_load(event: dict[str, Any]) -> bool:
    return bool(event["method"] == "Page.loadEventFired")


def _complaint(event: dict[str, Any]) -> str:
    params = event["params"]
    if event["method"] == "Log.entryAdded":
        entry = params["entry"]
        status = entry["source"] == "network" and "responded with a status of 4" in entry["text"]
        return "" if status or entry["level"] != "error" else f"{entry['source']}: {entry['text']}"
    if event["method"] == "Runtime.exceptionThrown":
        return str(params["exceptionDetails"])[:500]
    if event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
        return str(params["args"])[:500]
    return ""
