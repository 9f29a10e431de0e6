"""A mixed load of writes that says what it is about to do, and what it was told is done.

Everything it changes is an entity with a name and a state. Before a write it says ``want`` with
the state that would follow; once the write is acknowledged it says ``done``. After a kill, each
entity must be as it was last acknowledged, or, if a write of it was on its way, as that wanted it.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any  # JSON

from runtime.invocation.invoker import Order
from runtime.server.runtime import Firebrick
from runtime.wire import JiraRequest

Say = Callable[[Mapping[str, Any]], None]
Ask = Callable[[str, str, Any], tuple[int, Any]]
States = dict[str, Any]
Request = tuple[str, str, Any]

PROJECTS = ("PUB", "TEAM")
MOST_ISSUES = 4  # alive at once for each prefix; more only take longer to look at


class UnexpectedError(Exception):
    """The product did not answer a write as it should."""


@dataclass
class Diary:
    """Says what is wanted and done, and keeps the states that follow."""

    say: Say
    states: States
    count: int = field(init=False)

    def __post_init__(self) -> None:
        self.count = len(self.states)

    def fresh(self, kind: str) -> str:
        """Return the name of a new entity."""
        self.count += 1
        return f"{kind}{self.count}"

    def write(self, entity: str, state: Any, act: Callable[[], Mapping[str, Any]]) -> None:
        """Do one write; `act` returns further facts, such as a key that was not known before."""
        self.say({"want": entity, "state": state})
        facts = act()
        self.states[entity] = state if state is None else {**state, **facts}
        self.say({"done": entity, "state": self.states[entity]})


class IssueLoad:
    """Creates, edits, moves, comments and deletes issues as a project's administrator."""

    def __init__(self, ask: Ask, diary: Diary, random: Random, prefix: str) -> None:
        self._ask = ask
        self._diary = diary
        self._random = random
        self._prefix = prefix

    def step(self) -> None:
        """Do one write."""
        alive = [
            name
            for name, state in self._diary.states.items()
            if name.startswith(self._prefix) and state is not None
        ]
        if len(alive) < MOST_ISSUES and (not alive or self._random.random() < 0.3):
            self.create()
            return
        name = self._random.choice(alive)
        step = self._random.choice(
            (self.edit, self.edit, self.move, self.comment, self.comment,
             self.drop_comment, self.set_property, self.delete)
        )  # fmt: skip
        step(name, self._diary.states[name])

    def create(self) -> None:
        name = self._diary.fresh(self._prefix)
        state = {
            "summary": f"{name} {self._random.random()}",
            "labels": sorted([name, *self._some_labels()]),
            "status": "To Do",
            "comments": [],
            "history": 0,
            "property": None,
        }
        fields = {
            "project": {"key": self._random.choice(PROJECTS)},
            "issuetype": {"name": "Task"},
            "summary": state["summary"],
            "labels": state["labels"],
            "description": document("Made by the load."),
        }

        def act() -> Mapping[str, Any]:
            made = self._must(201, "POST", "/rest/api/3/issue", {"fields": fields})
            return {"key": made["key"]}

        self._diary.write(name, state, act)

    def edit(self, name: str, state: Any) -> None:
        changed = {
            "summary": f"{name} {self._random.random()}",
            "labels": sorted([name, *self._some_labels()]),
        }
        new = {**state, **changed, "history": state["history"] + 1}
        path = f"/rest/api/3/issue/{state['key']}"
        self._write(name, new, 204, ("PUT", path, {"fields": changed}))

    def move(self, name: str, state: Any) -> None:
        path = f"/rest/api/3/issue/{state['key']}/transitions"
        offered = self._must(200, "GET", path, None)["transitions"]
        taken = self._random.choice(offered)
        new = {**state, "status": taken["to"]["name"], "history": state["history"] + 1}
        self._write(name, new, 204, ("POST", path, {"transition": {"id": taken["id"]}}))

    def comment(self, name: str, state: Any) -> None:
        words = f"said {self._random.random()}"
        new = {**state, "comments": sorted([*state["comments"], words])}
        path = f"/rest/api/3/issue/{state['key']}/comment"
        self._write(name, new, 201, ("POST", path, {"body": document(words)}))

    def drop_comment(self, name: str, state: Any) -> None:
        path = f"/rest/api/3/issue/{state['key']}/comment"
        found = self._must(200, "GET", path, None)["comments"]
        if not found:
            self.comment(name, state)
            return
        dropped = self._random.choice(found)
        left = [words for words in state["comments"] if words != words_of(dropped["body"])]
        new = {**state, "comments": left}
        self._write(name, new, 204, ("DELETE", f"{path}/{dropped['id']}", None))

    def set_property(self, name: str, state: Any) -> None:
        value = self._random.randrange(1000)
        path = f"/rest/api/3/issue/{state['key']}/properties/load"
        expected = 201 if state["property"] is None else 200
        self._write(name, {**state, "property": value}, expected, ("PUT", path, value))

    def delete(self, name: str, state: Any) -> None:
        self._write(name, None, 204, ("DELETE", f"/rest/api/3/issue/{state['key']}", None))

    def _write(self, name: str, new: Any, status: int, request: Request) -> None:
        def act() -> Mapping[str, Any]:
            self._must(status, *request)
            return {}

        self._diary.write(name, new, act)

    def _must(self, expected: int, method: str, path: str, body: Any) -> Any:
        status, value = self._ask(method, path, body)
        if status != expected:
            raise UnexpectedError(f"{method} {path} answered {status}: {value}")
        return value

    def _some_labels(self) -> list[str]:
        return self._random.sample(["red", "Green", "blue"], self._random.randrange(3))


