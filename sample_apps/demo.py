"""The demo: deploy the sample apps into a fresh state, run them, and show every verdict.

Each step is a command that a person could type; it is shown before it runs.
"""

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from runtime.cli.console import say, table

APPS = Path(__file__).parent
WIDTH = 100


class Step(NamedTuple):
    """One command of the demo.

    Attributes:
        title: What it shows.
        arguments: Arguments of ``firebrick``.
        fails: Whether it ends with an error, as it should.
    """

    title: str
    arguments: tuple[str, ...]
    fails: bool = False


def _payload(**values: str) -> str:
    return json.dumps(values)


def _setup(app: str) -> list[Step]:
    folder = str(APPS / app)
    return [
        Step(f"Deploy {app}: check the manifest, compile it into an image", ("deploy", folder)),
        Step("Install it: a site admin approves its scopes", ("install", "--app", app, "--yes")),
    ]


STEPS = [
    *_setup("issue-health"),
    Step(
        "As Dana, who sees the project: allowed by her permissions and the app's scopes",
        ("invoke", "resolver:getHealth", "--app", "issue-health", "--as", "dana",
         "--payload", _payload(issueKey="TEAM-3")),
    ),
    Step(
        "As Otto, who does not: what he may not see does not exist",
        ("invoke", "resolver:getHealth", "--app", "issue-health", "--as", "otto",
         "--payload", _payload(issueKey="TEAM-3")),
        fails=True,
    ),
    Step(
        "As the app: the comment stands under the app's own name",
        ("invoke", "resolver:leaveNote", "--app", "issue-health", "--as", "vera",
         "--payload", _payload(issueKey="TEAM-3")),
    ),
    Step(
        "Paul may rename the project, the app may not: no scope for it",
        ("invoke", "resolver:renameProject", "--app", "issue-health", "--as", "paul",
         "--payload", _payload(projectKey="TEAM", name="Taken")),
    ),
    Step(
        "Why? What the operation needs, and who holds it",
        ("explain", "PUT", "/rest/api/3/project/TEAM", "--app", "issue-health", "--as", "paul"),
    ),
    *_setup("confused-deputy"),
    Step(
        "A confused deputy: Vera may not edit, but the app does it for her",
        ("invoke", "resolver:vulnerable", "--app", "confused-deputy", "--as", "vera",
         "--payload", _payload(issueKey="TEAM-3", summary="Vera was here")),
    ),
    Step(
        "Mended: the app asks as the user first",
        ("invoke", "resolver:mended", "--app", "confused-deputy", "--as", "vera",
         "--payload", _payload(issueKey="TEAM-3", summary="Vera was here")),
    ),
    *_setup("wat-hello"),
    Step("A guest without JavaScript", ("invoke", "hello", "--app", "wat-hello")),
    *_setup("token-thief"),
    Step(
        "Twenty ways to steal a credential, and the proof that none stands in the guest's memory",
        ("invoke", "steal", "--app", "token-thief", "--prove"),
    ),
]  # fmt: skip


def main() -> int:
    """Run the demo; return 0 if every step ended as it should."""
    state = Path(tempfile.mkdtemp(prefix="firebrick-demo-"))
    try:
        for step in STEPS:
            if not _run(step, state):
                say(f"This step should have {'failed' if step.fails else 'succeeded'}.", "bold red")
                return 1
        return _summary(state)
    finally:
        shutil.rmtree(state, ignore_errors=True)


def _run(step: Step, state: Path) -> bool:
    say()
    say(f"# {step.title}", "bold cyan")
    shown = [_relative(argument) for argument in step.arguments]
    say(f"$ firebrick {shlex.join(shown)}", "bold")
    sys.stdout.flush()
    done = subprocess.run(  # noqa: S603  # our own command with our own arguments
        [*_command(), *step.arguments, "--state", str(state)], check=False
    )
    return (done.returncode != 0) == step.fails


def _summary(state: Path) -> int:
    done = subprocess.run(  # noqa: S603  # our own command with our own arguments
        [*_command(), "audit", "--limit", "500", "--format", "json", "--state", str(state)],
        check=True,
        capture_output=True,
    )
    calls = [record for record in json.loads(done.stdout) if record["kind"] in ("door", "egress")]
    counts: dict[tuple[str, str, str], int] = {}
    for record in calls:
        verdict = "allowed" if record["allowed"] else "refused"
        what = record["operation"] or f"{record['method']} {record['path'][:48]}"
        key = (verdict, record["rule"], what)
        counts[key] = counts.get(key, 0) + 1
    say()
    say("# What was allowed, what was refused, and by which rule", "bold cyan")
    table(
        ("verdict", "rule", "what", "times"),
        ((*key, str(count)) for key, count in sorted(counts.items())),
    )
    allowed = sum(bool(record["allowed"]) for record in calls)
    say()
    say(f"{allowed} calls allowed, {len(calls) - allowed} refused; no credential left the host.")
    return 0


def _command() -> list[str]:
    return [sys.executable, "-m", "runtime.cli"]


def _relative(argument: str) -> str:
    path = Path(argument)
    return f"sample_apps/{path.name}" if path.is_absolute() and path.parent == APPS else argument


if __name__ == "__main__":
    raise SystemExit(main())
