"""Consent, variables, licences and upgrades, from the command line."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Firebrick

SOURCE = """
import api, { route } from "@forge/api";
const early = process.env.GREETING;
export const greet = async (event, context) => {
  let who;
  try {
    who = (await api.asUser().requestJira(route`/rest/api/3/myself`)).status;
  } catch (error) {
    who = [error.name, error.status];
  }
  return { early, env: { ...process.env }, license: context.license ?? null, who };
};
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(ROOT / "sample_apps" / "wat-hello", tmp_path / "greeter"))
    (folder / "src" / "hello.wat").unlink()
    (folder / "src" / "hello.js").write_text(SOURCE)
    return folder


def greet(firebrick: Firebrick, *arguments: str) -> dict[str, object]:
    said = firebrick("invoke", "hello", "--format", "json", *arguments)
    assert said.code == 0, said
    value = said.json
    assert isinstance(value, dict)
    result = value["result"]
    assert isinstance(result, dict)
    return result


def test_consent_is_asked_given_outdated_and_taken_back(firebrick: Firebrick, app: Path) -> None:
    firebrick("deploy", str(app))
    firebrick("install", "--yes", "--user-consent")
    assert greet(firebrick, "--as", "dana")["who"] == ["NEEDS_AUTHENTICATION_ERR", 401]
    said = firebrick("consent", "grant", "--as", "dana")
    assert (said.code, "  - read:jira-user" in said.out) == (0, True)
    assert greet(firebrick, "--as", "dana")["who"] == 200
    assert greet(firebrick, "--as", "vera")["who"] == ["NEEDS_AUTHENTICATION_ERR", 401]
    manifest = app / "manifest.yml"
    manifest.write_text(manifest.read_text() + "    - read:jira-work\n")
    firebrick("deploy", str(app))
    assert greet(firebrick, "--as", "dana")["who"] == 200
    said = firebrick("upgrade", "--yes")
    assert "  - read:jira-work" in said.out
    assert greet(firebrick, "--as", "dana")["who"] == ["NEEDS_AUTHENTICATION_ERR", 401]
    firebrick("consent", "grant", "--as", "dana")
    assert "read:jira-user, read:jira-work" in firebrick("consent", "list").out
    assert firebrick("consent", "revoke", "--as", "dana").code == 0
    assert firebrick("consent", "revoke", "--as", "dana").code == 1
    assert greet(firebrick, "--as", "dana")["who"] == ["NEEDS_AUTHENTICATION_ERR", 401]


def test_an_upgrade_shows_what_comes_and_what_goes(firebrick: Firebrick, app: Path) -> None:
    firebrick("deploy", str(app))
    assert firebrick("upgrade", "--yes").err.startswith("Error NOT_INSTALLED")
    firebrick("install", "--yes")
    assert "Already on greeter 1.0.0" in firebrick("upgrade").out
    manifest = app / "manifest.yml"
    manifest.write_text(manifest.read_text().replace("read:jira-user", "read:jira-work"))
    firebrick("deploy", str(app))
    said = firebrick("upgrade", answer="n\n")
    assert said.code == 1
    for line in (
        "Scopes it will get:\n  - read:jira-work",
        "Scopes it will lose:\n  - read:jira-user",
    ):
        assert line in said.out


def test_variables_take_effect_with_the_next_deploy(firebrick: Firebrick, app: Path) -> None:
    firebrick("deploy", str(app))
    firebrick("install", "--yes")
    assert "next deploy" in firebrick("variables", "set", "GREETING", "hello").out
    firebrick("variables", "set", "KEY", "s3cret-value", "--encrypt")
    assert greet(firebrick)["env"] == {}
    firebrick("deploy", str(app))
    result = greet(firebrick)
    assert result["env"] == {"GREETING": "hello", "KEY": "s3cret-value"}
    assert result["early"] == "hello"
    listed = firebrick("variables", "list").out
    assert "hello" in listed
    assert "s3cret-value" not in listed
    assert firebrick("variables", "unset", "GREETING").code == 0
    assert firebrick("variables", "unset", "GREETING").code == 1
    assert firebrick("variables", "set", "1x", "y").err.startswith("Error BAD_VARIABLE")


@pytest.mark.hostile
def test_an_encrypted_variable_stands_nowhere_on_disk(
    firebrick: Firebrick, app: Path, tmp_path: Path
) -> None:
    firebrick("deploy", str(app))
    firebrick("variables", "set", "KEY", "s3cret-value", "--encrypt")
    firebrick("install", "--yes")
    firebrick("deploy", str(app))
    greet(firebrick)
    for path in (tmp_path / "state").rglob("*"):
        if path.is_file():
            assert b"s3cret-value" not in path.read_bytes(), path


def test_the_app_sees_its_licence(firebrick: Firebrick, app: Path) -> None:
    firebrick("deploy", str(app))
    firebrick("install", "--yes", "--license", "trial")
    licence = greet(firebrick)["license"]
    assert licence == {"active": True, "isActive": True, "isEvaluation": True, "type": "commercial"}


def test_environments_are_installed_and_run_apart(firebrick: Firebrick, app: Path) -> None:
    firebrick("deploy", str(app), "-e", "production")
    assert firebrick("invoke", "hello").err.startswith("Error UNKNOWN_APP")
    assert firebrick("install", "--yes").err.startswith("Error UNKNOWN_APP")
    firebrick("install", "--yes", "-e", "production")
    assert greet(firebrick, "-e", "production")["who"] is not None
    rows = json.loads(firebrick("apps", "--format", "json").out)
    assert [row["environment"] for row in rows] == ["production"]