class AppLoad:
    """Deploys, installs, uninstalls and runs one app; makes and revokes API tokens."""

    def __init__(self, firebrick: Firebrick, apps: Path, diary: Diary, random: Random) -> None:
        self._firebrick = firebrick
        self._apps = apps
        self._diary = diary
        self._random = random
        self._cloud_id = firebrick.find_site(None)
        self._admin = firebrick.find_person("amy")

    def step(self) -> None:
        """Do one write."""
        state = self._diary.states.get("app") or {"versions": 0, "wide": False, "on": None}
        if state["versions"] == 0:
            self.deploy(state)
            return
        if state["on"] is None:
            self._random.choice((self.install, self.install, self.token))(state)
            return
        self._random.choice(
            (self.deploy, self.install, self.uninstall, self.invoke, self.invoke, self.token)
        )(state)

    def deploy(self, state: Any, variant: str = "") -> None:
        folder = self._apps / (variant or self._random.choice(sorted(VARIANTS)))
        wide = folder.name.startswith("wide")
        newest, on = state["versions"], state["on"]
        follows = on == newest and (state["wide"] or not wide)
        new = {"versions": newest + 1, "wide": wide, "on": newest + 1 if follows else on}

        def act() -> Mapping[str, Any]:
            self._firebrick.apps.deploy(folder, name="load")
            return {}

        self._diary.write("app", new, act)

    def install(self, state: Any) -> None:
        apps = self._firebrick.apps
        plan = apps.plan(apps.find_version("load", "development"), self._cloud_id)

        def act() -> Mapping[str, Any]:
            apps.install(plan, self._cloud_id, self._admin)
            return {}

        self._diary.write("app", {**state, "on": state["versions"]}, act)

    def uninstall(self, state: Any) -> None:
        apps = self._firebrick.apps
        version = apps.find_version("load", "development")
        installation = apps.find_installation(version, self._cloud_id)

        def act() -> Mapping[str, Any]:
            apps.uninstall(installation, self._admin)
            return {}

        self._diary.write("app", {**state, "on": None}, act)

    def invoke(self, _state: Any) -> None:
        apps = self._firebrick.apps
        installation = apps.find_installation(
            apps.find_version("load", "development"), self._cloud_id
        )
        order = Order(
            version=apps.running_version(installation),
            installation=installation,
            function="run",
            account_id=self._admin.account_id,
            site_url=self._firebrick.site_url(self._cloud_id),
        )

        def act() -> Mapping[str, Any]:
            result = self._firebrick.invoker.invoke(order)
            if result.value != [200, 200]:
                raise UnexpectedError(f"the app answered {result}")
            return {"id": result.invocation_id}

        self._diary.write(self._diary.fresh("invocation"), {"calls": 2}, act)

    def token(self, _state: Any) -> None:
        tokens = self._firebrick.api_tokens
        live = [
            name
            for name, state in self._diary.states.items()
            if name.startswith("token") and state is not None and state["live"]
        ]
        if live and self._random.random() < 0.5:
            name = self._random.choice(live)
            kept = self._diary.states[name]

            def revoke() -> Mapping[str, Any]:
                if not tokens.revoke(kept["id"]):
                    raise UnexpectedError(f"{name} was not alive")
                return {}

            self._diary.write(name, {**kept, "live": False}, revoke)
            return
        name = self._diary.fresh("token")

        def make() -> Mapping[str, Any]:
            token, secret = tokens.create(self._admin, name)
            return {"id": token.id, "secret": secret.get_secret_value()}

        self._diary.write(name, {"live": True}, make)


def in_process(firebrick: Firebrick, email: str, token: str) -> Ask:
    """Return a client that calls the product in this process."""
    cloud_id = firebrick.find_site(None)
    credential = base64.b64encode(f"{email}:{token}".encode()).decode()

    def ask(method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = {"accept": "application/json", "authorization": f"Basic {credential}"}
        content = b""
        if body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(body).encode()
        answer = firebrick.jira.handle(
            JiraRequest(
                method=method,
                path=path,
                query=(),
                headers=headers,
                body=content,
                cloud_id=cloud_id,
                host="site",
                base_url="https://acme.atlassian.net",
            )
        )
        return answer.status, json.loads(answer.body) if answer.body else None

    return ask


def document(words: str) -> Any:
    """Return a text as a document."""
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": words}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


def words_of(body: Any) -> str:
    """Return the text of a document that `document` made."""
    return str(body["content"][0]["content"][0]["text"])


MANIFEST = """\
app:
  id: ari:cloud:ecosystem::app/6e2f5a0c-6c1f-4a53-9a0e-1f5b8f4f0c01
  runtime:
    name: nodejs22.x
modules:
  webtrigger:
    - key: hook
      function: run
  function:
    - key: run
      handler: index.run
permissions:
  scopes:
"""
SOURCE = """\
import api, { route } from "@forge/api";

// variant %s
export const run = async () => {
  const answers = await Promise.all([
    api.asApp().requestJira(route`/rest/api/3/myself`),
    api.asUser().requestJira(route`/rest/api/3/myself`),
  ]);
  return answers.map((answer) => answer.status);
};
"""
VARIANTS = {
    "narrow1": ["read:jira-user"],
    "narrow2": ["read:jira-user"],
    "wide": ["read:jira-user", "read:jira-work"],
}


def write_apps(folder: Path) -> Path:
    """Write the variants of the app: two of the same scopes, and one that asks for more."""
    for name, scopes in VARIANTS.items():
        app = folder / name
        (app / "src").mkdir(parents=True)
        listed = "".join(f"    - {scope}\n" for scope in scopes)
        (app / "manifest.yml").write_text(MANIFEST + listed)
        (app / "src" / "index.js").write_text(SOURCE % name)
    return folder
