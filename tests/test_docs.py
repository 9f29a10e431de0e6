"""What is documented exists, and what exists is documented."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from runtime.cli.main import app
from runtime.server.settings import Settings

ROOT = Path(__file__).parent.parent
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
RULE = re.compile(r"[a-z]+(-[a-z]+)?(\.[a-z0-9-]+)+")
RAISERS = ("Error", "Fault", "Stopped", "encode_error", "fault")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in (ROOT / "runtime").rglob("*.py"):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def documented(page: str) -> set[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))


def commands(group: object = None, prefix: str = "") -> Iterator[tuple[str, TyperCommand]]:
    group = typer.main.get_command(app) if group is None else group
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{prefix}{name} ")
        else:
            assert isinstance(command, TyperCommand)
            yield prefix + name, command


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    names = {f"FIREBRICK_{name.upper()}" for name in Settings.model_fields}
    assert documented("settings.md") == names


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[n for n, _ in commands()])
def test_every_command_and_option_is_documented(name: str, command: TyperCommand) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = next(
        part
        for part in re.split(r"^## ", text, flags=re.MULTILINE)
        if f"`firebrick {name}" in part.partition("\n")[0]
    )
    assert command.help
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("-") and option != "--help":
                assert f"`{option}`" in section, f"{name} {option}"


def test_every_documented_command_exists() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    known = {name for name, _ in commands()} | {"--version"}
    for heading in re.findall(r"^## (.+)$", text, re.MULTILINE):
        for words in re.findall(r"`firebrick ([^`]+)`", heading):
            plain = " ".join(word for word in words.split() if word[0].islower() or word[0] == "-")
            assert plain in known, plain


def error_codes() -> set[str]:
    found = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[0]
                if (
                    name.endswith(RAISERS)
                    and isinstance(first, ast.Constant)
                    and isinstance(first.value, str)
                    and CODE.fullmatch(first.value)
                ):
                    found.add(first.value)
    return found


def test_every_error_code_is_documented_and_every_documented_one_exists() -> None:
    listed = documented("errors.md")
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "runtime").rglob("*")
        if path.suffix in (".py", ".js")
    )
    assert error_codes() <= listed
    assert {code for code in listed if f'"{code}"' not in text} == set()


def rules() -> set[str]:
    """Return every rule name that stands in the code, f-strings by their fixed beginning."""
    prefixes = (
        "path", "header", "method", "body", "remote", "egress", "operation", "scope", "act",
        "installation", "credential", "site", "caller", "entity", "permission", "workflow",
        "request", "app", "app-access", "invocation", "consent", "world",
    )  # fmt: skip
    columns = {"site.cloud_id", "workflow.id"}  # of tables
    found = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                family = node.value.partition(".")[0]
                if RULE.fullmatch(node.value) and family in prefixes:
                    found.add(node.value)
    return found - columns


def test_every_rule_is_documented_and_every_documented_one_exists() -> None:
    plain = {rule for rule in documented("rules.md") if RULE.fullmatch(rule)}
    assert rules() == plain
